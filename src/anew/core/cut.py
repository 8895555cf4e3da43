"""How a column of numbers is cut into cells: atoms that many rows share, and bins that several rows share.

A bin has a stated number of rows at least, and the edges between two bins lie half-way between their values, so that
most grids hold no rare value. They do hold: the smallest and the largest, which bound what is made anew; the rare
values of a scale (few different values, all kept, as rare levels of a category are); and a rare value alone between two
atoms, as a bin of its few rows that reaches half-way to both, or, where whole steps leave no room, as itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats, Grid

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cut:
    """`atom`: a value that occurs at least so often is a cell of its own. A bin has at least `rows` rows, and there
    are about `most` bins at the most."""

    atom: int = 10
    rows: int = 5
    most: int = 1000
    few: int = 20  # a column of so few different values, each met five times on average, is a scale: all are atoms

    def __call__(self, distinct: Floats, counts: Ints, *, step: float = 0.0, missing: float = 0.0) -> Grid:
        """Sorted distinct values (m,) and how often each occurs (m,) -> the grid of an ordered column."""
        if not len(distinct):
            nothing = np.zeros(0)
            return Grid(nothing, nothing, nothing, missing, True, step)
        scale = len(distinct) <= self.few and counts.sum() >= 5 * len(distinct)
        atom = np.full(len(distinct), True) if scale else counts >= self.atom
        cell = self._assign(counts, atom)
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        last = np.append(first[1:], len(distinct)) - 1
        atoms = atom[first]
        lower, upper = _edges(distinct, first, last, atoms, step)
        return Grid(lower, upper, np.add.reduceat(counts, first).astype(np.float64), missing, True, step)

    def _assign(self, counts: Ints, atom: npt.NDArray[np.bool_]) -> Ints:
        """The cell (m,) of each distinct value: every atom its own, runs between atoms cut into bins of equal rows."""
        rest = int(counts[~atom].sum())
        rows = max(self.rows, -(-rest // self.most))
        run = np.cumsum(atom | np.roll(atom, 1)) - (atom[0] | atom[-1])  # a new run starts at and after each atom
        total = np.bincount(run, weights=counts)
        start = np.flatnonzero(np.diff(run, prepend=-1))
        before = np.cumsum(counts) - counts
        before = before - before[start][run]
        bins = np.where(atom, 1, np.maximum(total // rows, 1)[run])
        within = np.minimum(before * bins // total[run], bins - 1)
        cell = np.unique(run + within / (bins.max() + 1.0), return_inverse=True)[1]
        return _enough(cell, run, counts, atom, rows)


def _enough(
    cell: npt.NDArray[np.intp], run: npt.NDArray[np.intp], counts: Ints, atom: npt.NDArray[np.bool_], rows: int
) -> Ints:
    """Bins that came out with too few rows join their neighbour in the run, as far as the run has another."""
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    rows_of = np.add.reduceat(counts, first)
    runs, free = run[first], ~atom[first]
    to = np.zeros(len(first), np.int64)
    held = rows_of[0]
    for k in range(1, len(first)):
        is_last = k + 1 == len(first) or runs[k + 1] != runs[k]
        rest = rows_of[k] if is_last else rows  # the last bin of a run cannot wait for more
        joins = free[k] and runs[k] == runs[k - 1] and (held < rows or rest < rows)
        to[k] = to[k - 1] + (not joins)
        held = held + rows_of[k] if joins else rows_of[k]
    return to[cell]


def _edges(
    distinct: Floats, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp], atoms: npt.NDArray[np.bool_], step: float
) -> tuple[Floats, Floats]:
    """Lower and upper ends (K,): atoms are points; bins reach half-way to their neighbours."""
    lower, upper = distinct[first].copy(), distinct[last].copy()
    gap = distinct[first[1:]] - distinct[last[:-1]]
    if step > 0:
        half = np.floor(np.round(gap / step) / 2) * step
        upper[:-1] += np.where(atoms[:-1], 0.0, np.where(half >= gap - step / 2, gap - step, half))
        reach = np.maximum(np.round((lower[1:] - upper[:-1]) / step) - 1, 0) * step
        lower[1:] -= np.where(atoms[1:], 0.0, np.where(atoms[:-1], np.minimum(reach, half), reach))
    else:
        upper[:-1] += np.where(atoms[:-1], 0.0, gap / 2)
        lower[1:] -= np.where(atoms[1:], 0.0, gap / 2)
    return lower, upper
