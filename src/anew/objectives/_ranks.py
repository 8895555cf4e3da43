"""Ranks of cells and their normal scores: z = Phi^-1(share of rows below, with missing below every value).

A value in a bin has the rank of its place in it. The rows of an atom, of a level and of missing share one interval of
ranks, of which they get the middle (a fixed place, for codes that repeat) or a random place.
"""

from __future__ import annotations

import numpy as np

from anew.core.columns import MISSING, Codes, Floats, Grid

EDGE = 1e-9  # no rank is nearer to 0 or 1: scores stay finite


def ends(grid: Grid) -> Floats:
    """Cumulative shares of missing, then of each cell: 0 ... 1.  (K + 2,)"""
    mass = np.concatenate([[grid.missing], grid.counts])
    return np.concatenate([[0.0], np.cumsum(mass / max(mass.sum(), 1.0))])


def scores(grid: Grid, codes: Codes, positions: Floats, rng: np.random.Generator | None = None) -> Floats:
    """The normal score of each cell (n,); with `rng`, of a random place in the ranks that its atom has."""
    from scipy.special import ndtri

    edge, cell = ends(grid), np.maximum(codes, MISSING) + 1
    atom = np.append(True, grid.upper <= grid.lower)[cell]
    shared = 0.5 if rng is None else rng.random(len(codes))
    inside = np.where(atom, shared, np.nan_to_num(positions - codes, nan=0.5))
    ranks = edge[cell] + inside * (edge[cell + 1] - edge[cell])
    return np.asarray(ndtri(np.clip(ranks, EDGE, 1 - EDGE)))


def from_scores(grid: Grid, z: Floats) -> tuple[Codes, Floats]:
    """The inverse: codes and positions (n,)."""
    from scipy.special import ndtr

    return from_ranks(grid, ndtr(z))


def from_ranks(grid: Grid, ranks: Floats) -> tuple[Codes, Floats]:
    """Ranks in [0, 1] -> codes and positions (n,)."""
    edge = ends(grid)
    cell = np.clip(np.searchsorted(edge, ranks, side="right") - 1, 0, grid.size)
    inside = (ranks - edge[cell]) / np.maximum(edge[cell + 1] - edge[cell], 1e-300)
    codes = (cell - 1).astype(np.int32)
    return codes, np.where(codes >= 0, codes + np.clip(inside, 0.0, np.nextafter(1.0, 0.0)), np.nan)
