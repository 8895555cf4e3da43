"""Many pictures in one: a contact sheet, and an animated GIF.

Shapes: n pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anew.core.errors import UsageError
from anew.core.pixels import Pixels
from anew.data.formats._pictures_out import to_png
from anew.data.formats._unify import converted

if TYPE_CHECKING:
    from PIL import Image

GAP = 2  # pixels between the pictures of a sheet
SMALLEST = 64  # pixels: smaller pictures are enlarged by a whole factor, so that they can be seen
CHECKED = (204, 255)  # the two greys that stand behind what is transparent


def contact_sheet(pictures: Pixels, columns: int | None = None, scale: int | None = None) -> bytes:
    """A PNG of the pictures (n, H, W[, C]) row by row; `columns` is about the square root of n if left out."""
    shown = _shown(pictures, scale)
    n, height, width, channels = shown.shape
    across = min(columns or math.ceil(math.sqrt(n)), n)
    down = -(-n // across)
    sheet = np.full((down * (height + GAP) - GAP, across * (width + GAP) - GAP, channels), 255, np.uint8)
    for i, picture in enumerate(shown):
        top, left = (i // across) * (height + GAP), (i % across) * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    return to_png(sheet)


def animated_gif(pictures: Pixels, seconds: float = 0.15, scale: int | None = None) -> bytes:
    """A GIF that shows the pictures (n, H, W[, C]) one after another, for ever."""
    frames = [_image(picture) for picture in _shown(pictures, scale)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=round(1000 * seconds), loop=0)
    return file.getvalue()


def shown(frame: pl.DataFrame) -> bytes:
    """A PNG of the first column of pictures: of one row the picture itself, of several a contact sheet."""
    arrays = _arrays(frame)
    return to_png(arrays[0]) if len(arrays) == 1 else contact_sheet(arrays)


def moving(frame: pl.DataFrame) -> bytes:
    """A GIF of the first column of pictures, one row after another."""
    return animated_gif(_arrays(frame))


def _arrays(frame: pl.DataFrame) -> Pixels:
    cells = next(cells for cells in frame if isinstance(cells.dtype, pl.Array))
    there = cells.drop_nulls()
    if not len(there):
        raise UsageError(f"{cells.name!r} holds no picture to show", found=f"{len(frame)} rows without one")
    return there.to_numpy()


def _image(picture: Pixels) -> Image.Image:
    from PIL import Image

    return Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)


def _shown(pictures: Pixels, scale: int | None) -> Pixels:
    """(n, H, W, 1 or 3) in 8 bits: transparency over a chequered ground, small pictures enlarged pixel by pixel."""
    if pictures.ndim not in (3, 4) or not len(pictures):
        raise UsageError(
            "A sheet shows at least one picture, as an array (n, H, W) or (n, H, W, C)", found=pictures.shape
        )
    whole = pictures[..., None] if pictures.ndim == 3 else pictures
    if whole.dtype == np.uint16:
        whole = np.stack([converted(picture, "I;16", "L") for picture in whole])
    times = scale or max(1, math.ceil(SMALLEST / max(whole.shape[1:3])))
    large = whole.repeat(times, axis=1).repeat(times, axis=2)
    return _on_squares(large) if large.shape[3] == 4 else large


def _on_squares(pictures: Pixels) -> Pixels:
    height, width = pictures.shape[1:3]
    squares = (np.arange(height)[:, None] // 8 + np.arange(width) // 8) % 2
    ground = np.asarray(CHECKED)[squares][:, :, None]
    alpha = pictures[..., 3:] / 255.0
    mixed: Pixels = np.rint(pictures[..., :3] * alpha + ground * (1.0 - alpha)).astype(np.uint8)
    return mixed
