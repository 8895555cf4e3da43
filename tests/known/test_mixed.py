"""The mixed view: spikes are tokens, what lies between is standard normal, a mask of columns is a mask of places."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from anew.codecs.table import Table
from anew.core.release import exact
from anew.core.schema import Field, Schema


def table_of(**columns: np.ndarray | list[object]) -> tuple[Table, pl.DataFrame]:
    frame = pl.DataFrame(columns)
    kinds = {pl.Int64: "integer", pl.Float64: "number", pl.String: "category"}
    fields = [
        Field(name=n, kind=kinds[type(t)], dtype=str(t), missing=frame[n].null_count() > 0)
        for n, t in frame.schema.items()
    ]
    table = Table(Schema(fields=tuple(fields)))
    table.fit(frame, exact())
    return table, frame


def test_a_spike_is_a_token_and_the_rest_is_standard_normal() -> None:
    rng = np.random.default_rng(0)
    gain = np.where(rng.random(4000) < 0.9, 0.0, rng.lognormal(5, 2, 4000))
    table, frame = table_of(gain=gain, year=rng.integers(0, 8, 4000), size=rng.normal(size=4000))
    space, x = table.space("Mixed"), table.encode(frame, "Mixed")
    assert space.reals == 2, "gain and size have a real number, the scale of eight years has none"
    assert space.sizes == (2, 8), "gain is zero or between, a year is one of eight, size needs no token"
    between = x.present[:, 0].numpy()
    assert (between == (gain > 0)).all()
    assert float(x.x[between, 0].std()) == pytest.approx(1, abs=0.05)
    assert (table.decode(x, "Mixed")["gain"].to_numpy() == 0).sum() == (gain == 0).sum()


def test_a_column_of_one_value_and_gaps_is_a_token() -> None:
    table, frame = table_of(flag=[1.0, None] * 50, name=["a", "b"] * 50)
    assert (table.space("Mixed").reals, table.space("Mixed").sizes) == (0, (2, 2))
    assert table.decode(table.encode(frame, "Mixed"), "Mixed").equals(frame)


def test_a_mask_of_columns_covers_all_their_places() -> None:
    rng = np.random.default_rng(0)
    gain = np.where(rng.random(500) < 0.5, 0.0, rng.lognormal(5, 2, 500))
    table, _ = table_of(word=rng.choice(list("abc"), 500), gain=gain)
    known = np.array([[True, False], [False, True]])
    assert table.mask(known, "Mixed").tolist() == [[False, False, True], [True, True, False]]
    assert table.mask(known, "Columns").tolist() == known.tolist()
