"""Which earlier columns a column is learned from, in a table of very many: those that say most about it.

Every column becomes a few numbers of mean zero and unit variance: an ordered one its normal score, the square of that
(a dependence that is not monotone) and whether it is missing; a nominal one an indicator of each of its commonest
levels. The strength of a pair is the largest absolute correlation between the numbers of one and those of the other, so
that all pairs of d columns cost one product of matrices (sure independence screening: Fan and Lv 2008).

Shapes: n rows, d columns, p numbers of all columns.
"""

from __future__ import annotations

import numpy as np

from anew.core.columns import Cells, Codes, Columns, Floats, Grid

ROWS = 4000  # that decide
LEVELS = 6  # commonest levels of a category that get a number


def parents_of(cells: Cells, space: Columns, most: int, rng: np.random.Generator) -> list[list[int] | None]:
    """For each column the earlier ones that it is learned from, in order: None for all, or the `most` strongest."""
    d = len(space)
    if d <= most + 1:
        return [None] * d
    strength = strengths(cells.take(np.sort(rng.permutation(len(cells))[:ROWS])), space)
    return [sorted(np.argsort(-strength[j, :j], kind="stable")[:most].tolist()) if j > most else None for j in range(d)]


def strengths(some: Cells, space: Columns) -> Floats:
    """The largest absolute correlation of each pair of columns.  (d, d)"""
    parts = [_numbers(g, some.codes[:, j], some.positions[:, j]) for j, g in enumerate(space.grids)]
    owner = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    x = np.concatenate(parts, 1)
    x = x - x.mean(0)
    x = (x / np.maximum(np.sqrt((x**2).sum(0)), 1e-9)).astype(np.float32)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    rows = np.maximum.reduceat(np.abs(x.T @ x), first, axis=0)
    return np.asarray(np.maximum.reduceat(rows, first, axis=1), np.float64)


def _numbers(grid: Grid, codes: Codes, positions: Floats) -> Floats:
    """(n, k) numbers of one column; never none."""
    gone = (codes < 0).astype(np.float64)[:, None]
    if not grid.size:
        return gone
    if grid.ordered:
        from scipy.special import ndtri

        score = np.where(codes >= 0, ndtri(np.clip(grid.ranks(positions), 0.001, 0.999)), 0.0)[:, None]
        return np.concatenate([score, score**2, gone], 1)
    return np.concatenate([(codes[:, None] == np.arange(min(grid.size, LEVELS))).astype(np.float64), gone], 1)
