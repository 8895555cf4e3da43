"""Networks: the functions that objectives fit. Built from spaces and shapes alone; none knows a modality.

A *module* is a torch network that a `Trained` learner trains; a *solver* is fitted at once by scikit-learn and keeps
plain arrays. Each file of `networks/` defines one concrete subclass of `Network`, named as the file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.learner import Arrays, Config
from anew.core.ragged import Ints, Ragged
from anew.core.registry import Registry

if TYPE_CHECKING:
    import torch
    from torch import nn

    from anew.core.batch import Encoded
    from anew.core.space import Shape, Space, Tokens


class Network(ABC):  # noqa: B024  a root to be found by, with nothing to demand
    """The root of all architectures. `solved`: fitted by a computation, not by the training loop."""

    solved: ClassVar[bool] = False
    pictures: ClassVar[bool] = False  # whether it is made for shapes (..., C, H, W)
    texts: ClassVar[bool] = False  # whether it reads texts that are given
    alike: ClassVar[bool] = False  # whether it is made for positions that share one vocabulary
    views: ClassVar[tuple[str, ...]] = ()  # of texts that are given which it is made for, best first; none: the usual
    usual_seconds: ClassVar[float | None] = None  # of learning to predict when no time is given; None: the objective's

    @classmethod
    def reader(cls) -> type[Module] | None:
        """What answers from what is given in the manner of this architecture, if it is one that can be trained to."""
        return None


class Module(Network):
    """A torch network: subclasses are `class MLP(nn.Module, Module)` and are called as `network(x, given, time)`.

    It may say how it likes to be trained; None: as the objective is used to.
    """

    texts = True  # a tower reads each part that is given
    batch: ClassVar[int | None] = None  # rows of a step
    rate: ClassVar[float | None] = None  # of learning
    decay: ClassVar[float | None] = None  # of its weights

    def matrices(self) -> list[nn.Parameter]:
        """Hidden matrices (or tensors that are one when all but the first dimension are one) that Muon may move."""
        return []

    @classmethod
    def reader(cls) -> type[Module]:
        return cls

    @abstractmethod
    def __init__(
        self, x: Shape | None, out: Shape, *, given: Mapping[str, Space], timed: bool = False, **size: Any
    ) -> None:
        """From (B, *x) to (B, *out); each of `given` is read by its own tower; `timed` adds a time in [0, 1].

        A classifier has no x (None): it answers from what is given.
        """

    @classmethod
    def fits(cls, x: Shape | None, out: Shape) -> bool:
        """Whether it goes from such a shape to such a shape: flat (d,), or a picture (..., C, H, W)."""
        return True

    def leaping(self) -> list[torch.nn.Parameter]:
        """The parameters that only leaps use: of those that are called with how `far` they leap as well."""
        return []

    @abstractmethod
    def forward(
        self, x: torch.Tensor | None, given: Mapping[str, Encoded], time: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(B, *x), conditions, (B,) -> (B, *out)."""


class Conditional(Network):
    """A torch network of p(x_j | the positions that j sees) for all positions of `Tokens` at once.

    Subclasses are `class Masked(nn.Module, Conditional)`. Shapes: B batch, L positions, V = sum of the vocabularies.
    Drawing asks for one position after another: `begin` reads what is known, `logits` answers, `see` adds what was
    drawn; the answers are those of `forward`.
    """

    @abstractmethod
    def __init__(self, space: Tokens, *, given: Mapping[str, Space], **size: Any) -> None: ...

    @abstractmethod
    def forward(self, x: torch.Tensor, sees: torch.Tensor, given: Mapping[str, Encoded]) -> torch.Tensor:
        """Tokens (B, L), who sees whom (B or 1, L, L), conditions -> (B, V): block j knows x_i where sees[b, j, i]."""

    @abstractmethod
    def begin(self, x: torch.Tensor, known: torch.Tensor, given: Mapping[str, Encoded]) -> Any:
        """What is known of tokens (B, L), a mask (B, L), as a state to ask."""

    @abstractmethod
    def logits(self, state: Any, position: int) -> torch.Tensor:
        """(B, K) of one position given all that the state has seen."""

    @abstractmethod
    def see(self, state: Any, position: int, tokens: torch.Tensor, rows: torch.Tensor) -> Any:
        """The state that also knows tokens (B,) of a position, in the rows (B,) that are marked; the old is used up."""


class Causal(Network):
    """A torch network of p(x_t | x_<t) for sequences over one vocabulary, as long as its `context`.

    Subclasses are `class GPT(nn.Module, Causal)`. Drawing asks step by step: the answers are those of `forward`.
    Shapes: B batch, L positions, K vocabulary.
    """

    context: int
    lapses: int = 0  # parts of a position that it leaves out by chance while it learns

    @abstractmethod
    def __init__(self, size: int, *, given: Mapping[str, Space], context: int = 256, **sized: Any) -> None: ...

    @abstractmethod
    def forward(self, x: torch.Tensor, given: Mapping[str, Encoded], dice: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens (B, L), conditions -> logits (B, L, K): those at t know x_t and what came before.

        While it learns, dice (B, L, lapses) in [0, 1) say what it leaves out.
        """

    @abstractmethod
    def begin(self, rows: int, given: Mapping[str, Encoded]) -> Any:
        """A state that has read nothing but what is given."""

    @abstractmethod
    def step(self, x: torch.Tensor, state: Any) -> torch.Tensor:
        """Logits (B, K) after the last of more tokens (B, l), which the state has read from now on."""

    @abstractmethod
    def rewind(self, state: Any) -> Any:
        """The state as it began."""

    @abstractmethod
    def keep(self, state: Any, rows: npt.NDArray[np.bool_]) -> Any:
        """The state of some of its rows."""

    def matrices(self) -> list[nn.Parameter]:
        """Hidden matrices that Muon may move."""
        return []


class Based(Causal):
    """A causal network that starts from a model that somebody else trained, of such an `architecture`.

    Built from the architecture alone it is of the right shape with random weights: what a saved model is read into.
    """

    @abstractmethod
    def __init__(
        self,
        size: int,
        *,
        given: Mapping[str, Space],
        context: int = 256,
        architecture: Config | None = None,
        **sized: Any,
    ) -> None: ...

    @abstractmethod
    def start(self, folder: str, lora: int) -> None:
        """Takes the weights of a folder, and where `lora` > 0 learns no more than such low-rank changes of them."""

    @abstractmethod
    def merge(self) -> None:
        """Adds what was learned to the weights of the base: the same answers, and the shape that it was built with."""

    @abstractmethod
    def rates(self) -> list[dict[str, Any]]:
        """What it learns, in groups, and how fast each."""


class Counter(Network):
    """A model of p(x_t | x_<t) by counting, without torch. Shapes: N tokens, B rows of T tokens, K vocabulary."""

    solved = True
    size: int
    order: int  # tokens that it looks at, the one that is asked for included

    @abstractmethod
    def __init__(self, size: int) -> None: ...

    @abstractmethod
    def count(self, x: Ragged) -> None: ...

    @abstractmethod
    def log_prob(self, tokens: Ints, place: Ints) -> tuple[Floats, Ints]:
        """(N,) nats of each token given the `place` (N,) before it, and how many were seen."""

    @abstractmethod
    def chances(self, before: Ints) -> tuple[Floats, Ints]:
        """(B, K) of what comes after tokens (B, T), and how much of them was seen before (B,)."""

    @abstractmethod
    def state(self) -> tuple[Config, Arrays]: ...

    @abstractmethod
    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None: ...


class Predictor(Network):
    """A solver of p(y | cells) for one column: classes by the log or the hinge loss, numbers by the squared one."""

    solved = True
    losses: ClassVar[frozenset[str]]  # of LOSSES

    @abstractmethod
    def fit_classes(
        self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int, loss: str = "log"
    ) -> None:
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


class Additive(Predictor):
    """A predictor whose logits are sums over what is given, so that each part of it has its share in the answer."""

    @abstractmethod
    def shares(self, cells: Cells, space: Columns) -> Any:
        """(n, V) sparse: how much each n-gram of the bags speaks for the answer; together, for all that they say."""


LOSSES = ("log", "hinge", "squared")
NETWORKS: Registry[Network] = Registry("anew.networks", Network)
