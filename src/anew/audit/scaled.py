"""Pictures as the networks of the audit read them: floats in [-1, 1], channels first, no side above a limit.

n pictures, H rows, W columns, C channels; h, w the reduced sides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from anew.core.pixels import Pixels

if TYPE_CHECKING:
    from torch import Tensor

    from anew.audit.encode import Singles

BLOCK = 512  # pictures turned into floats at once


def scaled(pixels: Pixels, side: int) -> Singles:
    """(n, H, W, C) whole numbers -> (n, C, h, w) in [-1, 1], means of squares of pixels where a side is above `side`.

    What is transparent has no colour: RGBA is premultiplied, so that two pictures that look the same are the same.
    """
    n, height, width, channels = pixels.shape
    step = math.ceil(max(height, width) / side)
    out = np.empty((n, channels, math.ceil(height / step), math.ceil(width / step)), np.float32)
    for start in range(0, n, BLOCK):
        out[start : start + BLOCK] = _pooled(_floats(pixels[start : start + BLOCK]), step)
    return out * 2 - 1


def _floats(pixels: Pixels) -> Singles:
    """(b, C, H, W) in [0, 1], colours times alpha."""
    out: Singles = np.moveaxis(pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max), 3, 1)
    if out.shape[1] == 4:
        out[:, :3] *= out[:, 3:]
    return out


def _pooled(pictures: Singles, step: int) -> Singles:
    """Means of squares of step x step; squares that stick out at the end are of the pixels that are there."""
    if step == 1:
        return pictures
    height, width = pictures.shape[2:]
    extra = (-height % step, -width % step)
    full = np.pad(pictures, ((0, 0), (0, 0), (0, extra[0]), (0, extra[1])), mode="edge")
    shape = (*full.shape[:2], full.shape[2] // step, step, full.shape[3] // step, step)
    return np.asarray(full.reshape(shape).mean((3, 5)), dtype=np.float32)


def blocks(pictures: Singles, size: int = BLOCK) -> Iterator[Tensor]:
    """As tensors, some at a time."""
    import torch

    for start in range(0, len(pictures), size):
        yield torch.from_numpy(np.ascontiguousarray(pictures[start : start + size]))
