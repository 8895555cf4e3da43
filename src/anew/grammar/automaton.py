"""Deterministic automata over bytes, with the distance of each state to the nearest end of a text.

M = (Q, bytes, step, start, accepting); a text is in the language when its bytes lead from the start to an accepting
state (Hopcroft & Ullman 1979, chapter 2). State 0 is dead: every byte leads from it to itself. A step that no text of
the language takes leads to it, so a text that has not reached it can always be completed, by `distance` more bytes.

Letters: S states, C classes of bytes that no state tells apart.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from anew.core.errors import GrammarError

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

DEAD, START = 0, 1
FAR = 1 << 30  # the distance of what has no end
LARGEST = 100_000  # states
State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Automaton:
    """`table` (S, C) is the state after a byte of a class, `classes` (256,) the class of each byte."""

    table: Ints
    classes: npt.NDArray[np.uint8]
    accepting: Bools

    @classmethod
    def of(cls, table: Ints, classes: npt.NDArray[np.uint8], accepting: Bools) -> Automaton:
        """The same language, with every step that leads to no end made dead."""
        lost = _distances(table, accepting) >= FAR
        table = np.where(lost[table], DEAD, table).astype(np.int32)
        table[lost] = DEAD
        return cls(table, classes, accepting & ~lost)

    @cached_property
    def distance(self) -> Ints:
        """(S,): the fewest bytes to an accepting state, FAR where there are none."""
        return _distances(self.table, self.accepting)

    @property
    def states(self) -> int:
        return len(self.table)

    @property
    def empty(self) -> bool:
        return bool(self.distance[START] >= FAR)

    def after(self, data: bytes, state: int = START) -> int:
        for byte in data:
            state = int(self.table[state, self.classes[byte]])
        return state

    def accepts(self, data: bytes) -> bool:
        return bool(self.accepting[self.after(data)])

    def both(self, other: Automaton) -> Automaton:
        """The texts of both languages."""
        return self._paired(other, lambda a, b: self.accepting[a] & other.accepting[b], other.table == DEAD)

    def without(self, other: Automaton) -> Automaton:
        """The texts of this language that are not in the other."""
        return self._paired(
            other, lambda a, b: self.accepting[a] & ~other.accepting[b], np.zeros_like(other.table, bool)
        )

    def _paired(self, other: Automaton, accepting: Callable[[Ints, Ints], Bools], lost: Bools) -> Automaton:
        """The product: a state is a pair of states, found level by level; `lost` are steps of the other to no end."""
        pairs = self.classes.astype(np.int64) * 256 + other.classes
        kinds, classes = np.unique(pairs, return_inverse=True)
        own, others = kinds // 256, kinds % 256
        number = np.full(self.states * other.states, -1, np.int32)  # of a pair
        found, rows = [np.array([START * other.states + START])], []
        number[found[0]], count = START, START + 1
        while len(found[-1]):
            a, b = np.divmod(found[-1], other.states)
            step = self.table[a][:, own].astype(np.int64) * other.states + other.table[b][:, others]
            step[(self.table[a][:, own] == DEAD) | lost[b][:, others]] = DEAD
            new = np.unique(step[(number[step] < 0) & (step >= other.states)])
            number[new] = np.arange(count, count + len(new))
            count += len(new)
            check_size(count)
            rows.append(step)
            found.append(new)
        a, b = np.divmod(np.concatenate(found), other.states)
        steps = number[np.concatenate(rows)]
        steps[steps < 0] = DEAD
        table = np.concatenate([np.zeros((1, len(kinds)), np.int32), steps])
        return Automaton.of(table, classes.astype(np.uint8), np.concatenate([[False], accepting(a, b)]))


def explored(
    start: State, step: Callable[[State, str], State | None], ends: Callable[[State], bool], letters: str
) -> Automaton:
    """The automaton of a rule: what follows a state by each of some ASCII letters, and where a text may end."""
    number, rows, order = {start: START}, [[DEAD] * (len(letters) + 1)], [start]
    for state in order:
        row = []
        for letter in letters:
            after = step(state, letter)
            if after is not None and after not in number:
                number[after] = len(number) + START
                order.append(after)
                check_size(len(order))
            row.append(DEAD if after is None else number[after])
        rows.append([*row, DEAD])
    classes = np.full(256, len(letters), np.uint8)
    classes[[ord(letter) for letter in letters]] = np.arange(len(letters))
    accepting = np.array([False, *map(ends, order)])
    return Automaton.of(np.array(rows, np.int32), classes, accepting)


def check_size(states: int) -> None:
    if states > LARGEST:
        raise GrammarError(
            f"The constraint needs more than {LARGEST:,} states to be held exactly",
            do="Make it smaller: shorter repeats, fewer alternatives, a narrower range",
        )


def _distances(table: Ints, accepting: Bools) -> Ints:
    """Breadth first from the accepting states, against the steps."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    states, classes = table.shape
    sources = np.repeat(np.arange(states), classes)
    ends = np.flatnonzero(accepting)
    rows = np.concatenate([table.ravel(), np.full(len(ends), states)])
    cols = np.concatenate([sources, ends])
    steps = coo_array((np.ones(len(rows), np.float32), (rows, cols)), (states + 1, states + 1)).tocsr()
    found = dijkstra(steps, indices=states, unweighted=True)[:states] - 1
    return np.where(np.isfinite(found), found, FAR).astype(np.int32)
