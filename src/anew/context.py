"""What a draw is given: the rows that a user brings, and the conditions that name a given column."""

from __future__ import annotations

import polars as pl

from anew.core.errors import UsageError
from anew.core.where import Constraint, OneOf, Where, describe
from anew.data.dataset import Dataset
from anew.joint import Joint


def given_and_asked(joint: Joint, where: Where, given: object) -> tuple[Where, pl.DataFrame | None]:
    """The conditions on what is created, and the given columns: from `given`, or from an equality of `where`.

    Beside a picture what is not said is left open.
    """
    asked = {name: rules for name, rules in where.items() if name in joint.given}
    rest = {name: rules for name, rules in where.items() if name not in asked}
    context = None if given is None else givens(joint, given)
    if not asked and (given is not None or not joint.open_given):
        return rest, context
    return rest, _said(joint, asked, context)


def givens(joint: Joint, given: object) -> pl.DataFrame:
    """The given columns of the rows that a user brings."""
    names = joint.given
    if not names:
        raise UsageError("The model was fitted without given columns", do="Use where= for conditions")
    frame = Dataset.open(given, like=joint.record.schema.select(names), partly=joint.open_given).frame
    return frame.with_columns(joint.blank(name, len(frame)) for name in names if name not in frame.columns)


def said(joint: Joint, where: Where) -> dict[str, pl.Series]:
    """One cell for each column that a condition names, as the model reads it."""
    values = {name: [_only(name, rules)] for name, rules in where.items()}
    if not values:
        return {}
    frame = Dataset.open(pl.DataFrame(values), like=joint.record.schema.select(values)).frame
    for name in values:
        part = joint.record.parts.get(name)
        if part is not None:
            if any(name in factor.beside for factor in joint.factors):
                part.check_given(frame)
        else:
            joint.codec.allow({name: (OneOf((frame[name][0],)),)})  # an unknown class is told by the codec
    return {name: frame[name] for name in values}


def repeated(cell: pl.Series, rows: int) -> pl.Series:
    """A column of one cell."""
    return pl.repeat(cell[0], rows, dtype=cell.dtype, eager=True).alias(cell.name)


def _said(joint: Joint, asked: Where, context: pl.DataFrame | None) -> pl.DataFrame:
    """What is given, with the values that conditions name."""
    cells = said(joint, asked)
    rows = 1 if context is None else len(context)
    here = {column.name: column for column in (context if context is not None else pl.DataFrame())}
    here |= {name: repeated(cell, rows) for name, cell in cells.items()}
    blank = [name for name in joint.given if name not in here]
    if blank and not joint.open_given:
        raise UsageError(
            "The model was fitted given some columns, so a draw needs their values", found=blank, do="Name them all"
        )
    return pl.DataFrame([*here.values(), *(joint.blank(name, rows) for name in blank)])


def _only(name: str, rules: tuple[Constraint, ...]) -> object:
    """The one value that a column is asked to have."""
    rule = rules[0]
    if len(rules) == 1 and isinstance(rule, OneOf) and not rule.negated and len(rule.values) == 1:
        return rule.values[0]
    raise UsageError(f"{name!r} takes one value here", found=describe({name: rules}), do=f"{name}=VALUE")
