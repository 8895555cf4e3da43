"""CSV, TSV and their relatives: every cell is read as the word that stands in the file, so that 007 stays 007.

The lines are screened before they are parsed: a line with too many or too few cells, or a quote that never closes,
would make a fast parser shift or swallow rows. The screen counts delimiters outside quotes, line by line, in parallel;
only when it objects does the slow strict parser look for the row to name.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from anew.core.errors import DataError
from anew.data.formats.dialect import Dialect, sniff, trimmed
from anew.data.formats.found import Found, check_names

LINE = "line"
QUOTED = "\x02"  # stands for a quoted cell


def read(plain: Path, work: Path, shown: str) -> Found:
    """The table in a UTF-8 file; `shown` is the name that the user gave."""
    dialect = sniff(plain)
    if dialect is None or not dialect.width:
        raise DataError(f"{shown!r} is empty", do="Give a file with a header line and at least one row")
    names, nameless = _names(dialect, shown)
    blank, slow = _screen(plain, dialect)
    said = dialect.notes
    if slow:
        plain, dialect = _rewrite(plain, dialect, work, shown), _plain(dialect)
    frame = _scan(plain, dialect, names)
    if blank and not slow and len(names) > 1:
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
        said = [*said, f"{blank:,} blank line{'s' * (blank > 1)} skipped"]
    return Found(frame, text=True, notes=(*said, *nameless), size=plain.stat().st_size)


def _names(dialect: Dialect, shown: str) -> tuple[list[str], list[str]]:
    if dialect.header is None:
        return [f"column_{i + 1}" for i in range(dialect.width)], []
    return check_names(dialect.header, shown)


def _scan(path: Path, dialect: Dialect, names: list[str]) -> pl.LazyFrame:
    if not _has_line(path, dialect.skip):
        return pl.LazyFrame(schema=dict.fromkeys(names, pl.String))
    return pl.scan_csv(
        path,
        has_header=False,
        schema=dict.fromkeys(names, pl.String),
        separator=dialect.delimiter,
        quote_char=dialect.quote,
        skip_lines=dialect.skip,
        encoding="utf8",
        glob=False,
        truncate_ragged_lines=True,
        missing_columns="insert",
    )


def _has_line(path: Path, after: int) -> bool:
    """Whether anything follows the first `after` lines."""
    with path.open("rb") as file:
        for _ in range(after):
            file.readline()
        return bool(file.read(1))


def _screen(path: Path, dialect: Dialect) -> tuple[int, bool]:
    """How many blank lines there are, and whether the slow strict parser has to look at the file."""
    mark, quote = re.escape(dialect.delimiter), dialect.quote
    line = pl.col(LINE).fill_null("")
    bare = line.str.replace_all(f"(^|{mark}){quote}(?:[^{quote}]|{quote}{quote})*{quote}", "${1}" + QUOTED)
    bare = pl.when(line.str.contains(quote, literal=True)).then(bare).otherwise(line)
    seen = (
        _lines(path, dialect.skip)
        .select(blank=line.str.strip_chars(" \r") == "", bare=bare)
        .select(
            blank=pl.col("blank").sum(),
            void=(~pl.col("blank") & (pl.col("bare").str.strip_chars(dialect.delimiter + " \r") == "")).sum(),
            stray=pl.col("bare").str.contains(f"{quote}|{QUOTED}[^{mark}\r]").sum(),
            ragged=(
                ~pl.col("blank")
                & (pl.col("bare").str.count_matches(dialect.delimiter, literal=True) != dialect.width - 1)
            ).sum(),
        )
        .collect(engine="streaming")
    )
    blank, void, stray, ragged = seen.row(0)
    return int(blank), bool(stray or ragged or dialect.spaced or (blank and void))


def _lines(path: Path, skip: int) -> pl.LazyFrame:
    """The lines of the file as they are: no cell holds the control character that plays the delimiter."""
    return pl.scan_csv(
        path,
        has_header=False,
        schema={LINE: pl.String},
        separator="\x01",
        quote_char=None,
        skip_lines=skip,
        glob=False,
        truncate_ragged_lines=True,
    )


def _plain(dialect: Dialect) -> Dialect:
    """The dialect of what `_rewrite` writes."""
    return replace(dialect, delimiter=",", quote='"', skip=0, spaced=False)


def _rewrite(path: Path, dialect: Dialect, work: Path, shown: str) -> Path:
    """A copy that every parser reads alike; raises at the first row that is broken."""
    target = work / "strict.csv"
    with target.open("w", encoding="utf-8", newline="") as sink:
        csv.writer(sink, lineterminator="\n").writerows(_strictly(path, dialect, shown))
    return target


def _strictly(path: Path, dialect: Dialect, shown: str) -> Iterator[list[str]]:
    """The rows of the file, each with as many cells as the header."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        for _ in range(dialect.skip):
            next(file)
        rows = csv.reader(
            file, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True, skipinitialspace=dialect.spaced
        )
        number, line = 1, dialect.skip + 1
        try:
            for row in rows:
                if row := trimmed(row, dialect.delimiter) or [""] * (dialect.width == 1):
                    _check_width(row, dialect, number, line, shown)
                    yield row
                    number += 1
                line = dialect.skip + rows.line_num + 1
        except csv.Error as error:
            raise DataError(
                f"There is a broken quote in row {number:,} of {shown!r} (line {line:,} of the file): {error}",
                do=f"Close the quote, or double it ({dialect.quote * 2}) where it belongs to the text",
            ) from None


def _check_width(row: list[str], dialect: Dialect, number: int, line: int, shown: str) -> None:
    if len(row) != dialect.width:
        raise DataError(
            f"Row {number:,} of {shown!r} (line {line:,} of the file) has {len(row)} cells "
            f"where the header has {dialect.width}",
            do="Repair that row: quote cells that hold the delimiter, and give every row all its cells",
        )
