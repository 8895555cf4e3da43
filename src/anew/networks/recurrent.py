"""A recurrent network: an LSTM whose state is carried from token to token (Hochreiter and Schmidhuber 1997).

logits = W h_t + T[x_t], h_t = LSTM(E[x_t] + c, h_{t-1}), with c what is given and T a table of pairs of tokens where
the vocabulary is small. It learns from windows and reads on without an end.

Shapes: B batch, L positions, K vocabulary, H width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from anew.core.batch import Encoded
from anew.core.network import Causal, Module
from anew.core.space import Space
from anew.networks._reading import RecurrentReading
from anew.networks._towers import Context

PAIRS = 1024  # vocabulary up to which pairs of tokens have a table
ENDLESS = 2**40


class State(NamedTuple):
    """What is given (B, H), and hidden and cell states (depth, B, H)."""

    said: Tensor
    h: Tensor
    c: Tensor


class Recurrent(nn.Module, Causal):
    """Layers of LSTM cells."""

    texts = True
    views = RecurrentReading.views

    def __init__(
        self, size: int, *, given: Mapping[str, Space], context: int = 256, width: int = 320, depth: int = 2, **_: Any
    ) -> None:
        super().__init__()
        self.context, self.width, self.depth = ENDLESS, width, depth
        self.embed = nn.Embedding(size, width)
        self.read = Context(given, width, timed=False) if given else None
        self.cells = nn.LSTM(width, width, depth, batch_first=True)
        self.head = nn.Linear(width, size)
        self.pairs = nn.Embedding(size, size) if size <= PAIRS else None
        nn.init.normal_(self.embed.weight, std=0.5)
        nn.init.zeros_(self.head.weight)
        if self.pairs is not None:
            nn.init.zeros_(self.pairs.weight)

    @classmethod
    def reader(cls) -> type[Module]:
        return RecurrentReading

    def forward(self, x: Tensor, given: Mapping[str, Encoded], dice: Tensor | None = None) -> Tensor:
        return self._logits(self.cells(self.embed(x) + self._said(len(x), given)[:, None])[0], x)

    def _said(self, rows: int, given: Mapping[str, Encoded]) -> Tensor:
        if self.read is None:
            return torch.zeros(rows, self.width, device=self.embed.weight.device)
        said: Tensor = self.read(rows, given, None)
        return said

    def _logits(self, h: Tensor, x: Tensor) -> Tensor:
        logits: Tensor = self.head(h)
        return logits if self.pairs is None else logits + self.pairs(x)

    @torch.no_grad()
    def begin(self, rows: int, given: Mapping[str, Encoded]) -> State:
        zeros = torch.zeros(self.depth, rows, self.width)
        return State(self._said(rows, given), zeros.clone(), zeros)

    @torch.no_grad()
    def step(self, x: Tensor, state: Any) -> Tensor:
        h, (hidden, cell) = self.cells(self.embed(x) + state.said[:, None], (state.h, state.c))
        state.h.copy_(hidden)
        state.c.copy_(cell)
        return self._logits(h[:, -1], x[:, -1])

    def rewind(self, state: Any) -> State:
        return State(state.said, torch.zeros_like(state.h), torch.zeros_like(state.c))

    def keep(self, state: Any, rows: npt.NDArray[np.bool_]) -> State:
        kept = torch.from_numpy(rows)
        return State(state.said[kept], state.h[:, kept], state.c[:, kept])
