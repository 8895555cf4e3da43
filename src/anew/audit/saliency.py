"""Where a classifier looks: how much less sure it is of its answer when a square of the picture is hidden.

Occlusion (Zeiler and Fergus 2014, section 3.1): a square of the picture's mean colour moves over it; where it lowers
the probability of the answer, the picture said why. It asks nothing of the classifier but its answers.

m pictures, H rows, W columns, g x g places of the square.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.audit.decided import Words
from anew.audit.encode import Singles
from anew.core.columns import Floats
from anew.core.pixels import Pixels, column, stack
from anew.core.schema import Field

PLACES = 8  # of the square, a side
SIDE = 3 / 8  # of the square, as a share of the picture's
WARM = np.array([255, 60, 0], np.float32)
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Reading:
    """A model's way to read the target off a row: probabilities (n, K) of a frame, and the labels (K) in words.

    `decides` says of each word of its texts how much it had to say, where the model can.
    """

    chances: Callable[[pl.DataFrame], Floats]
    names: Sequence[str]
    decides: Words | None = None


def hidden(pictures: Pixels) -> Pixels:
    """Every picture with the square in every place.  (m, H, W, C) -> (m * g * g, H, W, C)"""
    m, height, width, channels = pictures.shape
    out = np.repeat(pictures, PLACES**2, axis=0).reshape(m, PLACES, PLACES, height, width, channels)
    mean = pictures.mean((1, 2)).astype(pictures.dtype)[:, None, None]
    for i, rows in enumerate(_ranges(height)):
        for j, columns in enumerate(_ranges(width)):
            out[:, i, j, rows, columns] = mean
    return out.reshape(-1, height, width, channels)


def _ranges(side: int) -> list[slice]:
    """Where the square lies along one side, its middle at equal distances."""
    half = max(SIDE * side / 2, 0.5)
    middles = (np.arange(PLACES) + 0.5) / PLACES * side
    return [slice(int(max(np.floor(x - half), 0)), int(np.ceil(x + half))) for x in middles]


def looked_at(rows: pl.DataFrame, field: Field, reading: Reading) -> tuple[Singles, npt.NDArray[np.intp]]:
    """The loss of probability of the answer at each place, and the answers.  (m, g, g), (m,)"""
    answer = reading.chances(rows)
    best = answer.argmax(1)
    repeated = rows[np.repeat(np.arange(len(rows)), PLACES**2)]
    covered = repeated.with_columns(column(field.name, hidden(stack(rows[field.name], field))))
    left = reading.chances(covered).reshape(len(rows), PLACES**2, -1)[np.arange(len(rows)), :, best]
    loss = answer[np.arange(len(rows)), best, None] - left
    return loss.reshape(-1, PLACES, PLACES).astype(np.float32), best


def warmed(pictures: Bytes, loss: Singles) -> Bytes:
    """Pictures (m, H, W, 3), greyed, and warm where they were looked at (m, g, g), the most important place fully."""
    grey = pictures.astype(np.float32).mean(3, keepdims=True) * 0.75
    top = np.maximum(loss.max((1, 2), keepdims=True), 0.02)
    heat = _spread(np.clip(loss / top, 0, 1), pictures.shape[1], pictures.shape[2])[..., None] * np.float32(0.8)
    return np.asarray(grey * (1 - heat) + WARM * heat, dtype=np.uint8)


def _spread(grid: Singles, height: int, width: int) -> Singles:
    """Bilinear, from places to pixels.  (m, g, g) -> (m, H, W)"""
    rows, columns = (_weights(side) for side in (height, width))
    return np.asarray(np.einsum("hi,mij,wj->mhw", rows, grid, columns), dtype=np.float32)


def _weights(side: int) -> Singles:
    """How much each place counts at each pixel.  (side, g)"""
    at = (np.arange(side) + 0.5) / side * PLACES - 0.5
    near = 1 - np.abs(np.clip(at, 0, PLACES - 1)[:, None] - np.arange(PLACES))
    return np.asarray(np.maximum(near, 0), dtype=np.float32)
