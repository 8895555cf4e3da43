"""Pictures in files: a folder of them, one file with one or more frames, arrays in .npz or .npy.

A folder is read by the imagefolder convention: sub-folders are labels, or a file `metadata.csv` (.jsonl, .parquet) has
a column `file_name` and any others; `X_file_name` gives a second picture X. Nothing is decoded here: a cell is the
place of a file, its content, or an array.

Shapes: n pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from anew.core.errors import DataError, did_you_mean
from anew.data.formats._decode import NPY, Bad, decode_frames, head_of, is_picture, to_npy
from anew.data.formats._folders import LABEL, METADATA, SPLITS, labels, left_out, only_train, part_of, walk
from anew.data.formats.found import Found
from anew.data.formats.packed import check_expansion

IMAGE, FILE = "image", "file_name"
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".dcm"})
FRAMED = (b"GIF8", b"II*\0", b"MM\0*", b"RIFF")  # formats that may hold several frames
CELL = pl.Struct({"bytes": pl.Binary, "path": pl.String})

ReadTable = Callable[[Path], Found]


# ---------------------------------------------------------------- a folder


def read_folder(folder: Path, part: str | None, read_table: ReadTable) -> Found:
    """The pictures below a folder, with their labels or what the metadata tell."""
    folder, notes = part_of(folder, part)
    table = next((folder / name for name in METADATA if (folder / name).is_file()), None)
    if table is not None:
        return _with_metadata(folder, table, read_table).noting(notes)
    files, others = _files(folder)
    if not files:
        raise DataError(
            f"{str(folder)!r} is a folder without a picture",
            found=sorted(others)[:6],
            do=f"Give one table (a file in it), or a folder of pictures: {', '.join(sorted(SUFFIXES))}",
        )
    if others:
        notes.append(left_out([str(path) for path in others], "no pictures"))
    columns = {IMAGE: _cells(folder / file for file in files)}
    columns |= labels(folder, files, "a picture", notes)
    return Found(pl.LazyFrame(columns), notes=tuple(notes))


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures below a folder, and other files, both relative to it: by suffix, and without a known one by content."""
    pictures: list[Path] = []
    others: list[Path] = []
    for path in sorted(walk(folder)):
        relative = path.relative_to(folder)
        known = path.suffix.lower() in SUFFIXES
        (pictures if known or is_picture(_head(path)) else others).append(relative)
    return pictures, others


def _head(path: Path) -> bytes:
    try:
        return head_of(path)
    except Bad:
        return b""


def _cells(paths: Iterator[Path]) -> pl.Series:
    places: list[str | None] = [_word(path) for path in paths]
    return places_of(pl.Series(places, dtype=pl.String))


def _word(path: Path) -> str:
    """The absolute name, since a relative one in a table is relative to the table."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DataError("The name of a file is no UTF-8 text", found=os.fsencode(path), do="Rename it") from None
    return os.path.abspath(path)


def places_of(paths: pl.Series) -> pl.Series:
    """Paths as cells of pictures; null where there is none."""
    cells = pl.DataFrame({"path": paths}).select(
        pl.when(pl.col("path").is_null())
        .then(pl.lit(None, CELL))
        .otherwise(pl.struct(pl.lit(None, pl.Binary).alias("bytes"), "path"))
    )
    return cells.to_series()


def _with_metadata(folder: Path, table: Path, read_table: ReadTable) -> Found:
    found = read_table(table)
    frame = found.frame.collect()
    named = {name: _picture_column(name, frame.columns) for name in frame.columns if _names_files(name)}
    if not named:
        raise DataError(
            f"{str(table)!r} has no column {FILE!r}", found=frame.columns, do="Name each row's picture in it"
        )
    listed: set[str] = set()
    for name, column in named.items():
        words = frame[name].cast(pl.String)
        words = words.set((words == "").fill_null(False), None)
        listed |= set(words.drop_nulls().str.replace_all("\\", "/", literal=True))
        places = pl.Series([None if word is None else _word(folder / word) for word in words], dtype=pl.String)
        frame = frame.with_columns(places_of(places).alias(name)).rename({name: column})
    files, _ = _files(folder)
    unlisted = [str(file) for file in files if file.as_posix() not in listed]
    notes = [left_out(unlisted, f"not named in {table.name}")] if unlisted else []
    first = [named[name] for name in named]
    return Found(frame.select(*first, pl.exclude(first)).lazy(), found.text, (*found.notes, *notes))


def _names_files(column: str) -> bool:
    return column == FILE or column.endswith(f"_{FILE}")


def _picture_column(column: str, taken: Sequence[str]) -> str:
    name = IMAGE if column == FILE else column.removesuffix(f"_{FILE}")
    return name if name not in taken else column


# ---------------------------------------------------------------- one file


def read_picture(path: Path, shown: str) -> Found:
    """A picture is a table of one row; the frames of a GIF or a TIFF are rows."""
    with path.open("rb") as file:
        framed = file.read(4).startswith(FRAMED) or path.suffix.lower() == ".dcm"
    if not framed:
        return Found(pl.LazyFrame({IMAGE: _cells(iter([path]))}))
    try:
        frames = decode_frames(path)
    except Bad as bad:
        raise DataError(f"{shown!r} {bad}", do="Repair it or write it again") from None
    if len(frames) == 1:
        return Found(pl.LazyFrame({IMAGE: _cells(iter([path]))}))
    cells = pl.Series([to_npy(frame.pixels) for frame in frames], dtype=pl.Binary)
    return Found(pl.LazyFrame({IMAGE: cells}), notes=(f"{len(frames):,} frames of one file, a row each",))


# ---------------------------------------------------------------- arrays


def is_npz(path: Path) -> bool:
    """Whether a zip archive holds nothing but arrays."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return path.suffix.lower() == ".npz"
    return bool(names) and all(name.endswith(".npy") for name in names)


def read_npz(path: Path, part: str | None, shown: str) -> Found:
    """Arrays of pictures (n, H, W[, C]), and others of the same length as columns."""
    arrays = _arrays(path, shown)
    prefixes = {name: name.split("_", 1)[0] for name in arrays if name.split("_", 1)[0] in SPLITS and "_" in name}
    splits = sorted(set(prefixes.values()), key=SPLITS.index)
    notes = []
    if part is not None and part not in splits:
        raise DataError(f"{shown!r} has no part {part!r}", found=sorted(arrays), do=did_you_mean(part, splits))
    if splits:
        chosen = part or ("train" if "train" in splits else splits[0])
        arrays = {name.split("_", 1)[1]: array for name, array in arrays.items() if prefixes.get(name) == chosen}
        if part is None and len(splits) > 1:
            notes.append(only_train(splits, f"{shown}#train"))
    return _table(arrays, shown).noting(notes)


def _arrays(path: Path, shown: str) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            check_expansion(path, sum(info.file_size for info in archive.infolist()))
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except DataError:
        raise
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, KeyError) as error:
        pickled = "pickle" in str(error)
        raise DataError(
            f"{shown!r} holds pickled objects, which are never opened"
            if pickled
            else f"{shown!r} is a damaged .npz file",
            found=str(error).splitlines()[0],
            do="Write it again as plain arrays" if pickled else "Fetch or write it again",
        ) from None


def read_npy(path: Path, shown: str) -> Found:
    """One array of pictures, (n, H, W) or (n, H, W, C)."""
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{shown!r} is a damaged .npy file", found=str(error).splitlines()[0]) from None
    return _table({"images": array}, shown)


def _table(arrays: Mapping[str, Any], shown: str) -> Found:
    pictures = [name for name, array in arrays.items() if array.ndim in (3, 4) and array.dtype.kind in "biuf"]
    if not pictures:
        raise DataError(
            f"{shown!r} holds no array of pictures",
            found={name: array.shape for name, array in arrays.items()},
            do="Pictures are an array (n, height, width) or (n, height, width, channels) of numbers, named 'images'",
        )
    many = len(arrays[pictures[0]])
    lengths = {name: len(arrays[name]) for name in pictures}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The arrays of pictures in {shown!r} differ in length", found=lengths)
    columns = {_named(name, arrays): pl.Series(arrays[name]) for name in pictures}
    odd = []
    for name, array in arrays.items():
        flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
        if name in pictures:
            continue
        if flat.ndim == 1 and len(flat) == many and flat.dtype.kind in "biufU":
            columns[_named(name, arrays)] = _words(flat)
        else:
            odd.append(f"{name} {array.shape}")
    notes = [f"arrays left out, no column of {many:,} values: {', '.join(odd)}"] if odd else []
    return Found(pl.LazyFrame(columns), notes=tuple(notes), size=0)


def _words(array: Any) -> pl.Series:
    """Words in which "" stands for none, or numbers."""
    if array.dtype.kind != "U":
        return pl.Series(array)
    words = pl.Series(array.tolist(), dtype=pl.String)
    return words.set(words == "", None)


def _named(name: str, taken: Mapping[str, Any]) -> str:
    """`images` holds the column image, `labels` the column label."""
    one = {"images": IMAGE, "labels": LABEL}.get(name, name)
    return one if one == name or one not in taken else name


__all__ = ["NPY", "is_npz", "is_picture", "read_folder", "read_npy", "read_npz", "read_picture"]
