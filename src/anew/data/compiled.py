"""Expressions of rules as polars expressions.

Numbers, times and spans are float64 (microseconds), words are strings, truths booleans; whole microseconds and whole
numbers are exact up to 2^53. A missing cell makes the result missing, except for `is None`, and for `and` and `or`
where the other part decides (Kleene's logic, as in SQL). A division by zero, or any other result that is not a finite
number, is missing.

Two results of arithmetic are compared up to the rounding of float64, so that 0.1 + 0.2 <= 0.3; cells are compared as
they are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_, or_

import polars as pl

from anew.core.expressions import COMPARISONS, Apply, Column, Expression, Value
from anew.core.schema import Field, Schema
from anew.core.typed import type_of

EPSILON = 2.0**-51  # of a number: twice the distance between two float64, which are rounded to half of it
_DAY = 86_400_000_000


def compiled(expression: Expression, schema: Schema) -> pl.Expr:
    """The value of a typed expression in every row."""
    if isinstance(expression, Column):
        return cell(schema[expression.name])
    if isinstance(expression, Value):
        return pl.lit(expression.value)
    operation = expression.operation
    if operation == "missing":
        return compiled(expression.parts[0], schema).is_null()
    parts = [compiled(part, schema) for part in expression.parts]
    if operation in COMPARISONS:
        rounds = any(map(_calculated, expression.parts))
        slack = pl.sum_horizontal(_error(part, schema) for part in expression.parts) if rounds else None
        return _compared(operation, parts[0], parts[1], slack)
    if operation == "in":
        return reduce(or_, [parts[0] == value for value in parts[1:]])
    return _OPERATIONS[operation](*parts)


def cell(field: Field) -> pl.Expr:
    """A column of a canonical frame as rules see it: as it will be written, in float64, words or truths."""
    column, kind = pl.col(field.name), type_of(field)
    if kind in ("time", "span"):
        return column.to_physical().cast(pl.Float64)
    if kind == "number":
        return column.cast(pl.Float32 if field.dtype == "Float32" else pl.Float64).cast(pl.Float64)
    return column.cast(pl.String if kind == "word" else pl.Boolean)


def _calculated(expression: Expression) -> bool:
    """Whether it is the result of arithmetic, which rounds."""
    return isinstance(expression, Apply) and expression.operation in _ARITHMETIC


def _error(expression: Expression, schema: Schema) -> pl.Expr:
    """A bound on the rounding errors in a number, to first order (Higham, Accuracy and Stability, 2002, ch. 3)."""
    size = compiled(expression, schema).abs()
    if not isinstance(expression, Apply):
        return size * EPSILON
    sizes = [compiled(part, schema).abs() for part in expression.parts]
    errors = [_error(part, schema) for part in expression.parts]
    if expression.operation == "*":
        passed = sizes[0] * errors[1] + sizes[1] * errors[0]
    elif expression.operation == "/":
        passed = (errors[0] + size * errors[1]) / sizes[1]
    elif expression.operation == "**":
        passed = size * sizes[1] * errors[0] / sizes[0]
    else:
        passed = pl.sum_horizontal(errors)
    return finite(passed).fill_null(0.0) + size * EPSILON


def _compared(operation: str, left: pl.Expr, right: pl.Expr, slack: pl.Expr | None) -> pl.Expr:
    if slack is None:
        return _PLAIN[operation](left, right)
    ahead = left - right
    return {
        "<": ahead < -slack,
        "<=": ahead <= slack,
        ">": ahead > slack,
        ">=": ahead >= -slack,
        "==": ahead.abs() <= slack,
        "!=": ahead.abs() > slack,
    }[operation]


def finite(number: pl.Expr) -> pl.Expr:
    """A number, or missing where it is none."""
    return pl.when(number.is_finite()).then(number)


def _extreme(of: Callable[..., pl.Expr], parts: tuple[pl.Expr, ...]) -> pl.Expr:
    return pl.when(pl.all_horizontal([part.is_not_null() for part in parts])).then(of(*parts))


def _modulo(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """The remainder with the sign of b, as in Python."""
    return finite(a - b * (a / b).floor())


def _rounded(a: pl.Expr, decimals: pl.Expr | None = None) -> pl.Expr:
    return a.round(0 if decimals is None else int(pl.select(decimals).item()))


_PLAIN: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_OPERATIONS: dict[str, Callable[..., pl.Expr]] = {
    "+": lambda a, b: finite(a + b),
    "-": lambda a, b: finite(a - b),
    "*": lambda a, b: finite(a * b),
    "/": lambda a, b: finite(a / b),
    "**": lambda a, b: finite(a**b),
    "%": _modulo,
    "negative": lambda a: -a,
    "abs": lambda a: a.abs(),
    "floor": lambda a: a.floor(),
    "round": _rounded,
    "min": lambda *parts: _extreme(pl.min_horizontal, parts),
    "max": lambda *parts: _extreme(pl.max_horizontal, parts),
    "and": lambda *parts: reduce(and_, parts),
    "or": lambda *parts: reduce(or_, parts),
    "not": lambda a: ~a,
}


_ARITHMETIC = frozenset(_OPERATIONS) - {"and", "or", "not"}

# ---------------------------------------------------------------- results as cells


def result(value: pl.Expr, field: Field, dtype: pl.DataType) -> pl.Expr:
    """A computed value as a cell of its column: rounded as the column is written, missing where it does not fit."""
    kind = type_of(field)
    if kind in ("time", "span"):
        unit = resolution(field)
        return ((value / unit).floor() * unit).cast(pl.Int64).cast(dtype)
    if field.kind == "integer":
        whole = value.round(0)
        low, high = _fits(field)
        return pl.when(whole.is_between(low, high)).then(whole).cast(dtype, strict=False)
    if kind == "number":
        rounded = value if field.decimals is None else value.round(field.decimals)
        return rounded.cast(pl.Float32).cast(dtype) if field.dtype == "Float32" else rounded.cast(dtype)
    return value.cast(dtype)


def _fits(field: Field) -> tuple[float, float]:
    """The whole numbers that the column's own type holds."""
    from anew.data.dtypes import dtype_of

    dtype = dtype_of(field.dtype)
    if not dtype.is_integer() or dtype in (pl.Int64, pl.Int128):
        return -(2.0**63), 2.0**63 - 1024
    low, high = pl.select(dtype.min().alias("low"), dtype.max().alias("high")).row(0)  # type: ignore[attr-defined]
    return float(low), float(high) if high < 2**53 else float(high) - 2048


def resolution(field: Field) -> int:
    """The microseconds between two values that the column's own type or written form can tell apart."""
    if field.dtype == "Date":
        return _DAY
    if field.dtype.startswith(("Datetime(ms", "Duration(ms")):
        return 1_000
    if field.dtype != "String" or field.format is None or "%" not in field.format:
        return 1
    finest = {"%.f": 1, "%S": 1_000_000, "%M": 60_000_000, "%H": 3_600_000_000, "%I": 3_600_000_000}
    return next((unit for mark, unit in finest.items() if mark in field.format), _DAY)


def agrees(left: pl.Expr, right: pl.Expr, field: Field) -> pl.Expr:
    """Whether a cell is the result of its formula, as far as the column is written; missing agrees with anything."""
    kind = type_of(field)
    if kind in ("time", "span"):
        return (right - left).is_between(-0.5, resolution(field) - 0.5)
    if kind != "number":
        return left == right
    decimals = 0 if field.kind == "integer" else field.decimals
    half = 0.0 if decimals is None else 0.5 * 10.0**-decimals
    near = 1e-6 if field.dtype == "Float32" else 1e-9
    return (left - right).abs() <= half + near * pl.max_horizontal(left.abs(), right.abs(), pl.lit(half))
