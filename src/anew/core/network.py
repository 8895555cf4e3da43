"""Networks: the functions that objectives fit. Built from spaces and shapes alone; none knows a modality.

A *module* is a torch network that a `Trained` learner trains; a *solver* is fitted at once by scikit-learn and keeps
plain arrays. Each file of `networks/` defines one concrete subclass of `Network`, named as the file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.learner import Arrays, Config

if TYPE_CHECKING:
    import torch

    from anew.core.batch import Encoded
    from anew.core.space import Shape, Space


class Network(ABC):  # noqa: B024  a root to be found by, with nothing to demand
    """The root of all architectures. `solved`: fitted by a computation, not by the training loop."""

    solved: ClassVar[bool] = False


class Module(Network):
    """A torch network: subclasses are `class MLP(nn.Module, Module)` and are called as `network(x, given, time)`."""

    @abstractmethod
    def __init__(self, x: Shape, out: Shape, *, given: Mapping[str, Space], timed: bool = False, **size: Any) -> None:
        """From (B, *x) to (B, *out); each of `given` is read by its own tower; `timed` adds a time in [0, 1]."""

    @abstractmethod
    def forward(self, x: torch.Tensor, given: Mapping[str, Encoded], time: torch.Tensor | None = None) -> torch.Tensor:
        """(B, *x), conditions, (B,) -> (B, *out)."""


class Predictor(Network):
    """A solver of p(y | cells) for one column: classes by cross-entropy, numbers by squared error."""

    solved = True

    @abstractmethod
    def fit_classes(self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int) -> None:
        """Learns to give (n, size) probabilities of `classes` (n,)."""

    @abstractmethod
    def fit_values(self, cells: Cells, space: Columns, values: Floats, seed: int) -> None:
        """Learns to give values (n,) with the least squared error."""

    @abstractmethod
    def __call__(self, cells: Cells, space: Columns) -> Floats:
        """(n, size) probabilities, or (n,) values."""

    @abstractmethod
    def state(self) -> tuple[Config, Arrays]: ...

    @abstractmethod
    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None: ...
