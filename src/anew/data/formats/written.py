"""Delimited text out: each column in the form in which it came, and an eye on cells that a spreadsheet would run."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import polars as pl

from anew.core.errors import AnewWarning
from anew.core.schema import Schema
from anew.data import durations, words

FORMULA = r"^[=+\-@\t\r]"
NUMBER = r"^[+-]?[\d.,]+%?([eE][+-]?\d+)?$"
COMPRESSION: dict[str, Literal["uncompressed", "gzip", "zstd"]] = {"": "uncompressed", ".gz": "gzip", ".zst": "zstd"}


def write_delimited(
    frame: pl.DataFrame, path: Path, schema: Schema | None, delimiter: str, packed: str, escape_formulas: bool
) -> None:
    """Write UTF-8 with a header; missing cells are empty."""
    texts = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.String | pl.Categorical | pl.Enum)]
    written = _guard(frame.select(_as_text(column, schema) for column in frame), texts, escape_formulas)
    written.write_csv(path, separator=delimiter, compression=COMPRESSION[packed], check_extension=False)


def _as_text(column: pl.Series, schema: Schema | None) -> pl.Series:
    if schema is not None and column.name in schema:
        column = words.write(column, schema[column.name])
    if isinstance(column.dtype, pl.Duration):
        return durations.write(column, None)
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.strftime(_stamp(column))
    return column


def _stamp(column: pl.Series) -> str:
    """ISO 8601, with a fraction only when there is one and an offset only with a zone."""
    fraction = "%.f" if (column.dt.microsecond() != 0).any() else ""
    zone = "%:z" if getattr(column.dtype, "time_zone", None) else ""
    return f"%Y-%m-%d %H:%M:%S{fraction}{zone}"


def _guard(frame: pl.DataFrame, texts: list[str], escape: bool) -> pl.DataFrame:
    risky = {name: _formulas(frame[name]) for name in texts}
    many = sum(int(found.sum()) for found in risky.values())
    if not many:
        return frame
    if escape:
        return frame.with_columns(
            pl.when(found).then("'" + pl.col(name).cast(pl.String)).otherwise(pl.col(name).cast(pl.String)).alias(name)
            for name, found in risky.items()
            if found.any()
        )
    warnings.warn(
        f"{many:,} cell{'s start' if many > 1 else ' starts'} with =, +, - or @, which a spreadsheet would run; "
        "written unchanged (escape_formulas=True or --escape-formulas puts a ' before them)",
        AnewWarning,
        stacklevel=4,
    )
    return frame


def _formulas(cells: pl.Series) -> pl.Series:
    text = cells.cast(pl.String)
    return (text.str.contains(FORMULA) & ~text.str.contains(NUMBER)).fill_null(False)
