"""Networks that read: each part that is given becomes a vector, tokens that follow each other by a reader of their own.

out = O norm(h + V silu(U norm(h))), h = sum_g T_g(g). The reader of tokens is what the architecture brings: an LSTM
whose state is carried from token to token, or attention in both directions. All else is read by its usual tower.

Shapes: B batch, L positions, H width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.network import Module
from anew.core.space import Shape, Space, Tokens
from anew.networks._towers import Bidirectional, tower
from anew.networks._waves import FREQUENCIES, waves


class Reading(nn.Module, Module):
    """From what is given to (B, *out); a flat x and a time are read beside it."""

    views = ("Passage",)
    batch = 64
    rate = 1e-3
    decay = 0.1
    usual_seconds = 60.0
    tokens: ClassVar[type[nn.Module]]  # built from a space of tokens, a width and a depth

    def __init__(
        self,
        x: Shape | None,
        out: Shape,
        *,
        given: Mapping[str, Space],
        timed: bool = False,
        width: int = 64,
        depth: int = 1,
        **size: Any,
    ) -> None:
        super().__init__()
        self.out = out
        self.read = None if x is None else nn.Linear(math.prod(x), width)
        self.time = nn.Linear(2 * FREQUENCIES, width) if timed else None
        self.towers = nn.ModuleDict({name: self._tower(space, width, depth) for name, space in given.items()})
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.last = nn.LayerNorm(width)
        self.write = nn.Linear(width, math.prod(out))
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def _tower(self, space: Space, width: int, depth: int) -> nn.Module:
        if isinstance(space, Tokens) and space.alike:
            return self.tokens(space, width, depth)
        return tower(space, width)

    def forward(self, x: Tensor | None, given: Mapping[str, Encoded], time: Tensor | None = None) -> Tensor:
        parts = [] if self.read is None or x is None else [self.read(x.flatten(1))]
        if self.time is not None and time is not None:
            parts.append(self.time(waves(time)))
        parts += [read(given[name]) for name, read in self.towers.items()]
        h = torch.stack(parts).sum(0)
        h = self.last(h + self.down(F.silu(self.up(self.norm(h)))))
        result: Tensor = self.write(h).reshape(-1, *self.out)
        return result


def upto_last(part: Encoded) -> tuple[Tensor, Tensor]:
    """Tokens and which are there, without the columns at the end in which no row has any."""
    some = part.present.any(0).nonzero()
    last = int(some[-1]) + 1 if len(some) else 1
    return part.x[:, :last].long(), part.present[:, :last]


class Carried(nn.Module):
    """An LSTM from the first token to the last; what it said at the tokens that are there, its mean and its most."""

    def __init__(self, space: Tokens, width: int, depth: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(space.sizes[0], width)
        nn.init.normal_(self.embed.weight, std=0.5)
        self.cells = nn.LSTM(width, width, depth, batch_first=True)
        self.linear = nn.Linear(2 * width, width)

    def forward(self, part: Encoded) -> Tensor:
        x, here = upto_last(part)
        there = here[:, :, None]
        h, _ = self.cells(self.embed(x) * there)  # (B, L, H)
        mean = (h * there).sum(1) / there.sum(1).clamp(min=1)
        most = torch.where(there, h, -1.0).amax(1)  # of numbers within (-1, 1)
        result: Tensor = self.linear(torch.cat([mean, most], 1))
        return result


class RecurrentReading(Reading):
    tokens = Carried


class BothWays(Bidirectional):
    """Attention between all tokens that are there."""

    def forward(self, part: Encoded) -> Tensor:
        return super().forward(Encoded(*upto_last(part)))


class TransformerReading(Reading):
    tokens = BothWays
    rate = 5e-4
