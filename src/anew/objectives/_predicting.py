"""What the discriminative objectives share: one learned column, the last; all others are given.

A network that is solved answers over `Columns`. One that is trained reads tensors, through the objective's other class
(`variant`), which `trained` imports only when it is asked for: solvers start without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from anew.core.answers import check_answer
from anew.core.columns import Cells, Columns, Floats
from anew.core.errors import CapabilityError, UsageError
from anew.core.learner import NGRAMS, Arrays, Config, Explains, Learner, Predicts, Scores, Solved, Trained
from anew.core.network import NETWORKS, Additive, Network, Predictor
from anew.core.release import Release


class Predicting(Solved, Predicts[Cells], Scores[Cells], Explains[Cells]):
    """A solver network around one target; the subclass says by which loss."""

    reads = ("Columns",)
    networks: ClassVar[tuple[str, ...]] = ("linear",)
    loss: ClassVar[str]  # of core.network.LOSSES

    def __init__(
        self, space: Columns, *, network: str = "linear", seed: int = 0, threads: int = 1, **options: Any
    ) -> None:
        super().__init__(space, seed=seed, threads=threads, **options)
        self.network = network
        self._check(space)
        kind = NETWORKS[network]
        assert issubclass(kind, Predictor), f"{network} is not solved: plan.py asks serves() first"
        self.solver: Predictor = kind()

    @classmethod
    def trained(cls) -> type[Trained] | None:
        """The class that trains a torch network by the same loss, if there is one."""
        return None

    @classmethod
    def serves(cls, network: type[Network]) -> bool:
        if issubclass(network, Predictor):
            return cls.loss in network.losses
        reader = network.reader()
        return reader is not None and reader.fits(None, (1,)) and cls.trained() is not None

    @classmethod
    def variant(cls, network: str | None) -> type[Learner]:
        if network is None or NETWORKS[network].reader() is None:
            return cls
        return cls.trained() or cls

    def _check(self, space: Columns) -> None:
        if len(space.learned) != 1:
            raise UsageError(
                "A discriminative objective learns one column given the others",
                found=[space.names[j] for j in space.learned],
                do="Name one column with learn=",
            )
        check_answer(space.names[-1], space.grids[-1], self.ordered)

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

    def explain(self, given: Cells | Mapping[str, Cells], part: str = NGRAMS) -> Any:
        if part != NGRAMS or not isinstance(given, Cells) or given.bags is None:
            raise UsageError("A solver explains its answers by the words of texts", found=part, do="Give it a text")
        if not isinstance(self.solver, Additive):
            able = [name for name in NETWORKS if issubclass(NETWORKS[name], Additive)]
            raise CapabilityError(f"{self.network} cannot say which words decided", do=f"Use {', '.join(able)}")
        return self.solver.shares(given, self.features)

    def state(self) -> tuple[Config, Arrays]:
        config, arrays = self.solver.state()
        return {"solver": config, "spread": getattr(self, "spread", 0.0)}, arrays

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.solver.restore(config["solver"], arrays)
        self.spread = float(config["spread"])
