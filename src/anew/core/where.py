"""Conditions as a user says them: a value, any of a list, an interval, not a value; for each of any columns.

`where={"sex": "F", "age": (60, None), "ward": ["a", "b"]}` in Python and `--where 'age>=60' --where 'ward=a|b'` on
the command line are the same thing. None (or an empty word on the command line) is the missing value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from anew.core.errors import UsageError


@dataclass(frozen=True)
class OneOf:
    """Any of these values; `negated`: none of them."""

    values: tuple[object, ...]
    negated: bool = False


@dataclass(frozen=True)
class Between:
    """An interval; None leaves an end open to infinity. Both ends belong to it unless said otherwise."""

    low: object = None
    high: object = None
    low_open: bool = False
    high_open: bool = False


Constraint = OneOf | Between
Where = Mapping[str, tuple[Constraint, ...]]

_EXPRESSION = re.compile(r"^\s*(?P<column>.+?)\s*(?P<operator>==|!=|>=|<=|=|>|<)\s*(?P<value>.*?)\s*$", re.DOTALL)


def where_of(conditions: Mapping[str, object] | Iterable[str] | None) -> dict[str, tuple[Constraint, ...]]:
    """Normalises what a user wrote, in Python or on the command line, to constraints by column."""
    if conditions is None:
        return {}
    if isinstance(conditions, Mapping):
        return {str(column): _constraints(column, value) for column, value in conditions.items()}
    return parse([conditions] if isinstance(conditions, str) else conditions)


def _constraints(column: object, value: object) -> tuple[Constraint, ...]:
    if isinstance(value, OneOf | Between):
        return (value,)
    if isinstance(value, tuple):
        if value and all(isinstance(part, OneOf | Between) for part in value):
            return value
        if len(value) != 2:
            raise UsageError(
                f"An interval for {column!r} is a pair (low, high)",
                found=value,
                do="Use a list for any of several values, and None for an open end",
            )
        return (Between(*value),)
    if isinstance(value, list | set | frozenset):
        if not value:
            raise UsageError(f"The list of values for {column!r} is empty", do="Name at least one value")
        return (OneOf(tuple(value)),)
    return (OneOf((value,)),)


def parse(expressions: Iterable[str]) -> dict[str, tuple[Constraint, ...]]:
    """`["sex=F", "age>=60", "ward=a|b"]` -> constraints by column; several on one column must all hold."""
    found: dict[str, tuple[Constraint, ...]] = {}
    for expression in expressions:
        match = _EXPRESSION.match(expression)
        if match is None:
            raise UsageError(
                "A condition is COLUMN=VALUE, COLUMN>=VALUE, COLUMN<VALUE, COLUMN!=VALUE or COLUMN=A|B",
                found=expression,
            )
        column, operator, value = match["column"], match["operator"], match["value"]
        found[column] = (*found.get(column, ()), _constraint(operator, value))
    return found


def _constraint(operator: str, value: str) -> Constraint:
    if operator in ("=", "==", "!="):
        values = tuple(part.strip() or None for part in value.split("|"))
        return OneOf(values, negated=operator == "!=")
    if operator in (">", ">="):
        return Between(low=value, low_open=operator == ">")
    return Between(high=value, high_open=operator == "<")


def describe(where: Where) -> str:
    """The conditions as a person would write them."""
    return " and ".join(f"{column} {_words(rule)}" for column, rules in where.items() for rule in rules)


def _words(rule: Constraint) -> str:
    if isinstance(rule, OneOf):
        return ("!= " if rule.negated else "= ") + "|".join("(missing)" if v is None else str(v) for v in rule.values)
    low = f"{'>' if rule.low_open else '>='} {rule.low}" if rule.low is not None else ""
    high = f"{'<' if rule.high_open else '<='} {rule.high}" if rule.high is not None else ""
    return " and ".join(filter(None, [low, high])) or "is anything"
