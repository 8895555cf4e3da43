"""Pictures of many sizes and modes brought to one: nothing is cropped, and the rule is stated.

The size is the most common one (of several equally common ones the largest), reduced to `MOST` pixels on its long
side. Other pictures are fitted inside it with their aspect kept and padded with transparency, or with the colour of
their border. Photographs are resized by Lanczos' kernel; pixel art (few colours) by its nearest pixel, enlarged by a
whole factor only, so that its palette stays what it is. The mode is the smallest that loses nothing.

Shapes: H rows, W columns, C channels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from anew.core.pixels import Pixels
from anew.data.formats._decode import Size

MOST = 64  # pixels on the long side, unless another size is asked for
FEW = 64  # colours up to which a picture is drawn pixel by pixel
COMMON = 0.25  # share of the border from which one colour is its colour


def common_size(sizes: Iterable[Size]) -> Size:
    """The most common size."""
    counts = Counter(sizes)
    return max(counts, key=lambda size: (counts[size], size[0] * size[1], size))


def within(size: Size, most: int) -> Size:
    """A size of the same aspect with at most `most` pixels on the long side."""
    scale = min(1.0, most / max(size))
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def common_mode(modes: Iterable[str]) -> str:
    """The smallest mode that holds all; 16-bit grey beside colour, for which there is none, gives 8 bits."""
    found = set(modes)
    for mode in ("RGBA", "RGB", "I;16"):
        if mode in found:
            return mode
    return "L"


# ---------------------------------------------------------------- sizes


def fitted(pixels: Pixels, mode: str, size: Size) -> Pixels:
    """The picture inside `size`, whole, with its aspect, padded."""
    height, width = pixels.shape[:2]
    if (height, width) == size:
        return pixels
    inner = _inside((height, width), size)
    drawn = few_colours(pixels)
    if drawn and inner[0] > height:
        times = max(min(size[0] // height, size[1] // width), 1)
        inner = (height * times, width * times)
    nearest = drawn and (inner[0] > height or max(height, width) <= MOST or _blocks(pixels, height / inner[0]))
    resized = _resized(pixels, mode, inner, nearest)
    return resized if inner == size else _padded(resized, mode, size)


def _inside(came: Size, size: Size) -> Size:
    """The largest size of that aspect inside; a pixel that rounding leaves over is not padded."""
    scale = min(size[0] / came[0], size[1] / came[1])
    height, width = (min(max(round(side * scale), 1), most) for side, most in zip(came, size, strict=True))
    return (size[0] if size[0] - height <= 1 and scale < 1 else height), (
        size[1] if size[1] - width <= 1 and scale < 1 else width
    )


def few_colours(pixels: Pixels) -> bool:
    """At most `FEW` different colours, among some 4,000 of the pixels of a large picture."""
    step = -(-max(pixels.shape[:2]) // 64)
    return len(np.unique(_codes(pixels[::step, ::step]))) <= FEW


def _codes(pixels: Pixels) -> Pixels:
    """One number a pixel."""
    codes = np.zeros(pixels.shape[:2], np.int64)
    for channel in range(pixels.shape[2]):
        codes = codes << 16 | pixels[:, :, channel]
    return codes


def _blocks(pixels: Pixels, shrink: float) -> bool:
    """Whether every pixel was drawn as a block at least `shrink` wide, so that nearest loses none."""
    times = round(shrink)
    height, width = pixels.shape[:2]
    if times < 2 or height % times or width % times:
        return False
    blocks = pixels.reshape(height // times, times, width // times, times, -1)
    return bool((blocks == blocks[:, :1, :, :1]).all())


def _resized(pixels: Pixels, mode: str, size: Size, nearest: bool) -> Pixels:
    from PIL import Image

    if pixels.shape[:2] == size:
        return pixels
    how = Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS
    flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    made = np.asarray(Image.fromarray(flat).resize((size[1], size[0]), how))  # RGBA is premultiplied on the way
    return made.reshape(*size, pixels.shape[2]).astype(pixels.dtype)


def _padded(pixels: Pixels, mode: str, size: Size) -> Pixels:
    whole = np.empty((*size, pixels.shape[2]), pixels.dtype)
    whole[:] = 0 if mode == "RGBA" else _border(pixels)
    top, left = (size[0] - pixels.shape[0]) // 2, (size[1] - pixels.shape[1]) // 2
    whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole


def _border(pixels: Pixels) -> Pixels:
    """(C,) the colour of a quarter of the border or more, else the middle of its colours."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])
    colours, counts = np.unique(edge, axis=0, return_counts=True)
    most = counts.argmax()
    found: Pixels = colours[most] if counts[most] >= COMMON * len(edge) else np.median(edge, axis=0)
    return found.astype(pixels.dtype)


# ---------------------------------------------------------------- modes


def converted(pixels: Pixels, mode: str, wanted: str) -> Pixels:
    """In another mode: what it cannot hold is laid on white (alpha), weighed (colour), or rounded (16 bits)."""
    if mode == wanted:
        return pixels
    if mode == "I;16":
        pixels, mode = np.rint(pixels / 257.0).astype(np.uint8), "L"
    if mode == "RGBA" and wanted != "RGBA":
        pixels, mode = _on_white(pixels), "RGB"
    if wanted in ("L", "I;16") and mode == "RGB":
        pixels = np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[:, :, None]
    if wanted == "I;16":
        return pixels.astype("<u2") * np.uint16(257)
    if wanted in ("RGB", "RGBA"):
        pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    if wanted == "RGBA":
        pixels = np.concatenate([pixels, np.full_like(pixels[:, :, :1], 255)], axis=2)
    return np.ascontiguousarray(pixels)


def losses(pixels: Pixels, mode: str, wanted: str) -> list[str]:
    """What a picture loses when it is read in another mode; holes that were cut out are no loss: they are empty."""
    lost = []
    if mode == "RGBA" and wanted != "RGBA" and ((pixels[:, :, 3] > 0) & (pixels[:, :, 3] < 255)).any():
        lost.append("transparency is laid on white")
    if pixels.shape[2] > 1 and wanted in ("L", "I;16") and (pixels[:, :, :3] != pixels[:, :, :1]).any():
        lost.append("colour is read as grey")
    if mode == "I;16" and wanted != "I;16":
        lost.append("16 bits are rounded to 8")
    return lost


def _on_white(pixels: Pixels) -> Pixels:
    alpha = pixels[:, :, 3:] / 255.0
    return np.rint(pixels[:, :, :3] * alpha + 255.0 * (1.0 - alpha)).astype(np.uint8)
