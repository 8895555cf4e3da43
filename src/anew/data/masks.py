"""Masks of pictures: which pixels are to be filled, from pictures in black and white, arrays, or transparency.

Shapes: n pictures, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from anew.core.columns import Bools
from anew.core.errors import DataError
from anew.core.pixels import stack
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset


def read_masks(path: str | Path, field: Field) -> Bools:
    """White is to be filled: (n, H, W) of the pictures at a path, in the order of their names; (H, W) of one alone."""
    opened = Dataset.open(path, size=max(field.size or (64,)))
    found = [other for other in opened.schema if other.kind == "image"]
    if len(found) != 1:
        raise DataError("Masks are pictures", found=list(opened.schema.names), do="Name a picture or a folder of some")
    if found[0].size != field.size:
        raise DataError(
            f"A mask has the size of its picture, which is {_said(field)}",
            found=_said(found[0]),
            do="Make the masks anew in that size",
        )
    pixels = stack(opened.frame[found[0].name], found[0])
    white = pixels[..., :3].max(-1) > pixels.dtype.type(np.iinfo(pixels.dtype).max // 2)
    masks: Bools = white & (pixels[..., 3] > 0) if pixels.shape[-1] == 4 else white
    return masks[0] if len(masks) == 1 else masks


def transparent(data: object, schema: Schema, names: Sequence[str]) -> dict[str, Bools]:
    """What is wholly transparent in those pictures whose model knows no transparency, by the name of the column."""
    plain = [schema[name] for name in names if schema[name].mode in ("L", "RGB")]
    if not plain or isinstance(data, Dataset) or (isinstance(data, pl.DataFrame) and pl.Binary in data.dtypes):
        return {}  # our own frames hold no transparency
    clear = schema.replace(*(field.model_copy(update={"mode": "RGBA"}) for field in plain))
    frame = Dataset.open(data, like=clear, partly=True).frame
    masks = {f.name: stack(frame[f.name], clear[f.name])[..., 3] == 0 for f in plain if f.name in frame.columns}
    gone = {name: frame[name].is_null().to_numpy() for name in masks}
    return {name: mask & ~gone[name][:, None, None] for name, mask in masks.items() if mask[~gone[name]].any()}


def _said(field: Field) -> str:
    height, width = field.size or (0, 0)
    return f"{height} x {width}"
