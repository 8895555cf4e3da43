"""Training rows drawn with replacement: perfect fidelity, no privacy. A baseline for audits, never a model to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells
from anew.core.errors import StoreError
from anew.core.learner import Arrays, Config, Samples, Solved
from anew.core.release import Release


class Bootstrap(Solved, Samples[Cells]):
    """Keeps the rows, says so, and cannot be saved."""

    reads = ("Columns",)
    keeps_rows = True
    minimises = "nothing: it repeats the training rows"

    def solve(self, cells: Cells, release: Release) -> None:
        self.rows = cells
        release.note("every training row", "the table", cells.codes.size)

    def sample(self, n: int, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        drawn = self.rows.take(rng.integers(0, len(self.rows), n))
        return drawn.columns(slice(self.space.given, None))

    def state(self) -> tuple[Config, Arrays]:
        raise StoreError(
            "bootstrap keeps training rows, so it is never saved", do="Fit another objective, for example chain"
        )

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        raise StoreError("bootstrap keeps training rows, so it is never loaded")
