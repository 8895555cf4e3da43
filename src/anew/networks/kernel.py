"""A Gaussian kernel by random Fourier features (Rahimi and Recht 2007, algorithm 1): a line in a space of waves.

k(x, x') = exp(-g |x - x'|^2) is the mean of phi(x) phi(x') with phi_i(x) = sqrt(2 / D) cos(w_i x + b_i),
w_i ~ N(0, 2 g I), b_i ~ U(0, 2 pi). A linear machine on phi is a kernel machine without its support vectors: what is
kept are the random w and b and a weight for each, and no row. 1 / g is the median squared distance between rows,
times the one of SHARES that leaves the least error on rows held out.

Features are as in `linear`, but not divided by their deviations: a rare level is no further away than a common one.
Shapes: n rows, p features, D waves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.learner import Arrays, Config
from anew.core.network import Predictor
from anew.core.seeds import stream
from anew.networks._features import dense
from anew.networks._heads import Head, by_hinge, by_log, by_squares

WAVES = 1_000  # D
NUMBERS = 4_000_000  # of w, at most: fewer waves for very many features
MOST = 50_000  # rows that it is fitted on, drawn at random from more
TRIED = 4_000  # rows on which a width is chosen
SHARES = (0.5, 1.0, 2.0, 4.0)  # of the median squared distance
BLOCK = 8_192  # rows that are predicted at once
STRENGTH = 10.0  # C of the log and hinge losses
PENALTY = 0.1  # of the squared loss

Waves = npt.NDArray[np.float32]


class Kernel(Predictor):
    """A kernel machine: smooth curves and all interactions at one scale, for up to some ten thousand rows."""

    losses = frozenset({"log", "hinge", "squared"})

    def fit_classes(
        self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int, loss: str = "log"
    ) -> None:
        rows = _some(len(cells), MOST, seed)
        waves = self._start(cells.take(rows), space, np.eye(size)[classes[rows]], seed)
        self.head = (by_hinge if loss == "hinge" else by_log)(waves, classes[rows], seed, STRENGTH)
        self.size = size

    def fit_values(self, cells: Cells, space: Columns, values: Floats, seed: int) -> None:
        rows = _some(len(cells), MOST, seed)
        waves = self._start(cells.take(rows), space, values[rows, None], seed)
        self.head, self.size = by_squares(waves, values[rows], seed, PENALTY), 0

    def _start(self, cells: Cells, space: Columns, target: Floats, seed: int) -> Waves:
        """Draws the waves at the width that serves the target (n, m) best, and gives phi of the rows.  (n, D)"""
        x, rng = dense(cells, space).astype(np.float32), stream("kernel", seed)
        waves = int(np.clip(NUMBERS // max(x.shape[1], 1), 100, WAVES))
        normal = rng.standard_normal((x.shape[1], waves), np.float32)
        self.shift = rng.uniform(0, 2 * np.pi, waves).astype(np.float32)
        some = rng.permutation(len(x))[:TRIED]
        unit = normal * np.sqrt(2 / _median_distance(x[some], rng))
        errors = [_error(self._phi(x[some], unit / np.sqrt(share)), target[some]) for share in SHARES]
        self.frequency = np.asarray(unit / np.sqrt(SHARES[int(np.argmin(errors))]), np.float32)
        return self._phi(x, self.frequency)

    def _phi(self, x: Waves, frequency: Waves) -> Waves:
        waves: Waves = np.sqrt(np.float32(2 / len(self.shift))) * np.cos(x @ frequency + self.shift)
        return waves

    def __call__(self, cells: Cells, space: Columns) -> Floats:
        parts = [cells.take(slice(start, start + BLOCK)) for start in range(0, max(len(cells), 1), BLOCK)]
        phi = (self._phi(dense(part, space).astype(np.float32), self.frequency) for part in parts)
        return np.concatenate([self.head.chances(part, self.size) for part in phi])

    def state(self) -> tuple[Config, Arrays]:
        return {"size": self.size}, self.head.arrays() | {"frequency": self.frequency, "shift": self.shift}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.size, self.head = int(config["size"]), Head.restored(arrays)
        self.frequency, self.shift = arrays["frequency"], arrays["shift"]


def _some(n: int, most: int, seed: int) -> npt.NDArray[np.intp]:
    """All rows in their order, or `most` of them."""
    return np.arange(n) if n <= most else np.sort(stream("kernel rows", seed).choice(n, most, replace=False))


def _median_distance(x: Waves, rng: np.random.Generator) -> float:
    """The median of |x - x'|^2 over random pairs that differ."""
    pairs = rng.integers(0, len(x), (2, TRIED))
    squares = ((x[pairs[0]] - x[pairs[1]]) ** 2).sum(1)
    apart = squares[squares > 0]
    return float(np.median(apart)) if len(apart) else 1.0


def _error(phi: Waves, target: Floats) -> float:
    """The squared error of ridge regression on the second half of the rows, fitted on the first."""
    half = len(phi) // 2
    if half < 2:
        return 0.0
    head = [by_squares(phi[:half], column[:half], 0, PENALTY) for column in target.T]
    return float(np.mean([(one(phi[half:])[:, 0] - c[half:]) ** 2 for one, c in zip(head, target.T, strict=True)]))
