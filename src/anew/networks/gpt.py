"""A causal transformer for one sequence of tokens after another, with what pays most at small scale.

h = norm(E[x]) + c;  h <- h + W_o attention(q, k, v);  h <- h + W_down relu(W_up norm(h))^2;
logits = 15 tanh(W norm(h) / 15) + T[x]

with norm(h) = h / rms(h) without parameters (Zhang and Sennrich 2019, arXiv 1910.07467), rotary positions (Su et al.
2021, arXiv 2104.09864) on queries and keys that are normed (Henry et al. 2020, arXiv 2010.04245), values to which an
embedding of the token itself is added in every other layer, squared ReLU (So et al. 2021, arXiv 2109.08668), logits
kept within +-15 (Gemma 2), and a table T of pairs of tokens where the vocabulary is small. What leads back into h
starts at zero. c is what is given.

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
from anew.networks._cached import Cache
from anew.networks._towers import Context

HEADS = 4  # of queries
KEYS = 4  # heads of keys and values; fewer cost .05 to .1 nats after 120 steps (docs/log.md)
CAP = 15.0  # logits stay within
PAIRS = 1024  # vocabulary up to which pairs of tokens have a table
FASTEST = 1024.0  # the longest wave of a position is 2 pi times this


class GPT(nn.Module, Causal):
    """Attention to what came before."""

    turns: Tensor  # (2, C, D / 2) cosines and sines

    def __init__(
        self, size: int, *, given: Mapping[str, Space], context: int = 256, width: int = 192, depth: int = 4, **_: Any
    ) -> None:
        super().__init__()
        width = 2 * HEADS * max(width // (2 * HEADS), 1)
        self.context = context
        self.embed = nn.Embedding(size, width)
        self.read = Context(given, width, timed=False) if given else None
        self.layers = nn.ModuleList([_Layer(size, width, values=i % 2 == (depth - 1) % 2) for i in range(depth)])
        self.head = nn.Linear(width, size, bias=False)
        self.pairs = nn.Embedding(size, size) if size <= PAIRS else None
        nn.init.normal_(self.embed.weight, std=0.5)
        nn.init.zeros_(self.head.weight)
        if self.pairs is not None:
            nn.init.zeros_(self.pairs.weight)
        self.register_buffer("turns", _turns(context, width // HEADS), persistent=False)

    def matrices(self) -> list[nn.Parameter]:
        return [weight for layer in self._layers() for weight in layer.matrices()]

    def _layers(self) -> list[_Layer]:
        return [layer for layer in self.layers if isinstance(layer, _Layer)]

    def forward(self, x: Tensor, given: Mapping[str, Encoded]) -> Tensor:
        h = self._start(x, given)
        turns = self.turns[:, : x.shape[1]]
        hidden = torch.full((x.shape[1],) * 2, -math.inf, device=x.device).triu(1)
        for layer in self._layers():
            h = layer(h, x, turns, hidden)
        return self._logits(h, x)

    def _start(self, x: Tensor, given: Mapping[str, Encoded]) -> Tensor:
        h = norm(self.embed(x))
        return h if self.read is None else h + self.read(len(x), given, None)[:, None]

    def _logits(self, h: Tensor, x: Tensor) -> Tensor:
        logits: Tensor = CAP * torch.tanh(self.head(norm(h)).float() / CAP)
        return logits if self.pairs is None else logits + self.pairs(x)

    @torch.no_grad()
    def begin(self, rows: int, given: Mapping[str, Encoded]) -> Cache:
        said = torch.zeros(rows, self.embed.embedding_dim) if self.read is None else self.read(rows, given, None)
        layers = [(x.ask, x.gather, x.up, x.down, x.values) for x in self._layers()]
        return Cache(said, self.embed.weight, layers, self.head.weight, self.pairs, self.turns, HEADS, KEYS, CAP)

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

    def __init__(self, size: int, width: int, *, values: bool) -> None:
        super().__init__()
        self.size = width // HEADS
        self.q, self.k, self.v = (nn.Parameter(_uniform(out, width)) for out in (width, *[KEYS * self.size] * 2))
        self.gather = nn.Parameter(torch.zeros(width, width))
        self.up = nn.Parameter(_uniform(4 * width, width))
        self.down = nn.Parameter(torch.zeros(width, 4 * width))
        self.values = nn.Embedding(size, KEYS * self.size) if values else None
        if self.values is not None:
            nn.init.zeros_(self.values.weight)

    def matrices(self) -> tuple[nn.Parameter, ...]:
        return self.q, self.k, self.v, self.gather, self.up, self.down

    @property
    def ask(self) -> Tensor:
        return torch.cat([self.q, self.k, self.v])

    def forward(self, h: Tensor, x: Tensor, turns: Tensor, hidden: Tensor) -> Tensor:
        asked = _split(F.linear(norm(h), self.ask), self.size)  # (B, L, HEADS + 2 KEYS, D)
        qk = turned(norm(asked[:, :, :-KEYS]).transpose(1, 2), turns)
        v = asked[:, :, -KEYS:]
        v = v if self.values is None else v + _split(self.values(x).to(v.dtype), self.size)
        told = attend(qk[:, :HEADS], qk[:, HEADS:], v.transpose(1, 2), hidden)
        h = h + F.linear(told.transpose(1, 2).flatten(2), self.gather)
        return h + F.linear(F.relu(F.linear(norm(h), self.up)).square(), self.down)


def attend(q: Tensor, k: Tensor, v: Tensor, hidden: Tensor) -> Tensor:
    """(B, A, L, D) of queries (B, A, L, D), keys and values (B, G, L, D) for A / G heads each; `hidden` (L, L) is added
    to the scores. Written out: on a CPU the backward pass of torch's own takes two and a half times as long in halves.
    """
    rows, groups, length, size = k.shape
    q = q.reshape(rows, groups, -1, size)  # (B, G, A L / G, D)
    scores = (q @ (k.transpose(2, 3) * size**-0.5)).reshape(rows, groups, -1, length, length)
    weights = torch.softmax(scores + hidden.to(scores.dtype), -1)
    return (weights.flatten(2, 3).to(v.dtype) @ v).reshape(rows, -1, length, size)


def norm(h: Tensor) -> Tensor:
    """Of unit mean square along the last dimension."""
    return F.rms_norm(h, (h.shape[-1],))


def turned(x: Tensor, turns: Tensor) -> Tensor:
    """Vectors (..., L, D) turned by their positions: the first half holds the real parts, the second the others."""
    a, b = x.chunk(2, -1)
    cosine, sine = turns.to(x.dtype)
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1)


def _split(x: Tensor, size: int) -> Tensor:
    """The last dimension as parts of that size."""
    return x.reshape(*x.shape[:-1], -1, size)


def _turns(length: int, size: int) -> Tensor:
    speed = FASTEST ** -torch.linspace(0, 1, size // 2)
    angle = torch.arange(length)[:, None] * speed
    return torch.stack([angle.cos(), angle.sin()])


def _uniform(out: int, width: int) -> Tensor:
    bound = (3 / width) ** 0.5
    return torch.empty(out, width).uniform_(-bound, bound)
