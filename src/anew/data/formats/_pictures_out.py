"""Pictures out: a folder of PNG files beside metadata.csv, arrays in .npz, or a column of PNG bytes in a table.

A folder appears whole or not at all: it is written beside its place and renamed into it.

Shapes: n pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from anew.core.errors import DataError
from anew.core.pixels import Pixels
from anew.data.arrays import arrays_of
from anew.data.formats._folders import LABEL, METADATA
from anew.data.formats.atomic import explain, sync_folder, umask
from anew.data.formats.pictures import FILE, IMAGE

OURS = re.compile(r"(\w+-)?\d{6,}\.png")  # the names that we give


def to_png(pixels: Pixels) -> bytes:
    """The content of a PNG file: grey, 16-bit grey, colour, or colour with alpha, without a loss and without tags."""
    from PIL import Image

    file = io.BytesIO()
    flat = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    Image.fromarray(np.ascontiguousarray(flat)).save(file, "PNG")
    return file.getvalue()


def columns_of(frame: pl.DataFrame) -> list[str]:
    """The columns of pictures in a frame as users get it."""
    return [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Array)]


# ---------------------------------------------------------------- a folder


def write_folder(frame: pl.DataFrame, target: Path, write_table: Callable[[pl.DataFrame, Path], None]) -> None:
    """`000001.png` and so on, and a table that names each; a folder of that kind is replaced, another is refused."""
    _check_replaceable(target)
    with _folder_atomically(target) as fresh:
        table: dict[str, pl.Series] = {}
        for name in columns_of(frame):
            stem = "" if name == IMAGE else f"{re.sub(r'[^A-Za-z0-9_]+', '_', name)}-"
            column = FILE if name == IMAGE else f"{name}_{FILE}"
            table[column] = pl.Series(_written(frame[name], fresh, stem), dtype=pl.String)
        rest = {cells.name: cells for cells in frame.drop(columns_of(frame))}
        taken = sorted(set(table) & set(rest))
        if taken:
            raise DataError(f"A column is named {taken[0]!r}, which is to name the files", do="Rename that column")
        write_table(pl.DataFrame({**table, **rest}), fresh / METADATA[0])


def _written(cells: pl.Series, folder: Path, stem: str) -> list[str | None]:
    names: list[str | None] = []
    for row, array in enumerate(arrays_of(cells), 1):
        names.append(None if array is None else f"{stem}{row:06d}.png")
        if array is not None:
            (folder / f"{stem}{row:06d}.png").write_bytes(to_png(array))
    return names


def _check_replaceable(target: Path) -> None:
    if not target.exists():
        return
    there = [path.name for path in target.iterdir()] if target.is_dir() else [target.name]
    strange = sorted(name for name in there if name != METADATA[0] and not OURS.fullmatch(name))
    if strange or not target.is_dir() or (there and METADATA[0] not in there):
        raise DataError(
            f"{str(target)!r} holds other files and is not written over",
            found=(strange or there)[:6],
            do="Name a new folder, or empty this one",
        )


@contextmanager
def _folder_atomically(target: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of `target` when the block ends without an error."""
    fresh = aside = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        yield fresh
        os.chmod(fresh, 0o777 & ~umask())
        sync_folder(fresh)
        if target.exists():
            aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            os.replace(target, aside / "before")
        os.replace(fresh, target)
        sync_folder(target.parent)
    except OSError as error:
        raise explain(error, target) from None
    finally:
        for left in (fresh, aside):
            if left is not None:
                shutil.rmtree(left, ignore_errors=True)


# ---------------------------------------------------------------- one file


def write_npz(frame: pl.DataFrame, path: Path) -> None:
    """`images` (n, H, W[, C]), `labels`, and every other column by its name; missing words are ""."""
    arrays: dict[str, Any] = {}
    for cells in frame:
        name = {IMAGE: "images", LABEL: "labels"}.get(cells.name, cells.name)
        arrays[name] = _array(cells)
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _array(cells: pl.Series) -> Any:
    if isinstance(cells.dtype, pl.Array):
        if cells.null_count():
            raise DataError(
                f"{cells.null_count():,} pictures of {cells.name!r} are missing, which an .npz file cannot say",
                do="Write a folder or a .parquet file",
            )
        return cells.to_numpy()
    if cells.dtype.is_numeric() or cells.dtype == pl.Boolean:
        return cells.to_numpy()
    words = cells.cast(pl.String).fill_null("").to_list()
    return np.array(words, dtype=str)
