"""Formats that carry their own types: Parquet, Arrow (Feather), JSON lines and a JSON array."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
from polars import selectors
from polars.exceptions import PanicException, PolarsError

from anew.core.errors import DataError
from anew.data.formats.found import Found, check_names


def _reader(name: str, scan: Callable[[Path], pl.LazyFrame]) -> Callable[[Path, Path, str], Found]:
    def read(path: Path, work: Path, shown: str) -> Found:
        try:
            frame = scan(path)
            names = frame.collect_schema().names()
            check_names(names, shown)
            return _without_index(frame, names)
        except (PolarsError, PanicException) as error:
            raise DataError(
                f"{shown!r} is a damaged {name} file: {_first_line(error)}", do="Fetch or write it again"
            ) from None

    return read


def _without_index(frame: pl.LazyFrame, names: list[str]) -> Found:
    """Without the row labels that pandas adds to its Parquet files."""
    labels = [name for name in names if re.fullmatch(r"__index_level_\d+__", name)]
    notes = [f"row labels of pandas left out: {', '.join(labels)}"] if labels and len(labels) < len(names) else []
    return Found(frame.drop(labels) if notes else frame, notes=tuple(notes))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _scan_stream(path: Path) -> pl.LazyFrame:
    return pl.read_ipc_stream(path).lazy()


read_parquet = _reader("Parquet", lambda path: pl.scan_parquet(path, glob=False))
read_arrow = _reader("Arrow", lambda path: pl.scan_ipc(path, glob=False))
read_arrow_stream = _reader("Arrow stream", _scan_stream)


def read_json(path: Path, work: Path, shown: str) -> Found:
    """An array of records, or an object with one array a column; small enough to be read whole."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown!r} is damaged JSON: {error}", do="Write it again as JSON lines or CSV") from None
    return Found(_records(_as_records(data, shown), shown).lazy())


def _as_records(data: object, shown: str) -> list[dict[str, object]]:
    if isinstance(data, dict) and data and all(isinstance(value, list) for value in data.values()):
        many = {len(value) for value in data.values()}
        if len(many) == 1:
            return [dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True)]
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise DataError(f"{shown!r} is JSON but no table", do="A table is an array of objects: [{...}, {...}]")
    return data


def read_json_lines(path: Path, work: Path, shown: str) -> Found:
    """One object a line; types are decided over all lines."""
    try:
        frame = pl.scan_ndjson(path, infer_schema_length=None)
        dtypes = frame.collect_schema().dtypes()
    except PolarsError:
        return Found(_records(_lines(path, shown), shown).lazy())
    if all(isinstance(dtype, pl.List) for dtype in dtypes):  # one object with an array a column, on one line
        return read_json(path, work, shown)
    return Found(frame)


def _lines(path: Path, shown: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                rows.append(_line(line, number, shown))
    return rows


def _line(line: str, number: int, shown: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"Line {number:,} of {shown!r} is no JSON: {error}", do="Repair or remove that line") from None
    if not isinstance(row, dict):
        raise DataError(f"Line {number:,} of {shown!r} is no JSON object", found=row, do="Write one object a line")
    return row


def for_json(frame: pl.DataFrame) -> pl.DataFrame:
    """With decimals as numbers, which JSON would have as words."""
    return frame.with_columns(selectors.decimal().cast(pl.Float64))


def _records(rows: list[dict[str, object]], shown: str) -> pl.DataFrame:
    """A frame of records; a column that mixes numbers and words becomes words."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    check_names(names, shown)
    return pl.DataFrame({name: values([row.get(name) for row in rows]) for name in names})


def values(cells: list[object]) -> pl.Series:
    """A series of Python values: of their type when they share one, of words otherwise."""
    try:
        return pl.Series(cells, strict=True)
    except (TypeError, PolarsError, OverflowError):
        pass
    if {type(cell) for cell in cells} <= {int, float, type(None)}:
        return pl.Series(cells, dtype=pl.Float64, strict=False)
    return pl.Series([_word(cell) for cell in cells], dtype=pl.String)


def _word(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return json.dumps(cell, ensure_ascii=False, default=str)
