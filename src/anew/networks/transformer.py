"""A transformer over positions: each position asks, by attention, the values that it is allowed to see.

q_j^0 = Q_j;  q <- q + attention(q, {c_i : j sees i} and c_0);  q <- q + V gelu(U norm(q));
logits_j = log share_j + O_j norm(q_j), with c_i = E_i[x_i] + P_i what stands at position i, and c_0 what is given.

Only queries travel through the layers (Vaswani et al. 2017; the query stream of Yang et al. 2019, arXiv 1906.08237): a
value is never mixed with what its position does not see, so every mask is allowed. All positions share the weights.
Shapes: B batch, L positions, V = sum of the vocabularies, H width, A heads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.network import Conditional, Module
from anew.core.space import Space, Tokens
from anew.networks._reading import TransformerReading
from anew.networks._shared import Table, Writer
from anew.networks._smooth import Heads, Smooth
from anew.networks._towers import tower

HEADS = 4


class State(NamedTuple):
    """Which of the L + 1 parts may be seen (B, L + 1); their keys and values in each layer (B, A, L + 1, H / A)."""

    seen: Tensor
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]


class Transformer(nn.Module, Conditional):
    """For positions with vocabularies of their own, or with one for all."""

    alike = True
    texts = True
    views = TransformerReading.views
    first: Tensor  # (L,) where the vocabulary of each position starts

    def __init__(
        self,
        space: Tokens,
        *,
        given: Mapping[str, Space],
        width: int | None = None,
        depth: int | None = None,
        **size: Any,
    ) -> None:
        super().__init__()
        width, depth = width or (128 if space.alike else 64), depth or (4 if space.alike else 2)
        width = HEADS * max(width // HEADS, 1)
        positions = len(space.sizes)
        first = [0] * positions if space.alike else space.offsets[:-1]
        self.register_buffer("first", torch.tensor(first, dtype=torch.long), persistent=False)
        words = torch.randn(space.sizes[0] if space.alike else space.offsets[-1], width) * 0.5
        self.embedding = Table(words) if space.alike else Smooth(space, words)
        self.standing = nn.Parameter(torch.randn(positions, width) * 0.5)
        self.query = nn.Parameter(torch.randn(positions, width) * 0.5)
        self.nothing = nn.Parameter(torch.zeros(width))
        self.towers = nn.ModuleDict({name: tower(part, width) for name, part in given.items()})
        self.layers = nn.ModuleList([_Layer(width) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.write = Writer(space, width) if space.alike else Heads(space, width)

    @classmethod
    def reader(cls) -> type[Module]:
        return TransformerReading

    def forward(self, x: Tensor, sees: Tensor, given: Mapping[str, Encoded]) -> Tensor:
        content = self._content(x, given)  # (B, L + 1, H)
        seen = torch.cat([torch.ones_like(sees[:, :, :1]), sees], 2)  # (B, L, L + 1)
        q = self.query.expand(len(x), -1, -1)
        for layer in self._layers():
            q = layer(q, *layer.read(content), seen)
        logits: Tensor = self.write(self.norm(q).transpose(0, 1), sees.any(2) | bool(given))
        return logits

    def _content(self, x: Tensor, given: Mapping[str, Encoded]) -> Tensor:
        """What is given, then what stands at each position.  (B, L + 1, H)"""
        context = self.nothing.expand(len(x), -1)
        for name, read in self.towers.items():
            context = context + read(given[name])
        return torch.cat([context[:, None], self.embedding()[x + self.first] + self.standing], 1)

    def begin(self, x: Tensor, known: Tensor, given: Mapping[str, Encoded]) -> State:
        content = self._content(x, given)
        told = [[part.contiguous() for part in layer.read(content)] for layer in self._layers()]
        keys, values = zip(*told, strict=True)
        return State(torch.cat([torch.ones_like(known[:, :1]), known], 1), keys, values)

    def _layers(self) -> list[_Layer]:
        return [layer for layer in self.layers if isinstance(layer, _Layer)]

    def logits(self, state: Any, position: int) -> Tensor:
        q = self.query[position].expand(len(state.seen), 1, -1)
        for layer, keys, values in zip(self._layers(), state.keys, state.values, strict=True):
            q = layer(q, keys, values, state.seen[:, None])
        return self.write.at(self.norm(q)[:, 0], position, state.seen[:, 1:].any(1) | bool(self.towers))

    def see(self, state: Any, position: int, tokens: Tensor, rows: Tensor) -> State:
        """Written into the state, which is used up: copies of all keys would take longer than the rest of a draw."""
        content = (self.embedding.at(position)[tokens] + self.standing[position])[:, None]
        state.seen[:, position + 1] |= rows
        for layer, keys, values in zip(self._layers(), state.keys, state.values, strict=True):
            for old, new in zip((keys, values), layer.read(content), strict=True):
                old[rows, :, position + 1] = new[rows, :, 0]
        return State(*state)


class _Layer(nn.Module):
    """Attention of queries to what they see, then a perceptron; both added to the query."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between, self.content = (nn.LayerNorm(width) for _ in range(3))
        self.ask = nn.Linear(width, width)
        self.tell = nn.Linear(width, 2 * width)
        self.gather = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def read(self, content: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, A, L + 1, H / A) of what can be seen."""
        keys, values = self.tell(self.content(content)).chunk(2, 2)
        return _heads(keys), _heads(values)

    def forward(self, q: Tensor, keys: Tensor, values: Tensor, seen: Tensor) -> Tensor:
        asked = _heads(self.ask(self.before(q)))  # (B, A, L, H / A)
        scores = asked @ keys.transpose(2, 3) / math.sqrt(asked.shape[3])
        weights = torch.softmax(scores.masked_fill(~seen[:, None], -math.inf), 3)
        q = q + self.gather((weights @ values).transpose(1, 2).flatten(2))
        result: Tensor = q + self.down(F.gelu(self.up(self.between(q))))
        return result


def _heads(x: Tensor) -> Tensor:
    """(B, L, H) -> (B, A, L, H / A)"""
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)
