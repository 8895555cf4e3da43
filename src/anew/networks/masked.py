"""A masked multilayer perceptron: every position has one of its own, over the sum of what it is allowed to see.

h_j = sum_i S_ji E_i[x_i] + sum_g C_g e(g);  z_j = relu(W_j h_j + b_j);  z_j <- z_j + relu(U_j z_j + c_j);
logits_j = log share_j + O_j z_j, so that it starts at the released frequencies, and keeps them where j sees nothing.

With S below the diagonal of an order it is the masked autoencoder of Germain et al. (2015, arXiv 1502.03509), with S
of a random order its order-agnostic training (Uria et al. 2014); S is an input here: each example may have its own.
Shapes: B batch, L positions, V = sum of the vocabularies, E embedding, H width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.network import Conditional
from anew.core.space import Space, Tokens
from anew.networks._smooth import Heads, Smooth


class State(NamedTuple):
    """What is known: its sum (B, E), and whether it is anything (B,)."""

    seen: Tensor
    told: Tensor


class Masked(nn.Module, Conditional):
    """For positions with vocabularies of their own: tables."""

    first: Tensor  # (L,) where the vocabulary of each position starts

    def __init__(
        self, space: Tokens, *, given: Mapping[str, Space], width: int = 128, depth: int = 1, **size: Any
    ) -> None:
        super().__init__()
        positions, narrow = len(space.sizes), max(width // 2, 1)
        self.spaces = dict(given)
        self.register_buffer("first", torch.tensor(space.offsets[:-1], dtype=torch.long), persistent=False)
        self.embedding = Smooth(space, torch.randn(space.offsets[-1], narrow) * 0.5 / math.sqrt(max(positions, 1)))
        self.towers = nn.ModuleDict({name: nn.Linear(math.prod(part.shape), narrow) for name, part in given.items()})
        self.read = _Each(positions, narrow, width)
        self.hidden = nn.ModuleList([_Each(positions, width, width) for _ in range(depth)])
        self.write = Heads(space, width)

    def forward(self, x: Tensor, sees: Tensor, given: Mapping[str, Encoded]) -> Tensor:
        parts = self.embedding()[x + self.first]  # (B, L, E)
        seen = torch.matmul(sees.to(parts.dtype), parts)
        z = (seen + self._given(given, seen[:, :1])).transpose(0, 1)  # (L, B, E)
        z = F.relu(self.read(z))
        for layer in self.hidden:
            z = z + F.relu(layer(z))
        logits: Tensor = self.write(z, sees.any(2) | bool(given))
        return logits

    def _given(self, given: Mapping[str, Encoded], like: Tensor) -> Tensor:
        """(B, 1, E) of all conditions together."""
        total = torch.zeros_like(like)
        for name, tower in self.towers.items():
            part, space = given[name], self.spaces[name]
            total = total + tower((space.embed(part.x) * space.embed_mask(part.present)).float().flatten(1))[:, None]
        return total

    def begin(self, x: Tensor, known: Tensor, given: Mapping[str, Encoded]) -> State:
        parts = self.embedding()[x + self.first]
        seen = torch.matmul(known[:, None].to(parts.dtype), parts)
        return State((seen + self._given(given, seen))[:, 0], known.any(1) | bool(given))

    def logits(self, state: Any, position: int) -> Tensor:
        z = F.relu(self.read.at(state.seen, position))
        for layer in self.hidden:
            z = z + F.relu(layer.at(z, position))  # type: ignore[operator]
        return self.write.at(z, position, state.told)

    def see(self, state: Any, position: int, tokens: Tensor, rows: Tensor) -> State:
        return State(state.seen + self.embedding.at(position)[tokens] * rows[:, None], state.told | rows)


class _Each(nn.Module):
    """A linear layer of its own for each position: (L, B, in) -> (L, B, out)."""

    def __init__(self, positions: int, inside: int, outside: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(positions, inside, outside) * math.sqrt(2 / inside))
        self.bias = nn.Parameter(torch.zeros(positions, 1, outside))

    def forward(self, z: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, z, self.weight)

    def at(self, z: Tensor, position: int) -> Tensor:
        """(B, in) -> (B, out) of one position."""
        return torch.addmm(self.bias[position], z, self.weight[position])
