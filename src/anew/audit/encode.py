"""Rows as numbers: one float a cell for trees and counts, and a vector a row for distances.

n rows, d columns, D dimensions of the embedding. Nothing here is one-hot for a category of many levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.core.columns import Floats
from anew.core.schema import NOMINAL, ORDERED, Field, Schema

Singles = npt.NDArray[np.float32]
COMPARED = ORDERED | NOMINAL
FEW_LEVELS = 24  # up to this many levels get a dimension each; more share `SPREAD` random ones
SPREAD = 32


@dataclass(frozen=True)
class Column:
    """A compared column: its levels by falling training frequency, or its sorted training values."""

    field: Field
    levels: tuple[str, ...]
    values: Floats  # (present,) sorted training values of an ordered column, else empty

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def ordered(self) -> bool:
        return self.field.ordered

    def encode(self, series: pl.Series) -> Floats:
        """Numbers as they are, times in seconds, levels as codes by frequency; NaN missing, K for a new level.  (n,)"""
        if self.ordered:
            return numbers(series)
        words = words_of(series)
        codes = (
            words.replace_strict(
                list(self.levels),
                list(range(len(self.levels))),
                default=float(len(self.levels)),
                return_dtype=pl.Float64,
            )
            if self.levels
            else pl.Series([None] * len(series))
        )
        return np.array(
            pl.select(pl.when(words.is_null()).then(None).otherwise(codes)).to_series().cast(pl.Float64).to_numpy(),
            dtype=np.float64,
        )


def numbers(series: pl.Series) -> Floats:
    """An ordered column as float64: seconds for times; NaN where missing or infinite.  (n,)"""
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("us"))
    if series.dtype == pl.Datetime:
        series = series.dt.epoch("us") / 1e6
    elif series.dtype == pl.Duration:
        series = series.dt.total_microseconds() / 1e6
    values = np.array(series.cast(pl.Float64, strict=False).to_numpy(), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def words_of(series: pl.Series) -> pl.Series:
    """A nominal column as strings."""
    return series.cast(pl.String)


def fit_column(field: Field, series: pl.Series) -> Column:
    """What a column needs to be encoded, from its training values."""
    if field.ordered:
        values = numbers(series)
        return Column(field, (), np.sort(values[~np.isnan(values)]))
    counts = (
        words_of(series).drop_nulls().alias("level").value_counts().sort(["count", "level"], descending=[True, False])
    )
    return Column(field, tuple(counts["level"].to_list()), np.empty(0))


class Encoder:
    """Fitted to the training rows; the columns are those of the schema that a comparison can read."""

    def __init__(self, train: pl.DataFrame, schema: Schema, seed: int) -> None:
        fields = [field for field in schema if field.kind in COMPARED and field.name in train.columns]
        self.columns = tuple(fit_column(field, train[field.name]) for field in fields)
        self.seed = seed

    def matrix(self, frame: pl.DataFrame) -> Floats:
        """(n, d), column by column in memory."""
        out = np.full((len(frame), len(self.columns)), np.nan, order="F")
        for i, column in enumerate(self.columns):
            if column.name in frame.columns:
                out[:, i] = column.encode(frame[column.name])
        return out

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """The dimensions that each column takes in an embedding."""
        widths = [2 if c.ordered else self._width(c) for c in self.columns]
        ends = np.cumsum([0, *widths])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @staticmethod
    def _width(column: Column) -> int:
        return min(len(column.levels) + 2, SPREAD) if len(column.levels) <= FEW_LEVELS else SPREAD

    def embed(self, matrix: Floats, how: Literal["range", "rank"] = "range") -> Singles:
        """Vectors whose Euclidean distance is Gower-like: one per full range of a number or change of level.  (n, D)

        `range` divides a number by its training range (as ../shared/bench scores it), `rank` replaces it by the share
        of training values below it, so that heavy tails do not hide the rest. A level is a corner of a simplex, or,
        when there are many, a random unit vector: two of those are 1 +- 0.18 apart (Johnson and Lindenstrauss 1984).
        """
        out = np.zeros((len(matrix), self.slices[-1].stop if self.slices else 0), np.float32)
        for i, (column, where) in enumerate(zip(self.columns, self.slices, strict=True)):
            if column.ordered:
                out[:, where.start], out[:, where.start + 1] = self._number(column, matrix[:, i], how)
            else:
                out[:, where] = self._corners(i, column)[level_codes(matrix[:, i], len(column.levels))]
        return out

    @staticmethod
    def _number(column: Column, values: Floats, how: str) -> tuple[Floats, Floats]:
        missing, known = np.isnan(values), column.values
        if not len(known):
            return np.zeros(len(values)), missing * 0.5
        filled = np.where(missing, known[len(known) // 2], values)
        if how == "range":
            return filled / ((known[-1] - known[0]) or 1.0), missing * 0.5
        between = np.searchsorted(known, filled, "left") + np.searchsorted(known, filled, "right")
        return between / (2 * len(known)), missing * 0.5

    def _corners(self, index: int, column: Column) -> Singles:
        """One vector a level, then one for a new level and one for a missing one.  (K + 2, width)"""
        size, width = len(column.levels) + 2, self._width(column)
        if size <= width:
            return np.eye(size, width, dtype=np.float32) * np.float32(np.sqrt(0.5))
        rng = np.random.default_rng([self.seed, index])
        drawn = rng.standard_normal((size, width))
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True) * np.sqrt(0.5), dtype=np.float32)


def level_codes(column: Floats, levels: int) -> npt.NDArray[np.intp]:
    """Codes with K for a new level and K + 1 for a missing one.  (n,)"""
    return np.where(np.isnan(column), levels + 1, np.minimum(column, levels)).astype(np.intp)
