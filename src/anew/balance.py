"""Balanced samples: so many rows of each class of one column, each class drawn under a condition.

Counts are exact: n times the shares, rounded by largest remainder. Which row gets which class is shuffled, so the
rows come in no order. Everything else of a row is drawn given its class: p(rest | class) with a p(class) of the user's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from anew.codecs.table import Table
from anew.core.columns import Floats
from anew.core.errors import ConditionError, DataError, UsageError, did_you_mean
from anew.core.schema import MADE
from anew.core.seeds import stream
from anew.core.where import Constraint, OneOf, Where, describe
from anew.joint import Draw, Joint, together
from anew.rulebook import Rulebook

CLASSES = 10  # whole numbers of at most so many different values are classes
SLACK = 1e-3  # how far from 1 the shares may sum

Balance = str | Mapping[str, Mapping[object, float]]


@dataclass(frozen=True)
class Balanced(Draw):
    """The report of a balanced draw: for each class its rows and the probability it has under the model."""

    column: str = ""
    classes: tuple[tuple[object, int, float], ...] = ()

    def __str__(self) -> str:
        said = ", ".join(f"{_said(c)} {rows:,} (probability {chance:.4g})" for c, rows, chance in self.classes)
        where = f" where {self.condition}" if self.condition else ""
        return (
            f"{self.rows:,} rows{where} balanced on {self.column}: {said} under the model; "
            f"effective sample size {self.effective or 0.0:,.0f}"
        )


def _said(value: object) -> str:
    return "(missing)" if value is None else str(value)


def parse(text: str, names: tuple[str, ...]) -> Balance:
    """`outcome`, or `outcome=yes:0.3,no:0.7`; an empty word is missing."""
    column, equals, listed = text.partition("=")
    if not equals or text in names:
        return text
    shares: dict[object, float] = {}
    for part in listed.split(","):
        word, _, share = part.rpartition(":")
        try:
            shares[word.strip() or None] = float(share)
        except ValueError:
            raise UsageError("A balance is COLUMN or COLUMN=CLASS:SHARE,CLASS:SHARE", found=text) from None
    return {column.strip(): shares}


def sample(
    joint: Joint,
    n: int,
    balance: Balance,
    *,
    seed: int,
    where: Where,
    given: pl.DataFrame | None,
    rules: Rulebook,
) -> tuple[pl.DataFrame, Balanced]:
    """n rows with the shares asked for, and the report. All classes share one rulebook, and so one uniqueness."""
    if isinstance(balance, str):
        balance = parse(balance, joint.codec.schema.names)
    column, shares = _shares(joint, balance, where)
    counts = apportioned(n, np.array(list(shares.values())))
    which = stream("balance", seed).permutation(np.repeat(np.arange(len(counts)), counts))
    frames, reports = [], []
    for k, value in enumerate(shares):
        rows = np.flatnonzero(which == k)
        if len(rows):
            context = None if given is None else given[rows]
            frame, draw = _class(joint, len(rows), column, value, k, seed, where, context, rules)
            frames.append(frame.with_columns(pl.Series(_PLACE, rows)))
            reports.append((value, draw))
    whole = pl.concat(frames).sort(_PLACE).drop(_PLACE)
    rest = {name: rules for name, rules in where.items() if name != column}
    return joint.record.made(whole, 0, seed), _report(n, column, reports, rest)


_PLACE = "\0place"  # a name that no column has


def apportioned(n: int, shares: Floats) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """n seats by shares, by largest remainder: exact in sum, each less than one from its due.  (K,)"""
    due = n * shares / shares.sum()
    counts = np.floor(due + 1e-9).astype(np.intp)
    first = np.argsort(-(due - counts), kind="stable")[: n - counts.sum()]
    counts[first] += 1
    return np.asarray(counts)


def _class(
    joint: Joint,
    rows: int,
    column: str,
    value: object,
    number: int,
    seed: int,
    where: Where,
    given: pl.DataFrame | None,
    rules: Rulebook,
) -> tuple[pl.DataFrame, Draw]:
    """So many rows of one class, by a stream of its own."""
    condition = {**where, column: (*where.get(column, ()), OneOf((value,)))}
    own = int(stream("balance", seed, number).integers(2**62))
    try:
        blocks = list(joint.blocks(rows, seed=own, where=condition, given=given, rules=rules))
    except ConditionError as error:
        raise ConditionError(
            f"The class {_said(value)!r} of {column!r} cannot be drawn: {error}", do="Give it no share"
        ) from None
    return pl.concat(frame for frame, _ in blocks), together([draw for _, draw in blocks])


def _report(n: int, column: str, reports: list[tuple[object, Draw]], where: Where) -> Balanced:
    draws = [draw for _, draw in reports]
    return Balanced(
        n,
        describe(where),
        sum(draw.probability or 0.0 for draw in draws),
        sum(draw.effective or 0.0 for draw in draws),
        any(draw.density for draw in draws),
        column=column,
        classes=tuple((value, draw.rows, draw.probability or 0.0) for value, draw in reports),
    )


# -------------------------------------------------------------------- which classes, and how much of each


def _shares(joint: Joint, balance: Balance, where: Where) -> tuple[str, dict[object, float]]:
    """The column, and the share of each class; classes without a share are left out."""
    column = _column(joint, balance)
    if isinstance(balance, str):
        classes = _classes(joint.codec, column, where)
        return column, dict.fromkeys(classes, 1 / len(classes))
    shares = {value: float(share) for value, share in balance[column].items()}
    total = sum(shares.values())
    if min(shares.values(), default=-1.0) < 0 or abs(total - 1) > SLACK:
        raise UsageError(
            f"The shares of the classes of {column!r} must be at least 0 and sum to 1", found=shares or "none"
        )
    for value in shares:
        joint.codec.allow({column: (OneOf((value,)),)})  # an unknown class is told by the codec
    return column, {value: share for value, share in shares.items() if share > 0}


def _column(joint: Joint, balance: Balance) -> str:
    if not isinstance(balance, str) and len(balance) != 1:
        raise UsageError("A sample is balanced on one column", found=list(balance))
    column = balance if isinstance(balance, str) else next(iter(balance))
    schema = joint.codec.schema
    if column not in schema:
        raise UsageError(f"No column is named {column!r} to balance", do=did_you_mean(column, schema.names))
    if column in joint.given:
        raise UsageError(f"{column!r} is given, so it cannot be balanced", do="Choose its values with given=")
    if schema[column].kind == "constant":
        raise DataError(f"{column!r} is constant: it has one class, and nothing to balance", do="Name another column")
    if schema[column].kind in MADE:
        raise UsageError(f"{column!r} is {schema[column].kind}: it has no classes", do="Name another column")
    return column


def _classes(codec: Table, column: str, where: Where) -> list[object]:
    """The classes of a column that its own conditions allow; missing is none of them."""
    grid, rules = codec.grids[column], where.get(column, ())
    if grid.ordered and (grid.size > CLASSES or (grid.upper > grid.lower).any()):
        raise UsageError(
            f"{column!r} is a {codec.schema[column].kind} with many values, not classes",
            do=f"Name values and their shares, {{{column!r}: {{VALUE: SHARE}}}}, or draw each interval with where",
        )
    there: list[object] = [
        value
        for value in (grid.lower.tolist() if grid.ordered else codec.levels[column])
        if not rules or _allowed(codec, column, (*rules, OneOf((value,))))
    ]
    if len(there) < 2:
        raise DataError(
            f"{column!r} has one class{' under the condition' * bool(rules)}, so there is nothing to balance",
            found=there,
            do="Name another column",
        )
    return there


def _allowed(codec: Table, column: str, rules: tuple[Constraint, ...]) -> bool:
    try:
        codec.allow({column: rules})
    except ConditionError:
        return False
    return True
