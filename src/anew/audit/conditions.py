"""Which rows of a frame meet a condition, and the real rows that a conditional sample is to be compared with."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import Any

import numpy as np
import polars as pl

from anew.core.columns import Bools
from anew.core.where import Constraint, OneOf, where_of


def meets(frame: pl.DataFrame, where: Any) -> Bools:
    """Which rows satisfy the condition; a blank satisfies nothing but the wish for a blank.  (n,)"""
    if callable(where):
        return np.asarray(where(frame), dtype=bool)
    tests = [_test(frame, name, rule) for name, rules in where_of(where).items() for rule in rules]
    return np.array(frame.select(reduce(and_, tests).fill_null(False).alias("met"))["met"].to_numpy(), dtype=bool)


def named(where: Any) -> tuple[str, ...]:
    """The columns that a condition speaks of, as far as it says so."""
    return () if where is None or callable(where) else tuple(where_of(where))


def _test(frame: pl.DataFrame, name: str, rule: Constraint) -> pl.Expr:
    column, dtype = pl.col(name), frame.schema[name]
    if isinstance(rule, OneOf):
        known = [value for value in rule.values if value is not None]
        found = column.is_in(_typed(known, dtype).implode()).fill_null(False)
        found = found | column.is_null() if None in rule.values else found
        return ~found & column.is_not_null() if rule.negated else found
    test = column.is_not_null()
    if rule.low is not None:
        low = pl.lit(_typed([rule.low], dtype)[0])
        test = test & (column > low if rule.low_open else column >= low)
    if rule.high is not None:
        high = pl.lit(_typed([rule.high], dtype)[0])
        test = test & (column < high if rule.high_open else column <= high)
    return test


def _typed(values: list[object], dtype: pl.DataType) -> pl.Series:
    """The values of a condition, often words, in the type of the column; numbers stay fractions where they are."""
    series = pl.Series(values, strict=False) if values else pl.Series([], dtype=dtype)
    if series.dtype == pl.String and dtype.base_type() is pl.Datetime:
        return series.str.to_datetime(strict=False).cast(dtype, strict=False)
    if dtype.is_integer():
        return series.cast(pl.Float64, strict=False)
    if dtype == pl.Boolean and series.dtype == pl.String:
        return series.str.to_lowercase() == "true"
    return series.cast(dtype, strict=False)
