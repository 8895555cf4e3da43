"""Learners and their capabilities. The class line IS the declaration: `class Diffusion(Trained, Samples[Encoded])`.

A *solved* learner computes its answer from `Cells`; a *trained* one offers phases to the training loop. X is what a
learner reads and writes: `Cells` (numpy) for solvers, `Encoded` (torch) for networks.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

from anew.core.columns import Allowed, Bools, Cells, Columns, Floats
from anew.core.errors import StoreError
from anew.core.ragged import Ragged
from anew.core.release import Release

if TYPE_CHECKING:
    import torch
    from torch import nn

    from anew.core.batch import Batch
    from anew.core.network import Network
    from anew.core.space import Space

X = TypeVar("X")
Arrays = dict[str, npt.NDArray[Any]]
Config = dict[str, Any]


class Learner(ABC):
    """What every learner has: a name (its file), the kinds of space it reads, and a state that can be saved.

    `state()` is the whole of a fitted learner as JSON and arrays; `restore()` gives an equal learner from them in a
    new process. `keeps_rows` is a confession: such a learner is never saved.
    """

    aliases: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[str, ...]]  # views of what is learned, best first: "Columns", "Mixed", "Real", "Tokens"
    reads_given: ClassVar[tuple[str, ...]] = ()  # views of what is given, where they are others
    networks: ClassVar[tuple[str, ...]] = ()  # names of networks that serve it, best first; none: no choice
    keeps_rows: ClassVar[bool] = False
    minimises: ClassVar[str]  # the objective in one line, for cards and tables
    open_given: bool = False  # whether it has learned what to do where nothing is given
    apart: ClassVar[bool] = False  # whether a row that is drawn is the same however many are drawn with it
    draws: ClassVar[tuple[str, ...]] = ()  # the options that may be set anew for each draw, of those of `settings`

    @classmethod
    def serves(cls, network: type[Network]) -> bool:
        """Whether it can be fitted with such a network."""
        return False

    @classmethod
    def variant(cls, network: str | None) -> type[Learner]:
        """The class that fits this objective with a network: itself, unless some are solved and others trained."""
        return cls

    @classmethod
    def settings(cls) -> dict[str, type]:
        """The options that a user may set, and their types."""
        return {}

    @classmethod
    def sized(cls, rows: int, columns: int, cpu_seconds: float | None) -> Config:
        """Options that fit so many CPU seconds (None: what is usual), for those that have a size to choose."""
        return {}

    def drawing(self, **options: Any) -> Self:
        """The same fitted learner with other options of drawing; nothing that was learned is copied."""
        twin = copy.copy(self)
        for name, value in options.items():
            setattr(twin, name, value)
        return twin

    @abstractmethod
    def state(self) -> tuple[Config, Arrays]: ...

    @abstractmethod
    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None: ...


class Solved(Learner):
    """A learner whose fit is a computation, not a training: trees, counts, linear algebra."""

    def __init__(self, space: Columns, *, seed: int = 0, threads: int = 1, **options: Any) -> None:
        self.space = space
        self.seed = seed
        self.threads = threads
        self.options = options

    @abstractmethod
    def solve(self, cells: Cells, release: Release) -> None:
        """Fit to rows in `self.space` (the given columns first). Only what goes through `release` may be kept."""


Optimiser = Callable[[Sequence["nn.Parameter"]], "torch.optim.Optimizer"]


@dataclass(frozen=True)
class Phase:
    """One player of the training: whose parameters move, by which loss, one number per example.  (B,)"""

    name: str
    parameters: Sequence[nn.Parameter]
    loss: Callable[[Batch, torch.Generator], torch.Tensor]
    optimiser: Optimiser
    begins: float = 0.0  # the share of the training after which it joins
    share: float = 1.0  # of the rows of a step


class Trained(Learner):
    """A learner with phases (a GAN two, everything else one) over networks built for its space.

    The class says how it likes to be trained; the one loop reads it from the schedule.
    """

    networks: ClassVar[tuple[str, ...]] = ("mlp",)
    batch: int = 512  # rows of a step
    cool_down: float = 0.3  # the last share of the steps, in which the rate falls to zero
    validate_every: int = 250  # steps between looks at rows held out
    held: int = 4096  # rows held out, at most
    patience: ClassVar[int] = 8  # looks without improvement after which it stops
    passes: float = float("inf")  # over the rows, at most, however long the time is
    usual_seconds: ClassVar[float] = 60.0  # of training when no time is given
    window: int = 256  # tokens of a sequence that are learned from at once
    halves: bool = False  # whether its networks bear matrix products in bfloat16 while they learn
    validates: ClassVar[bool] = True  # whether the held-out loss of the first phase says which weights are best

    def __init__(
        self, space: Space, given: Mapping[str, Space], *, network: str, seed: int = 0, **options: Any
    ) -> None:
        self.space = space
        self.given = dict(given)
        self.network = network
        self.seed = seed
        self.options = options

    @classmethod
    def serves(cls, network: type[Network]) -> bool:
        from anew.core.network import Module

        return issubclass(network, Module)

    @property
    @abstractmethod
    def module(self) -> nn.Module:
        """All trainable parameters: each belongs to exactly one phase."""

    @abstractmethod
    def phases(self) -> Sequence[Phase]: ...

    def begin(self) -> None:
        """Told before the training: what its weights start from, other than chance."""

    def finish(self) -> None:
        """Told after the training: what it keeps may have another shape than what learned."""

    def reach(self, share: float) -> None:
        """Told before each step which share of the steps is made."""

    def settle(self, held: Batch) -> None:
        """After the training, with rows that it did not learn from: what only such rows can tell."""

    def state(self) -> tuple[Config, Arrays]:
        twins = _twins(self.module)
        kept = {name: value for name, value in self.module.state_dict().items() if name not in twins}
        return {}, {name: value.detach().cpu().numpy() for name, value in kept.items()}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        import torch

        named = {**{twin: arrays[name] for twin, name in _twins(self.module).items() if name in arrays}, **arrays}
        weights = {name: torch.from_numpy(np.array(value)) for name, value in named.items()}
        try:
            self.module.load_state_dict(weights)
        except RuntimeError as error:
            raise StoreError(
                "The weights belong to another network: an earlier version of anew made them, or the file is damaged",
                found=str(error).splitlines()[-1].strip(),
                do="Fit the model again with this version",
            ) from error


def _twins(module: nn.Module) -> dict[str, str]:
    """Weights that have a second name, by that name: they are kept once."""
    first: dict[int, str] = {}
    every = module.named_parameters(remove_duplicate=False)
    return {name: first[id(weight)] for name, weight in every if first.setdefault(id(weight), name) != name}


class Counted(ABC):
    """Counts what stands in sequences, all at once: as the whole of its fit, or before its training."""

    @abstractmethod
    def count(self, x: Ragged, release: Release) -> None: ...


class Samples(ABC, Generic[X]):
    """Draws new examples."""

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator, given: X | None = None) -> X:
        """n examples; `given` has n rows of the given columns when the model was fitted with some."""


class Scores(ABC, Generic[X]):
    """Knows the probability of an example."""

    @abstractmethod
    def log_prob(self, x: X, given: X | None = None) -> Floats:
        """(n,) nats: mass for discrete and rounded columns, density for continuous ones; -inf outside the support."""


@dataclass(frozen=True)
class Drawn(Generic[X]):
    """Rows drawn under a condition: its probability (or density) under the model and the effective sample size.

    `effective` is (sum w)^2 / sum w^2 of the particles, scaled to the rows given back: equal to their number when all
    rows are distinct draws.
    """

    x: X
    probability: float
    effective: float
    density: bool = False


class Conditions(ABC, Generic[X]):
    """Draws under conditions on any subset of the columns, through its own conditionals."""

    @abstractmethod
    def sample_where(
        self, n: int, where: Mapping[int, Allowed], rng: np.random.Generator, given: X | None = None
    ) -> Drawn[X]:
        """n examples with column i in `where[i]`; raises ConditionError when that has probability zero."""


class Completes(ABC, Generic[X]):
    """Fills the unknown part of examples by draws from p(unknown | known)."""

    @abstractmethod
    def complete(self, x: X, known: npt.NDArray[np.bool_], rng: np.random.Generator, given: X | None = None) -> X:
        """n examples like `x` in which what `known` marks is unchanged and the rest is drawn.

        `known` has the shape of the data of x: (n, d) of `Cells`, (n, *data) of `Encoded`. What is unknown in x may
        hold anything. What is drawn may be missing where the data has missing values: `joint` asks again.
        """


class Encodes(ABC, Generic[X]):
    """Maps examples to a latent space and back: about a standard normal, so that straight lines mean something."""

    @abstractmethod
    def encode(self, x: X, given: X | None = None) -> Floats:
        """(n, k) latent coordinates; the same x always gives the same."""

    @abstractmethod
    def decode(self, z: Floats, given: X | None = None) -> X:
        """n examples at the coordinates (n, k); the same z always gives the same."""


class Compresses(ABC, Generic[X]):
    """Turns examples into codes of a space that others can learn in their place, and back."""

    @property
    @abstractmethod
    def codes(self) -> Space:
        """The space of the codes."""

    @abstractmethod
    def compress(self, x: X) -> X:
        """The codes of what is present of n examples; a code that tells of anything else is not present."""

    @abstractmethod
    def expand(self, codes: X) -> X:
        """n examples from codes that are all present."""

    @abstractmethod
    def told(self, known: Bools) -> Bools:
        """Which codes (n, *codes.data) tell of nothing but what is known of examples (n, *data)."""


class Predicts(ABC, Generic[X]):
    """Answers p(learn | given) directly, for one learned column: a number when `ordered`, else a class."""

    ordered: ClassVar[bool] = False

    @abstractmethod
    def predict(self, given: X) -> Floats:
        """(n, K) probabilities of the cells of a nominal target; (n,) values of an ordered one."""


class Explains(ABC, Generic[X]):
    """Says what in what is given its answers come from: numbers that add up to a(given) - a(part left blank).

    a is the log-probability of the class that is answered, or the value.
    """

    @abstractmethod
    def explain(self, given: X | Mapping[str, X], part: str) -> Any:
        """How much each number of a part speaks for the answer, or against it.

        (n, *data) of real numbers, such as a picture; of the n-grams of texts (`NGRAMS`) sparse, (n, V).
        """


NGRAMS = "n-grams"  # the part of `Cells` that stands in its bags


CAPABILITIES: dict[str, type] = {
    "sample": Samples,
    "log_prob": Scores,
    "where": Conditions,
    "complete": Completes,
    "encode": Encodes,
    "compress": Compresses,
    "predict": Predicts,
}


def capabilities(kind: type) -> list[str]:
    """The verbs that a class of learners can do, by its base classes."""
    return [verb for verb, base in CAPABILITIES.items() if issubclass(kind, base)]
