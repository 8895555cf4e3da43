"""Gaussian copula: every column as it is, their dependence as one correlation matrix.

With u_j the rank of x_j and z_j = Phi^-1(u_j) its normal score, the model is z ~ N(0, R) (Sklar 1959; Nelsen 2006, An
Introduction to Copulas). Missing is the lowest cell of its column; atoms stand in the middle of their ranks in the fit.

A row is completed by conditioning the Gaussian: with a free draw z*, the unknown scores are z*_u + R_uk R_kk^-1
(z_k - z*_k) (Matheron's rule: Journel and Huijbregts 1978), and a known atom stands at a random place in its ranks. The
latent code of a row is R^-1/2 z: independent and standard normal. Conditions are served by rejection.

Shapes: n rows, d columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Bools, Cells, Floats
from anew.core.learner import Arrays, Completes, Config, Encodes, Samples, Solved
from anew.core.release import Release
from anew.objectives._ranks import from_scores, scores

FLOOR = 1e-6  # the least variance in any direction: the root can be inverted
RIDGE = 1e-3  # on what is known: columns that say the same in other words do not outshout each other


class Copula(Solved, Samples[Cells], Completes[Cells], Encodes[Cells]):
    """The baseline of SDV and of statistics: marginals exact, dependence linear in normal scores."""

    aliases = ("gaussian_copula",)
    reads = ("Columns",)
    minimises = "the Gaussian pseudo-likelihood of normal scores"

    def solve(self, cells: Cells, release: Release) -> None:
        learned = cells.columns(slice(self.space.given, None))
        z = self._scores(learned)
        centred = (z - z.mean(0)) / np.maximum(z.std(0), 1e-9)
        correlation = centred.T @ centred / max(len(z), 1)
        np.fill_diagonal(correlation, 1.0)
        self.root = _root(release.moments("all columns", correlation))

    def sample(self, n: int, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        return self._cells(self._free(n, rng))

    def complete(self, x: Cells, known: Bools, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        free, held = self._free(len(x), rng), self._scores(x, rng)
        patterns, which = np.unique(known, axis=0, return_inverse=True)
        for i, k in enumerate(patterns):
            rows = np.flatnonzero(which.ravel() == i)
            free[rows] += (held[np.ix_(rows, k)] - free[np.ix_(rows, k)]) @ self._weights(k)
        drawn = self._cells(free)
        return Cells(np.where(known, x.codes, drawn.codes), np.where(known, x.positions, drawn.positions))

    def encode(self, x: Cells, given: Cells | None = None) -> Floats:
        return np.asarray(np.linalg.solve(self.root, self._scores(x).T).T)

    def decode(self, z: Floats, given: Cells | None = None) -> Cells:
        return self._cells(z @ self.root.T)

    def _free(self, n: int, rng: np.random.Generator) -> Floats:
        return np.asarray(rng.standard_normal((n, len(self.root))) @ self.root.T)

    def _scores(self, x: Cells, rng: np.random.Generator | None = None) -> Floats:
        """(n, d) normal scores of the learned columns."""
        grids = [self.space.grids[j] for j in self.space.learned]
        return np.stack([scores(grid, x.codes[:, i], x.positions[:, i], rng) for i, grid in enumerate(grids)], 1)

    def _cells(self, z: Floats) -> Cells:
        out = Cells.empty(len(z), len(self.root))
        for i, j in enumerate(self.space.learned):
            out.codes[:, i], out.positions[:, i] = from_scores(self.space.grids[j], z[:, i])
        return out

    def _weights(self, k: Bools) -> Floats:
        """R_kk^-1 R_k. for one pattern of known columns.  (known, d)"""
        correlation = self.root @ self.root.T
        inner = correlation[np.ix_(k, k)] + RIDGE * np.eye(int(k.sum()))
        return np.asarray(np.linalg.solve(inner, correlation[k]))

    def state(self) -> tuple[Config, Arrays]:
        return {}, {"root": self.root}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.root = np.asarray(arrays["root"], np.float64)


def _root(correlation: Floats) -> Floats:
    """A matrix A with A A' = R, for any symmetric R that is nearly positive semi-definite."""
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, FLOOR))
    return np.asarray(root / np.linalg.norm(root, axis=1, keepdims=True))
