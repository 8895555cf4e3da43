"""Cells as matrices for solvers: one number a column for trees, standardised numbers and one-hot levels for lines.

Shapes: n rows, d columns, p features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import MISSING, Cells, Codes, Columns, Floats, Grid
from anew.core.learner import Arrays

TOP = 64  # the most frequent levels of a category get a feature each, the others share one


def ordinal(cells: Cells, orders: list[Floats | None], spare: int = 0) -> npt.NDArray[np.float32]:
    """(n, d) float32: positions of ordered columns, ranked levels of nominal ones, -1 where missing or unknown."""
    out = np.empty((len(cells), cells.width + spare), np.float32)
    for j, order in enumerate(orders):
        if order is None:
            out[:, j] = cells.positions[:, j]
            out[np.isnan(out[:, j]), j] = -1.0
        else:  # MISSING and OUTSIDE find the two last
            out[:, j] = np.append(order, [-1.0, -1.0])[cells.codes[:, j]]
    return out


def level_orders(cells: Cells, space: Columns, target: Floats) -> list[Floats | None]:
    """For each nominal column the rank (K,) of its levels by the mean target (n,), so that a threshold splits well.

    The order of a level by its mean target gives the best binary split of a category (Fisher 1958; Breiman et al.
    1984, section 4.2.2). Rare levels are shrunk towards the overall mean by five rows.
    """
    orders: list[Floats | None] = []
    for j, grid in enumerate(space.grids):
        orders.append(None if grid.ordered else _rank(cells.codes[:, j], grid.size, target))
    return orders


def _rank(codes: Codes, size: int, target: Floats) -> Floats:
    seen = codes >= 0
    total = np.bincount(codes[seen], weights=target[seen], minlength=size)
    count = np.bincount(codes[seen], minlength=size)
    mean = (total + 5.0 * target.mean()) / (count + 5.0)
    return np.argsort(np.argsort(mean, kind="stable"), kind="stable").astype(np.float64)


def dense(cells: Cells, space: Columns) -> npt.NDArray[np.float64]:
    """(n, p): each ordered column as its normal score beside a flag of missing, each category as one-hot levels."""
    parts = [
        _scores(g, cells.codes[:, j], cells.positions[:, j]) if g.ordered else _levels(g, cells.codes[:, j])
        for j, g in enumerate(space.grids)
    ]
    return np.concatenate(parts, 1) if parts else np.zeros((len(cells), 0))


def _scores(grid: Grid, codes: Codes, positions: Floats) -> Floats:
    from scipy.special import ndtri

    if grid.size == 0:
        return np.zeros((len(codes), 2))
    margin = 0.5 / grid.counts.sum()
    score = ndtri(np.clip(grid.ranks(positions), margin, 1 - margin))
    gone = codes == MISSING
    return np.stack([np.where(gone, 0.0, score), gone.astype(np.float64)], 1)


def _levels(grid: Grid, codes: Codes) -> Floats:
    """One-hot of the first TOP levels (they are the most frequent), of the others together, and of missing."""
    shown = min(grid.size, TOP)
    group = np.where(codes < 0, shown + 1, np.minimum(codes, shown))
    return np.asarray(np.eye(shown + 2)[group])


@dataclass(frozen=True)
class Standard:
    """Features about zero mean and unit deviation: mean (p,) and scale (p,)."""

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, features: Floats) -> Standard:
        return cls(features.mean(0), np.maximum(features.std(0), 1e-3))

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Standard:
        return cls(arrays["mean"], arrays["scale"])

    def arrays(self) -> Arrays:
        return {"mean": self.mean, "scale": self.scale}

    def __call__(self, features: Floats) -> Floats:
        return (features - self.mean) / self.scale
