"""Sequences of any lengths, one after another: nothing is padded to the longest.

Shapes: n sequences, N tokens in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ragged:
    """Sequence i is tokens[ends[i] : ends[i + 1]]; tokens (N,), ends (n + 1,) of which the first is 0."""

    tokens: npt.NDArray[np.int32]
    ends: Ints

    @classmethod
    def of(cls, rows: Iterable[Sequence[int] | npt.NDArray[np.integer]]) -> Ragged:
        parts = [np.asarray(row, np.int32) for row in rows]
        ends = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        return cls(np.concatenate([np.zeros(0, np.int32), *parts]), ends)

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, row: int) -> npt.NDArray[np.int32]:
        return self.tokens[self.ends[row] : self.ends[row + 1]]

    @property
    def lengths(self) -> Ints:
        return np.diff(self.ends)

    def take(self, rows: Iterable[int]) -> Ragged:
        return Ragged.of(self[int(row)] for row in rows)


class Segment(NamedTuple):
    """A window that a network reads of sequence `row`: from token `start`, of which the first `told` cost nothing."""

    row: int
    start: int
    told: int


def segments(lengths: Iterable[int], context: int, opening: int = 1) -> list[Segment]:
    """The windows that say all of sequences whose first `opening` tokens are told: a window reads `context` tokens and
    asks for the one after each. The next begins anew with the last half of a context, as drawing does (`kept`)."""
    stride, found = context + 1 - kept(context), []
    for row, length in enumerate(lengths):
        found.append(Segment(row, 0, opening))
        starts = range(stride, max(length - kept(context), 0), stride)
        found += [Segment(row, start, kept(context)) for start in starts]
    return found


def kept(context: int) -> int:
    """How many tokens are read again when a context is full."""
    return max(context // 2, 1)
