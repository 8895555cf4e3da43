"""Plain text: one file, cut into passages that joined are the file, or a folder of files, a text each.

A passage ends at the first blank line after SIZE characters; where none comes soon, at the end of a line, at white
space, or anywhere. A folder follows the convention of folders of pictures (`_folders`): sub-folders are labels.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import polars as pl

from anew.core.errors import DataError
from anew.core.schema import Schema
from anew.data.formats._folders import METADATA, labels, left_out, part_of, walk
from anew.data.formats.dialect import is_table
from anew.data.formats.encoding import as_utf8
from anew.data.formats.found import Found
from anew.data.formats.pictures import SUFFIXES as PICTURES
from anew.data.sample import free_memory

TEXT = "text"
SUFFIXES = frozenset({".txt", ".text", ".md"})
SIZE = 2000  # characters of a passage, about
FEWEST = 20  # passages that a short text is cut into
SHARE = 32  # of the free memory, the part that a text may take on the disk
ENDS = tuple(map(re.compile, (r"(\r?\n[ \t]*){2,}", r"\n", r"\s")))  # best first


def is_text(path: Path, plain: Path) -> bool:
    """Whether a file is a text by its ending, and no table by its lines."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in (".gz", ".zst", ".bz2", ".xz")]
    return bool(suffixes) and suffixes[-1].lower() in SUFFIXES and not is_table(plain)


def read(plain: Path, shown: str) -> Found:
    """The passages of a UTF-8 file, a row each."""
    text, notes = _content(plain)
    if not text.strip():
        raise DataError(f"{shown!r} holds nothing but white space", do="Give a text with words in it")
    size = min(SIZE, max(len(text) // FEWEST, 1))
    rows = cut(text, size)
    many = f"one text of {len(text):,} characters, cut into {len(rows):,} passages of about {size:,}"
    return Found(pl.LazyFrame({TEXT: rows}), notes=(*notes, many), texts=(TEXT,), continues=True)


def _content(plain: Path) -> tuple[str, list[str]]:
    """All of it, or as much as fits."""
    size, most = plain.stat().st_size, free_memory() // SHARE
    if size <= most:
        return plain.read_bytes().decode(), []
    with plain.open("rb") as file:
        return file.read(most).decode(errors="ignore"), [f"{size:,} bytes; learned from the first {most:,} that fit"]


def cut(text: str, size: int) -> list[str]:
    """Passages of at least `size` characters, but for the last; joined they are the text."""
    ends, start = [0], 0
    while start < len(text):
        start = _end(text, start + size, size)
        ends.append(start)
    if len(ends) > 2 and ends[-1] - ends[-2] < size / 2:
        del ends[-2]
    return [text[a:b] for a, b in pairwise(ends)]


def _end(text: str, after: int, size: int) -> int:
    """Where a passage ends that is long enough at `after`: behind the last of what separates."""
    for mark in ENDS:
        found = mark.search(text, max(after - 1, 0), after + 2 * size)
        if found:
            return found.end()
    return min(after + 2 * size, len(text))


def alone(frame: pl.DataFrame, schema: Schema) -> bool:
    """Whether rows are nothing but one text each."""
    return frame.columns == [field.name for field in schema if field.kind == "text"]


def joined(frame: pl.DataFrame, schema: Schema) -> str:
    """The texts as one: passages as they follow each other, others with a blank line between."""
    texts = frame.to_series().fill_null("")
    return "".join(texts) if schema[texts.name].continues else "\n\n".join(texts) + "\n"


# ---------------------------------------------------------------- a folder


def is_folder(folder: Path) -> bool:
    """Whether a folder holds texts and no picture."""
    if any((folder / name).is_file() for name in METADATA):
        return False
    endings = {path.suffix.lower() for path in walk(folder)}
    return bool(endings & SUFFIXES) and not endings & PICTURES


def read_folder(folder: Path, part: str | None, work: Path) -> Found:
    """A row a file, with its label where it lies in a sub-folder."""
    folder, notes = part_of(folder, part)
    found = sorted(path for path in walk(folder) if path.suffix.lower() in SUFFIXES)
    others = sorted(str(path.relative_to(folder)) for path in walk(folder) if path.suffix.lower() not in SUFFIXES)
    if others:
        notes.append(left_out(others, "no texts"))
    texts = {path: as_utf8(path, work)[0].read_bytes().decode() for path in found}
    empty = [str(path.relative_to(folder)) for path, text in texts.items() if not text.strip()]
    if empty:
        notes.append(left_out(empty, "nothing in them"))
    files = [path.relative_to(folder) for path, text in texts.items() if text.strip()]
    if not files:
        raise DataError(f"{str(folder)!r} holds no text with words in it", found=empty[:6])
    columns = {TEXT: pl.Series([texts[folder / file] for file in files]), **labels(folder, files, "a text", notes)}
    return Found(pl.LazyFrame(columns), notes=tuple(notes), texts=(TEXT,))
