"""A transformer on patches: a picture is cut into squares, and every square attends to all.

Blocks are attention, then a perceptron, each modulated by the time and by what is given (`_modulated`: the diffusion
transformer, Peebles & Xie 2023, arXiv 2212.09748, s. 3.2), with queries and keys of one size (Dehghani et al. 2023,
arXiv 2302.05442, s. 2) and norms that divide by the root mean square alone (Zhang & Sennrich 2019, arXiv 1910.07467).
A patch knows its place by cosines of its row and column. From nothing but a picture that is given to an answer it is
the classifier of Dosovitskiy et al. (2021, arXiv 2010.11929), whose answer is read from the mean of all patches.

All pictures of the sides of x (of the answer where x is flat, of the first given one where there is no x) are read
place by place; the rest of what is given goes into the context through its tower.

Shapes: B batch, C channels, H rows, W columns, p side of a patch, P patches, D width, K context.
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
from anew.networks._attention import attend
from anew.networks._modulated import Leap, Modulated, leaping, told_of
from anew.networks._towers import Context
from anew.networks._waves import FREQUENCIES, waves

PLACES = 8  # patches a side, at most: on a CPU more of them cost more than they tell
WIDE = 256  # numbers of a patch from which there are twice as many a side
SMALLEST = 2  # side of a patch
HEAD = 32  # numbers of a head


class Patches(nn.Module, Module):
    """For pictures: patches of `width` numbers, `depth` blocks."""

    pictures = True
    usual_seconds = 120.0
    batch = 128
    rate = 1e-3
    decay = 0.05
    places: Tensor  # (P, 4 FREQUENCIES)

    def __init__(
        self,
        x: Shape | None,
        out: Shape,
        *,
        given: Mapping[str, Space],
        timed: bool = False,
        width: int = 128,
        depth: int = 6,
        leaps: bool = False,
        **size: Any,
    ) -> None:
        super().__init__()
        self.out = out
        self.sides = _sides(x, out, given)
        places = PLACES if width < WIDE else 2 * PLACES
        self.patch = max(2 ** math.ceil(math.log2(max(self.sides) / places)), SMALLEST)
        heads = max(round(width / HEAD), 1)
        width = 4 * heads * max(width // (4 * heads), 1)
        self.beside = {name: space for name, space in given.items() if is_picture(space.shape, self.sides)}
        others = {name: space for name, space in given.items() if name not in self.beside}
        self.context = Context(others, width, timed=timed)
        self.leap = Leap(width) if leaps else None
        self.flat = nn.Linear(math.prod(x), width) if x is not None and not is_picture(x) else None
        channels = 0 if x is None or self.flat is not None else math.prod(x[:-2])
        channels += sum(2 * math.prod(space.shape[:-2]) for space in self.beside.values())
        self.read = nn.Linear(channels * self.patch**2, width) if channels else None
        self.register_buffer("places", _places(*(math.ceil(side / self.patch) for side in self.sides)), False)
        self.standing = nn.Linear(4 * FREQUENCIES, width)
        self.blocks = nn.ModuleList(
            [block for _ in range(depth) for block in (_Attention(width, heads, leaps), _Perceptron(width, leaps))]
        )
        numbers = math.prod(out[:-2]) * self.patch**2 if is_picture(out) else math.prod(out)
        self.write = nn.Linear(width, numbers)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    @classmethod
    def fits(cls, x: Shape | None, out: Shape) -> bool:
        pictures = [shape[-2:] for shape in (x or (), out) if is_picture(shape)]
        return x is None or (bool(pictures) and pictures[0] == pictures[-1])

    def forward(
        self,
        x: Tensor | None,
        given: Mapping[str, Encoded],
        time: Tensor | None = None,
        far: Tensor | None = None,
    ) -> Tensor:
        """`far` (B,): how much time a leap is to take; none asks for the slope."""
        n = len(x) if x is not None else len(next(iter(given.values())))
        exact = torch.autocast(self.places.device.type, enabled=False)  # numbers are read and written as they are
        with exact:
            context = self.context(n, given, time)
            if self.flat is not None and x is not None:
                context = context + F.silu(self.flat(x.flatten(1)))
            told = told_of(context, self.leap, far)
            h = self._read(n, x, given)
        for block in self.blocks:
            h = block(h, told)
        with exact:
            h = F.rms_norm(h.float(), h.shape[-1:])
            if is_picture(self.out):
                return self._joined(self.write(h))
            answer: Tensor = self.write(h.mean(1)).reshape(-1, *self.out)
        return answer

    def matrices(self) -> list[nn.Parameter]:
        inner = [module for block in self.blocks for name, module in block.named_children() if name in _HIDDEN]
        return [module.get_parameter("weight") for module in inner]

    def leaping(self) -> list[nn.Parameter]:
        return leaping(self)

    def _read(self, n: int, x: Tensor | None, given: Mapping[str, Encoded]) -> Tensor:
        """The patches of all pictures together, and where they stand.  (B, P, D)"""
        h: Tensor = self.standing(self.places).expand(n, -1, -1)
        parts = [] if x is None or self.flat is not None else [x.flatten(1, -3)]
        for name, space in self.beside.items():
            here = space.embed_mask(given[name].present).float()
            parts += [(space.embed(given[name].x) * here).flatten(1, -3), here.flatten(1, -3)]
        return h if self.read is None else h + self.read(self._cut(torch.cat(parts, 1)))

    def _cut(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, P, C p p), the sides padded to whole patches."""
        high, wide = (-side % self.patch for side in x.shape[-2:])
        return F.pixel_unshuffle(F.pad(x, (0, wide, 0, high)), self.patch).flatten(2).transpose(1, 2)

    def _joined(self, h: Tensor) -> Tensor:
        """(B, P, C p p) -> (B, *out)"""
        rows = math.ceil(self.sides[0] / self.patch)
        whole = F.pixel_shuffle(h.transpose(1, 2).reshape(len(h), h.shape[2], rows, -1), self.patch)
        return whole[..., : self.out[-2], : self.out[-1]].reshape(-1, *self.out)


def is_picture(shape: Shape, sides: Shape | None = None) -> bool:
    """(..., C, H, W), of these sides where some are named."""
    return len(shape) >= 3 and sides in (None, shape[-2:])


def _sides(x: Shape | None, out: Shape, given: Mapping[str, Space]) -> Shape:
    """(H, W) of the pictures that are cut; a single place where there is none."""
    told = [] if x is not None else [space.shape for space in given.values()]
    return next((shape[-2:] for shape in (x or (), out, *told) if is_picture(shape)), (1, 1))


def _places(rows: int, columns: int) -> Tensor:
    """(P, 4 FREQUENCIES), row after row."""
    down, along = (waves((torch.arange(n) + 0.5) / n) for n in (rows, columns))
    return torch.cat([down.repeat_interleave(columns, 0), along.repeat(rows, 1)], 1)


class _Block(Modulated):
    """Over a sequence (B, P, D)."""

    def normed(self, h: Tensor) -> Tensor:
        return F.rms_norm(h, h.shape[-1:])

    def placed(self, said: Tensor) -> Tensor:
        return said[:, None]


_HIDDEN = ("ask", "gather", "up", "down")  # what Muon may move


class _Attention(_Block):
    def __init__(self, width: int, heads: int, leaps: bool) -> None:
        super().__init__(width, width, leaps)
        self.heads = heads
        self.ask, self.gather = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def inner(self, h: Tensor) -> Tensor:
        parts = self.ask(h).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (3, B, heads, P, D / heads)
        q, k, v = F.rms_norm(parts[0], parts.shape[-1:]), F.rms_norm(parts[1], parts.shape[-1:]), parts[2]
        result: Tensor = self.gather(attend(q, k, v).transpose(1, 2).flatten(2))
        return result


class _Perceptron(_Block):
    def __init__(self, width: int, leaps: bool) -> None:
        super().__init__(width, width, leaps)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def inner(self, h: Tensor) -> Tensor:
        result: Tensor = self.down(F.silu(self.up(h)))
        return result
