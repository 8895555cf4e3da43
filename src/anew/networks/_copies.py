"""Columns that repeat an earlier one in part of the rows: this month's payment is last month's bill, or as always.

A split at a threshold cannot say "the same number as there": the value differs from row to row. So "equal to column
i" becomes a cell of its own beside the cells of the grid, whose probability the trees learn like any other, and whose
value is read from the row: y = x_i. A column is such a source when the two agree in far more rows than chance would
have them agree, c = sum_v p_y(v) p_i(v) for independent columns.

Shapes: n rows, d columns, K cells, S sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anew.core.columns import MISSING, Bools, Cells, Codes, Columns, Floats, Grid

SAMPLE = 4000  # rows on which sources are looked for
SHARE = 0.02  # rows that must agree, beyond chance
TIMES = 1.5  # and so many times as many as by chance
COMMON = 0.1  # a value of so many rows is an ordinary cell: that it is met in both columns says little
MOST = 3  # sources of a column


@dataclass(frozen=True)
class Copies:
    """The sources of one column: features `of`, whose values its grid can hold."""

    of: tuple[int, ...]
    sources: tuple[Grid, ...]
    grid: Grid

    def __len__(self) -> int:
        return len(self.of)

    def values(self, before: Cells) -> list[tuple[Codes, Floats]]:
        """For each source its values as codes and positions (n,) of the column's own grid; negative: none to copy."""
        found = []
        for i, source in zip(self.of, self.sources, strict=True):
            values = source.decode(before.codes[:, i], before.positions[:, i])
            codes, positions = self.grid.encode(values)
            codes[_common(self.grid)[np.maximum(codes, 0)] & (codes >= 0)] = MISSING
            found.append((codes, positions))
        return found

    def which(self, before: Cells, codes: Codes, positions: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """The number of the first source that each row repeats, -1 where none (n,)."""
        picked = np.full(len(codes), -1, np.intp)
        for s, (there, place) in reversed(list(enumerate(self.values(before)))):
            picked[same(codes, positions, there, place)] = s
        return picked


def same(codes: Codes, positions: Floats, there: Codes, place: Floats) -> Bools:
    """Whether two cells of one grid hold the same value.  (n,)"""
    with np.errstate(invalid="ignore"):
        return np.asarray((codes >= 0) & (codes == there) & (np.abs(positions - place) < 1e-9))


def copies_of(before: Cells, features: Columns, grid: Grid, codes: Codes, positions: Floats, most: int) -> Copies:
    """The columns that this one repeats, the one that explains most rows first."""
    if not grid.ordered or grid.step <= 0 or grid.size < 3:
        return Copies((), (), grid)  # values on a continuum never agree by more than a rounding
    rows = np.linspace(0, len(codes) - 1, min(len(codes), SAMPLE)).astype(np.intp)
    rows = rows[(codes[rows] >= 0) & ~_common(grid)[np.maximum(codes[rows], 0)]]
    some, own, place = before.take(rows), codes[rows], positions[rows]
    n, left, picked = min(len(codes), SAMPLE), np.ones(len(rows), bool), list[int]()
    agree = {i: _agreement(some, features.grids[i], i, grid, own, place) for i in _alike(features, grid)}
    expected = {i: _chance(features.grids[i], grid) * n for i in agree if agree[i].sum() > SHARE * n}
    while len(picked) < most:
        gain = {i: (agree[i] & left).sum() - chance for i, chance in expected.items() if i not in picked}
        best = max(gain, key=lambda i: gain[i], default=-1)
        if best < 0 or gain[best] < SHARE * n or agree[best].sum() < TIMES * expected[best]:
            break
        picked.append(best)
        left &= ~agree[best]
    return Copies(tuple(picked), tuple(features.grids[i] for i in picked), grid)


def _alike(features: Columns, grid: Grid) -> Sequence[int]:
    """Numbers on the same scale, whose range meets the column's."""
    return [
        i
        for i, other in enumerate(features.grids)
        if other.ordered
        and other.size >= 3
        and np.isclose(other.step, grid.step)
        and other.lower[0] <= grid.upper[-1]
        and other.upper[-1] >= grid.lower[0]
    ]


def _agreement(some: Cells, source: Grid, i: int, grid: Grid, own: Codes, place: Floats) -> Bools:
    values = source.decode(some.codes[:, i], some.positions[:, i])
    return same(own, place, *grid.encode(values))


def _common(grid: Grid) -> Bools:
    """Which cells (K,) hold a very common value."""
    total = max(grid.counts.sum() + grid.missing, 1.0)
    return np.asarray((grid.lower == grid.upper) & (grid.counts > COMMON * total))


def _chance(source: Grid, grid: Grid) -> float:
    """The share of rows in which two independent columns of these grids agree, very common values left out."""
    codes, _ = grid.encode(
        source.decode(np.arange(source.size, dtype=np.int32), np.arange(source.size, dtype=np.float64) + 0.5)
    )
    held = np.where(codes >= 0, codes, 0)
    here = grid.counts[held] / max(grid.counts.sum(), 1.0) / np.maximum(source.values_in, grid.values_in[held])
    here = np.where((codes >= 0) & ~_common(grid)[held], here, 0.0)
    return float((source.counts / max(source.counts.sum(), 1.0) * here).sum())
