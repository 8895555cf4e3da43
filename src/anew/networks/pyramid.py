"""One step down a pyramid of pictures, or up: a picture becomes a smaller one of more channels, or a larger of fewer.

Down: the sides are folded into channels until one halving is left; convolutions there, a halving, and convolutions at
the lower scale. Up is the mirror of that. There is no bottleneck but the smaller picture itself, and a place of it
knows only what lies near it: so it is the encoder and the decoder of a code that stays a picture (Rombach et al. 2022,
arXiv 2112.10752, s. 3.1).

Shapes: B batch, C channels, H rows, W columns of the larger picture; h, w sides of the smaller; K context.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.network import Module
from anew.core.space import Shape, Space
from anew.networks._convolutions import Standardised, residual
from anew.networks._towers import Context


class Pyramid(nn.Module, Module):
    """Between pictures whose sides differ by a power of two: `width` channels below and half as many above."""

    pictures = True
    rate = 2e-3
    decay = 0.01

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
        assert x is not None, "a pyramid goes from pictures to pictures"
        self.out, self.shrinks = out, max(x[-2:]) > max(out[-2:])
        large, small = (x, out) if self.shrinks else (out, x)
        self.fold = _ratio(large, small) // 2
        above, below = max(width // 2, 1), width
        outside = math.prod(large[:-2]) * self.fold**2
        first, last = (above, below) if self.shrinks else (below, above)
        self.context = Context(given, width, timed=timed) if given or timed else None
        self.told = nn.Linear(width, first) if self.context is not None else None
        self.read = Standardised(outside if self.shrinks else math.prod(small[:-2]), first)
        self.first, self.last = residual(first, depth), residual(last, depth)
        self.between = Standardised(first, last)
        self.write = nn.Conv2d(last, math.prod(small[:-2]) if self.shrinks else outside, 3, padding=1)
        self.sides = [math.ceil(side / self.fold) for side in large[-2:]]  # of the upper scale

    @classmethod
    def fits(cls, x: Shape | None, out: Shape) -> bool:
        if x is None or len(x) < 3 or len(out) < 3:
            return False
        return _ratio(x, out) > 1 or _ratio(out, x) > 1

    def matrices(self) -> list[nn.Parameter]:
        return [module.get_parameter("weight") for module in self.modules() if isinstance(module, Standardised)]

    def forward(self, x: Tensor | None, given: Mapping[str, Encoded], time: Tensor | None = None) -> Tensor:
        assert x is not None
        exact = torch.autocast(x.device.type, enabled=False)  # numbers are read and written as they are
        with exact:
            h = self.read(self._folded(x.flatten(1, -3)))
            if self.context is not None and self.told is not None:
                h = h + self.told(self.context(len(x), given, time))[:, :, None, None]
        h = self.between(F.silu(self._scaled(self.first(h))))
        h = self.last(h)
        with exact:
            return self._unfolded(self.write(F.silu(h.float()))).reshape(-1, *self.out)

    def _folded(self, x: Tensor) -> Tensor:
        if not self.shrinks:
            return x
        high, wide = (-side % self.fold for side in x.shape[-2:])
        return F.pixel_unshuffle(F.pad(x, (0, wide, 0, high), mode="replicate"), self.fold)

    def _scaled(self, h: Tensor) -> Tensor:
        """Half the sides, or twice, as far as they go."""
        if self.shrinks:
            return F.avg_pool2d(h, 2, ceil_mode=True, count_include_pad=False)
        return F.interpolate(h, scale_factor=2.0, mode="nearest")[..., : self.sides[0], : self.sides[1]]

    def _unfolded(self, h: Tensor) -> Tensor:
        if self.shrinks:
            return h
        return F.pixel_shuffle(h, self.fold)[..., : self.out[-2], : self.out[-1]]


def _ratio(large: Shape, small: Shape) -> int:
    """By which power of two the sides of one picture are larger, rounded up; 1 where they are by none."""
    for power in range(1, max(large[-2:]).bit_length() + 1):
        if all(math.ceil(a / 2**power) == b for a, b in zip(large[-2:], small[-2:], strict=True)):
            return int(2**power)
    return 1
