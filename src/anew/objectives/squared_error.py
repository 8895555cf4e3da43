"""E[y | x] for a number y: the least squared error, the likelihood of a Gaussian of constant width about the mean.

Solved over cells (ridge regression, the same over random features, boosted trees) or trained over tensors by any torch
network.
"""

from __future__ import annotations

import numpy as np

from anew.core.answers import value_of
from anew.core.columns import Cells, Floats
from anew.core.errors import DataError
from anew.core.learner import Trained
from anew.core.release import Release
from anew.core.seeds import stream
from anew.objectives._predicting import Predicting

FEW = 10  # held-out rows from which their residuals say something
MOST = 20_000  # rows of that second fit


class SquaredError(Predicting):
    """Numbers by ridge, kernel ridge, boosted trees, a neural network, or latent tastes (`factorised`)."""

    aliases = ("ridge", "regressor")
    minimises = "the squared error of a number given the other columns"
    networks = ("linear", "conv")
    loss = "squared"
    ordered = True

    @classmethod
    def trained(cls) -> type[Trained]:
        from anew.objectives._trained_predicting import TrainedValues

        return TrainedValues

    def solve(self, cells: Cells, release: Release) -> None:
        grid = self.space.grids[-1]
        values = grid.decode(cells.codes[:, -1], cells.positions[:, -1])
        known = np.flatnonzero(~np.isnan(values))
        if len(known) < 2 or np.ptp(values[known]) == 0:
            raise DataError(
                f"The target {self.space.names[-1]!r} takes one value in the training rows; nothing to predict",
                found=len(known),
                do="Predict another column",
            )
        kept = cells.take(known)
        self.solver.fit_values(kept.columns(self.inputs), self.features, values[known], self.seed)
        left = self._left(kept.columns(self.inputs), values[known])
        self.spread = float(release.moments(self.space.names[-1], np.sqrt(np.mean(left**2, keepdims=True)))[0])
        self._note(release)

    def _left(self, given: Cells, values: Floats) -> Floats:
        """What a twin leaves of rows that it was not fitted on: trees leave next to nothing of those that it was."""
        rows = stream("spread", self.seed).permutation(len(values))[:MOST]
        held, learn = rows[: len(rows) // 5], rows[len(rows) // 5 :]
        if len(held) < FEW:
            return values - self.predict(given)
        twin = type(self.solver)()
        twin.fit_values(given.take(learn), self.features, values[learn], self.seed)
        return values[held] - twin(given.take(held), self.features)

    def log_prob(self, x: Cells, given: Cells | None = None) -> Floats:
        """log N(y | E[y | x], s^2), with s the root of the mean squared residual of held-out rows."""
        values = value_of(self.space.grids[-1], x.codes[:, -1], x.positions[:, -1])
        mean = self.predict(given if given is not None else x.columns(self.inputs))
        scale = max(self.spread, 1e-12)
        nats = -0.5 * ((values - mean) / scale) ** 2 - np.log(scale * np.sqrt(2 * np.pi))
        return np.where(np.isnan(values), -np.inf, nats)
