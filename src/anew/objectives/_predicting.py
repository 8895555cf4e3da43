"""What the discriminative objectives share: one learned column, the last; all others are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells, Columns, Floats
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config, Predicts, Scores, Solved
from anew.core.network import Network, Predictor
from anew.core.registry import Registry
from anew.core.release import Release

NETWORKS: Registry[Network] = Registry("anew.networks", Network)


class Predicting(Solved, Predicts[Cells], Scores[Cells]):
    """A solver network around one target; the subclass says by which loss."""

    reads = ("Columns",)
    ordered: ClassVar[bool]

    def __init__(
        self, space: Columns, *, network: str = "linear", seed: int = 0, threads: int = 1, **options: Any
    ) -> None:
        super().__init__(space, seed=seed, threads=threads, **options)
        self.network = network
        self._check(space)
        kind = NETWORKS[network]
        if not issubclass(kind, Predictor):
            able = [name for name in NETWORKS if issubclass(NETWORKS[name], Predictor)]
            raise UsageError(f"The network {network!r} cannot predict a column", do=f"Use one of {', '.join(able)}")
        self.solver: Predictor = kind()

    def _check(self, space: Columns) -> None:
        if len(space.learned) != 1:
            raise UsageError(
                "A discriminative objective learns one column given the others",
                found=[space.names[j] for j in space.learned],
                do="Name one column with learn=",
            )
        grid = space.grids[-1]
        if self.ordered and not grid.ordered:
            raise UsageError(f"{space.names[-1]!r} is a category, so it has no squared error", do="Use cross_entropy")
        if not self.ordered and grid.ordered and (grid.upper > grid.lower).any():
            raise UsageError(f"{space.names[-1]!r} is a number of many values, not a class", do="Use squared_error")

    @property
    def inputs(self) -> slice:
        return slice(0, self.space.given)

    @property
    def features(self) -> Columns:
        return self.space.select(range(self.space.given))

    def _note(self, release: Release) -> None:
        size = sum(np.asarray(value).size for value in self.solver.state()[1].values())
        release.note(f"the parameters of {self.network}", self.space.names[-1], size)

    def predict(self, given: Cells) -> Floats:
        return self.solver(given, self.features)

    def state(self) -> tuple[Config, Arrays]:
        config, arrays = self.solver.state()
        return {"solver": config, "spread": getattr(self, "spread", 0.0)}, arrays

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.solver.restore(config["solver"], arrays)
        self.spread = float(config["spread"])
