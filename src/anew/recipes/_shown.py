"""Pictures on the page of a recipe: contact sheets, named line by line.

n pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np

from anew.audit.story import Panel
from anew.core.pixels import Pixels

LARGE = 64  # pixels a side that a small picture has on the page, about
UNLIKE = 1.5  # times as rough, or as smooth, as real pictures


def panel(title: str, pictures: Pixels, across: int = 12, lines: Sequence[str] = ()) -> Panel:
    """A sheet of pictures (n, H, W, C), `across` to a line."""
    from anew.data.formats._sheets import GAP, contact_sheet

    across = max(1, min(across, len(pictures)))
    zoom = max(1, round(LARGE / max(pictures.shape[1:3])))
    png = contact_sheet(pictures, across, zoom)
    width = across * (pictures.shape[2] * zoom + GAP) - GAP
    return Panel(title, base64.b64encode(png).decode("ascii"), width, list(lines))


def lines(title: str, named: Mapping[str, Pixels]) -> Panel:
    """A line for each name, of equally many pictures each."""
    across = min(map(len, named.values()))
    return panel(title, np.concatenate([one[:across] for one in named.values()]), across, list(named))


def roughness(pictures: Pixels) -> float:
    """The mean difference between neighbouring pixels, of 1; noise has much of it, blur little."""
    plain = as_colour(pictures) / 255.0
    return float(np.mean([np.abs(np.diff(plain, axis=axis)).mean() for axis in (1, 2)]))


def rough_words(new: Pixels, real: Pixels) -> str:
    """A warning where new pictures are much rougher or smoother than real ones; empty where not."""
    times = roughness(new) / max(roughness(real), 1e-9)
    if 1 / UNLIKE < times < UNLIKE:
        return ""
    how = "noisy" if times > 1 else "blurred"
    return f"The new pictures are {how} ({times:.1f} times as rough as real ones): the model needs more time."


def as_colour(pictures: Pixels) -> Pixels:
    """(n, H, W, 3) in 8 bits, for sheets that hold colours beside grey; what is transparent on white."""
    whole = (pictures >> 8).astype(np.uint8) if pictures.dtype == np.uint16 else pictures
    if whole.shape[3] == 4:
        alpha = whole[..., 3:] / 255.0
        return np.asarray(np.rint(whole[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8))
    return np.asarray(np.repeat(whole, 3, 3) if whole.shape[3] == 1 else whole)
