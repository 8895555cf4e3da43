"""Small pictures for tests, made by arithmetic."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anew.core import pixels
from anew.core.pixels import Pixels
from anew.data.dataset import Dataset

SHAPES: dict[str, tuple[int, ...]] = {"L": (), "RGB": (3,), "RGBA": (4,), "I;16": ()}


def pictures(n: int, mode: str = "L", size: tuple[int, int] = (9, 12), seed: int = 0) -> Pixels:
    """(n, H, W[, C]) of noise: every bit counts, and some pixels are transparent."""
    rng = np.random.default_rng(seed)
    dtype: Any = np.uint16 if mode == "I;16" else np.uint8
    return rng.integers(0, np.iinfo(dtype).max + 1, (n, *size, *SHAPES[mode]), dtype)


def save(folder: Path, array: Pixels, suffix: str = ".png", start: int = 0, **options: Any) -> list[Path]:
    """Files `000.png` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{start + i:03d}{suffix}" for i in range(len(array))]
    for path, picture in zip(paths, array, strict=True):
        Image.fromarray(picture).save(path, **options)
    return paths


def stack(data: Dataset, name: str = "image") -> Pixels:
    """(n, H, W[, C]) as it was given to `pictures`."""
    field = data.schema[name]
    array = pixels.stack(data.frame[name], field)
    return array[..., 0] if array.shape[-1] == 1 else array


def content(array: Pixels, suffix: str = "png", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, suffix, **options)
    return file.getvalue()
