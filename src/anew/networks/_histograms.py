"""Sparse histograms over the cells of one column, each shrunk towards a larger one: what the leaves of a tree hold.

Cells are counted from missing: cell 0 is missing, cell c + 1 is cell c of the grid. m(c) is the column's marginal
probability of a cell and M its cumulative sum. An entry e of histogram h is an interval of cells that holds count_e of
the n_h rows; inside it the probability follows the marginal:

    f_h(c) = count_e / n_h * m(c) / M(e),    p_h = (n_h f_h + a p_up(h)) / (n_h + a),    p_up(root) = m.

So a leaf of a few rows says which part of the column's distribution is meant, never which values: a value inside is
drawn as the whole column has them. Shrinkage towards the parents: Breiman et al. 1984, section 11; Agarwal et al. 2022.

Shapes: H histograms, E entries, K cells with missing, n rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Allowed, Floats, Grid
from anew.core.learner import Arrays

TABLE = 1 << 23  # rows of histograms that are looked up by number

Ints = npt.NDArray[np.int32]
Index = npt.NDArray[np.intp]


def marginal(grid: Grid) -> Floats:
    """m (K,): missing first."""
    mass = np.append(grid.missing, grid.counts)
    return np.asarray(mass / max(mass.sum(), 1.0))


def cumulative(mass: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(mass)])


def allowed_mass(grid: Grid, rule: Allowed) -> Floats:
    """The marginal probability of each cell's allowed part (K,): missing first."""
    return np.asarray(marginal(grid) * np.append(float(rule.missing), rule.mass))


@dataclass(frozen=True)
class Histograms:
    """H histograms in compressed rows; `up[h] < h` is the histogram that h is shrunk to, -1 the marginal."""

    start: Ints  # (H + 1,)
    low: Ints  # (E,) first cell of each entry
    high: Ints  # (E,) one past its last cell
    count: Ints  # (E,)
    up: Ints  # (H,)
    shrink: float  # a, in rows

    def __len__(self) -> int:
        return len(self.up)

    @cached_property
    def owner(self) -> Index:
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @cached_property
    def total(self) -> Floats:
        """n_h (H,)."""
        return np.bincount(self.owner, weights=self.count, minlength=len(self)).astype(np.float64)

    @cached_property
    def _key(self) -> npt.NDArray[np.int64]:
        return self.owner * np.int64(self._stride) + self.low

    @cached_property
    def _stride(self) -> int:
        return int(self.high.max(initial=0)) + 2

    def levels(self, h: Index) -> list[Index]:
        """h (n,), then what each is shrunk to, up to the marginal (-1)."""
        chain = [h]
        while (chain[-1] >= 0).any():
            chain.append(np.where(chain[-1] >= 0, self.up[chain[-1]], -1))
        return chain[:-1]

    def probability(self, h: Index, cell: Index, mass: Floats) -> Floats:
        """p_h(c) (n,) for histograms and cells of n rows."""
        below = cumulative(mass)
        p = mass[cell]
        for at in reversed(self.levels(h)):
            n = self.total[at]
            p = np.where(at >= 0, (self.inside(at, cell, mass, below) + self.shrink * p) / (n + self.shrink), p)
        return p

    def inside(self, h: Index, cell: Index, mass: Floats, below: Floats) -> Floats:
        """n_h f_h(c) (n,)."""
        e = self.entry(h, cell)
        inside = (self.owner[e] == h) & (self.low[e] <= cell) & (cell < self.high[e])
        span = below[self.high[e]] - below[self.low[e]]
        return np.where(inside, self.count[e] * mass[cell] / np.maximum(span, 1e-300), 0.0)

    def entry(self, h: Index, cell: Index) -> Index:
        """The last entry (n,) that begins at the cell or below it, in the histogram or in one before it."""
        e = np.searchsorted(self._key, h * np.int64(self._stride) + cell, side="right") - 1
        return np.maximum(e, 0)

    def state(self) -> Arrays:
        return {"start": self.start, "low": self.low, "high": self.high, "count": self.count, "up": self.up}

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]], shrink: float) -> Histograms:
        return cls(arrays["start"], arrays["low"], arrays["high"], arrays["count"], arrays["up"], shrink)


def none(shrink: float) -> Histograms:
    """No histogram: every row follows the marginal."""
    empty = np.zeros(0, np.int32)
    return Histograms(np.zeros(1, np.int32), empty, empty, empty, empty, shrink)


def of_rows(owner: Index, cell: Index, size: int, joined: float, shrink: float, width: int, ends: int) -> Histograms:
    """`size` histograms of rows (n,), by the histogram and the cell of each; `up` is still to be said.

    Cells from `ends` on are no part of the order: each stays alone.
    """
    owner, low, count = collect(owner, cell, width)
    high = low + 1
    if joined > 1:
        owner, low, high, count = group(owner, low, count, joined, ends)
    start = np.searchsorted(owner, np.arange(size + 1))
    return Histograms(_int(start), _int(low), _int(high), _int(count), np.full(size, -1, np.int32), shrink)


def merge(parts: Sequence[Histograms]) -> tuple[Histograms, list[int]]:
    """The histograms of several trees in one, and the number of each tree's first."""
    first = [0, *np.cumsum([len(part) for part in parts]).tolist()]
    entry = [0, *np.cumsum([len(part.low) for part in parts]).tolist()]
    start = np.concatenate([*(p.start[:-1] + e for p, e in zip(parts, entry, strict=False)), entry[-1:]])
    up = np.concatenate([np.where(p.up >= 0, p.up + f, -1) for p, f in zip(parts, first, strict=False)])
    low, high, count = (np.concatenate([getattr(p, name) for p in parts]) for name in ("low", "high", "count"))
    return Histograms(_int(start), low, high, count, _int(up), parts[0].shrink), first[:-1]


def _int(values: npt.NDArray[Any]) -> Ints:
    return values.astype(np.int32)


class View:
    """The histograms seen through a part of the column: probabilities of the part, and draws from it.

    `part` (K,) is the allowed part of each cell's marginal mass; the whole column is the part m itself.
    """

    def __init__(self, histograms: Histograms, mass: Floats, part: Floats) -> None:
        h = histograms
        self.histograms, self.below, self.whole = h, cumulative(part), part is mass
        whole = cumulative(mass)
        share = (self.below[h.high] - self.below[h.low]) / np.maximum(whole[h.high] - whole[h.low], 1e-300)
        # The marginal is the last histogram, of one entry that is the whole column: index -1 finds it.
        self.rows = cumulative(np.append(h.count * share, 1.0))  # (E + 2,) rows in the part, over all entries
        self.base = self.rows[h.start]  # (H + 1,)
        self.own = np.append(self.base[1:] - self.base[:-1], 1.0)  # (H + 1,) n_h f_h(part)
        self.last = np.append(h.start[1:] - 1, len(h.low))
        self.low = np.append(h.low, 0).astype(np.intp)
        self.high = np.append(h.high, len(mass)).astype(np.intp)
        self.mixed = self._mixed()  # (H + 1,) p_h(part)
        self.stay = self.own[:-1] / np.maximum(self.own[:-1] + h.shrink * self.mixed[h.up], 1e-300)

    def _mixed(self) -> Floats:
        h = self.histograms
        out = np.empty(len(h) + 1)
        out[-1] = self.below[-1]
        todo = np.flatnonzero(h.up == -1)
        while len(todo):  # parents first
            out[todo] = (self.own[todo] + h.shrink * out[h.up[todo]]) / (h.total[todo] + h.shrink)
            todo = np.flatnonzero(np.isin(h.up, todo))
        return out

    def draw(self, h: Index, rng: np.random.Generator) -> tuple[Index, Floats]:
        """Cells (n,) and the place (n,) in [0, 1) inside each, for the histograms of n rows."""
        h = self._climb(h, rng)
        want = self.base[h] + rng.random(len(h)) * self.own[h]
        if self._entry is not None:
            e = self._entry[want.astype(np.intp)]
        else:
            e = np.minimum(np.searchsorted(self.rows, want, side="right") - 1, self.last[h])
        return self._inside(self.low[e], self.high[e], rng.random(len(h)))

    @cached_property
    def _entry(self) -> Index | None:
        """The entry of each row, so that a draw of a row is a look-up; None where a part of an entry counts, or where
        the table would be large."""
        h = self.histograms
        if not self.whole or self.rows[-1] > TABLE:
            return None
        return np.repeat(np.arange(len(h.low) + 1, dtype=np.int32), np.append(h.count, 1))

    def _climb(self, h: Index, rng: np.random.Generator) -> Index:
        """Where each row's draw comes from: its histogram, or one that it is shrunk to, or the marginal (-1)."""
        h = h.copy()
        rows = np.arange(len(h)) if len(self.histograms) else np.zeros(0, np.intp)
        while len(rows):
            rows = rows[rng.random(len(rows)) >= self.stay[h[rows]]]
            h[rows] = self.histograms.up[h[rows]]
            rows = rows[h[rows] >= 0]
        return h

    def _inside(self, low: Index, high: Index, u: Floats) -> tuple[Index, Floats]:
        """A cell between low and high, in proportion to the part, and the place in it.  (n,)"""
        cell, u = low, u.copy()
        wide = np.flatnonzero(high - low > 1)
        if len(wide):
            first, end = low[wide], high[wide]
            want = self.below[first] + u[wide] * (self.below[end] - self.below[first])
            found = np.clip(np.searchsorted(self.below, want, side="right") - 1, first, end - 1)
            size = self.below[found + 1] - self.below[found]
            u[wide] = np.clip((want - self.below[found]) / np.maximum(size, 1e-300), 0.0, np.nextafter(1.0, 0.0))
            cell = low.copy()
            cell[wide] = found
        return cell, u


def collect(owner: Index, cell: Index, width: int) -> tuple[Index, Index, Index]:
    """Rows (n,) of histogram and cell -> sorted distinct pairs (P,) and how many rows each has (P,)."""
    key = np.sort(owner * np.int64(width) + cell)
    first = np.flatnonzero(np.diff(key, prepend=-1))
    return key[first] // width, key[first] % width, np.diff(np.append(first, len(key)))


def group(owner: Index, cell: Index, count: Index, rows: float, ends: int) -> tuple[Index, Index, Index, Index]:
    """Pairs (P,) -> entries (E,): neighbouring cells of a histogram are joined until an entry has about `rows` rows.

    A cell with at least so many rows stays alone, and so do missing and the cells from `ends` on. A gap between two
    joined entries is halved between them, so that the histogram of an ordered column has no holes.
    Returns owner, low, high, count.
    """
    before = np.cumsum(count) - count
    new = np.diff(owner, prepend=-1) != 0
    within = before - before[np.flatnonzero(new)][np.cumsum(new) - 1]
    outside = (cell == 0) | (cell >= ends)
    alone = (count >= rows) | outside
    number = np.floor((within + count / 2) / rows)
    opens = new | alone | np.append(False, alone[:-1]) | (np.diff(number, prepend=-1) != 0)
    first = np.flatnonzero(opens)
    last = np.append(first[1:], len(cell)) - 1
    low, high, owner, single, off = cell[first], cell[last] + 1, owner[first], alone[first], outside[first]
    pair = np.flatnonzero((owner[1:] == owner[:-1]) & ~off[1:] & ~off[:-1])
    gap = low[pair + 1] - high[pair]
    give = np.where(single[pair], 0, np.where(single[pair + 1], gap, gap // 2))
    take = np.where(single[pair + 1], 0, gap - give)
    high[pair] += give
    low[pair + 1] -= take
    return owner, low, high, np.add.reduceat(count, first)
