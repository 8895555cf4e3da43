"""A sprite sheet and its atlas: many sprites in one PNG, and a JSON file that says where each lies.

The JSON is the hash of TexturePacker: "frames" by name, each with the rectangle `frame` in pixels, which most engines
read. Enlarging repeats pixels: the sheet at 4x holds every pixel sixteen times and no new colour.

Shapes: n sprites, H rows, W columns, 4 channels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from anew.core.pixels import Pixels

SCALES = (1, 2, 4)
GAP = 1  # transparent pixels between sprites, against bleeding at their edges


def files_of(sprites: Pixels, names: Sequence[str]) -> dict[str, bytes]:
    """`sheet.png` and `sheet.json`, and the same as `sheet@2x` and `sheet@4x`."""
    from anew.data.formats._pictures_out import to_png

    files = {}
    for scale in SCALES:
        stem = "sheet" if scale == 1 else f"sheet@{scale}x"
        files[f"{stem}.png"] = to_png(enlarged(sheet_of(sprites), scale))
        files[f"{stem}.json"] = (json.dumps(atlas_of(sprites, names, scale), indent=1) + "\n").encode()
    return files


def sheet_of(sprites: Pixels) -> Pixels:
    """The sprites in a grid about square.  (rows, columns, 4)"""
    n, height, width, channels = sprites.shape
    across = _across(n)
    sheet = np.zeros((-(-n // across) * (height + GAP) - GAP, across * (width + GAP) - GAP, channels), sprites.dtype)
    for i, sprite in enumerate(sprites):
        x, y = place_of(i, n, height, width)
        sheet[y : y + height, x : x + width] = sprite
    return sheet


def place_of(i: int, n: int, height: int, width: int) -> tuple[int, int]:
    """(x, y) of the i-th of n sprites on the sheet."""
    return i % _across(n) * (width + GAP), i // _across(n) * (height + GAP)


def enlarged(picture: Pixels, scale: int) -> Pixels:
    """Each pixel as a square of scale x scale; the last axis holds the channels."""
    return np.asarray(picture.repeat(scale, -3).repeat(scale, -2))


def atlas_of(sprites: Pixels, names: Sequence[str], scale: int) -> dict[str, Any]:
    """Where each sprite lies on the sheet of that scale."""
    n, height, width, _ = sprites.shape
    frames = {}
    for i, name in enumerate(names):
        x, y = place_of(i, n, height, width)
        size = {"w": width * scale, "h": height * scale}
        frames[name] = {
            "frame": {"x": x * scale, "y": y * scale, **size},
            "rotated": False,
            "trimmed": False,
            "spriteSourceSize": {"x": 0, "y": 0, **size},
            "sourceSize": size,
        }
    whole = sheet_of(sprites).shape
    image = "sheet.png" if scale == 1 else f"sheet@{scale}x.png"
    meta = {
        "app": "anew",
        "image": image,
        "format": "RGBA8888",
        "size": {"w": whole[1] * scale, "h": whole[0] * scale},
        "scale": str(scale),
    }
    return {"frames": frames, "meta": meta}


def _across(n: int) -> int:
    return math.ceil(math.sqrt(n))
