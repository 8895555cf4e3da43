"""Which places of an example are known, drawn at random, so that completion is learned from masks as people make them.

Shapes: n examples, H height, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from anew.core.dice import uniform

Shape = tuple[int, ...]
BOX, SIDE, INNER = 0.45, 0.75, 0.9  # below BOX a box is hidden, then a side, then all but a box, then places one by one
SMALLEST = 0.2  # the least side of a box, as a share of the picture's


def anywhere(n: int, shape: Shape, partly: float, generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Nothing, or in a share `partly` of the examples any share of the places, each alone.  (n, *shape)"""
    dice = uniform((2, n, *shape), generator, device)
    share = dice[0].flatten(1)[:, 0]
    return dice[1] < _like(torch.where(share < partly, share / partly, 0.0), dice[1])


def areas(n: int, shape: Shape, partly: float, generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Nothing, or in a share `partly` of the examples all but a box, one side, a box, or places one by one.

    Leading dimensions (colours) are known together.  (n, *shape)
    """
    *leading, high, wide = shape
    kind, some, share, *ends = uniform((7, n), generator, device)
    rows, columns = (_span(ends[2 * i], ends[2 * i + 1]) for i in range(2))
    side = (kind >= BOX) & (kind < SIDE)
    across = share < 0.5
    rows = _whole(rows, side & across, ends[0])
    columns = _whole(columns, side & ~across, ends[2])
    rows, columns = _whole(rows, side & ~across, None), _whole(columns, side & across, None)
    box = _within(rows, high)[:, :, None] & _within(columns, wide)[:, None, :]  # (n, H, W)
    alone = uniform((n, high, wide), generator, device) < _like(share, box)
    known = torch.where(_like(kind < SIDE, box), ~box, torch.where(_like(kind < INNER, box), box, alone))
    known = known & _like(some < partly, box)
    return known.reshape(n, *([1] * len(leading)), high, wide).expand(n, *shape)


def _span(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Start and end of a stretch of [0, 1], at least SMALLEST long.  (n,) each"""
    long = SMALLEST + (0.8 - SMALLEST) * a
    start = (1 - long) * b
    return start, start + long


def _whole(span: tuple[Tensor, Tensor], where: Tensor, cut: Tensor | None) -> tuple[Tensor, Tensor]:
    """There the stretch reaches over all, or to one of both ends from a place in the middle half."""
    if cut is None:
        return torch.where(where, 0.0, span[0]), torch.where(where, 1.0, span[1])
    place = 0.25 + (cut * 2 % 1) / 2
    first = cut < 0.5
    return torch.where(where, torch.where(first, 0.0, place), span[0]), torch.where(
        where, torch.where(first, place, 1.0), span[1]
    )


def _within(span: tuple[Tensor, Tensor], size: int) -> Tensor:
    """(n, size): the places whose middle lies in the stretch."""
    middle = (torch.arange(size, device=span[0].device) + 0.5) / size
    return (middle >= span[0][:, None]) & (middle < span[1][:, None])


def _like(x: Tensor, like: Tensor) -> Tensor:
    """(n,) as (n, 1, ..., 1), to broadcast over `like`."""
    return x.reshape(-1, *([1] * (like.ndim - 1)))
