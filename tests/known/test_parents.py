"""A table of more columns than a column is learned from: what hangs together far apart is found all the same."""

import numpy as np
import polars as pl
import pytest

import anew
from anew.codecs.table import Table
from anew.core.columns import Columns
from anew.core.release import exact
from anew.core.schema import Field, Schema
from anew.core.seeds import stream
from anew.networks._parents import parents_of

COLUMNS, ROWS, MOST = 60, 1500, 8


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    """The last three columns follow the first three, in value, in size and in whether it is missing; else noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, COLUMNS))
    x[:, -3] = x[:, 0] + 0.1 * rng.standard_normal(ROWS)
    x[:, -2] = x[:, 1] ** 2 + 0.1 * rng.standard_normal(ROWS)
    frame = pl.DataFrame({f"x{j}": x[:, j].round(3) for j in range(COLUMNS)})
    last = np.where(x[:, 2] > 0, np.nan, x[:, -1].round(3))
    return frame.with_columns(pl.Series(f"x{COLUMNS - 1}", last).fill_nan(None))


def test_parents_are_the_columns_that_say_most(table):
    schema = Schema(
        fields=tuple(
            Field(name=name, kind="number", dtype="Float64", decimals=3, missing=True) for name in table.columns
        )
    )
    codec = Table(schema)
    codec.fit(table, exact())
    space: Columns = codec.space("Columns")
    parents = parents_of(codec.encode(table, "Columns"), space, MOST, stream("parents", 0))
    assert parents[: MOST + 1] == [None] * (MOST + 1), "few columns are all looked at"
    assert all(len(chosen) == MOST and max(chosen) < j for j, chosen in enumerate(parents) if chosen is not None)
    for far, near in ((COLUMNS - 3, 0), (COLUMNS - 2, 1), (COLUMNS - 1, 2)):
        assert near in parents[far]


def test_a_dependence_between_far_columns_survives_a_wide_table(table, tmp_path):
    model = anew.fit(table, trees=1, seed=0, out=tmp_path / "model")
    new, again = (pl.concat(list(m.stream(ROWS, seed=1))) for m in (model, anew.load(tmp_path / "model")))
    assert new.equals(again), "the parents are saved"
    real = np.corrcoef(table["x0"], table[f"x{COLUMNS - 3}"])[0, 1]
    made = np.corrcoef(new["x0"], new[f"x{COLUMNS - 3}"])[0, 1]
    assert made > 0.9 * real
    assert (new[f"x{COLUMNS - 1}"].is_null() == (new["x2"] > 0)).mean() > 0.95
