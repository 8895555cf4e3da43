"""A U-Net: a picture goes down to few places and up again, and every scale is joined with what it was on the way down.

Blocks are h <- h + g conv(silu(conv((1 + a) norm(h) + b))) with (a, b, g) said by the context (`_modulated`; U-Net:
Ronneberger et al. 2015, arXiv 1505.04597), with attention between all places at the lowest scale (Ho et al. 2020,
arXiv 2006.11239, app. B). The sides are padded to a multiple of what the scales need, and large pictures are first
folded, so that the highest scale has at most 32 x 32 places. A picture of the same size that is given is read beside
x, place by place (Saharia et al. 2022, arXiv 2111.05826, s. 3). Memory stays in the usual order (B, C, H, W): on a CPU
convolutions in bfloat16 are as fast in either, and normalising is up to 20 times slower when channels are last.

Shapes: B batch, C channels, H W height and width, K context.
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
from anew.networks._attention import attend
from anew.networks._modulated import Leap, Modulated, Told, leaping, told_of
from anew.networks._towers import Context

LARGEST = 32  # places a side at the highest scale
SCALES = 3
GROUPS = 8  # of channels that are normalised together
HEADS = 4


class UNet(nn.Module, Module):
    """For pictures: `width` channels at the highest scale, `depth` blocks a scale on each way."""

    pictures = True

    def __init__(
        self,
        x: Shape | None,
        out: Shape,
        *,
        given: Mapping[str, Space],
        timed: bool = False,
        width: int = 32,
        depth: int = 1,
        leaps: bool = False,
        **size: Any,
    ) -> None:
        super().__init__()
        assert x is not None, "a U-Net goes from pictures to pictures"
        self.out = out
        self.fold = 2 ** max(math.ceil(math.log2(max(x[-2:]) / LARGEST)), 0)
        self.multiple = self.fold * 2 ** (SCALES - 1)
        base = GROUPS * max(round(width / GROUPS), 1)
        widths = [base * 2**scale for scale in range(SCALES)]
        context = 4 * base
        self.beside = {
            name: space for name, space in given.items() if len(space.shape) > 2 and space.shape[-2:] == x[-2:]
        }
        self.context = Context({n: space for n, space in given.items() if n not in self.beside}, context, timed=timed)
        self.leap = Leap(context) if leaps else None
        channels = math.prod(x[:-2]) + sum(2 * math.prod(space.shape[:-2]) for space in self.beside.values())
        self.read = nn.Conv2d(channels * self.fold**2, base, 3, padding=1)
        lowest = [scale == SCALES - 1 for scale in range(SCALES)]
        self.ways_down = nn.ModuleList(
            [_Scale(w, context, depth, low, leaps) for w, low in zip(widths, lowest, strict=True)]
        )
        self.shrinks = nn.ModuleList([nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths)])
        self.joins = nn.ModuleList([_Join(b, a) for a, b in pairwise(widths)])
        self.ways_up = nn.ModuleList(
            [_Scale(w, context, depth, low, leaps) for w, low in zip(widths, lowest, strict=True)]
        )
        self.write = nn.Conv2d(base, math.prod(out[:-2]) * self.fold**2, 3, padding=1)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)  # type: ignore[arg-type]

    @classmethod
    def fits(cls, x: Shape | None, out: Shape) -> bool:
        return x is not None and len(x) >= 3 and len(out) >= 3 and x[-2:] == out[-2:]

    def forward(
        self,
        x: Tensor | None,
        given: Mapping[str, Encoded],
        time: Tensor | None = None,
        far: Tensor | None = None,
    ) -> Tensor:
        """`far` (B,): how much time a leap is to take; none asks for the slope."""
        assert x is not None
        exact = torch.autocast(x.device.type, enabled=False)  # numbers are read and written as they are
        with exact:
            told = told_of(self.context(len(x), given, time), self.leap, far)
            h = self.read(self._folded(torch.cat([x.flatten(1, -3), *self._placed(given)], 1)))
        kept = []
        for way, shrink in zip(self.ways_down, [*self.shrinks, nn.Identity()], strict=True):
            h = way(h, told)
            kept.append(h)
            h = shrink(h)
        h = self.ways_up[-1](h, told)
        for way, join, side in zip(self.ways_up[-2::-1], self.joins[::-1], kept[-2::-1], strict=True):
            h = way(join(h, side), told)
        with exact:
            return self._unfolded(self.write(F.silu(F.group_norm(h.float(), GROUPS))))

    def matrices(self) -> list[nn.Parameter]:
        ends = {id(parameter) for part in (self.context, self.read, self.write) for parameter in part.parameters()}
        apart = ends | {id(parameter) for parameter in self.leaping()}
        return [weight for weight in self.parameters() if weight.ndim > 1 and id(weight) not in apart]

    def leaping(self) -> list[nn.Parameter]:
        return leaping(self)

    def _placed(self, given: Mapping[str, Encoded]) -> list[Tensor]:
        """The given pictures of the same size, zero where they are not present, and where they are.  (B, C, H, W)"""
        placed = []
        for name, space in self.beside.items():
            here = space.embed_mask(given[name].present)
            placed += [(space.embed(given[name].x) * here).flatten(1, -3), here.float().flatten(1, -3)]
        return placed

    def _folded(self, x: Tensor) -> Tensor:
        """(B, ..., C, H, W) -> (B, C fold^2, H' / fold, W' / fold), H' and W' the next multiples."""
        high, wide = (-side % self.multiple for side in x.shape[-2:])
        return F.pixel_unshuffle(F.pad(x.flatten(1, -3), (0, wide, 0, high)), self.fold)

    def _unfolded(self, h: Tensor) -> Tensor:
        whole = F.pixel_shuffle(h, self.fold)
        return whole[..., : self.out[-2], : self.out[-1]].reshape(-1, *self.out)


class _Scale(nn.Module):
    """Blocks at one scale, with attention after each at the lowest."""

    def __init__(self, width: int, context: int, depth: int, attends: bool, leaps: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([_Block(width, context, leaps) for _ in range(depth)])
        self.attention = nn.ModuleList([_Attention(width, context, leaps) for _ in range(depth if attends else 0)])

    def forward(self, h: Tensor, told: Told) -> Tensor:
        for i, block in enumerate(self.blocks):
            h = block(h, told)
            if self.attention:
                h = self.attention[i](h, told)
        return h


class _Modulated(Modulated):
    """Over maps of places (B, W, H, W), whose channels are normalised in groups."""

    def normed(self, h: Tensor) -> Tensor:
        return F.group_norm(h, GROUPS)

    def placed(self, said: Tensor) -> Tensor:
        return said[:, :, None, None]


class _Block(_Modulated):
    def __init__(self, width: int, context: int, leaps: bool) -> None:
        super().__init__(width, context, leaps)
        self.up = nn.Conv2d(width, width, 3, padding=1)
        self.down = nn.Conv2d(width, width, 3, padding=1)

    def inner(self, h: Tensor) -> Tensor:
        result: Tensor = self.down(F.silu(self.up(h)))
        return result


class _Attention(_Modulated):
    def __init__(self, width: int, context: int, leaps: bool) -> None:
        super().__init__(width, context, leaps)
        self.ask = nn.Linear(width, 3 * width)
        self.gather = nn.Linear(width, width)

    def inner(self, h: Tensor) -> Tensor:
        parts = self.ask(h.flatten(2).transpose(1, 2)).unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = F.rms_norm(parts[0], parts.shape[-1:]), F.rms_norm(parts[1], parts.shape[-1:]), parts[2]
        told = attend(q, k, v).transpose(1, 2).flatten(2)  # (B, H W, C)
        result: Tensor = self.gather(told).transpose(1, 2).reshape(h.shape)
        return result


class _Join(nn.Module):
    """The lower scale, twice as large, and the same scale on the way down, each through a map of channels."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__()
        self.lower, self.side = nn.Conv2d(low, high, 1), nn.Conv2d(high, high, 1)

    def forward(self, h: Tensor, side: Tensor) -> Tensor:
        result: Tensor = F.interpolate(self.lower(h), scale_factor=2, mode="nearest") + self.side(side)
        return result
