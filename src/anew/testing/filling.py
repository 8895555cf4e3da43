"""The laws of completion and of the latent space."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.codecs.table import Table
from anew.core.columns import Cells, Floats
from anew.core.learner import Completes, Encodes, Learner, Samples, Solved
from anew.testing.codecs import assert_close_frames

Bools = npt.NDArray[np.bool_]


def check_completes(learner: Learner, table: Table, frame: pl.DataFrame, view: str) -> None:
    """What is known is kept, the same seed repeats, and what is drawn depends on what is known as in free draws."""
    assert isinstance(learner, Completes)
    assert isinstance(learner, Samples)
    some = ["sex", "since", "age"]
    data = table.encode(frame, view)
    known = cells_of(table, frame, view, some)
    drawn = [table.decode(learner.complete(data, known, np.random.default_rng(seed)), view) for seed in (1, 1, 2)]
    for name in some:
        assert_close_frames(drawn[0].select(name), frame.select(name), f"completion keeps {name!r}")
    assert drawn[0].equals(drawn[1]), "the same seed completes alike"
    assert not drawn[0].equals(drawn[2]), "another seed completes otherwise"
    free = table.decode(learner.sample(4000, np.random.default_rng(3)), view)
    for a, b in (("age", "smoker"), ("sex", "weight")):
        told, own = (_dependence(part, a, b) for part in (drawn[0], free))
        assert abs(told - own) < 0.2, f"{b!r} given {a!r} correlates by {told:.2f}, in free draws by {own:.2f}"


def cells_of(table: Table, frame: pl.DataFrame, view: str, names: list[str]) -> Bools:
    """Which numbers of the encoded rows say what those columns are: those that move when another column cannot."""
    rest = frame.with_columns(pl.col(name).reverse() for name in frame.columns if name not in names)
    one, other = (numbers(table.encode(part, view)) for part in (frame, rest))
    moved = ((one != other) & ~(np.isnan(one) & np.isnan(other))).any(0)
    return np.broadcast_to(~moved, one.shape).copy()


def numbers(x: Any) -> Floats:
    """Encoded rows as numbers, whatever the view."""
    return x.positions if isinstance(x, Cells) else np.asarray(x.x, np.float64)


def _dependence(frame: pl.DataFrame, a: str, b: str) -> float:
    """The correlation of two columns, the levels of a category in their alphabetical order."""
    parts = frame.select(a, b).drop_nulls()
    x, y = (_ranked(parts[name]) for name in (a, b))
    return float(np.corrcoef(x, y)[0, 1])


def _ranked(column: pl.Series) -> Floats:
    return column.rank("average").to_numpy().astype(np.float64)


def check_encodes(learner: Learner, table: Table, frame: pl.DataFrame, view: str) -> None:
    """Finite, one row a row, the same for the same; back again it is the row, exactly where the learner is solved."""
    solved = isinstance(learner, Solved)
    assert isinstance(learner, Encodes)
    data = table.encode(frame, view)
    z = learner.encode(data)
    assert z.ndim == 2, "latent coordinates are (n, k)"
    assert len(z) == len(frame), "latent coordinates are (n, k)"
    assert np.isfinite(z).all(), "latent coordinates are finite"
    assert np.array_equal(z, learner.encode(data)), "the same row has the same coordinates"
    back = table.decode(learner.decode(z), view)
    assert back.equals(table.decode(learner.decode(z), view)), "the same coordinates give the same row"
    if solved:
        assert_close_frames(back, frame, "decode(encode(x))")
    else:
        assert _alike(back, frame) > _alike(back.reverse(), frame), "decode(encode(x)) is no nearer to x than to others"


def _alike(a: pl.DataFrame, b: pl.DataFrame) -> float:
    """The share of equal cells and the closeness of numbers in ranks, together."""
    parts = []
    for name in b.columns:
        x, y = a[name], b[name]
        if y.dtype == pl.String or y.dtype == pl.Boolean:
            parts.append(float((x == y).fill_null(True).mean()))  # type: ignore[arg-type]
        else:
            both = x.is_not_null() & y.is_not_null()
            parts.append(float(np.corrcoef(_ranked(x.filter(both)), _ranked(y.filter(both)))[0, 1]))
    return float(np.nan_to_num(parts).mean())
