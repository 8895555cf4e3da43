"""A schema that a person edited, applied to data: what the edit leaves open is looked up again."""

from __future__ import annotations

import polars as pl

from anew.core.schema import Field, Schema
from anew.data import words
from anew.data.canonical import column
from anew.data.dtypes import dtype_name
from anew.data.identifiers import pattern_of
from anew.data.infer import decimals_of

UNKNOWN = ""  # a dtype that a hand-written schema may leave empty


def applied(schema: Schema, raw: pl.DataFrame, text: bool) -> Schema:
    """The schema for these data: kinds as asked; missing, decimals and formats as found."""
    return Schema(fields=tuple(_applied(field, raw[field.name], text) for field in schema), rules=schema.rules)


def _applied(field: Field, cells: pl.Series, text: bool) -> Field:
    field = field.model_copy(update=_written(field, cells, text))
    made = column(cells, field, text)
    found: dict[str, object] = {"missing": bool(made.null_count())}
    if field.kind == "number" and field.decimals is None:
        found["decimals"] = decimals_of(made.drop_nulls().to_numpy())
    if field.kind == "identifier" and field.pattern is None and made.null_count() < len(made):
        found["pattern"] = pattern_of(made.drop_nulls())
    if field.kind == "datetime":
        found["time_zone"] = getattr(made.dtype, "time_zone", None)
    return field.model_copy(update=found)


def _written(field: Field, cells: pl.Series, text: bool) -> dict[str, object]:
    """The format of dates and durations that a person declared without one; a frame's own dtype always holds."""
    if cells.dtype != pl.String:
        return {"dtype": dtype_name(cells.dtype)}
    if field.kind in ("datetime", "duration") and field.format is None:
        reading = words.detect(words.tidy(cells, field.missing_words), only_dates=True)
        return {"format": reading.form, "time_zone": getattr(reading.dtype, "time_zone", None)}
    return {}
