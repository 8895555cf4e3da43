"""Pictures in a column: the raw bytes of arrays of one size and mode, so that a frame of pictures is like any other.

Shapes: n pictures, H rows, W columns, C channels; 8 bits a channel, 16 (little-endian) in mode "I;16".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.core.columns import Bools
from anew.core.errors import DataError
from anew.core.schema import Field

CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4, "I;16": 1}  # by mode: grey, colour, colour with alpha, 16-bit grey
Pixels = npt.NDArray[Any]  # uint8 or uint16


def shape_of(field: Field) -> tuple[int, int, int]:
    """(H, W, C) of the pictures of a column."""
    if field.size is None or field.mode not in CHANNELS:
        raise DataError(
            f"The image column {field.name!r} lacks its size or mode in the schema",
            found=(field.size, field.mode),
            do=f"Write size [height, width] and a mode of {', '.join(CHANNELS)}",
        )
    return (*field.size, CHANNELS[field.mode])


def dtype_of(field: Field) -> np.dtype[Any]:
    """Of one channel of one pixel."""
    return np.dtype("<u2") if field.mode == "I;16" else np.dtype(np.uint8)


def stack(cells: pl.Series, field: Field) -> Pixels:
    """(n, H, W, C): the pictures of a column, zeros where there is none."""
    shape, dtype = shape_of(field), dtype_of(field)
    blank = bytes(math.prod(shape) * dtype.itemsize)
    joined = b"".join(blank if cell is None else cell for cell in cells)
    if len(joined) != len(blank) * len(cells):
        raise DataError(f"A picture of {field.name!r} has another size than the schema says", found=field.size)
    return np.frombuffer(joined, dtype).reshape(len(cells), *shape)


def column(name: str, pixels: Pixels, gone: Bools | None = None) -> pl.Series:
    """Pictures (n, H, W, C) as a column, null where `gone` (n,)."""
    cells = [picture.tobytes() for picture in np.ascontiguousarray(pixels)]
    missing = np.zeros(len(cells), bool) if gone is None else gone
    return pl.Series(name, [None if no else cell for cell, no in zip(cells, missing, strict=True)], pl.Binary)
