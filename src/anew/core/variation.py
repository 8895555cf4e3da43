"""Small natural changes of a picture that keep its meaning: it moves, grows, turns a little, gets lighter or darker.

A classifier that learns from changed pictures learns what does not change (Simard, Steinkraus & Platt 2003). The same
changes of real and made pictures let a discriminator learn from few (DiffAugment: Zhao et al. 2020, arXiv 2006.10738).
A place outside is that of the nearest edge. Mirror images only where asked for: digits and scans have a left and a
right. All is differentiable, and each example has dice of its own.

Shapes: B batch, C channels, H rows, W columns.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT = 0.07  # of the side, at most
ZOOM = 0.1
TURN = 0.1  # radians
LIGHT = 0.1  # of what a pixel can be
CONTRAST = 0.2
UNTOUCHED = 0.2  # the share of examples that stay as they are
HIDDEN = 0.3  # of a side, the largest rectangle that is hidden


def varied(x: Tensor, generator: torch.Generator, strength: float = 1.0, mirror: float = 0.0) -> Tensor:
    """Pictures (B, ..., C, H, W), each changed by its own dice; `mirror` is the share of those that are mirrored."""
    dice = torch.rand((8, len(x)), generator=generator).to(x.device)  # made on the CPU: the same anywhere
    touched = (dice[0] >= UNTOUCHED).to(x.dtype) * strength
    down, right, zoom, turn, light, contrast = ((2 * row - 1) * touched for row in dice[1:7])
    side = torch.where(dice[7] < mirror, -1.0, 1.0)
    h = _moved(x.flatten(1, -3), SHIFT * down, SHIFT * right, 1 + ZOOM * zoom, TURN * turn, side)
    middle = h.mean((1, 2, 3), keepdim=True)
    h = middle + (h - middle) * _along(1 + CONTRAST * contrast) + _along(LIGHT * light)
    return h.reshape(x.shape)


def _along(of_each: Tensor) -> Tensor:
    return of_each[:, None, None, None]


def _moved(x: Tensor, down: Tensor, right: Tensor, zoom: Tensor, turn: Tensor, side: Tensor) -> Tensor:
    """Where each pixel of the new picture comes from, and what stands there between the four nearest.  (B, C, H, W)"""
    high, wide = x.shape[2:]
    rows, columns = _middles(high, x), _middles(wide, x)
    cos, sin = torch.cos(turn) * zoom, torch.sin(turn) * zoom
    up, along = rows[None, :, None], columns[None, None, :]
    ys = _of(sin) * along + _of(cos) * up + 2 * _of(down)
    xs = (_of(cos) * along - _of(sin) * up + 2 * _of(right)) * _of(side)
    place = torch.stack([xs, ys], 3)  # (B, H, W, 2)
    return F.grid_sample(x, place, mode="bilinear", padding_mode="border", align_corners=False)


def _of(each: Tensor) -> Tensor:
    return each[:, None, None]


def _middles(n: int, like: Tensor) -> Tensor:
    """The middles of n pixels from -1 to 1."""
    return (2 * torch.arange(n, device=like.device, dtype=like.dtype) + 1) / n - 1


def moved_by_one(x: Tensor) -> list[Tensor]:
    """Pictures (B, ..., C, H, W) as they are, and one pixel down, up, right and left; the edge stays."""
    tall = torch.cat([x[..., :1, :], x, x[..., -1:, :]], -2)
    wide = torch.cat([x[..., :1], x, x[..., -1:]], -1)
    return [x, tall[..., :-2, :], tall[..., 2:, :], wide[..., :-2], wide[..., 2:]]


def hidden(present: Tensor, generator: torch.Generator, share: float) -> Tensor:
    """What is present of pictures (B, ..., C, H, W), less one rectangle in a share of them (cutout: DeVries & Taylor
    2017, arXiv 1708.04552)."""
    high, wide = present.shape[-2:]
    dice = torch.rand((5, len(present)), generator=generator).to(present.device)
    rows = _inside(high, dice[0], dice[1], present)[:, :, None]
    columns = _inside(wide, dice[2], dice[3], present)[:, None, :]
    gone = rows & columns & _of(dice[4] < share)  # (B, H, W)
    return present & ~gone.reshape(len(present), *([1] * (present.ndim - 3)), high, wide)


def _inside(n: int, place: Tensor, size: Tensor, like: Tensor) -> Tensor:
    """Pixels of an interval about a place.  (B, n)"""
    at = torch.arange(n, device=like.device)
    return (at - (n * place)[:, None]).abs() < (HIDDEN * n * size / 2)[:, None]
