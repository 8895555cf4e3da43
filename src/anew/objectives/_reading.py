"""What has read some tokens and says what comes next: a network with its state, window after window, guided or not.

A full context begins anew with its last half (`core.ragged.kept`), so that a draw has the distribution that `segments`
score. Guidance goes beyond what the blank condition says: z = z_blank + g (z_given - z_blank) (Sanchez et al. 2023,
arXiv 2306.17806).

Shapes: B rows, l tokens, P tokens that are told, K vocabulary.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from anew.core.batch import Encoded
from anew.core.network import Causal
from anew.core.ragged import Bools, Ints, kept
from anew.objectives._built import Given

Logits = npt.NDArray[np.float32]


class Reader(ABC):
    """Rows that were read so far: `written` (B, T)."""

    def __init__(self, rows: int) -> None:
        self.written = np.zeros((rows, 0), np.int64)

    def read(self, tokens: Ints) -> Logits:
        """More tokens (B, l) -> logits (B, K) of the next."""
        self.written = np.concatenate([self.written, tokens], 1)
        return self.logits(tokens.shape[1])

    @abstractmethod
    def logits(self, new: int) -> Logits:
        """(B, K) after all that was written, of which the last `new` tokens were not read yet."""

    def keep(self, rows: Bools) -> None:
        """Only these rows go on."""
        self.written = self.written[rows]


class Network(Reader):
    """A network's state, and where it is guided that of the network that is given nothing.

    `told` (B, P) is read before each window; the window has `context` tokens.
    """

    def __init__(self, net: Causal, rows: int, given: Given, guidance: float, told: Ints, context: int) -> None:
        super().__init__(rows)
        self.net, self.guidance, self.context, self.start = net, guidance, context, -1
        both = [(given, told)]
        if guidance != 1.0 and (given or told.shape[1]):
            both.append((blank(given), told[:, :0]))
        self.states: list[tuple[Any, Ints]] = [(net.begin(rows, some), first) for some, first in both]

    def logits(self, new: int) -> Logits:
        start = self._start(self.written.shape[1])
        whole = start != self.start
        if whole:
            self.start, new = start, self.written.shape[1] - start
            self.states = [(self.net.rewind(state), told) for state, told in self.states]
        tokens = self.written[:, self.written.shape[1] - new :]
        said = [
            self.net.step(torch.from_numpy(np.concatenate([told, tokens], 1) if whole else tokens), state).numpy()
            for state, told in self.states
        ]
        result: Logits = said[0] if len(said) == 1 else said[1] + self.guidance * (said[0] - said[1])
        return result

    def _start(self, length: int) -> int:
        """Where the window begins that a network reads when so many tokens are written."""
        context = self.context
        stride = context + 1 - kept(context)
        return max(-(-(length - context) // stride), 0) * stride

    def keep(self, rows: Bools) -> None:
        super().keep(rows)
        self.states = [(self.net.keep(state, rows), told[rows]) for state, told in self.states]


class Grouped(Reader):
    """Readers side by side, each of the rows at its places."""

    def __init__(self, readers: Sequence[Reader], places: Sequence[Ints]) -> None:
        super().__init__(sum(map(len, places)))
        self.readers, self.places = list(readers), list(places)

    def logits(self, new: int) -> Logits:
        tokens = self.written[:, self.written.shape[1] - new :]
        said = [reader.read(tokens[mine]) for reader, mine in zip(self.readers, self.places, strict=True)]
        whole = np.empty((len(tokens), said[0].shape[1]), np.float32)
        for mine, answers in zip(self.places, said, strict=True):
            whole[mine] = answers
        return whole

    def keep(self, rows: Bools) -> None:
        super().keep(rows)
        number = np.cumsum(rows) - 1
        left = []
        for reader, mine in zip(self.readers, self.places, strict=True):
            if rows[mine].any():
                reader.keep(rows[mine])
                left.append((reader, number[mine[rows[mine]]]))
        self.readers, self.places = [reader for reader, _ in left], [mine for _, mine in left]


def blank(given: Given) -> Given:
    """The same of which nothing is present."""
    return {name: Encoded(part.x, torch.zeros_like(part.present)) for name, part in given.items()}
