"""Towers: each part of what is given becomes one vector, by a small network that its space chooses.

A picture goes through strided convolutions, words that share one vocabulary through a small transformer (pre-norm
attention, Xiong et al. 2020, arXiv 2002.04745), anything else through one linear map of its embedding. What is not
present is zero or masked away, so that a blank part is one vector that is always the same: guidance draws with it.

Shapes: B batch, W width of the vector, L positions, H width of a transformer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.space import Space, Tokens
from anew.networks._attention import attend
from anew.networks._waves import FREQUENCIES, waves

WORDS = 96  # width of the transformer over words
HEADS = 4


class Context(nn.Module):
    """The sum of a time and of what is given, and what a small perceptron makes of it."""

    def __init__(self, given: Mapping[str, Space], width: int, *, timed: bool) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.zeros(width))
        self.time = nn.Linear(2 * FREQUENCIES, width) if timed else None
        self.towers = nn.ModuleDict({name: tower(space, width) for name, space in given.items()})
        self.mix = nn.Linear(width, width)

    def forward(self, n: int, given: Mapping[str, Encoded], time: Tensor | None) -> Tensor:
        """(B, W)"""
        h = self.start.expand(n, -1)
        if self.time is not None and time is not None:
            h = h + self.time(waves(time))
        for name, part in self.towers.items():
            h = h + part(given[name])
        return F.silu(self.mix(F.silu(h)))


def tower(space: Space, width: int) -> nn.Module:
    """A module from `Encoded` of that space to (B, width)."""
    if isinstance(space, Tokens) and space.alike:
        return Bidirectional(space, width, inner=WORDS)
    return Picture(space, width) if len(space.shape) >= 3 else Flat(space, width)


class Flat(nn.Module):
    """A linear map of what is present."""

    def __init__(self, space: Space, width: int) -> None:
        super().__init__()
        self.space = space
        self.linear = nn.Linear(math.prod(space.shape), width)

    def forward(self, part: Encoded) -> Tensor:
        e = self.space.embed(part.x) * self.space.embed_mask(part.present)
        result: Tensor = self.linear(e.float().flatten(1))
        return result


class Picture(nn.Module):
    """Strided convolutions down to at most 4 x 4 places, then a linear map of all of them."""

    def __init__(self, space: Space, width: int) -> None:
        super().__init__()
        self.space = space
        *leading, high, wide = space.shape
        stages = max(math.ceil(math.log2(max(high, wide) / 4)), 1)
        widths = [2 * math.prod(leading), *(16 * 2 ** min(i, 2) for i in range(stages))]
        self.stages = nn.ModuleList([nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths)])
        for _ in range(stages):
            high, wide = (high + 1) // 2, (wide + 1) // 2
        self.linear = nn.Linear(widths[-1] * high * wide, width)

    def forward(self, part: Encoded) -> Tensor:
        e, here = self.space.embed(part.x), self.space.embed_mask(part.present)
        h = torch.cat([(e * here).flatten(1, -3), here.to(e.dtype).flatten(1, -3)], 1)
        for stage in self.stages:
            h = F.silu(F.group_norm(stage(h), 4))
        result: Tensor = self.linear(h.flatten(1))
        return result


class Bidirectional(nn.Module):
    """A transformer; what the words say is their mean, and that of no word is learned."""

    def __init__(self, space: Tokens, width: int, depth: int = 2, inner: int | None = None) -> None:
        super().__init__()
        inner = inner or HEADS * max(width // HEADS, 1)
        self.words = nn.Embedding(space.sizes[0], inner)
        nn.init.normal_(self.words.weight, std=0.5)
        self.standing = nn.Parameter(torch.randn(len(space.sizes), inner) * 0.1)
        self.nothing = nn.Parameter(torch.zeros(inner))  # a first position that is always there
        self.layers = nn.ModuleList([_Layer(inner) for _ in range(depth)])
        self.norm = nn.LayerNorm(inner)
        self.linear = nn.Linear(2 * inner, width)

    def forward(self, part: Encoded) -> Tensor:
        h = self.words(part.x.long()) + self.standing[: part.x.shape[1]]  # (B, L, H)
        h = torch.cat([self.nothing.expand(len(h), 1, -1), h], 1)
        here = torch.cat([torch.ones_like(part.present[:, :1]), part.present], 1)
        for layer in self.layers:
            h = layer(h, here)
        h = self.norm(h)
        said = here[:, 1:, None] * h[:, 1:]
        mean = said.sum(1) / here[:, 1:].sum(1, keepdim=True).clamp(min=1)
        result: Tensor = self.linear(torch.cat([h[:, 0], mean], 1))
        return result


class _Layer(nn.Module):
    """Attention to the positions that are there, then a perceptron; both added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.gather = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, h: Tensor, here: Tensor) -> Tensor:
        parts = (
            self.ask(self.before(h)).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        )  # (3, B, heads, L, H/heads)
        told = attend(parts[0], parts[1], parts[2], here)
        h = h + self.gather(told.transpose(1, 2).flatten(2))
        result: Tensor = h + self.down(F.silu(self.up(self.between(h))))
        return result
