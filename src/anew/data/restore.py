"""The way back from canonical columns to the dtypes, decimals and written forms in which the data came."""

from __future__ import annotations

import polars as pl

from anew.core import pixels
from anew.core.schema import Field, Schema
from anew.data import words
from anew.data.dtypes import dtype_of

LAST_MICROSECOND = 24 * 3600 * 1_000_000 - 1


def restored(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Every column of the schema in its own dtype; others (predictions, probabilities) as they are."""
    return pl.DataFrame([column(cells, schema[cells.name]) if cells.name in schema else cells for cells in frame])


def column(cells: pl.Series, field: Field) -> pl.Series:
    """One column in the dtype of its field; does nothing to a column that has it already."""
    if field.kind == "image":
        return _arrays(cells, field)
    wanted = dtype_of(field.dtype)
    cells = _rounded(cells, field)
    if cells.dtype == wanted:
        return cells
    if wanted == pl.String:
        return _to_words(cells, field)
    if wanted == pl.Time and isinstance(cells.dtype, pl.Duration):
        micro = cells.cast(pl.Duration("us")).to_physical().clip(0, LAST_MICROSECOND)
        return (micro * 1000).cast(pl.Time)
    if wanted == pl.Boolean and cells.dtype == pl.String:
        return words.as_dtype(cells, wanted, field.format)
    if wanted.is_integer() and cells.dtype == pl.String:
        return cells.cast(pl.Int128).cast(wanted)
    if isinstance(wanted, pl.Datetime) and isinstance(cells.dtype, pl.Datetime):
        return _in_zone(cells, wanted)
    if cells.dtype == pl.String and wanted.is_temporal():
        return words.as_dtype(cells, wanted, field.format)
    return cells.cast(wanted)


def _arrays(cells: pl.Series, field: Field) -> pl.Series:
    """Raw bytes as arrays (H, W), or (H, W, C) of colours."""
    if cells.dtype != pl.Binary:
        return cells
    height, width, channels = pixels.shape_of(field)
    shape = (height, width) if channels == 1 else (height, width, channels)
    inner = pl.UInt16 if field.mode == "I;16" else pl.UInt8
    there = cells.is_not_null()
    stack = pixels.stack(cells.filter(there), field).reshape(-1, *shape)
    made = pl.Series(cells.name, stack) if len(stack) else pl.Series(cells.name, [], dtype=pl.Array(inner, shape))
    if there.all():
        return made
    places = pl.Series(there).cast(pl.UInt32).cum_sum() - 1
    return made.gather(places.set(~there, None)) if len(stack) else made.extend_constant(None, len(cells))


def _rounded(cells: pl.Series, field: Field) -> pl.Series:
    """No more decimals than the data has."""
    if not cells.dtype.is_float() or field.kind not in ("number", "integer"):
        return cells
    decimals = 0 if field.kind == "integer" else field.decimals
    return cells if decimals is None else cells.round(decimals)


def _to_words(cells: pl.Series, field: Field) -> pl.Series:
    written = words.write(cells, field)
    if written.dtype == pl.Boolean:
        return written.replace_strict({True: "true", False: "false"}, return_dtype=pl.String)
    if isinstance(written.dtype, pl.Duration):
        return written.dt.to_string("iso")
    return written.cast(pl.String)


def _in_zone(cells: pl.Series, wanted: pl.Datetime) -> pl.Series:
    has, zone = getattr(cells.dtype, "time_zone", None), wanted.time_zone
    if has and zone:
        cells = cells.dt.convert_time_zone(zone)
    elif has != zone:
        cells = cells.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return cells.cast(wanted)
