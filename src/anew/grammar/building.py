"""From an expression to its automaton.

An expression becomes a nondeterministic automaton, piece by piece (Thompson 1968); its sets of states are the states of
a deterministic one (Rabin & Scott 1959). Steps without a byte may hold only at the start of the text or at its end.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from anew.core.errors import GrammarError
from anew.grammar.automaton import DEAD, LARGEST, START, Automaton, check_size
from anew.grammar.characters import Branches, written
from anew.grammar.tree import Chars, Choice, Edge, Machine, Members, Repeat, Sequence, Text, Tree

Step = tuple[int, int, int]  # first byte, last byte, state


class _Pieces:
    """States with their steps by bytes, and their free steps: anywhere, at the start, at the end."""

    def __init__(self) -> None:
        self.steps: list[list[Step]] = []
        self.free: list[list[int]] = []
        self.edges: dict[int, list[tuple[bool, int]]] = {}

    def state(self) -> int:
        if len(self.steps) > 4 * LARGEST:
            check_size(len(self.steps))
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def add(self, tree: Tree, entry: int) -> int:
        """The state after an expression that begins at `entry`."""
        match tree:
            case Text(data):
                return self._text(data, entry)
            case Chars(characters, quoted):
                return self._branches(written(characters, quoted), entry)
            case Sequence(parts):
                for part in parts:
                    entry = self.add(part, entry)
                return entry
            case Choice(options):
                return self._joined(self.add(option, self._fresh(entry)) for option in options)
            case Repeat():
                return self._repeat(tree, entry)
            case Members():
                return self._members(tree, entry)
            case Edge(start):
                end = self.state()
                self.edges.setdefault(entry, []).append((start, end))
                return end
            case Machine(automaton):
                return self._machine(automaton, entry)

    def _fresh(self, entry: int) -> int:
        """A state that nothing leads back to but what begins there."""
        own = self.state()
        self.free[entry].append(own)
        return own

    def _joined(self, ends: Iterable[int]) -> int:
        found = list(ends)
        end = self.state()
        for one in found:
            self.free[one].append(end)
        return end

    def _text(self, data: bytes, entry: int) -> int:
        for byte in data:
            after = self.state()
            self.steps[entry].append((byte, byte, after))
            entry = after
        return entry

    def _branches(self, branches: Branches, entry: int) -> int:
        end, known = self.state(), dict[Branches, int]()

        def grow(branches: Branches, state: int) -> None:
            for first, last, below in branches:
                if below is None:
                    after = end
                elif below in known:
                    after = known[below]
                else:
                    after = known[below] = self.state()
                    grow(below, after)
                self.steps[state].append((first, last, after))

        grow(branches, entry)
        return end

    def _repeat(self, tree: Repeat, entry: int) -> int:
        for _ in range(tree.least):
            entry = self.add(tree.part, entry)
        if tree.most is None:
            around = self._fresh(entry)
            self.free[self.add(tree.part, self._fresh(around))].append(around)
            return around
        ends = [entry]
        for _ in range(tree.most - tree.least):
            entry = self.add(tree.part, self._fresh(entry))
            ends.append(entry)
        return self._joined(ends)

    def _members(self, tree: Members, entry: int) -> int:
        """Two states before each part: nothing was written yet, or something that a comma must follow."""
        none, some = self._fresh(entry), self.state()
        for part, needed in zip(tree.parts, tree.needed, strict=True):
            begin = self._fresh(none)
            comma = self.add(Sequence((Text(b","), Repeat(Text(b" "), 0, 1))), some)
            self.free[comma].append(begin)
            after = self.add(part, begin)
            later = self.state()
            self.free[after].append(later)
            if needed:
                none = self.state()
            else:
                none = self._fresh(none)
                self.free[some].append(later)
            some = later
        return self._joined([none, some])

    def _machine(self, automaton: Automaton, entry: int) -> int:
        own = [self.state() for _ in range(automaton.states)]
        self.free[entry].append(own[START])
        for state in range(START, automaton.states):
            row = automaton.table[state][automaton.classes]
            cuts = np.flatnonzero(np.diff(row)) + 1
            for first, last in zip([0, *cuts], [*cuts, 256], strict=True):
                if row[first] != DEAD:
                    self.steps[own[state]].append((int(first), int(last) - 1, own[row[first]]))
        return self._joined(own[state] for state in np.flatnonzero(automaton.accepting))

    def reach(self, states: Iterable[int], *, start: bool = False, end: bool = False) -> set[int]:
        """What free steps lead to."""
        found = set(states)
        stack = list(found)
        while stack:
            state = stack.pop()
            near = self.free[state]
            if (start or end) and state in self.edges:
                near = near + [one for at_start, one in self.edges[state] if (start if at_start else end)]
            for one in near:
                if one not in found:
                    found.add(one)
                    stack.append(one)
        return found


def automaton_of(tree: Tree) -> Automaton:
    """The automaton of an expression."""
    pieces = _Pieces()
    entry = pieces.state()
    final = pieces.add(tree, entry)
    cuts = {cut for steps in pieces.steps for first, last, _ in steps for cut in (first, last + 1)}
    classes = np.searchsorted(sorted({0, *cuts} - {256}), np.arange(256), side="right") - 1
    return _Sets(pieces, entry, final, classes.astype(np.uint8)).automaton()


class _Sets:
    """Sets of states, each with what it reaches for nothing; of these, only those that bytes or the end tell apart."""

    def __init__(self, pieces: _Pieces, entry: int, final: int, classes: npt.NDArray[np.uint8]) -> None:
        self.pieces, self.classes = pieces, classes
        self.kind, self.width = classes.tolist(), int(classes[-1]) + 1
        self.ends = _ending(pieces, final)
        self.closed: dict[int, frozenset[int]] = {}
        self.number: dict[frozenset[int], int] = {}  # not of the first: what holds at the start alone ends there
        self.order = [self._telling(pieces.reach([entry], start=True))]
        self.empty = final in pieces.reach([entry], start=True, end=True)

    def automaton(self) -> Automaton:
        rows = [[DEAD] * self.width]
        rows += [self._row(states) for states in self.order]  # which grows as it is gone through
        accepting = [False, self.empty, *(not states.isdisjoint(self.ends) for states in self.order[1:])]
        return Automaton.of(np.array(rows, np.int32), self.classes, np.array(accepting))

    def _row(self, states: frozenset[int]) -> list[int]:
        """The set after a byte of each class."""
        columns = list(zip(*map(self._steps, states), strict=True)) if states else [()] * self.width
        after = {column: self._after(frozenset(column) - {-1}) for column in set(columns)}
        return [after[column] for column in columns]

    def _steps(self, state: int) -> list[int]:
        """The state after a byte of each class, -1 for none; no piece gives a state two ways for one byte."""
        row = [-1] * self.width
        for low, high, after in self.pieces.steps[state]:
            first, last = self.kind[low], self.kind[high + 1] if high < 255 else self.width
            row[first:last] = [after] * (last - first)
        return row

    def _after(self, reached: frozenset[int]) -> int:
        if not reached:
            return DEAD
        found = frozenset[int]().union(*map(self._closed, reached))
        if found not in self.number:
            self.number[found] = len(self.order) + START
            self.order.append(found)
            check_size(len(self.order))
        return self.number[found]

    def _closed(self, state: int) -> frozenset[int]:
        if state not in self.closed:
            self.closed[state] = self._telling(self.pieces.reach([state]))
        return self.closed[state]

    def _telling(self, states: Iterable[int]) -> frozenset[int]:
        return frozenset(state for state in states if self.pieces.steps[state] or state in self.ends)


def _ending(pieces: _Pieces, final: int) -> set[int]:
    """The states from which the end of a text reaches the last one for nothing."""
    back: dict[int, list[int]] = {}
    for state, near in enumerate(pieces.free):
        for one in near:
            back.setdefault(one, []).append(state)
    for state, edges in pieces.edges.items():
        for at_start, one in edges:
            if not at_start:
                back.setdefault(one, []).append(state)
    found, stack = {final}, [final]
    while stack:
        for one in back.get(stack.pop(), []):
            if one not in found:
                found.add(one)
                stack.append(one)
    return found


def compiled(tree: Tree, said: str) -> Automaton:
    """The automaton of an expression that can be written at all; else an error that says so of `said`."""
    automaton = automaton_of(tree)
    if automaton.empty:
        raise GrammarError(f"No text at all meets {said}")
    return automaton
