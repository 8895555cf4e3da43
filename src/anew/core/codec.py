"""Codecs turn fields into tensors or cells of a space, and back. One for each modality."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy.typing as npt

from anew.core.columns import Allowed, Bools, Floats
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config
from anew.core.release import Release
from anew.core.schema import Schema
from anew.core.where import Where

D = TypeVar("D")


class Codec(ABC, Generic[D]):
    """Fields of `kinds` as views: named spaces, best first. D is the data of the modality (a frame, pictures, ...).

    `encode(data, view)` and `decode(x, view)` are inverse within the stated precision for data like that of `fit`.
    """

    kinds: ClassVar[frozenset[str]]
    views: ClassVar[tuple[str, ...]]
    answers: ClassVar[tuple[str, ...]] = ()  # views of one field to be predicted: encoded, never decoded

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def adopt(self, words: Mapping[str, Any]) -> None:
        """Before `fit`: use the vocabulary of a model that is to be started from, as `starting.py` found it."""
        raise UsageError(
            f"{', '.join(self.schema.names)}: {' and '.join(sorted(self.kinds))} has no vocabulary of words"
        )

    @abstractmethod
    def fit(self, data: D, release: Release) -> None:
        """Learn levels, cells and scales; every statistic through `release`."""

    def has(self, view: str) -> bool:
        """Whether data can be encoded in a view: all of its kind's, unless what one needs is missing."""
        return view in (*self.views, *self.answers)

    def best_view(self, reads: Sequence[str]) -> str:
        """The first of the views that somebody reads which this codec has."""
        for view in reads:
            if self.has(view):
                return view
        for view in (view for view in reads if view in self.views):
            self.space(view)  # says itself what it lacks
        raise UsageError(f"{type(self).__name__} has no view of these: {', '.join(reads)}", found=self.views)

    @abstractmethod
    def space(self, view: str) -> Any:
        """The space of a view: `Columns` for solvers, else a `Space` of tensors."""

    @abstractmethod
    def encode(self, data: D, view: str) -> Any: ...

    @abstractmethod
    def decode(self, x: Any, view: str) -> D: ...

    def encode_partly(self, data: D, unknown: Bools, view: str) -> tuple[Any, Bools]:
        """Data of which some is unknown, such as pixels (n, H, W): encoded, and what of that is known (n, *data)."""
        raise UsageError(f"{', '.join(self.schema.names)}: {' and '.join(sorted(self.kinds))} is known or it is not")

    def prepare(self, view: str, data: D, release: Release) -> None:
        """Fit a view that only some networks read: "Columns" of what is no cell of a table, for solvers."""
        if view != "Columns":
            return
        raise UsageError(
            f"{', '.join(self.schema.names)}: {' and '.join(sorted(self.kinds))} cannot be read by a solver",
            do="Leave it out with given=, or choose a network that is trained",
        )

    def spelled(self, data: D, told: Any) -> list[Floats]:
        """What an explanation of the view "Columns" says of each character of each text; it adds up to the same."""
        raise UsageError(f"{', '.join(self.schema.names)}: {' and '.join(sorted(self.kinds))} has no words")

    def telling(self, other: Codec[Any] | None) -> Any:
        """The space of what is told before data of this kind: a field of another codec, or a scalar."""
        raise UsageError(
            f"{', '.join(self.schema.names)}: nothing is written before {' and '.join(sorted(self.kinds))}"
        )

    def told(self, cells: Any) -> Any:
        """A column of another field, as `Encoded` of that space."""
        raise UsageError(
            f"{', '.join(self.schema.names)}: nothing is written before {' and '.join(sorted(self.kinds))}"
        )

    def check_given(self, data: D) -> None:
        """One sentence when what a user gives means nothing to the codec."""

    def said(self, option: str, value: Any) -> Any:
        """An option of a draw that a user says in the words of the data, as a learner takes it."""
        return value

    def allow(self, where: Where) -> dict[int, Allowed]:
        """What conditions on its fields mean over the data of the view "Columns"."""
        if where:
            raise UsageError(f"No condition can be set on {', '.join(where)}", found=sorted(self.kinds))
        return {}

    @abstractmethod
    def state(self) -> tuple[Config, Arrays]: ...

    @abstractmethod
    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None: ...
