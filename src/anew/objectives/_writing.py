"""Sequences written token after token, many rows at once.

Each row has dice of its own, so that what it becomes does not hang on the others. Rows that have ended leave the batch
when they are half of it.

Shapes: B rows, T tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from anew.core.columns import Floats
from anew.core.ragged import Ints
from anew.core.sequences import Sequences
from anew.grammar.beside import Walks
from anew.grammar.tokens import Walk
from anew.objectives._choosing import Style, pick
from anew.objectives._reading import Logits, Reader

Stop = Callable[[list[int]], list[int] | None]  # what a row keeps of its tokens once it has to stop, else None


@dataclass(frozen=True)
class Ending:
    """When a row is whole: by the token that ends it, where a new one would open, or by a word of the user."""

    end: int
    opening: tuple[int, ...] = ()
    least: int = 0
    stop: Stop | None = None

    @classmethod
    def of(cls, space: Sequences, stop: Stop | None) -> Ending:
        return cls(space.end, space.opening if space.continuing else (), space.least, stop)

    def __call__(self, row: list[int]) -> bool:
        """Whether the row has ended; what it does not keep is cut off."""
        if row[-1] == self.end:
            return True
        if self.opening and len(row) >= self.least and tuple(row[-len(self.opening) :]) == self.opening:
            return True
        kept = None if self.stop is None else self.stop(row)
        if kept is not None:
            row[:] = kept
        return kept is not None


@dataclass(frozen=True)
class Held:
    """A language that rows are held in; where no `end` was learned, its chance is that of the token `like` it."""

    walk: Walk | Walks
    end: int
    like: int

    @classmethod
    def of(cls, space: Sequences, walk: Walk | Walks) -> Held:
        return cls(walk, space.end, space.opening[0] if space.continuing else space.end)

    def bar(self, logits: Logits, rows: Ints) -> None:
        """Gives no chance, in place, to what leads out of the language."""
        logits[:, self.end] = logits[:, self.like]
        self.walk.bar(logits, rows)


def write(
    reader: Reader,
    start: Ints,
    dice: Floats,
    style: Style,
    ending: Ending,
    size: int,
    barred: Sequence[int] = (),
    held: Held | None = None,
) -> Iterator[list[list[int]]]:
    """After the tokens (B, T) of `start`: the rows so far, after each token; dice (B, most) set the longest.

    Drawn are the first `size` tokens of the vocabulary, but for those barred, and for those that lead out of a language
    that the rows are `held` in.
    """
    rows: list[list[int]] = [[] for _ in start]
    place = np.arange(len(start))  # which row stands where in the batch
    live = np.ones(len(start), bool)
    logits = reader.read(start)
    for turn in range(dice.shape[1]):
        logits = logits[:, :size]
        if barred:
            logits[:, list(barred)] = -np.inf
        if held is not None:
            held.bar(logits, place)
        tokens = pick(style.chances(logits, reader.written), dice[place, turn])
        if held is not None:
            held.walk.write(tokens, place)
        for at in np.flatnonzero(live):
            row = rows[place[at]]
            row.append(int(tokens[at]))
            live[at] = not ending(row)
        yield rows
        if not live.any():
            return
        if 2 * live.sum() <= len(live):
            reader.keep(live)
            place, tokens, live = place[live], tokens[live], live[live]
        if turn + 1 < dice.shape[1]:
            logits = reader.read(tokens[:, None])


def written(drafts: Iterator[list[list[int]]], rows: int) -> list[list[int]]:
    """The rows when all have ended."""
    found = deque(drafts, maxlen=1)
    return found[0] if found else [[] for _ in range(rows)]


def dice_of(rng: np.random.Generator, rows: int, most: int) -> Floats:
    """(B, most): a row's numbers hang on its place alone."""
    seeds = rng.integers(2**62, size=rows)
    return np.stack([np.random.default_rng(int(seed)).random(most) for seed in seeds]) if rows else np.zeros((0, most))


__all__ = ["Ending", "Held", "Stop", "dice_of", "write", "written"]
