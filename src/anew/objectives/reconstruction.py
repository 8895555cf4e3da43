"""An autoencoder: a coarse code of few numbers, or of tokens, from which an example can be told again.

Each number of the code is bounded to L levels, v = (L - 1)/2 tanh(z + s) - o (Mentzer et al. 2023, arXiv 2309.15505, s.
3.1; o is half a level where L is even, and s makes v(0) = 0), and kept coarse while it is learned:

tokens    by rounding, whose gradient is taken for that of v; the digits of a place are one token of prod L
numbers   by noise of the size of a rounding, v + U(-1/2, 1/2) (Balle et al. 2017, arXiv 1611.01704, s. 3.1), so that
          codes that lie near each other mean about the same

The loss is the squared error. In a part of the examples only some places are seen, and what was seen is to be told:
so the code of a place beside a hole is right as well, and completion can keep it.

Shapes: B batch, (C, H, W) an example, (c, h, w) its code, L levels of a number of it, K tokens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Batch, Encoded
from anew.core.columns import Bools
from anew.core.dice import uniform
from anew.core.errors import UsageError
from anew.core.learner import Compresses, Phase, Trained
from anew.core.muon import Muon
from anew.core.network import NETWORKS, Module
from anew.core.space import Real, Space, Tokens
from anew.objectives._built import build, matrices_of, whole

VOCABULARIES = {64: (8, 8), 240: (8, 6, 5), 1000: (8, 5, 5, 5), 4375: (7, 5, 5, 5, 5)}  # levels of about so many tokens
LEVELS = 16  # of a number that is no token
PARTLY = 0.2  # the share of examples of which only some places are seen
RATE, DECAY = 2e-3, 0.01  # of learning, where the network does not say
AT_ONCE = 64  # examples that the networks are asked for at once


class Reconstruction(Trained, Compresses[Encoded]):
    """A code of `channels` numbers, or of one of `tokens` tokens, for each square of `factor` places a side."""

    aliases = ("autoencoder", "fsq")
    reads = ("Real",)
    networks = ("pyramid",)
    minimises = "the squared error of what is told again from a coarse code"
    halves = True
    batch = 16  # many small steps: at equal time two fifths of the error of batches of 64
    held = 512
    usual_seconds = 30.0

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "pyramid",
        seed: int = 0,
        channels: int = 4,
        factor: int = 4,
        tokens: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        levels = _levels(tokens) if tokens else (LEVELS,) * channels
        sides = [math.ceil(side / factor) for side in space.shape[-2:]]
        self.tokens, self.factor, self.shape = bool(tokens), factor, (len(levels), *sides)
        self.levels = torch.tensor(levels).reshape(-1, 1, 1)
        kind = NETWORKS[network]
        assert issubclass(kind, Module)
        self.rate, self.decay = kind.rate or RATE, kind.decay or DECAY
        seen = (2 * space.shape[0], *space.shape[1:])
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.encoder = build(network, seen, self.shape, given={}, **options)
            self.decoder = build(network, self.shape, space.shape, given={}, **options)
        self._module = nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder})
        self._module.register_buffer("middle", torch.zeros(len(levels), 1, 1))  # of the codes, and their deviation
        self._module.register_buffer("spread", torch.full((len(levels), 1, 1), 3**-0.5))

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"channels": int, "factor": int, "tokens": int, "width": int, "depth": int}

    @property
    def module(self) -> nn.Module:
        return self._module

    @property
    def codes(self) -> Space:
        if not self.tokens:
            return Real(self.shape)
        return Tokens((int(self.levels.prod()),) * math.prod(self.shape[1:]), alike=True)

    def phases(self) -> Sequence[Phase]:
        matrices = [*matrices_of(self.encoder), *matrices_of(self.decoder)]
        moved = partial(Muon, matrices=matrices, rate=self.rate, decay=self.decay, betas=(0.9, 0.99))
        return [Phase("reconstruction", list(self.module.parameters()), self.loss, moved)]

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The mean squared error over what was seen of each example.  (B,)"""
        x, here, device = batch.x.x, batch.x.present, batch.x.x.device
        nothing_hidden = uniform((len(x),), generator, device) >= PARTLY
        seen = here & (self.space.regions(len(x), 1.0, generator, device) | _like(nothing_hidden, here))
        v = self._bounded(x, seen)
        noise = uniform(v.shape, generator, device) - 0.5
        coarse = v + (torch.round(v) - v).detach() if self.tokens else v + noise
        wrong = torch.where(seen, self._told(coarse) - x, 0.0).square()
        return wrong.flatten(1).sum(1) / seen.flatten(1).sum(1).clamp(min=1)

    def _bounded(self, x: Tensor, seen: Tensor) -> Tensor:
        """v of what is seen of examples.  (B, c, h, w)"""
        levels = self.levels.to(x.device)
        half, odd = (levels - 1) * 1.001 / 2, 0.5 * (levels % 2 == 0)
        z = self.encoder(torch.cat([torch.where(seen, x, 0.0), seen.to(x.dtype)], 1), {})
        bounded: Tensor = torch.tanh(z + torch.atanh(odd / half)) * half - odd
        return bounded

    def _told(self, v: Tensor) -> Tensor:
        told: Tensor = self.decoder(v / (self.levels.to(v.device) // 2), {})
        return told

    # ---------------------------------------------------------------- use

    @torch.no_grad()
    def settle(self, held: Batch) -> None:
        """Mean and deviation of the codes: what others learn is about standard."""
        v = self._in_parts(held.x.x, held.x.present)
        if len(v) > 1:
            self._buffer("middle").copy_(v.mean((0, 2, 3)).reshape(-1, 1, 1))
            self._buffer("spread").copy_(v.std((0, 2, 3)).reshape(-1, 1, 1).clamp(min=1e-3))

    def _buffer(self, name: str) -> Tensor:
        return self._module.get_buffer(name)

    def _in_parts(self, x: Tensor, seen: Tensor) -> Tensor:
        device = next(self.module.parameters()).device
        parts = [
            self._bounded(x[rows].to(device), seen[rows].to(device))
            for rows in torch.split(torch.arange(len(x)), AT_ONCE)
        ]
        return torch.cat(parts) if parts else torch.zeros(0, *self.shape)

    @torch.no_grad()
    def compress(self, x: Encoded) -> Encoded:
        v, told = self._in_parts(x.x, x.present).cpu(), torch.from_numpy(self.told(x.present.numpy()))
        if not self.tokens:
            codes = (v - self._buffer("middle")) / self._buffer("spread")
            return Encoded(torch.where(told, codes, 0.0), told)
        digits = torch.round(v).long() + self.levels // 2
        return Encoded((digits * self._bases()).sum(1).flatten(1) * told, told)

    @torch.no_grad()
    def expand(self, codes: Encoded) -> Encoded:
        made = [torch.zeros(0, *self.space.data)]
        for rows in torch.split(torch.arange(len(codes)), AT_ONCE):
            made.append(self._told(self._v(codes.x[rows])))
        return whole(self.space.unembed(torch.cat(made)))

    def _v(self, codes: Tensor) -> Tensor:
        if not self.tokens:
            return codes * self._buffer("spread") + self._buffer("middle")
        digits = codes.long().reshape(-1, 1, *self.shape[1:]) // self._bases() % self.levels
        v: Tensor = (digits - self.levels // 2).float()
        return v

    def _bases(self) -> Tensor:
        """What a digit of each level counts in its token.  (c, 1, 1)"""
        return torch.cat([torch.ones_like(self.levels[:1]), self.levels[:-1].cumprod(0)])

    def told(self, known: Bools) -> Bools:
        gone = torch.from_numpy(~known).flatten(1, -3).any(1, keepdim=True).float()
        some = F.max_pool2d(gone, self.factor, ceil_mode=True) > 0  # (B, 1, h, w)
        kept = ~(some.flatten(1) if self.tokens else some.expand(-1, *self.shape))
        return np.asarray(kept.numpy())


def _levels(tokens: int) -> tuple[int, ...]:
    if tokens not in VOCABULARIES:
        raise UsageError(
            "No vocabulary has so many tokens", found=tokens, do=f"Choose of {', '.join(map(str, VOCABULARIES))}"
        )
    return VOCABULARIES[tokens]


def _like(rows: Tensor, like: Tensor) -> Tensor:
    return rows.reshape(-1, *([1] * (like.ndim - 1)))
