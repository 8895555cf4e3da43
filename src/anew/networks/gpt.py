"""A causal transformer for one sequence of tokens after another, with what pays most at small scale.

h = norm(E[x] + g) + c;  h <- h + W_o attention(q, k, v);  h <- h + W_down relu(W_up norm(h))^2;
logits = 15 tanh(W norm(h) / 15) + T[x]

with norm(h) = h / rms(h) and squared ReLU (`_rms`), rotary positions (Su et al. 2021, arXiv 2104.09864) on queries and
keys that are normed (Henry et al. 2020, arXiv 2010.04245), values to which an embedding of the token itself is added in
every other layer, logits kept within +-15 (Gemma 2), and where the vocabulary is small a table T of pairs of tokens and
beside E[x] what the last tokens are together (`_grams`). What leads back into h starts at zero. c is what is given.

Shapes: B batch, L positions, K vocabulary, H width, A heads, D = H / A.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.network import Causal
from anew.core.space import Space
from anew.networks._cached import Cache, Words
from anew.networks._grams import LENGTHS, Grams
from anew.networks._rms import norm, squared_relu
from anew.networks._towers import Context

SIZE = 64  # of a head; fewer heads of keys than of queries cost .05 to .1 nats after 120 steps (docs/log.md)
CAP = 15.0  # logits stay within
PAIRS = 1024  # vocabulary up to which pairs of tokens have a table, and n-grams
BLOCK = 128  # queries that are answered at once
FASTEST = 1024.0  # the longest wave of a position is 2 pi times this


class GPT(nn.Module, Causal):
    """Attention to what came before."""

    turns: Tensor  # (2, C, D / 2) cosines and sines

    def __init__(
        self, size: int, *, given: Mapping[str, Space], context: int = 256, width: int = 192, depth: int = 4, **_: Any
    ) -> None:
        super().__init__()
        heads = max(width // SIZE, 1)
        width = 2 * heads * max(width // (2 * heads), 1)
        self.context, self.heads = context, heads
        self.embed = nn.Embedding(size, width)
        self.read = Context(given, width, timed=False) if given else None
        self.grams = Grams(width) if size <= PAIRS else None
        self.lapses = len(LENGTHS) if self.grams is not None else 0
        self.layers = nn.ModuleList([_Layer(size, width, heads, values=i % 2 == (depth - 1) % 2) for i in range(depth)])
        self.head = nn.Linear(width, size, bias=False)
        self.pairs = nn.Embedding(size, size) if size <= PAIRS else None
        nn.init.normal_(self.embed.weight, std=0.5)
        nn.init.zeros_(self.head.weight)
        if self.pairs is not None:
            nn.init.zeros_(self.pairs.weight)
        self.register_buffer("turns", _turns(context, width // heads), persistent=False)

    def matrices(self) -> list[nn.Parameter]:
        return [weight for layer in self._layers() for weight in layer.matrices()]

    def _layers(self) -> list[_Layer]:
        return [layer for layer in self.layers if isinstance(layer, _Layer)]

    def forward(self, x: Tensor, given: Mapping[str, Encoded], dice: Tensor | None = None) -> Tensor:
        h = self._start(x, given, dice)
        turns = self.turns[:, : x.shape[1]]
        for layer in self._layers():
            h = layer(h, x, turns)
        return self._logits(h, x)

    def _start(self, x: Tensor, given: Mapping[str, Encoded], dice: Tensor | None) -> Tensor:
        h = norm(self.embed(x) if self.grams is None else self.embed(x) + self.grams(x, dice))
        return h if self.read is None else h + self.read(len(x), given, None)[:, None]

    def _logits(self, h: Tensor, x: Tensor) -> Tensor:
        logits: Tensor = CAP * torch.tanh(self.head(norm(h)).float() / CAP)
        return logits if self.pairs is None else logits + self.pairs(x)

    @torch.no_grad()
    def begin(self, rows: int, given: Mapping[str, Encoded]) -> Cache:
        said = torch.zeros(rows, self.embed.embedding_dim) if self.read is None else self.read(rows, given, None)
        layers = [(x.ask, x.gather, x.up, x.down, x.values) for x in self._layers()]
        words = Words(self.embed, self.grams, self.pairs)
        return Cache(said, words, layers, self.head.weight, self.turns, self.heads, CAP)

    def step(self, x: Tensor, state: Any) -> Tensor:
        assert isinstance(state, Cache)
        return state.step(x)

    def rewind(self, state: Any) -> Cache:
        assert isinstance(state, Cache)
        return state.rewind()

    def keep(self, state: Any, rows: npt.NDArray[np.bool_]) -> Cache:
        assert isinstance(state, Cache)
        return state.keep(rows)


class _Layer(nn.Module):
    """Attention, then a perceptron; both added."""

    def __init__(self, size: int, width: int, heads: int, *, values: bool) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Parameter(_uniform(width, width)) for _ in range(3))
        self.gather = nn.Parameter(torch.zeros(width, width))
        self.up = nn.Parameter(_uniform(4 * width, width))
        self.down = nn.Parameter(torch.zeros(width, 4 * width))
        self.values = nn.Embedding(size, width) if values else None
        if self.values is not None:
            nn.init.zeros_(self.values.weight)

    def matrices(self) -> tuple[nn.Parameter, ...]:
        return self.q, self.k, self.v, self.gather, self.up, self.down

    @property
    def ask(self) -> Tensor:
        return torch.cat([self.q, self.k, self.v])

    def forward(self, h: Tensor, x: Tensor, turns: Tensor) -> Tensor:
        asked = F.linear(norm(h), self.ask).reshape(*h.shape[:2], 3 * self.heads, -1)  # (B, L, 3 A, D)
        q, k = turned(norm(asked[:, :, : 2 * self.heads]).transpose(1, 2), turns).chunk(2, 1)
        v = asked[:, :, 2 * self.heads :]
        v = v if self.values is None else v + self.values(x).to(v.dtype).view_as(v)
        told = attend(q, k, v.transpose(1, 2))
        h = h + F.linear(told.transpose(1, 2).flatten(2), self.gather)
        return h + F.linear(squared_relu(F.linear(norm(h), self.up)), self.down)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """(B, A, L, D) of queries, keys and values (B, A, L, D): each knows itself and what came before.

    Written out, in blocks of queries that read no key behind their last: on a CPU the backward pass of torch's own
    takes two and a half times as long in halves.
    """
    told = []
    for start in range(0, q.shape[2], BLOCK):
        some = q[:, :, start : start + BLOCK]
        end = start + some.shape[2]
        scores = some @ (k[:, :, :end].transpose(2, 3) * q.shape[3] ** -0.5)
        hidden = torch.full((some.shape[2], end), -math.inf, dtype=scores.dtype, device=q.device).triu(start + 1)
        told.append(torch.softmax(scores + hidden, -1).to(v.dtype) @ v[:, :, :end])
    return told[0] if len(told) == 1 else torch.cat(told, 2)


def turned(x: Tensor, turns: Tensor) -> Tensor:
    """Vectors (..., L, D) turned by their positions: the first half holds the real parts, the second the others."""
    a, b = x.chunk(2, -1)
    cosine, sine = turns.to(x.dtype)
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1)


def _turns(length: int, size: int) -> Tensor:
    speed = FASTEST ** -torch.linspace(0, 1, size // 2)
    angle = torch.arange(length)[:, None] * speed
    return torch.stack([angle.cos(), angle.sin()])


def _uniform(out: int, width: int) -> Tensor:
    bound = (3 / width) ** 0.5
    return torch.empty(out, width).uniform_(-bound, bound)
