"""Contact sheets: real and synthetic pictures in the same order of labels, and the nearest relatives side by side.

Each sheet is one PNG in base64, so that the page stands alone and report.json holds what the page shows.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.audit.album import SOME, Album
from anew.audit.encode import Singles
from anew.audit.neighbours import nearest
from anew.audit.saliency import looked_at, warmed
from anew.audit.scaled import scaled
from anew.core.pixels import Pixels, stack

if TYPE_CHECKING:
    from anew.audit.evidence import Evidence

CELLS = 64  # pictures of a sheet
LINES = 10  # labels shown, one a line at least
TWINS = 12  # synthetic pictures shown with their relatives
GAP = 2
LARGE = 64  # a side that is shown as it is; smaller pictures are enlarged by whole numbers
COARSE = 16  # the side at which relatives are looked for
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Looked:
    """Held-out pictures above what the model's classifier looked at; `words` are what it said of each."""

    pictures: str
    words: list[str]
    width: int


@dataclass(frozen=True)
class Sheet:
    """Pictures of the column `name`: PNGs in base64, each `zoom` times as large on the page as in the file.

    `labels` name the lines of `real` and `synthetic`. The columns of `twins` are a synthetic picture, the training
    picture and the held-out picture nearest to it: first those that come closest to a copy, then some by chance.
    """

    name: str
    labels: list[str]
    real: str
    synthetic: str
    twins: str
    zoom: int
    widths: tuple[int, int]  # of a contact sheet and of the relatives, in pixels of the file
    closest: int  # how many of the columns of `twins` are the closest ones
    looked: Looked | None = None


def sheet_of(album: Album, evidence: Evidence) -> Sheet | None:
    """None where a sample has no pictures."""
    if not all(len(album.numbers(name, 1)) for name in ("train", "holdout", "synthetic")):
        return None
    labels, lines = _lines(album)
    real, made = (_grid([_picked(album, name, line) for line in lines], lines) for name in ("train", "synthetic"))
    twins, closest = _twins(album)
    height, width = album.field.size or (LARGE, LARGE)
    zoom = max(1, round(LARGE / max(height, width)))
    widths, looked = (real.shape[1], twins.shape[1]), _looked(album, evidence)
    return Sheet(album.name, labels, _png(real), _png(made), _png(twins), zoom, widths, closest, looked)


def _looked(album: Album, evidence: Evidence) -> Looked | None:
    """Where the model's classifier looks, if there is one."""
    if evidence.reading is None or evidence.target is None:
        return None
    rows = evidence.holdout[album.numbers("holdout", TWINS)]
    loss, answers = looked_at(rows, album.field, evidence.reading)
    plain = _flattened(_shown(stack(rows[album.name], album.field)))
    grid = _grid([_shown(plain), _shown(warmed(plain, loss))])
    said = [evidence.reading.names[answer] for answer in answers]
    truth = rows[evidence.target].cast(pl.String).fill_null("unknown").to_list()
    words = [right if right == read else f"{right}, read as {read}" for right, read in zip(truth, said, strict=True)]
    return Looked(_png(grid), words, grid.shape[1])


def _flattened(pictures: Bytes) -> Bytes:
    """Colours on white.  (m, H, W, 2 or 4) -> (m, H, W, 3)"""
    alpha = pictures[..., -1:] / np.float32(255)
    return np.asarray(
        np.broadcast_to(pictures[..., :-1] * alpha + 255 * (1 - alpha), (*pictures.shape[:3], 3)), np.uint8
    )


@dataclass(frozen=True)
class _Line:
    """One line of a sheet: the label (None: any) and which of its pictures."""

    label: int | None
    first: int
    length: int


def _lines(album: Album) -> tuple[list[str], list[_Line]]:
    """The lines of a sheet with their names, the commonest labels first."""
    if album.labels is None:
        across = int(np.sqrt(CELLS))
        return [], [_Line(None, k * across, across) for k in range(across)]
    classes = album.classes("train")
    count = np.bincount(classes[classes >= 0], minlength=len(album.labels.names))
    shown = np.sort(np.argsort(-count, kind="stable")[:LINES])
    each = max(8 // len(shown), 1)
    across = -(-CELLS // (each * len(shown)))
    lines = [_Line(int(k), i * across, across) for k in shown for i in range(each)]
    return [album.labels.names[k] if i == 0 else "" for k in shown for i in range(each)], lines


def _picked(album: Album, name: str, line: _Line) -> Bytes:
    """The pictures of a line, fewer where there are no more.  (at most length, H, W, channels)"""
    pixels = album.pixels(name)
    if line.label is not None:
        pixels = pixels[album.classes(name) == line.label]
    return _shown(pixels[line.first : line.first + line.length])


def _shown(pixels: Pixels) -> Bytes:
    """With an alpha channel, 8 bits: grey and alpha or colours and alpha.  (n, H, W, 2 or 4)"""
    if pixels.dtype != np.uint8:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.shape[3] == 4:
        return np.asarray(pixels)
    return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=3)


def _grid(lines: Sequence[Bytes], wanted: Sequence[_Line] | None = None) -> Bytes:
    """Pictures in lines, with transparent gaps; what a line lacks stays transparent.  (height, width, channels)"""
    across = max(len(line) for line in lines) if wanted is None else max(line.length for line in wanted)
    _, height, width, channels = lines[0].shape
    out = np.zeros((len(lines), height + GAP, across, width + GAP, channels), np.uint8)
    for i, line in enumerate(lines):
        out[i, :height, : len(line), :width] = line.swapaxes(0, 1)
    return out.reshape(len(lines) * (height + GAP), across * (width + GAP), channels)[:-GAP, :-GAP]


def _twins(album: Album) -> tuple[Bytes, int]:
    """Three lines: synthetic pictures, the nearest training and the nearest held-out pictures."""
    real = {name: album.pixels(name) for name in ("train", "holdout")}
    real["train"] = album.training(20 * SOME)
    made = album.pixels("synthetic", SOME)
    near = {name: nearest(_flat(made), _flat(pixels), 2) for name, pixels in real.items()}
    first, last = near["train"].distance[:, 0], near["train"].distance[:, -1]
    closest = np.argsort(first / np.maximum(last, 1e-9), kind="stable")[: TWINS // 2]
    others = [i for i in range(len(made)) if i not in set(closest.tolist())][: TWINS - len(closest)]
    chosen = np.array([*closest.tolist(), *others], dtype=np.intp)
    lines = [made[chosen], *(real[name][near[name].row[chosen, 0]] for name in ("train", "holdout"))]
    return _grid([_shown(line) for line in lines]), len(closest)


def _flat(pixels: Pixels) -> Singles:
    return scaled(pixels, COARSE).reshape(len(pixels), -1)


def _png(picture: Bytes) -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode("ascii")
