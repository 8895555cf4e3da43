"""Columns of pictures: found among the columns of a table, decoded, and brought to one size and mode.

A cell comes as the content of a file, as {"bytes", "path"} (what Hugging Face writes, and what a folder is read as), as
an array, or already as the raw bytes of `core.pixels`. Two threads decode. What the pictures have in common (size,
mode) is decided once and held by the field, so that new data are read by a fitted schema the same way.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from anew.core import pixels
from anew.core.errors import DataError
from anew.core.schema import Field, Schema
from anew.data.formats._decode import Source, is_picture
from anew.data.formats._unify import MOST
from anew.data.notes import Named
from anew.data.unified import Asked, Pictures

LISTED = 20  # names of pictures left out that a note gives


@dataclass(frozen=True)
class Seen:
    """The table with its pictures as raw bytes, the fields of those columns, what to tell, and which rows were kept."""

    frame: pl.DataFrame
    fields: tuple[Field, ...] = ()
    notes: tuple[str, ...] = ()
    kept: pl.Series | None = None  # row numbers, None: all


def see(
    frame: pl.DataFrame,
    known: Schema | None = None,
    size: Asked = None,
    skip_bad: bool = False,
    base: Path = Path(),
) -> Seen:
    """Every column of pictures decoded. A bad picture is an error that counts them all, or with `skip_bad` a note.

    Names of files are relative to the folder `base`.
    """
    fields = {field.name: field for field in known} if known is not None else {}
    names = [cells.name for cells in frame if is_image(cells, fields.get(cells.name))]
    if not names:
        return Seen(frame)
    raw = [name for name in names if _is_raw(frame[name], fields.get(name))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd tags, and of large pictures, which we refuse
        columns = [_pictures(frame[name], fields.get(name), size, base) for name in names if name not in raw]
        left_out = _left_out(columns, skip_bad)
        kept = pl.Series([i for i in range(len(frame)) if i not in left_out], dtype=pl.UInt32) if left_out else None
        if kept is not None and not len(kept):
            raise DataError(f"No picture is left: {len(frame):,} of {len(frame):,} rows have one that cannot be used")
        unified = [column.unified() for column in columns]
    as_they_are = [frame[name].cast(pl.Binary) for name in raw]
    frame = frame.with_columns([*(found.cells for found in unified), *as_they_are])
    made = (*(found.field for found in unified), *(fields[name] for name in raw))
    told = [note for found in unified for note in found.notes]
    return Seen(frame if kept is None else frame[kept], made, (*_named(columns, left_out), *told), kept)


# ---------------------------------------------------------------- which columns


def is_image(cells: pl.Series, known: Field | None = None) -> bool:
    """Whether a column holds pictures: by the schema where there is one, else by its type and first bytes."""
    if known is not None and known.kind == "image":
        return True
    dtype = cells.dtype
    if isinstance(dtype, pl.Struct):
        return _like_a_file(dtype)
    if isinstance(dtype, pl.Array):
        return len(dtype.shape) in (2, 3)
    if dtype != pl.Binary:
        return False
    first = cells.drop_nulls().head(1)
    return len(first) > 0 and is_picture(first[0][:132])


def picture_bytes(dtypes: pl.Schema, columns: Sequence[str], size: Asked) -> int:
    """How many bytes the pictures of one row may take at most, as far as the types of the columns tell."""
    height, width = size if isinstance(size, tuple) else (size or MOST, size or MOST)
    many = sum(isinstance(dtypes[name], pl.Struct | pl.Array | pl.Binary) for name in columns)
    return many * height * width * max(pixels.CHANNELS.values())


def _like_a_file(dtype: pl.Struct) -> bool:
    fields = {part.name: part.dtype for part in dtype.fields}
    return set(fields) <= {"bytes", "path"} and (fields.get("bytes") == pl.Binary or fields.get("path") == pl.String)


def _is_raw(cells: pl.Series, known: Field | None) -> bool:
    """Whether the cells are raw bytes of the size and mode of the schema already."""
    if known is None or known.size is None or known.mode is None or cells.dtype not in (pl.Binary, pl.Null):
        return False
    wanted = math.prod(pixels.shape_of(known)) * pixels.dtype_of(known).itemsize
    there = cells.cast(pl.Binary).drop_nulls()
    return bool((there.bin.size() == wanted).all()) and not (len(there) > 0 and is_picture(there[0][:132]))


# ---------------------------------------------------------------- where the pictures are


def _pictures(cells: pl.Series, known: Field | None, size: Asked, base: Path) -> Pictures:
    if known is not None and known.kind != "image":
        raise DataError(
            f"Column {cells.name!r} holds pictures, and the schema says {known.kind!r}",
            do='Write "kind": "image" in the schema file, or leave the column out of it',
        )
    return Pictures(cells.name, _sources(cells, base), known, size)


def _sources(cells: pl.Series, base: Path) -> list[Source | None]:
    """A file, its content or an array a row; None where there is no picture."""
    match cells.dtype:
        case pl.Struct():
            return [_of_struct(cell, base) for cell in cells]
        case pl.Array():
            rows = iter(cells.drop_nulls().to_numpy())
            return [next(rows) if here else None for here in cells.is_not_null()]
        case pl.Binary | pl.Null:
            return list(cells)
        case pl.String:
            return [base / cell if cell else None for cell in cells]
    raise DataError(
        f"Column {cells.name!r} is to hold pictures", found=str(cells.dtype), do="Give files, their bytes or arrays"
    )


def _of_struct(cell: dict[str, Any] | None, base: Path) -> Source | None:
    if cell is None:
        return None
    content, path = cell.get("bytes"), cell.get("path")
    if content is not None:
        return bytes(content)
    return base / path if path else None


# ---------------------------------------------------------------- bad ones


def _left_out(columns: list[Pictures], skip_bad: bool) -> set[int]:
    """The rows with a bad picture, or an error about the first of them."""
    for column in columns:
        if column.bad and not skip_bad:
            row, why = min(column.bad.items())
            many, of = len(column.bad), len(column.sources)
            others = f", and {many - 1:,} more of {of:,} pictures cannot be used" if many > 1 else ""
            raise DataError(
                f"{column.called(row)} {why}{others}",
                do="Repair or remove it, or leave out what is bad with --skip-bad (skip_bad=True)",
            )
    return {row for column in columns for row in column.bad}


def _named(columns: list[Pictures], left_out: set[int]) -> list[str]:
    """A sentence with the count and the names of what was left out."""
    if not left_out:
        return []
    every = [f"{column.called(row)} {why}" for column in columns for row, why in sorted(column.bad.items())]
    more = f"; and {len(every) - LISTED:,} more" if len(every) > LISTED else ""
    kept = f"{len(left_out):,} row{'s' * (len(left_out) > 1)} left out, since the picture cannot be used"
    return [Named(f"{kept}: {'; '.join(every[:LISTED])}{more}", kept)]
