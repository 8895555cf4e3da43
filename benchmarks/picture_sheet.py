"""A contact sheet: 64 pictures in a square, twice as large, nearest neighbour. To look at, not to measure."""

from pathlib import Path
from typing import Any

import numpy as np

SIDE, ZOOM = 8, 2


def sheet(pictures: np.ndarray[Any, Any], file: Path) -> None:
    """Writes the first 64 of (n, H, W, C) bytes as a PNG."""
    from PIL import Image

    some = pictures[: SIDE * SIDE]
    n, height, width, channels = some.shape
    grid = np.zeros((SIDE * SIDE, height, width, channels), dtype=np.uint8)
    grid[:n] = some
    rows = grid.reshape(SIDE, SIDE, height, width, channels).swapaxes(1, 2)  # (row, H, column, W, C)
    flat = rows.reshape(SIDE * height, SIDE * width, channels)
    image = Image.fromarray(flat[..., 0] if channels == 1 else flat)
    image.resize((image.width * ZOOM, image.height * ZOOM), Image.Resampling.NEAREST).save(file)
