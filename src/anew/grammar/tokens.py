"""Which tokens may come next: a language over bytes, read through a vocabulary of pieces of bytes.

A token is allowed in a state when its bytes lead to a state that is not dead, and the end where a text may end. With
`left` tokens still to write, only those stay that leave a state from which the remaining ones reach an end: the
state's distance is at most left - 1. So nothing is ever drawn that cannot be finished in time (forced ending), and no
draw is thrown away.

The distance is counted in tokens: the shortest way through the automaton by tokens, where the table of its states and
tokens is small enough to be looked at as a whole, else in bytes, which are tokens too.

Shapes: B rows, V vocabulary, S states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.errors import BudgetError, GrammarError
from anew.grammar.automaton import DEAD, FAR, START, Automaton, Bools, Ints

WIDE = 4  # bytes of a character, at most
URGE = 2.0  # nats that a token gains which stands for a whole text that is still required
_WHOLE = 8_000_000  # steps of a table of states and tokens that are followed as a whole
_BATCH = 256  # states that are followed at once
_NEVER = 32_767  # an int16 that no budget reaches
_READY = 4_000_000  # entries of rows that are made before they are asked for
_ROWS = 4096  # rows that are kept; once there are more, those that are asked for are made anew
_KEPT = 100_000_000  # entries of rows that are kept: a base may know 150,000 tokens


@dataclass(frozen=True)
class _Tree:
    """The tokens as a tree of bytes: node 0 is the root, the children of a node are first[node] .. first[node + 1]."""

    first: npt.NDArray[np.int64]
    byte: npt.NDArray[np.uint8]
    token: npt.NDArray[np.int64]  # the token that ends at a node, or -1
    twins: list[tuple[int, int]]  # a token and another of the same bytes

    @classmethod
    def of(cls, pieces: Sequence[bytes]) -> _Tree:
        children: list[dict[int, int]] = [{}]
        ends, twins = [-1], []
        for token, piece in enumerate(pieces):
            node = 0
            for byte in piece:
                if byte not in children[node]:
                    children[node][byte] = len(children)
                    children.append({})
                    ends.append(-1)
                node = children[node][byte]
            if not piece:
                continue
            if ends[node] >= 0:
                twins.append((token, ends[node]))
            else:
                ends[node] = token
        order, number = [0], {0: 0}  # breadth first, so that children stand together
        for node in order:
            for child in children[node].values():
                number[child] = len(order)
                order.append(child)
        first = np.cumsum([1, *(len(children[node]) for node in order)])
        bytes_ = np.zeros(len(order), np.uint8)
        for node in order:
            for value, child in children[node].items():
                bytes_[number[child]] = value
        return cls(first, bytes_, np.array([ends[node] for node in order]), twins)


class Guide:
    """A language and a vocabulary: `pieces` are the bytes of each token, empty for a mark; `end` closes a text."""

    def __init__(
        self,
        language: Automaton,
        pieces: Sequence[bytes],
        end: int,
        *,
        least: int = 0,
        most: int | None = None,
        signs: Sequence[int] = (),
    ) -> None:
        single = {piece[0] for piece in pieces if len(piece) == 1}
        used = [byte for byte in range(256) if (language.table[START:, language.classes[byte]] != DEAD).any()]
        if not single.issuperset(used):
            lacking = len(set(used) - single)
            raise GrammarError(
                "A constraint needs a vocabulary in which every byte is a token", found=f"{lacking} are not"
            )
        self.language, self.end, self.size = language, end, len(pieces)
        self.least, self.most, self.signs = least, most, list(signs)
        self._tree = _Tree.of([b"" if token == end else piece for token, piece in enumerate(pieces)])
        self.pieces = [b"" if token == end else piece for token, piece in enumerate(pieces)]
        longest = max(map(len, self.pieces))
        self._bytes = np.zeros((self.size, longest), np.intp)  # classes of bytes
        self._lengths = np.array([len(piece) for piece in self.pieces])
        self.letters = np.array([sum(byte & 0xC0 != 0x80 for byte in piece) for piece in self.pieces])
        for token, piece in enumerate(self.pieces):
            self._bytes[token, : len(piece)] = language.classes[list(piece)]
        self._kind = language.classes[self._tree.byte]
        self._row = np.full(language.states, -1, np.int64)  # of a state in `_needed`
        self._needed = np.empty((0, self.size), np.int16)
        self._used = 0
        self.distance = self._distances()
        if language.states <= _ROWS and language.states * self.size <= _READY:
            self._add(np.arange(START, language.states, dtype=np.int32))

    @property
    def shortest(self) -> int:
        """The fewest tokens of a text."""
        return max(int(self.distance[START]), -(-self.least // max(int(self.letters.max()), 1)))

    @property
    def longest(self) -> int | None:
        """The most tokens of a text, where its characters are counted: a token may be a byte, a character four."""
        return None if self.most is None else WIDE * self.most + 1

    def start(self, rows: int, budget: int) -> Walk:
        """Rows that have written nothing, with room for `budget` tokens, and 32,767 at most."""
        if budget < self.shortest:
            raise BudgetError(
                f"The shortest text that the constraint allows has {self.shortest:,} tokens",
                found=f"{budget:,} tokens to write",
                do="Allow more tokens",
            )
        if self.most is not None and self.language.distance[START] > self.most:
            raise BudgetError(
                f"The shortest text that the constraint allows has {self.language.distance[START]:,} bytes",
                found=f"{self.most:,} characters at most",
                do="Allow more characters, or ask for fewer words",
            )
        return Walk(self, np.full(rows, START, np.int32), min(budget, _NEVER))

    # ------------------------------------------------------------------------------------------------- what may follow

    def needed(self, states: Ints) -> npt.NDArray[np.int16]:
        """(B, V): how many tokens must follow each token in each state; _NEVER for one that is not allowed."""
        rows = self._row[states]
        if (rows < 0).any():
            missing = np.unique(states[rows < 0])
            if self._used + len(missing) > min(_ROWS, _KEPT // self.size):
                self._row[:] = -1
                self._used, missing = 0, np.unique(states)
            self._add(missing)
            rows = self._row[states]
        return self._needed[rows]

    def _add(self, states: Ints) -> None:
        """Rows of new states."""
        if self._used + len(states) > len(self._needed):
            grown = np.empty((max(2 * len(self._needed), self._used + len(states), 16), self.size), np.int16)
            grown[: self._used] = self._needed[: self._used]
            self._needed = grown
        rows = self._needed[self._used : self._used + len(states)]
        rows[:] = _NEVER
        for i, tokens, after in self._followed(states):
            rows[i, tokens] = np.minimum(self.distance[after], _NEVER)
        for token, twin in self._tree.twins:
            rows[:, token] = rows[:, twin]
        rows[self.language.accepting[states], self.end] = 0
        self._row[states] = np.arange(self._used, self._used + len(states))
        self._used += len(states)

    def _followed(self, states: Ints) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Ints]]:
        """Places in `states`, tokens that may follow there and the states after them, by the tokens' length."""
        tree, found = self._tree, []
        places, nodes, reached = np.arange(len(states)), np.zeros(len(states), np.int64), states.astype(np.int32)
        while len(places):
            counts = tree.first[nodes + 1] - tree.first[nodes]
            starts = np.repeat(tree.first[nodes] - (np.cumsum(counts) - counts), counts)
            children = starts + np.arange(len(starts))
            places, reached = np.repeat(places, counts), np.repeat(reached, counts)
            reached = self.language.table[reached, self._kind[children]]
            alive = reached != DEAD
            places, nodes, reached = places[alive], children[alive], reached[alive]
            ends = tree.token[nodes] >= 0
            found.append((places[ends], tree.token[nodes[ends]], reached[ends]))
        return found

    def after(self, states: Ints, tokens: npt.NDArray[np.integer] | int) -> Ints:
        """(B,): the states after a token each; the end leaves a state as it is."""
        found = states
        lengths = self._lengths[tokens]
        for place in range(int(lengths.max(initial=0))):
            step = self.language.table[found, self._bytes[tokens, place]]
            found = np.where(place < lengths, step, found)
        return found

    # -------------------------------------------------------------------------------------------------------- distance

    def _distances(self) -> Ints:
        """(S,): the fewest tokens to an end, or the fewest bytes where the table is too large to look at, or where
        characters are counted, which are not more than bytes."""
        if self._lengths.max() == 1 or self.most is not None:
            return self.language.distance
        steps = self._steps()
        if steps is None:
            return self.language.distance
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import dijkstra

        sources, after = steps
        states, ends = self.language.states, np.flatnonzero(self.language.accepting)
        rows, cols = np.concatenate([after, np.full(len(ends), states)]), np.concatenate([sources, ends])
        graph = coo_array((np.ones(len(rows), np.float32), (rows, cols)), (states + 1, states + 1)).tocsr()
        found = dijkstra(graph, indices=states, unweighted=True)[:states] - 1
        return np.where(np.isfinite(found), found, FAR).astype(np.int32)

    def _steps(self) -> tuple[Ints, Ints] | None:
        """Every pair of states that a token joins."""
        sources, after, budget = [], [], _WHOLE
        for begin in range(START, self.language.states, _BATCH):
            states = np.arange(begin, min(begin + _BATCH, self.language.states), dtype=np.int32)
            for places, _, reached in self._followed(states):
                budget -= len(places)
                pairs = np.unique(states[places].astype(np.int64) * self.language.states + reached)
                sources.append((pairs // self.language.states).astype(np.int32))
                after.append((pairs % self.language.states).astype(np.int32))
            if budget < 0:
                return None
        return np.concatenate(sources), np.concatenate(after)


class Walk:
    """Rows that are being written: their states, and how many tokens each may still write."""

    def __init__(self, guide: Guide, states: Ints, left: int) -> None:
        self.guide, self.states, self.left = guide, states, left
        self.written = np.zeros(len(states), np.int64)  # characters

    def allowed(self, rows: npt.NDArray[np.integer] | slice = slice(None)) -> Bools:
        """(B, V): the tokens that may come next, of some rows or all."""
        needed = self.guide.needed(self.states[rows])
        found = np.asarray(needed < self.left)
        if self.guide.most is not None:
            found &= self.written[rows][:, None] + self.guide.letters + needed <= self.guide.most
        if self.guide.least:
            short = self.written[rows] < self.guide.least
            found[short & (found.sum(1) > 1), self.guide.end] = False
        return found

    def bar(self, logits: npt.NDArray[np.float32], rows: npt.NDArray[np.integer] | slice = slice(None)) -> None:
        """Gives no chance, in place, to the tokens (B, V) that may not come next."""
        np.copyto(logits, -np.inf, where=~self.allowed(rows))
        for sign in self.guide.signs:
            logits[:, sign] += URGE * self._brings(sign, rows)

    def _brings(self, sign: int, rows: npt.NDArray[np.integer] | slice) -> Bools:
        """Whether a sign writes what is required and was not written yet: the end comes nearer by all of it."""
        states = self.states[rows]
        nearer = self.guide.language.distance[states] - self.guide.language.distance[self.guide.after(states, sign)]
        return np.asarray(nearer >= len(self.guide.pieces[sign]))

    def write(self, tokens: npt.NDArray[np.integer], rows: npt.NDArray[np.integer] | slice = slice(None)) -> None:
        """The tokens that were drawn for some rows or all."""
        self.states[rows] = self.guide.after(self.states[rows], tokens)
        self.written[rows] += self.guide.letters[tokens]
        self.left -= 1

    def finished(self) -> Bools:
        """(B,): whether what is written so far is a whole text."""
        return np.asarray(self.guide.language.accepting[self.states])
