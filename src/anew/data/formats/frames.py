"""Tables in files: the format is found by content, and chosen by suffix when writing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from anew.core.errors import DataError, ResourceError, UsageError, did_you_mean
from anew.core.schema import Schema
from anew.data.arrays import as_png
from anew.data.formats import _pictures_out, _sheets, columnar, databases, delimited, passages, pictures, workbooks
from anew.data.formats.atomic import FULL, atomically
from anew.data.formats.encoding import as_utf8
from anew.data.formats.found import Found
from anew.data.formats.packed import ZIP, first_bytes, unpack
from anew.data.formats.written import write_delimited
from anew.data.restore import restored

PART = "::"
SPLIT = ".npz#"  # arrays of several splits: file.npz#test

Reader = Callable[[Path, Path, str], Found]
WithParts = Callable[[Path, str | None, str], Found]

TYPED: dict[bytes, Reader] = {
    b"PAR1": columnar.read_parquet,
    b"ARROW1": columnar.read_arrow,
    b"\xff\xff\xff\xff": columnar.read_arrow_stream,
}
CONTAINERS: dict[bytes, WithParts] = {
    b"SQLite format 3\0": databases.read_sqlite,
    ZIP: workbooks.read,
    b"\xd0\xcf\x11\xe0": workbooks.read,  # the old .xls
}
DUCKDB = b"DUCK"  # after an eight-byte checksum


@contextmanager
def opened(data: str | Path) -> Iterator[Found]:
    """The table at a path, lazily; it may be read while the block lasts. `file.db::table` names a part."""
    path, part = locate(data)
    if path.is_dir() and passages.is_folder(path):
        with tempfile.TemporaryDirectory(prefix="anew-") as work:
            yield passages.read_folder(path, part, Path(work))
        return
    if path.is_dir():
        yield pictures.read_folder(path, part, lambda table: _read(table, None, path, str(table)))
        return
    with tempfile.TemporaryDirectory(prefix="anew-") as work:
        yield _unpacked(path, part, Path(work))


def file_names(data: str | Path) -> pl.Series | None:
    """The file of each row of a folder of pictures, below that folder; None for anything else."""
    path, _ = locate(data)
    if not path.is_dir() or passages.is_folder(path):
        return None
    with opened(data) as found:
        cells = found.frame.select(pl.first()).collect().to_series()
    names = [None if cell is None else os.path.relpath(cell["path"], path).replace(os.sep, "/") for cell in cells]
    return pl.Series(pictures.FILE, names, dtype=pl.String)


def _unpacked(path: Path, part: str | None, work: Path) -> Found:
    try:
        if pictures.is_npz(path):
            return pictures.read_npz(path, part, str(path))
        inner, part, notes = unpack(path, part, work)
        return _read(inner, part, work, str(path)).noting(notes)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise ResourceError(
            f"No room in {str(work.parent)!r} to unpack or recode {str(path)!r}",
            do="Free some disk space or set TMPDIR to a larger disk",
        ) from None


def locate(data: str | Path) -> tuple[Path, str | None]:
    """The file and, after `::`, the part of it."""
    path, part = Path(data), None
    for mark, kept in ((PART, 0), (SPLIT, len(SPLIT) - 1)):
        if mark in str(data) and not path.exists():
            name, part = str(data).rsplit(mark, 1)
            path = Path(name + mark[:kept])
    if not path.exists():
        folder = path.parent if path.parent.is_dir() else Path()
        near = [entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")]
        raise DataError(f"There is no file {str(path)!r}", do=did_you_mean(path.name, near))
    return path, part


def _read(path: Path, part: str | None, work: Path, shown: str) -> Found:
    head = first_bytes(path, 132)
    if not head:
        raise DataError(f"{shown!r} is empty", do="Give a file with a header line and at least one row")
    for magic, reader in CONTAINERS.items():
        if head.startswith(magic):
            return reader(path, part, shown)
    if head[8:12] == DUCKDB:
        return databases.read_duckdb(path, part, shown)
    if head.startswith(pictures.NPY):
        return pictures.read_npy(path, shown)
    if pictures.is_picture(head):
        return pictures.read_picture(path, shown)
    if part is not None:
        raise DataError(f"{shown!r} has no parts to choose from", found=part, do="Leave out what follows '::'")
    for magic, typed in TYPED.items():
        if head.startswith(magic):
            return typed(path, work, shown)
    return _read_text(path, work, shown)


def _read_text(path: Path, work: Path, shown: str) -> Found:
    """JSON begins with a bracket; everything else is delimited."""
    plain, notes = as_utf8(path, work)
    start = first_bytes(plain, 4096).decode("utf-8", errors="ignore").lstrip("\ufeff \t\r\n")
    if start.startswith("{") and _lines_of_json(start):
        return columnar.read_json_lines(plain, work, shown).noting(notes)
    if start.startswith(("[", "{")) and start[1:].lstrip()[:1] in ("{", '"', "]", "["):
        return columnar.read_json(plain, work, shown).noting(notes)
    if passages.is_text(Path(shown), plain):
        return passages.read(plain, shown).noting(notes)
    return delimited.read(plain, work, shown).noting(notes)


def _lines_of_json(start: str) -> bool:
    """Whether the first line is an object of its own."""
    line = start.split("\n", 1)[0].rstrip()
    return line.endswith("}") or len(line) > 4000


Writer = Callable[[pl.DataFrame, Path], None]

WRITERS: dict[str, Writer] = {
    ".parquet": lambda frame, path: frame.write_parquet(path),
    ".arrow": lambda frame, path: frame.write_ipc(path, compression="zstd"),
    ".feather": lambda frame, path: frame.write_ipc(path, compression="zstd"),
    ".ipc": lambda frame, path: frame.write_ipc(path, compression="zstd"),
    ".jsonl": lambda frame, path: columnar.for_json(frame).write_ndjson(path),
    ".ndjson": lambda frame, path: columnar.for_json(frame).write_ndjson(path),
    ".json": lambda frame, path: columnar.for_json(frame).write_json(path),
    ".xlsx": workbooks.write,
    ".db": databases.write_sqlite,
    ".sqlite": databases.write_sqlite,
    ".sqlite3": databases.write_sqlite,
    ".duckdb": databases.write_duckdb,
}
DELIMITED = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": "\t"}
SUFFIXES: tuple[str, ...] = (*DELIMITED, *WRITERS)
PACKED = (".gz", ".zst")


def write(frame: pl.DataFrame, path: str | Path, schema: Schema | None = None, escape_formulas: bool = False) -> None:
    """Write atomically, in the format of the suffix: dtypes as in the schema, and in text the forms that came.

    Cells of CSV that a spreadsheet would run as formulas are written unchanged with a warning that counts them;
    `escape_formulas` puts a ' before them.
    """
    target = Path(path)
    frame = frame if schema is None else restored(frame, schema)
    if _pictures_out.columns_of(frame):
        _write_pictures(frame, target, schema, escape_formulas)
        return
    suffixes = [part.lower() for part in target.suffixes]
    packed = suffixes.pop() if suffixes and suffixes[-1] in PACKED else ""
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in SUFFIXES or (packed and suffix not in DELIMITED):
        raise UsageError(
            f"Cannot write a table to {target.name!r}",
            found=suffix + packed,
            do=f"The endings are {', '.join(SUFFIXES)}, and .csv.gz or .csv.zst",
        )
    with atomically(target) as temporary:
        if suffix in passages.SUFFIXES and schema is not None and passages.alone(frame, schema):
            temporary.write_text(passages.joined(frame, schema), encoding="utf-8", newline="")
        elif suffix in DELIMITED:
            write_delimited(frame, temporary, schema, DELIMITED[suffix], packed, escape_formulas)
        else:
            WRITERS[suffix](frame, temporary)


BYTES = (".parquet", ".arrow", ".feather", ".ipc")  # tables that hold the content of files


SHOWN = {".png": _sheets.shown, ".gif": _sheets.moving}  # to look at, not to read again


def write_walk(frame: pl.DataFrame, out: Path) -> list[Path]:
    """Beside a folder of pictures on a way: `out.gif` and `out.png`, to look at; nothing where there are none."""
    if not _pictures_out.columns_of(frame) or out.suffix:
        return []
    places = [out.with_name(out.name + suffix) for suffix in (".gif", ".png")]
    for place in places:
        write(frame, place)
    return places


def _write_pictures(frame: pl.DataFrame, target: Path, schema: Schema | None, escape_formulas: bool) -> None:
    """Rows with pictures: a folder where the name has no ending, .npz, a table that holds bytes, or one to look at."""
    suffix = target.suffix.lower()
    if not suffix or target.is_dir():
        _pictures_out.write_folder(
            frame, target, lambda rest, path: write_delimited(rest, path, schema, ",", "", escape_formulas)
        )
        return
    if suffix not in (".npz", *SHOWN, *BYTES):
        raise UsageError(
            f"Rows with pictures cannot be written to {target.name!r}",
            found=suffix,
            do=f"Name a folder, or a file with the ending .npz, {', '.join(BYTES)}; .png or .gif for pictures alone",
        )
    with atomically(target) as temporary:
        if suffix in SHOWN:
            temporary.write_bytes(SHOWN[suffix](frame))
        elif suffix == ".npz":
            _pictures_out.write_npz(frame, temporary)
        else:
            WRITERS[suffix](as_png(frame), temporary)
