"""The label that a reader learns to read off a picture: the target, else the first column of few levels.

A number is read by its quarter: the reader says in which quarter of the training values it lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.audit.encode import COMPARED, Column, fit_column
from anew.audit.groups import GROUPS, class_name, classes_of
from anew.core.columns import Floats
from anew.core.schema import Schema

Ints = npt.NDArray[np.intp]
CLASSES = 50  # commoner labels that are learned
FEWEST = 8  # training rows of a label that can be learned
PARTS = 4  # of a number


@dataclass(frozen=True)
class Labels:
    """A column as classes 0..K-1 with their `names`; `values` are encoded levels, or the edges of a number's parts."""

    column: Column
    names: tuple[str, ...]
    values: Floats
    parts: bool

    @property
    def name(self) -> str:
        return self.column.name

    def of(self, frame: pl.DataFrame) -> Ints:
        """The class of each row, -1 where it is blank or not one of these.  (n,)"""
        found = self.column.encode(frame[self.name])
        if self.parts:
            return np.where(np.isnan(found), -1, np.searchsorted(self.values, found, "left")).astype(np.intp)
        place = np.clip(np.searchsorted(self.values, found), 0, len(self.values) - 1)
        return np.where(self.values[place] == found, place, -1).astype(np.intp)


def labels_of(train: pl.DataFrame, schema: Schema, target: str | None) -> Labels | None:
    """What can be learned from the training rows; None where nothing says what a picture shows."""
    fields = [field for field in schema if field.kind in COMPARED and field.name in train.columns]
    for field in sorted(fields, key=lambda field: field.name != target):
        labels = _labels(fit_column(field, train[field.name]), train, field.name == target)
        if labels is not None:
            return labels
    return None


def _labels(column: Column, train: pl.DataFrame, wanted: bool) -> Labels | None:
    codes = column.encode(train[column.name])
    values, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    few = classes_of(column, CLASSES if wanted else GROUPS)
    if len(few) or not column.ordered:
        kept = np.sort(values[np.argsort(-counts, kind="stable")[:CLASSES]])
        kept = kept[np.isin(kept, values[counts >= FEWEST])]
        names = tuple(class_name(column, value) for value in kept)
        usable = len(kept) > 1 and (wanted or len(values) <= CLASSES)
        return Labels(column, names, kept, False) if usable else None
    if not wanted or len(values) < PARTS:
        return None
    edges = np.unique(np.quantile(column.values, np.arange(1, PARTS) / PARTS))
    return Labels(column, tuple(f"part {i + 1}" for i in range(len(edges) + 1)), edges, True)
