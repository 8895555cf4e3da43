"""Excel and OpenDocument workbooks: one sheet is the table."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl

from anew.core.errors import DataError
from anew.data.formats.found import Found, check_names, choose_part

MOST_ROWS = 1_048_576  # of a sheet, the header included
MOST_COLUMNS = 16_384
MOST_EXACT = 10**15


def read(path: Path, part: str | None, shown: str) -> Found:
    """The only sheet with data, or the one that is named."""
    import fastexcel

    logging.getLogger("fastexcel").addHandler(logging.NullHandler())  # it warns of empty columns
    try:
        book = fastexcel.read_excel(path)
        names = list(book.sheet_names)
        full = names if part is not None else [name for name in names if _width(book, name)]
        sheet = choose_part(shown, full, part, "sheet")
        header = book.load_sheet(sheet, header_row=None, n_rows=1, dtypes="string").to_polars()
        columns, notes = check_names([cell or "" for cell in header.row(0)] if len(header) else [], shown)
        frame = book.load_sheet(
            sheet, schema_sample_rows=None, column_names=columns, header_row=None, skip_rows=1
        ).to_polars()
    except fastexcel.FastExcelError as error:
        raise DataError(
            f"{shown!r} is a damaged workbook: {str(error).splitlines()[0]}",
            do="Save it again, or export the sheet as CSV",
        ) from None
    others = f", {len(names) - 1} other sheets are left out" if len(names) > 1 else ""
    return Found(frame.lazy(), notes=(f"sheet {sheet!r}{others}", *notes))


def _width(book: object, name: str) -> int:
    sheet = book.load_sheet(name, header_row=None, n_rows=1, dtypes="string")  # type: ignore[attr-defined]
    return int(sheet.width)


def write(frame: pl.DataFrame, path: Path) -> None:
    if len(frame) + 1 > MOST_ROWS or frame.width > MOST_COLUMNS:
        raise DataError(
            f"An Excel sheet holds {MOST_ROWS - 1:,} rows and {MOST_COLUMNS:,} columns, the data has {len(frame):,} "
            f"and {frame.width:,}",
            do="Write to .csv or .parquet",
        )
    frame.with_columns(_plain(column) for column in frame).write_excel(path)


def _plain(column: pl.Series) -> pl.Series:
    """Excel has no time zones, no durations, and numbers of 15 digits: what would be lost is written as words."""
    if isinstance(column.dtype, pl.Duration):
        return column.dt.to_string("iso")
    if column.dtype == pl.Time:
        return column.cast(pl.String)
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        return column.dt.strftime("%Y-%m-%d %H:%M:%S%.f%:z")
    if column.dtype.is_integer() and (column.cast(pl.Int128).abs().max() or 0) > MOST_EXACT:  # type: ignore[operator]
        return column.cast(pl.String)
    return column
