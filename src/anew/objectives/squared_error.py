"""E[y | x] for a number y: the least squared error, the likelihood of a Gaussian of constant width about the mean."""

from __future__ import annotations

import numpy as np

from anew.core.columns import Cells, Floats
from anew.core.errors import DataError
from anew.core.release import Release
from anew.objectives._predicting import Predicting


class SquaredError(Predicting):
    """Numbers by ridge regression (`linear`) or boosted trees (`boosted`)."""

    aliases = ("ridge", "regressor")
    minimises = "the squared error of a number given the other columns"
    ordered = True

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
        left = values[known] - self.predict(kept.columns(self.inputs))
        self.spread = float(release.moments(self.space.names[-1], np.std(left, keepdims=True))[0])
        self._note(release)

    def log_prob(self, x: Cells, given: Cells | None = None) -> Floats:
        """log N(y | E[y | x], s^2), with s the deviation of the training residuals."""
        values = self.space.grids[-1].decode(x.codes[:, -1], x.positions[:, -1])
        mean = self.predict(given if given is not None else x.columns(self.inputs))
        scale = max(self.spread, 1e-12)
        nats = -0.5 * ((values - mean) / scale) ** 2 - np.log(scale * np.sqrt(2 * np.pi))
        return np.where(np.isnan(values), -np.inf, nats)
