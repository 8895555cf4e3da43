"""Gaussian copula: every column as it is, their dependence as one correlation matrix.

With u_j the rank of x_j (the middle of its cell's interval of ranks) and z_j = Phi^-1(u_j), the model is z ~ N(0, R)
(Sklar 1959; Nelsen 2006, An Introduction to Copulas). Missing is the lowest cell of its column.
Conditions are served by rejection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import MISSING, Cells, Codes, Floats, Grid
from anew.core.learner import Arrays, Config, Samples, Solved
from anew.core.release import Release


class Copula(Solved, Samples[Cells]):
    """The baseline of SDV and of statistics: marginals exact, dependence linear in normal scores."""

    aliases = ("gaussian_copula",)
    reads = ("Columns",)
    minimises = "the Gaussian pseudo-likelihood of normal scores"

    def solve(self, cells: Cells, release: Release) -> None:
        scores = np.stack([_scores(self.space.grids[j], cells.codes[:, j]) for j in self.space.learned], 1)
        deviation = np.maximum(scores.std(0), 1e-9)
        centred = (scores - scores.mean(0)) / deviation
        correlation = centred.T @ centred / max(len(scores), 1)
        np.fill_diagonal(correlation, 1.0)
        self.root = _root(release.moments("all columns", correlation))

    def sample(self, n: int, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        from scipy.special import ndtr

        out = Cells.empty(n, len(self.space.learned))
        ranks = ndtr(rng.standard_normal((n, len(self.root))) @ self.root.T)
        for i, j in enumerate(self.space.learned):
            out.codes[:, i], out.positions[:, i] = _from_ranks(self.space.grids[j], ranks[:, i])
        return out

    def state(self) -> tuple[Config, Arrays]:
        return {}, {"root": self.root}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.root = np.asarray(arrays["root"], np.float64)


def _ends(grid: Grid) -> Floats:
    """Cumulative shares of missing, then of each cell: 0 ... 1.  (K + 2,)"""
    mass = np.concatenate([[grid.missing], grid.counts])
    return np.concatenate([[0.0], np.cumsum(mass / max(mass.sum(), 1.0))])


def _scores(grid: Grid, codes: Codes) -> Floats:
    """The normal score of the middle of each cell's interval of ranks.  (n,)"""
    from scipy.special import ndtri

    ends = _ends(grid)
    return np.asarray(ndtri(np.clip((ends[:-1] + ends[1:]) / 2, 1e-6, 1 - 1e-6))[np.maximum(codes, MISSING) + 1])


def _from_ranks(grid: Grid, ranks: Floats) -> tuple[Codes, Floats]:
    ends = _ends(grid)
    cell = np.clip(np.searchsorted(ends, ranks, side="right") - 1, 0, grid.size)
    inside = (ranks - ends[cell]) / np.maximum(ends[cell + 1] - ends[cell], 1e-300)
    codes = (cell - 1).astype(np.int32)
    return codes, np.where(codes >= 0, codes + np.clip(inside, 0.0, np.nextafter(1.0, 0.0)), np.nan)


def _root(correlation: Floats) -> Floats:
    """A matrix A with A A' = R, for any symmetric R that is nearly positive semi-definite."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-12))
