"""New rows as a model reads them: what it never saw is told, and whole numbers may be fractions now."""

from __future__ import annotations

import warnings

import polars as pl

from anew.core.columns import OUTSIDE
from anew.core.errors import AnewWarning
from anew.core.schema import Schema
from anew.joint import Joint


def note_unseen(joint: Joint, schema: Schema, frame: pl.DataFrame) -> None:
    """Warns of values of a category that training did not see."""
    for field in schema:
        if field.name in frame.columns and field.name in joint.codec.levels:
            codes, _ = joint.codec.encode_column(field, frame[field.name])
            unseen = frame[field.name].filter(pl.Series(codes == OUTSIDE)).unique().sort()
            if len(unseen):
                warnings.warn(
                    AnewWarning(
                        f"{field.name!r} has {len(unseen)} value(s) never seen in training, "
                        f"such as {unseen[0]!r}; they are read as unknown"
                    ),
                    stacklevel=5,
                )


def loose(schema: Schema) -> Schema:
    """The schema to read new rows by: a column that was whole numbers in training may hold others now."""
    whole = [f.model_copy(update={"kind": "number", "dtype": "Float64"}) for f in schema if f.kind == "integer"]
    return schema.replace(*whole)
