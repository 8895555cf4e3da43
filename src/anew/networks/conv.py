"""Convolutions: whatever is a picture is read into one vector, or written from one; all else is read by its tower.

A picture goes down by stages of conv, pool, residual blocks, each with half the places and twice the channels, and up
again by stages of enlarge, conv, residual blocks. So one network is an encoder or a discriminator (picture to flat), a
decoder or a generator (flat to picture), and a classifier (nothing to flat, with a picture among what is given).

Weights are normalised and activations are not (`_convolutions`): the slope of a discriminator is plain.

Shapes: B batch, C channels, H rows, W columns, K width of the vector.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.network import Module
from anew.core.space import Shape, Space
from anew.networks._convolutions import Standardised, residual
from anew.networks._towers import tower
from anew.networks._waves import FREQUENCIES, waves

LARGEST = 64  # places a side at the highest scale: larger pictures are folded into channels first
SMALLEST = 8  # places a side at the lowest scale, at most
NARROWEST = 8  # channels


class Conv(nn.Module, Module):
    """For pictures on one side: `width` channels at the lowest scale and numbers in the vector, `depth` blocks each."""

    pictures = True
    usual_seconds = 120.0
    batch = 128
    rate = 2e-3
    decay = 0.05

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
        pictured = {name: space for name, space in given.items() if is_picture(space.shape)}
        self.picture = _Down(x, width, depth, places=True) if x is not None and is_picture(x) else None
        self.read = nn.Linear(math.prod(x), width) if x is not None and not is_picture(x) else None
        self.time = nn.Linear(2 * FREQUENCIES, width) if timed else None
        self.seen = nn.ModuleDict({name: _Seen(space, width, depth) for name, space in pictured.items()})
        others = {name: tower(space, width) for name, space in given.items() if name not in pictured}
        self.towers = nn.ModuleDict(others)
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.last = nn.LayerNorm(width)
        self.write = _Up(width, out, depth) if is_picture(out) else _Flat(width, out)
        for weight in self.parameters():  # convolutions give what they get: pictures with their channels last
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def matrices(self) -> list[nn.Parameter]:
        return [module.get_parameter("weight") for module in self.modules() if isinstance(module, Standardised)]

    def forward(self, x: Tensor | None, given: Mapping[str, Encoded], time: Tensor | None = None) -> Tensor:
        parts = [] if self.picture is None or x is None else [self.picture(x)]
        parts += [read(given[name]) for name, read in self.seen.items()]
        with torch.autocast(self.norm.weight.device.type, enabled=False):  # only convolutions bear half precision
            if self.read is not None and x is not None:
                parts.append(self.read(x.flatten(1)))
            if self.time is not None and time is not None:
                parts.append(self.time(waves(time)))
            parts += [read(given[name]) for name, read in self.towers.items()]
            h = torch.stack([part.float() for part in parts]).sum(0)  # (B, K)
            h = self.last(h + self.down(F.silu(self.up(self.norm(h)))))
        result: Tensor = self.write(h)
        return result


def is_picture(shape: Shape) -> bool:
    """(..., C, H, W): leading dimensions multiply into channels."""
    return len(shape) >= 3


class _Seen(nn.Module):
    """A picture that is given: a blank one is grey."""

    def __init__(self, space: Space, width: int, depth: int) -> None:
        super().__init__()
        self.space = space
        self.down = _Down(space.shape, width, depth, places=False)

    def forward(self, part: Encoded) -> Tensor:
        e = self.space.embed(part.x) * self.space.embed_mask(part.present)
        result: Tensor = self.down(e.float())
        return result


class _Flat(nn.Linear):
    """A linear map to a shape, zero at the start."""

    def __init__(self, width: int, out: Shape) -> None:
        super().__init__(width, math.prod(out))
        self.out = out
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, h: Tensor) -> Tensor:
        with torch.autocast(h.device.type, enabled=False):
            return super().forward(h).reshape(-1, *self.out)


class _Scales:
    """How a picture is folded, and its sides and channels at each scale, the highest first."""

    def __init__(self, shape: Shape, width: int) -> None:
        *leading, high, wide = shape
        self.fold = 2 ** max(math.ceil(math.log2(max(high, wide) / LARGEST)), 0)
        self.channels_in = math.prod(leading) * self.fold**2
        self.sides = [(math.ceil(high / self.fold), math.ceil(wide / self.fold))]
        while max(self.sides[-1]) > SMALLEST or len(self.sides) < 2:
            self.sides.append(((self.sides[-1][0] + 1) // 2, (self.sides[-1][1] + 1) // 2))
        last = len(self.sides) - 1
        self.channels = [max(width // 2 ** (last - scale), NARROWEST) for scale in range(last + 1)]


class _Down(nn.Module):
    """(B, ..., C, H, W) -> (B, K): all places of the lowest scale, pooled smoothly, where each must be found again;
    or their mean, of the strongest of each four, where only what is there matters."""

    def __init__(self, shape: Shape, width: int, depth: int, *, places: bool) -> None:
        super().__init__()
        scales = _Scales(shape, width)
        self.fold, self.places = scales.fold, places
        self.stem = Standardised(scales.channels_in, scales.channels[0])
        self.convs = nn.ModuleList([Standardised(a, b) for a, b in pairwise(scales.channels)])
        self.blocks = nn.ModuleList([residual(b, depth) for b in scales.channels[1:]])
        seen = math.prod(scales.sides[-1]) if places else 1
        self.linear = nn.Linear(scales.channels[-1] * seen, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1, -3)
        high, wide = (-side % self.fold for side in x.shape[-2:])
        h = F.pixel_unshuffle(F.pad(x, (0, wide, 0, high)), self.fold)
        h = self.stem(h)
        for conv, blocks in zip(self.convs, self.blocks, strict=True):
            h = blocks(self._pooled(conv(F.silu(h))))
        h = F.silu(h)
        result: Tensor = self.linear(h.flatten(1) if self.places else h.mean((2, 3)))
        return result

    def _pooled(self, h: Tensor) -> Tensor:
        if self.places:
            return F.avg_pool2d(h, 2, ceil_mode=True, count_include_pad=False)
        return F.max_pool2d(h, 2, ceil_mode=True)


class _Up(nn.Module):
    """(B, K) -> (B, ..., C, H, W)."""

    def __init__(self, width: int, out: Shape, depth: int) -> None:
        super().__init__()
        scales = _Scales(out, width)
        self.out, self.fold, self.sides = out, scales.fold, scales.sides[::-1]
        channels = scales.channels[::-1]
        self.linear = nn.Linear(width, channels[0] * math.prod(self.sides[0]))
        self.blocks = nn.ModuleList([residual(b, depth) for b in channels[:-1]])
        self.convs = nn.ModuleList([Standardised(a, b) for a, b in pairwise(channels)])
        self.last = nn.Conv2d(channels[-1], scales.channels_in, 3, padding=1)
        for weight in self.last.parameters():
            nn.init.zeros_(weight)

    def forward(self, h: Tensor) -> Tensor:
        h = self.linear(h).unflatten(1, (-1, *self.sides[0]))
        for blocks, conv, (high, wide) in zip(self.blocks, self.convs, self.sides[1:], strict=True):
            h = F.interpolate(blocks(h), scale_factor=2.0, mode="nearest")[..., :high, :wide]
            h = conv(F.silu(h))
        with torch.autocast(h.device.type, enabled=False):
            h = F.pixel_shuffle(self.last(F.silu(h.float())), self.fold)
        return h[..., : self.out[-2], : self.out[-1]].reshape(-1, *self.out)
