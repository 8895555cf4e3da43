"""Columns as the schema wants them: one dtype a kind, and a sentence with the row for the first misfit."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from anew.core.errors import DataError
from anew.core.schema import Field, Kind, Schema
from anew.data import words
from anew.data.dtypes import dtype_of

LARGEST = 2.0**53
_SAID = {
    "integer": "a column of whole numbers",
    "number": "a column of numbers",
    "boolean": "true or false",
    "datetime": "a column of dates",
    "duration": "a column of durations",
}


def canonical(frame: pl.DataFrame, schema: Schema, text: bool = False, rows: pl.Series | None = None) -> pl.DataFrame:
    """The columns of the schema in their canonical dtypes. `rows` are the row numbers (from 0) in the source."""
    return pl.DataFrame([column(frame[field.name], field, text, rows) for field in schema])


def column(cells: pl.Series, field: Field, text: bool = False, rows: pl.Series | None = None) -> pl.Series:
    """One column in the canonical dtype of its kind."""
    source = _undeclared(cells, field, text)
    typed = source
    if source.dtype == pl.String and field.dtype != "String":
        typed = words.as_dtype(source, dtype_of(field.dtype), field.format)
        if field.kind not in ("category", "text"):
            _check(source, typed, field, rows)
    _check_finite(source, typed, field, rows)
    made = _KINDS[field.kind](typed, field)
    _check(source, made, field, rows)
    return made.alias(field.name)


def _undeclared(cells: pl.Series, field: Field, text: bool) -> pl.Series:
    """The cells with NaN, and what the schema declares as missing, made null."""
    if cells.dtype.is_float():
        cells = cells.fill_nan(None)
    if cells.dtype == pl.String and (text or field.missing_words):
        return words.tidy(cells, field.missing_words) if text else cells.set(_any_of(cells, field.missing_words), None)
    if field.missing_words:
        return cells.set(_any_of(_text(cells), field.missing_words), None)
    return cells


def _any_of(cells: pl.Series, declared: tuple[str, ...]) -> pl.Series:
    return cells.is_in(pl.Series(declared).implode()).fill_null(False)


def _check(source: pl.Series, made: pl.Series, field: Field, rows: pl.Series | None) -> None:
    """Every cell that is there must have become a value."""
    lost = source.is_not_null() & made.is_null()
    if lost.any():
        first = int(lost.arg_true()[0])
        raise DataError(
            f"Column {field.name!r} is {_article(field)}, but {int(lost.sum()):,} of {len(source):,} cells cannot be "
            f"read as that, the first in row {_row(first, rows):,}",
            found=source[first],
            do="Repair the cell, declare it in missing_words, or change the kind in the schema file",
        )


def _check_finite(source: pl.Series, typed: pl.Series, field: Field, rows: pl.Series | None) -> None:
    if not typed.dtype.is_float():
        return
    wrong = typed.is_infinite().fill_null(False)
    if wrong.any():
        first = int(wrong.arg_true()[0])
        cell = source[first]
        what = "an infinity" if "inf" in str(cell).lower() else "a number beyond the range of floats (1.8e308)"
        raise DataError(
            f"Column {field.name!r} holds {what} in row {_row(first, rows):,}"
            + (f" and {int(wrong.sum()) - 1:,} more" if wrong.sum() > 1 else ""),
            found=cell,
            do="Replace it by a number, leave the cell empty, or declare it in missing_words of the schema file",
        )


def _row(first: int, rows: pl.Series | None) -> int:
    return 1 + (first if rows is None else int(rows[first]))


def _article(field: Field) -> str:
    kind = _SAID.get(field.kind, f"of kind {field.kind}")
    return kind + (f" written as {field.format}" if field.format else "")


def _numbers(cells: pl.Series, field: Field) -> pl.Series:
    if cells.dtype == pl.String:
        return words.as_dtype(cells, pl.Float64(), field.format)
    if cells.dtype.is_temporal():
        return _nothing(cells, pl.Float64())
    return cells.cast(pl.Float64, strict=False)


def _integers(cells: pl.Series, field: Field) -> pl.Series:
    """Int64 where it is enough, else UInt64, else Int128."""
    if cells.dtype == pl.String:
        whole = words.as_dtype(cells, pl.Int128(), field.format)
        return _narrowed(whole)
    if cells.dtype.is_temporal():
        return _nothing(cells, pl.Int64())
    if cells.dtype.is_float() or cells.dtype.is_decimal():
        whole = (cells == cells.round(0)).fill_null(False)
        cells = cells.set(~whole, None)
    return _narrowed(cells.cast(pl.Int128, strict=False))


def _narrowed(cells: pl.Series) -> pl.Series:
    for dtype in (pl.Int64, pl.UInt64):
        narrow = cells.cast(dtype, strict=False)
        if narrow.null_count() == cells.null_count():
            return narrow
    return cells


def _text(cells: pl.Series) -> pl.Series:
    """Words; a whole float is written as an integer, so that codes read by pandas beside NaN stay the codes."""
    if cells.dtype.is_float():
        present = cells.drop_nulls().drop_nans()
        if (present == present.round(0)).all() and (present.abs() < LARGEST).all():
            return cells.fill_nan(None).cast(pl.Int64).cast(pl.String)
    return cells.cast(pl.String)


def _booleans(cells: pl.Series, field: Field) -> pl.Series:
    if cells.dtype == pl.String:
        return words.as_dtype(cells, pl.Boolean(), field.format)
    if cells.dtype.is_numeric():
        known = cells.is_in(pl.Series([0, 1], dtype=cells.dtype).implode())
        return cells.set(~known.fill_null(False), None).cast(pl.Boolean)
    return cells if cells.dtype == pl.Boolean else _nothing(cells, pl.Boolean())


def _datetimes(cells: pl.Series, field: Field) -> pl.Series:
    if cells.dtype == pl.String:
        wanted = pl.Datetime("us", field.time_zone) if field.time_zone else _written(field)
        cells = words.as_dtype(cells, wanted, field.format)
    if not isinstance(cells.dtype, pl.Datetime | pl.Date):
        return _nothing(cells, pl.Datetime("us"))
    made = cells.cast(pl.Datetime("us", getattr(cells.dtype, "time_zone", None)))
    return _zoned(made, field.time_zone)


def _written(field: Field) -> pl.DataType:
    clock = field.format is None or "%H" in field.format or "%I" in field.format
    return pl.Datetime("us") if clock else pl.Date()


def _zoned(cells: pl.Series, zone: str | None) -> pl.Series:
    """In the time zone of the schema; a zone is neither invented nor forgotten for data that has another."""
    has = getattr(cells.dtype, "time_zone", None)
    if has == zone:
        return cells
    if has is None:
        return cells.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return cells.dt.convert_time_zone(zone or "UTC") if zone else cells.dt.replace_time_zone(None)


def _durations(cells: pl.Series, field: Field) -> pl.Series:
    if cells.dtype == pl.String:
        clock = field.format is not None and "%" in field.format
        cells = words.as_dtype(cells, pl.Time() if clock else pl.Duration("us"), field.format)
    if not isinstance(cells.dtype, pl.Duration | pl.Time):
        return _nothing(cells, pl.Duration("us"))
    return cells.cast(pl.Duration("us"))


def _as_came(cells: pl.Series, field: Field) -> pl.Series:
    return cells.cast(pl.String) if cells.dtype in (pl.Categorical, pl.Enum) else cells


def _nothing(cells: pl.Series, dtype: pl.DataType) -> pl.Series:
    return pl.Series(cells.name, [None] * len(cells), dtype=dtype)


_KINDS: dict[Kind, Callable[[pl.Series, Field], pl.Series]] = {
    "integer": _integers,
    "number": _numbers,
    "category": lambda cells, field: _text(cells),
    "boolean": _booleans,
    "datetime": _datetimes,
    "duration": _durations,
    "identifier": _as_came,
    "constant": _as_came,
    "empty": _as_came,
    "text": lambda cells, field: _text(cells),
    "image": lambda cells, field: cells.cast(pl.Binary),
}
