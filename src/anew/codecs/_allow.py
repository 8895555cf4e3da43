"""Conditions on scalar fields: from constraints in a user's words to the allowed part of a released grid."""

from __future__ import annotations

import numpy as np
import polars as pl

from anew.core.columns import Allowed, Grid
from anew.core.errors import ConditionError, UsageError, did_you_mean
from anew.core.schema import Field
from anew.core.where import Between, Constraint, OneOf


def allow(field: Field, grid: Grid, levels: list[str] | None, rules: tuple[Constraint, ...]) -> Allowed:
    """The part of the grid in which all rules hold; ConditionError when there is none."""
    part = _allow_levels(field, grid, levels, rules) if levels is not None else _allow_ordered(field, grid, rules)
    if part.empty:
        raise ConditionError(
            f"The condition on {field.name!r} has probability zero: no training value satisfies it",
            found=[_said(rule) for rule in rules],
            do=_span(grid, levels),
        )
    return part


def _said(rule: Constraint) -> object:
    return rule.values if isinstance(rule, OneOf) else (rule.low, rule.high)


def _span(grid: Grid, levels: list[str] | None) -> str:
    if levels is not None:
        return did_you_mean("", levels)
    if not grid.size:
        return "The column has no values"
    return f"Its values lie between {grid.lower[0]:g} and {grid.upper[-1]:g}"


def _allow_levels(field: Field, grid: Grid, levels: list[str], rules: tuple[Constraint, ...]) -> Allowed:
    keep, missing = np.ones(len(levels), bool), grid.missing > 0
    for rule in rules:
        if isinstance(rule, Between):
            raise UsageError(
                f"{field.name!r} is a {field.kind}: its values have no order, so no interval",
                found=rule,
                do="Name values: a value, or a list of them",
            )
        words = [None if value is None else _level_word(value) for value in rule.values]
        for word in words:
            if word is not None and word not in levels:
                raise ConditionError(
                    f"{field.name!r} never takes the value {word!r} in the training data", do=did_you_mean(word, levels)
                )
        named = np.isin(np.array(levels, dtype=object), [word for word in words if word is not None])
        keep &= ~named if rule.negated else named
        missing &= (None not in words) if rule.negated else (None in words)
    cell = np.flatnonzero(keep)
    one = np.ones(len(cell))
    return Allowed(grid.size, cell, one * 0.0, one, one, missing=missing)


def _level_word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _allow_ordered(field: Field, grid: Grid, rules: tuple[Constraint, ...]) -> Allowed:
    spans, missing = [(-np.inf, np.inf)], grid.missing > 0
    for rule in rules:
        new, keep = _spans(field, rule, grid.step)
        spans = [(max(a, c), min(b, d)) for a, b in spans for c, d in new if max(a, c) <= min(b, d)]
        missing &= keep
    return _pieces(grid, sorted(set(spans)), missing)


def _spans(field: Field, rule: Constraint, step: float) -> tuple[list[tuple[float, float]], bool]:
    """The closed intervals that a rule allows, and whether it allows missing."""
    if isinstance(rule, Between):
        low = -np.inf if rule.low is None else number_of(field, rule.low)
        high = np.inf if rule.high is None else number_of(field, rule.high)
        if low > high:
            raise UsageError(f"The interval for {field.name!r} is upside down", found=(rule.low, rule.high))
        nudge = step / 2 if step > 0 else 0.0
        return [(low + nudge * rule.low_open, high - nudge * rule.high_open)], False
    points = sorted(number_of(field, value) for value in rule.values if value is not None)
    if not rule.negated:
        return [(p, p) for p in points], None in rule.values
    nudge = step / 2 if step > 0 else 0.0
    ends = [
        -np.inf,
        *[edge for p in points for edge in (np.nextafter(p - nudge, -np.inf), np.nextafter(p + nudge, np.inf))],
        np.inf,
    ]
    return list(zip(ends[::2], ends[1::2], strict=True)), None not in rule.values


def number_of(field: Field, value: object) -> float:
    """A condition's value, as a person wrote it, on the column's number line."""
    try:
        if field.kind == "datetime":
            moment = _moment(field, value)
            return float(moment)
        if field.kind == "duration":
            return float(pl.Series([value]).cast(pl.Duration("us")).to_physical()[0])
        return float(str(value))
    except (ValueError, TypeError, pl.exceptions.PolarsError):
        raise UsageError(
            f"{field.name!r} is {field.kind}, and a condition on it needs such a value", found=value
        ) from None


def _moment(field: Field, value: object) -> int:
    series = pl.Series([value])
    if series.dtype == pl.String:
        series = series.str.to_datetime(time_unit="us", strict=False).fill_null(
            series.str.to_date(strict=False).cast(pl.Datetime("us"))
        )
    series = series.cast(pl.Datetime("us"))
    if series[0] is None:
        raise ValueError(value)
    if field.time_zone:
        series = series.dt.replace_time_zone(field.time_zone)
    return int(series.to_physical()[0])


def _pieces(grid: Grid, spans: list[tuple[float, float]], missing: bool) -> Allowed:
    """Closed intervals of values -> pieces of cells."""
    found: list[tuple[int, float, float, float]] = []
    density = False
    many, slack = grid.values_in, grid.step * 0.25
    for a, b in spans:
        first, last = np.searchsorted(grid.upper, a - slack), np.searchsorted(grid.lower, b + slack, "right")
        for k in range(int(first), int(last)):
            low, high, share, point = _piece(grid, k, a, b, float(many[k]))
            if share > 0:
                found.append((k, low, high, share))
                density |= point
    cells, lows, highs, shares = zip(*found, strict=True) if found else ((), (), (), ())
    return Allowed(
        grid.size,
        np.array(cells, np.intp),
        np.array(lows, np.float64),
        np.array(highs, np.float64),
        np.array(shares, np.float64),
        missing=missing,
        density=density,
    )


def _piece(grid: Grid, k: int, a: float, b: float, many: float) -> tuple[float, float, float, bool]:
    """The fractions [low, high] of cell k between a and b, their share of the cell, and whether it is a point."""
    lower, upper = float(grid.lower[k]), float(grid.upper[k])
    if upper == lower:
        return 0.0, 1.0, 1.0, False
    if np.isinf(many):
        low, high = max((a - lower) / (upper - lower), 0.0), min((b - lower) / (upper - lower), 1.0)
        return (low, high, 1.0, True) if a == b else (low, high, high - low, False)
    first = max(int(np.ceil((a - lower) / grid.step - 0.25)), 0) if np.isfinite(a) else 0
    last = min(int(np.floor((b - lower) / grid.step + 0.25)), int(many) - 1) if np.isfinite(b) else int(many) - 1
    return first / many, (last + 1) / many - 1e-12, max(last - first + 1, 0) / many, False
