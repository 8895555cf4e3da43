"""Classes by a solver: what cross-entropy and hinge share. Both learn p(y | x), each by its own loss."""

from __future__ import annotations

import numpy as np

from anew.core.columns import Cells, Floats
from anew.core.errors import DataError
from anew.core.release import Release
from anew.objectives._predicting import Predicting


class Classifying(Predicting):
    """One class of the target's cells for each row."""

    def solve(self, cells: Cells, release: Release) -> None:
        target = cells.codes[:, -1]
        known = np.flatnonzero(target >= 0)
        if len(np.unique(target[known])) < 2:
            raise DataError(
                f"The target {self.space.names[-1]!r} has one class in the training rows; nothing to tell apart",
                found=len(known),
                do="Predict another column, or bring rows of a second class",
            )
        kept, size = cells.take(known), self.space.grids[-1].size
        self.solver.fit_classes(kept.columns(self.inputs), self.features, target[known], size, self.seed, self.loss)
        self._note(release)

    def log_prob(self, x: Cells, given: Cells | None = None) -> Floats:
        """log p(y | x) of the class codes (n, 1); a missing or unknown class has probability zero."""
        chance = self.predict(given if given is not None else x.columns(self.inputs))
        codes = x.codes[:, -1]
        with np.errstate(divide="ignore"):
            return np.where(codes >= 0, np.log(chance[np.arange(len(x)), np.maximum(codes, 0)]), -np.inf)
