"""The rules in force for one draw: those of the schema and those added, read against what the model can draw.

A rulebook remembers the keys that it has let through. A draw in several parts (one for each class of a balance) passes
one rulebook to all of them, so that uniqueness holds across the whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from anew.codecs.table import Table
from anew.core.columns import Bools
from anew.core.contradictions import Known, check
from anew.core.errors import RuleError, UsageError
from anew.core.expressions import Apply, Column, Expression, Value
from anew.core.rules import Rule, Together
from anew.core.ruling import Condition, Limits, Ruling, limits, ruling
from anew.core.schema import Field, Schema
from anew.core.typed import native, type_of, typed
from anew.core.where import Between, Constraint, OneOf, Where, describe
from anew.data.obeying import Obeying, Seen
from anew.steer.obey import Judged, Rows, Tally, free, tied

RARE = 0.5  # of the training rows: below this a bound is a condition, above it rejection is as fast


class Rulebook:
    """Rules over the rows of a codec; false when there are none. `among`: only those about these columns."""

    def __init__(self, codec: Table, added: Sequence[Rule] = (), among: Sequence[str] | None = None) -> None:
        self.codec, self.schema = codec, codec.schema
        rules = _with_lists(codec.schema.rules, added)
        heard = rules if among is None else [rule for rule in rules if set(rule.columns) <= set(among)]
        self.ruling = ruling(heard, codec.schema)
        check(self.ruling, self.schema, known(codec))
        self.obeying = Obeying(self.ruling, self.schema)
        self.seen = Seen(self.obeying)

    def __bool__(self) -> bool:
        return bool(self.ruling)

    def learnable(self, where: Where, conditionable: frozenset[str]) -> Where:
        """The conditions to draw under: those of `where` on columns that no formula computes, and, on the columns that
        a learner can condition on, the rules about one column alone, where rejecting would cost more."""
        found = {name: rules for name, rules in where.items() if name not in self.ruling.computed}
        bounds: dict[str, tuple[Constraint, ...]] = {}
        for limit in limits(self.ruling.conditions):
            if limit.column in conditionable and self._never_blank(limit.column):
                rule = _constraint_of(limit, self.schema[limit.column])
                bounds[limit.column] = (*bounds.get(limit.column, ()), rule)
        rare = {name: rules for name, rules in bounds.items() if found or self._mass(name, rules) < RARE}
        return {name: (*found.get(name, ()), *rare.get(name, ())) for name in (*found, *(set(rare) - set(found)))}

    def _never_blank(self, name: str) -> bool:
        """A blank obeys any bound, and no condition but the wish for a blank."""
        return name not in self.ruling.computed and name in self.codec.grids and self.codec.grids[name].missing == 0

    def _mass(self, name: str, rules: tuple[Constraint, ...]) -> float:
        """The share of the training rows that the rules about one column allow."""
        (allowed,) = self.codec.allow({name: rules}).values()
        counts = self.codec.grids[name].counts
        return float((allowed.mass * counts).sum() / max(counts.sum(), 1.0))

    def order(self, where: Where) -> Order:
        """The rules for one part of a draw, with the conditions on computed columns among them."""
        asked = [_asked(self.schema, name, rules) for name, rules in where.items() if name in self.ruling.computed]
        return Order(self, Obeying(Ruling(conditions=tuple(asked)), self.schema))

    def check_rows(self, n: int) -> None:
        """RuleError when so many rows cannot all differ."""
        for rule in self.ruling.unique:
            many = float(np.prod([self._values(name) for name in rule.unique]))
            if many < n:
                raise RuleError(
                    f"The rule {rule.text!r} cannot hold for {n:,} rows: there are only {many:,.0f} different values",
                    do="Ask for fewer rows, or name more columns",
                )

    def _values(self, name: str) -> float:
        """How many values a column can take; infinitely many where nobody counted, or where blanks are never alike."""
        grid = self.codec.grids.get(name)
        if self.schema[name].kind == "constant":
            return 1.0
        if grid is None or grid.missing > 0 or name in self.ruling.computed:
            return float("inf")
        return float(grid.values_in.sum())

    def check_given(self, frame: pl.DataFrame, what: str = "given") -> None:
        """RuleError when rows break a rule by what is already known of them: no draw can mend that."""
        for text, count in self.obeying.broken(frame).items():
            raise RuleError(
                f"{count:,} of {len(frame):,} {what} rows break the rule {text!r}, whatever is drawn",
                do="Correct these rows, or drop the rule",
            )


class Order:
    """A rulebook for one part of a draw: it computes, judges, keeps count and draws again."""

    def __init__(self, book: Rulebook, asked: Obeying) -> None:
        self.book, self.asked = book, asked
        unique = [rule.text for rule in book.ruling.unique]
        self.tally = Tally((*book.obeying.texts, *asked.texts, *([" and ".join(unique)] if unique else [])))

    def judged(self, frame: pl.DataFrame, report: Any = None, known: Mapping[str, Bools] | None = None) -> Judged[Any]:
        """Rows as they were drawn -> with their formulas computed, and which of them obey which rule."""
        whole = self.book.obeying.computed(self.book.codec.with_constants(frame), known)
        met = np.column_stack([self.book.obeying.judged(whole, known), self.asked.judged(whole)])
        return Judged(whole, met, report)

    def free(
        self, n: int, size: int, block: Callable[[int], Judged[Any]], threads: int
    ) -> Iterator[tuple[pl.DataFrame, Any]]:
        """The first n obeying rows of the blocks, each with the block's report and the draws that it took."""
        for judged, rows in free(n, size, block, self.book.seen.fresh, self.tally, threads):
            if len(rows):
                yield judged.x[rows], judged.report

    @property
    def obeyed(self) -> float:
        """The share of the draws so far that was kept."""
        return self.tally.kept / max(self.tally.tried, 1)

    @property
    def asked_share(self) -> float:
        """The share of the draws so far that met the conditions on computed columns."""
        first = len(self.book.obeying.texts)
        held = self.tally.held[first : first + len(self.asked.texts)]
        return float(np.prod(held / max(self.tally.tried, 1)))

    def tied(self, n: int, draw: Callable[[Rows, int], Judged[Any]]) -> pl.DataFrame:
        """n rows in their places, each drawn until it obeys."""
        frame: pl.DataFrame = tied(n, draw, self.book.seen.fresh, lambda x, rows: x[rows], pl.concat, self.tally)
        return frame


# ---------------------------------------------------------------- what a codec can draw


def known(codec: Table) -> dict[str, Known]:
    """The released range or levels of every column."""
    found = {name: Known(words=frozenset(levels)) for name, levels in codec.levels.items()}
    for field in codec.learned:
        grid = codec.grids[field.name]
        if field.ordered and grid.size:
            found[field.name] = Known(float(grid.lower[0]), float(grid.upper[-1]))
    return found


def _with_lists(schema_rules: Sequence[Rule], added: Sequence[Rule]) -> list[Rule]:
    """All rules, each once; combinations that are added without a list take the one that the model learned."""
    listed = {r.text: r for r in schema_rules if isinstance(r, Together) and r.allowed is not None}
    more = [listed.get(r.text, r) if isinstance(r, Together) and r.allowed is None else r for r in added]
    return list(dict.fromkeys([*schema_rules, *more]))


# ---------------------------------------------------------------- rules as conditions, and conditions as rules


def _constraint_of(limit: Limits, field: Field) -> Constraint:
    """What a rule says about one column alone, as a condition."""
    if limit.values is not None:
        return OneOf(tuple(native(value, field) for value in sorted(limit.values)))
    low, high = (None if np.isinf(end.value) else native(end.value, field) for end in (limit.low, limit.high))
    return Between(low, high, limit.low.open, limit.high.open)


def _asked(schema: Schema, name: str, rules: tuple[Constraint, ...]) -> Condition:
    """What `where` asks of a column that is computed: a blank satisfies nothing but the wish for a blank."""
    text = describe({name: rules})
    whole = Apply("and", tuple(_constraint(schema[name], rule) for rule in rules))
    return Condition(text, typed(whole, schema, text).expression)


def _constraint(field: Field, rule: Constraint) -> Expression:
    column = Column(field.name)
    there = Apply("not", (Apply("missing", (column,)),))
    if isinstance(rule, OneOf):
        equal = [Apply("==", (column, _value(field, value))) for value in rule.values if value is not None]
        any_of: Expression = Apply("or", tuple(equal)) if equal else Value(False)
        if rule.negated:
            return Apply("and", (there, Apply("not", (any_of,))))
        found = Apply("and", (there, any_of))
        return Apply("or", (found, Apply("missing", (column,)))) if None in rule.values else found
    ends = [(">" if rule.low_open else ">=", rule.low), ("<" if rule.high_open else "<=", rule.high)]
    tests = [Apply(sign, (column, _value(field, end))) for sign, end in ends if end is not None]
    return Apply("and", (there, *tests))


def _value(field: Field, value: object) -> Value:
    """A condition's value, as a person wrote it, as a constant of an expression."""
    kind = type_of(field)
    if isinstance(value, dt.timedelta):
        return Value(f"{value / dt.timedelta(microseconds=1):.0f} microseconds")
    if kind == "truth":
        return Value(value if isinstance(value, bool) else str(value).lower() == "true")
    if kind != "number":
        return Value(value.isoformat() if isinstance(value, dt.date) else str(value))
    try:
        return Value(float(str(value)))
    except ValueError:
        raise UsageError(f"{field.name!r} is a number, and a condition on it needs one", found=value) from None
