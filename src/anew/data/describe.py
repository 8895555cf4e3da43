"""What `anew look` tells: a row a column, with the decision, its reason and what the values are like.

Ranges leave out the outer twentieths and levels need ten rows, so that a table that is shown around tells of no one.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from anew.core.schema import NOMINAL, ORDERED, Field
from anew.data.dataset import Dataset

ENOUGH = 10  # rows that a level needs to be shown
SHOWN = 3
EDGES = (0.05, 0.95)


@dataclass(frozen=True)
class Row:
    """One column: `missing` is a share, `like` is what the values are like (never an identifier's)."""

    column: str
    kind: str
    missing: float
    distinct: int
    like: str
    why: str


def describe(dataset: Dataset) -> list[Row]:
    """A row a column, in the order of the data."""
    return [_row(dataset.frame[field.name], field) for field in dataset.schema]


def _row(cells: pl.Series, field: Field) -> Row:
    present = cells.drop_nulls()
    missing = 1.0 - len(present) / max(len(cells), 1)
    distinct = present.hash().n_unique() if field.kind == "image" else present.n_unique()
    return Row(field.name, field.kind, missing, distinct, _like(present, field), field.why)


def _like(present: pl.Series, field: Field) -> str:
    if not len(present):
        return ""
    if field.kind in ORDERED:
        return _range(present)
    if field.kind in NOMINAL:
        return _levels(present)
    if field.kind == "identifier":
        return f"made anew like {field.pattern}" if field.pattern else "made anew"
    if field.kind == "image":
        return f"{len(present):,} pictures, {field.mode}"
    return "captions, given and never made" if field.kind == "text" else ""


def _range(present: pl.Series) -> str:
    """From the 5 % to the 95 % quantile, for columns that are long enough."""
    if len(present) < 2 * ENOUGH:
        return ""
    low, high = (present.sort()[int(edge * (len(present) - 1))] for edge in EDGES)
    return f"{_short(low)} to {_short(high)} (5 % to 95 %)"


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value).removesuffix(" 00:00:00")


def _levels(present: pl.Series) -> str:
    counts = present.value_counts(sort=True).filter(pl.col("count") >= ENOUGH)
    return ", ".join(f"{level} {many / len(present):.0%}" for level, many in counts.head(SHOWN).iter_rows())
