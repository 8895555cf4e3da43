"""What learners of sequences share: the options of a draw, writing on, and filling gaps.

Shapes: n sequences, N tokens in all, B rows, T tokens.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from anew.core.batch import Encoded
from anew.core.errors import CapabilityError, UsageError
from anew.core.learner import Completes, Counted, Learner, Samples, Scores
from anew.core.ragged import Bools, Ragged
from anew.core.sequences import Sequences
from anew.core.space import Space
from anew.grammar.beside import Beside
from anew.grammar.tokens import Guide
from anew.objectives._built import Given, some_of
from anew.objectives._choosing import Style
from anew.objectives._infilling import question
from anew.objectives._reading import Reader
from anew.objectives._writing import Ending, Held, Stop, dice_of, write, written

NUMBERS = ("temperature", "top_p", "min_p", "repetition", "guidance")
WHOLE = ("top_k", "tokens")
ROOM = 2  # a draw that is held may be so many times as long as the shortest text
HOLDING = ("regex", "schema", "choices", "words")  # what a sequence may be


class Sequential(Learner, Counted, Samples[Any], Scores[Any], Completes[Any]):
    """A learner of `Sequences`; X is `Ragged`, and what is given is tensors."""

    reads = ("Sequence",)
    apart = True
    draws: ClassVar[tuple[str, ...]] = (*NUMBERS, *WHOLE, "prompt", "stop", *HOLDING)
    gaps = False  # whether it fills them, or writes on alone
    context = 256  # that a question about a gap must fit into

    def _takes(self, space: Space, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a draw as they are at first; the others are given back."""
        if not isinstance(space, Sequences):
            raise UsageError(f"{type(self).__name__} learns sequences", found=space.kind, do="Bring such a space")
        self.sequences, self.size = space, space.sizes[0]
        self.temperature, self.top_p, self.min_p, self.repetition, self.guidance = 1.0, 1.0, 0.0, 1.0, 1.0
        self.top_k: int | None = None
        self.tokens: int | None = None
        self.prompt: Sequence[int] = ()
        self.stop: Stop | None = None
        self.regex: Guide | None = None
        self.schema: Guide | None = None
        self.choices: Guide | None = None
        self.words: Guide | Beside | None = None
        mine = {name: value for name, value in options.items() if name in self.draws}
        for name, value in mine.items():
            setattr(self, name, value)
        return {name: value for name, value in options.items() if name not in mine}

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {**dict.fromkeys(NUMBERS, float), **dict.fromkeys(WHOLE, int)}

    @abstractmethod
    def reader(self, rows: int, given: Encoded | Given | None, *, filling: bool = False) -> Reader:
        """What says the next token of so many rows; of a gap, when `filling`."""

    def sample(self, n: int, rng: np.random.Generator, given: Encoded | Given | None = None) -> Ragged:
        rows = written(self.write([()] * n, rng, given), n)
        return Ragged.of([*self.prompt, *row] for row in rows)

    def write(
        self, starts: Sequence[Sequence[int]], rng: np.random.Generator, given: Encoded | Given | None = None
    ) -> Iterator[list[list[int]]]:
        """What follows these tokens and the prompt, all of one length: the rows so far, after each token."""
        guide = self._guide
        most = self.tokens or max(self.sequences.most, ROOM * guide.shortest if guide else 0)
        most = min(most, (guide.longest if guide else None) or most)
        held = Held.of(self.sequences, guide.start(len(starts), most)) if guide else None
        dice = dice_of(rng, len(starts), most)
        whole = np.array([[*self.sequences.opening, *start, *self.prompt] for start in starts], np.int64)
        ending = Ending.of(self.sequences, self.stop) if held is None else Ending(self.sequences.end)
        return write(self.reader(len(starts), given), whole, dice, self._style, ending, self.size, held=held)

    @property
    def _guide(self) -> Guide | Beside | None:
        return self.regex or self.schema or self.choices or self.words

    @property
    def _style(self) -> Style:
        return Style(self.temperature, self.top_k, self.top_p, self.min_p, self.repetition)

    def complete(
        self, x: Ragged, known: Bools, rng: np.random.Generator, given: Encoded | Given | None = None
    ) -> Ragged:
        """The tokens of x that are not `known` (N,) are a gap of unknown length, at most one in a sequence."""
        rows = []
        for i in range(len(x)):
            one = some_of(given, torch.tensor([i]))
            rows.append(self._filled(x[i].tolist(), known[x.ends[i] : x.ends[i + 1]], rng, one))
        return Ragged.of(rows)

    def _filled(
        self, row: list[int], known: Bools, rng: np.random.Generator, given: Encoded | Given | None
    ) -> list[int]:
        gap = np.flatnonzero(~known)
        if not len(gap):
            return row
        before, after = row[: gap[0]], row[gap[-1] + 1 :]
        if not after:
            return [*before, *written(self.write([before], rng, given), 1)[0]]
        if self._guide is not None:
            raise CapabilityError("A gap within a text cannot be held", do=f"Leave out {', '.join(HOLDING)}")
        if not self.gaps:
            raise CapabilityError(
                "This model was not fitted to fill gaps: it can only write on", do="Fit again with --option infill=0.5"
            )
        start = np.array([question(self.sequences.opening, before, after, self.size, self.context)])
        dice = dice_of(rng, 1, self.tokens or self.context - start.shape[1])
        reader, barred = self.reader(1, given, filling=True), (self.sequences.end,)
        drafts = write(reader, start, dice, self._style, Ending(self.size), self.size + 1, barred)
        return [*before, *(token for token in written(drafts, 1)[0] if token < self.size), *after]
