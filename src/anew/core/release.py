"""The only way to a statistic of the data. What a release recorded IS what the model lets out.

`exact()` computes statistics as they are and keeps the list; a private release (later) adds noise and pays a ledger
in the same methods, so that no codec and no objective knows the difference.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from anew.core.columns import Codes, Floats, Grid


@dataclass(frozen=True)
class Statistic:
    """One entry of the record: what was computed, of which column, and how many numbers it let out."""

    what: str
    of: str
    numbers: int


@dataclass
class Release(ABC):
    """Methods that answer with a statistic and write it down."""

    record: list[Statistic] = field(default_factory=list)

    def note(self, what: str, of: str, numbers: int) -> None:
        self.record.append(Statistic(what, of, int(numbers)))

    @abstractmethod
    def grid(self, of: str, values: Floats, make: Callable[[Floats, npt.NDArray[np.int64]], Grid]) -> Grid:
        """The cells of a column of numbers (n,), without missing: `make` cuts them from the sorted distinct values
        (m,) and how often each occurs (m,), which themselves stay in here."""

    @abstractmethod
    def levels(self, of: str, values: list[str], counts: npt.NDArray[np.int64]) -> list[str]:
        """Which of the distinct words of a category may be known."""

    @abstractmethod
    def counts(self, of: str, codes: Codes, size: int) -> Floats:
        """How often each of `size` cells occurs (size,)."""

    @abstractmethod
    def leaves(self, of: str, counts: Floats) -> Floats:
        """The counts in the leaves of a tree, or of any other partition of the rows; any shape."""

    @abstractmethod
    def moments(self, of: str, values: Floats) -> Floats:
        """Means, covariances, coefficients: real numbers that a solver computed from rows; any shape."""


class Exact(Release):
    """No noise: the statistics themselves."""

    def grid(self, of: str, values: Floats, make: Callable[[Floats, npt.NDArray[np.int64]], Grid]) -> Grid:
        distinct, counts = np.unique(values, return_counts=True)
        made = make(distinct, counts.astype(np.int64))
        self.note("cells and their counts", of, 3 * made.size)
        return made

    def levels(self, of: str, values: list[str], counts: npt.NDArray[np.int64]) -> list[str]:
        self.note("levels", of, len(values))
        return values

    def counts(self, of: str, codes: Codes, size: int) -> Floats:
        self.note("counts", of, size)
        return np.bincount(codes[codes >= 0], minlength=size).astype(np.float64)

    def leaves(self, of: str, counts: Floats) -> Floats:
        self.note("leaf counts", of, counts.size)
        return counts

    def moments(self, of: str, values: Floats) -> Floats:
        self.note("moments", of, values.size)
        return values


def exact() -> Release:
    """A release that adds no noise."""
    return Exact()
