"""Rules that no row can obey, found before anything is drawn.

Every column has an interval, which starts as the range of its released values and shrinks by each bound. A rule a <= b
carries the lower end of a to b and the upper end of b to a (bounds consistency: Apt, Principles of Constraint
Programming, 2003, ch. 3); an empty interval is a contradiction, and so is a circle of inequalities with a strict one.
What this does not find, drawing finds: it stops at a budget and names the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from anew.core.errors import RuleError, did_you_mean
from anew.core.expressions import Apply, Column, Expression, columns
from anew.core.ruling import MIRROR, Bound, Formula, Limits, Ruling, conjuncts, limits
from anew.core.schema import Schema
from anew.core.typed import native


@dataclass(frozen=True)
class Known:
    """What the model can draw in a column: an interval, or words (None: anything)."""

    low: float = float("-inf")
    high: float = float("inf")
    words: frozenset[str] | None = None


@dataclass(frozen=True)
class _Edge:
    """Column `low` is at most column `high`; below it when strict."""

    low: str
    high: str
    strict: bool
    why: str


def check(ruling: Ruling, schema: Schema, known: Mapping[str, Known]) -> None:
    """RuleError names the rules that exclude each other, or the one that the data's range excludes."""
    for formula in ruling.formulas:
        _check_missing(formula, schema)
    found = list(limits(ruling.conditions))
    _check_values(found, ruling, known)
    edges = [edge for condition in ruling.conditions for edge in _edges(condition.expression, condition.text)]
    _check_circles(edges)
    _check_intervals(found, edges, ruling, known, schema)
    _check_combinations(ruling, known)


def _check_missing(formula: Formula, schema: Schema) -> None:
    blank = [name for name in _strict(formula.expression) if schema[name].missing]
    if blank and not schema[formula.target].missing:
        raise RuleError(
            f"The rule {formula.text!r} has no result where {blank[0]!r} is missing, and {formula.target!r} is never "
            "missing",
            do=f"Leave {blank[0]!r} out of the formula, fill its blanks, or drop the rule",
        )


def _strict(expression: Expression) -> tuple[str, ...]:
    """The columns whose blank makes the result blank."""
    if isinstance(expression, Apply) and expression.operation in ("missing", "and", "or"):
        return ()
    if isinstance(expression, Apply):
        return tuple(name for part in expression.parts for name in _strict(part))
    return columns(expression)


# ---------------------------------------------------------------- lists of values


def _check_values(found: list[Limits], ruling: Ruling, known: Mapping[str, Known]) -> None:
    """Lists of values for one column must share one, and the training data must show one of them."""
    left: dict[str, Limits] = {}
    for limit in found:
        if limit.values is None:
            continue
        before = left.get(limit.column, limit)
        shared = limit.values & (before.values or limit.values)
        if not shared:
            raise _exclude([before.why, limit.why])
        _check_words(limit.column, shared, limit.why, ruling, known)
        left[limit.column] = replace(limit, values=shared)


def _check_words(
    column: str, values: frozenset[float | str | bool], text: str, ruling: Ruling, known: Mapping[str, Known]
) -> None:
    words = known[column].words if column in known and column not in ruling.computed else None
    asked = {_word(value) for value in values}
    if words is not None and not asked & words:
        raise RuleError(
            f"No row can obey {text!r}: {column!r} never takes such a value in the training data",
            found=sorted(asked),
            do=did_you_mean(min(asked), words),
        )


def _check_combinations(ruling: Ruling, known: Mapping[str, Known]) -> None:
    for rule in ruling.together:
        if rule.allowed is None:
            raise RuleError(
                f"The rule {rule.text!r} lists no combinations, and the model learned none: it was fitted without it",
                do='List them with "allowed": [[...], ...], or fit again with the rule in the schema file',
            )
        if not any(_drawable(dict(zip(rule.together, row, strict=True)), known) for row in rule.allowed):
            raise RuleError(
                f"No row can obey {rule.text!r}: none of its {len(rule.allowed)} combinations is made of values of the "
                "training data",
                found=[list(row) for row in rule.allowed[:3]],
            )


def _drawable(row: Mapping[str, object], known: Mapping[str, Known]) -> bool:
    for name, value in row.items():
        words = known[name].words if name in known else None
        if words is not None and value is not None and _word(value) not in words:
            return False
    return True


def _word(value: object) -> str:
    """A value as the words of the levels."""
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------- intervals


def _check_intervals(
    found: list[Limits], edges: list[_Edge], ruling: Ruling, known: Mapping[str, Known], schema: Schema
) -> None:
    free = {name: Known() for name in ruling.computed}
    low = {name: Bound({**known, **free}.get(name, Known()).low) for name in schema.names}
    high = {name: Bound({**known, **free}.get(name, Known()).high) for name in schema.names}
    for limit in found:
        low[limit.column] = _tighter(low[limit.column], limit.low, 1)
        high[limit.column] = _tighter(high[limit.column], limit.high, -1)
        _check_interval(limit.column, low, high, schema)
    for _ in range(len(edges) + 1):  # each round carries an end one inequality further
        for edge in edges:
            low[edge.high] = _tighter(low[edge.high], _carried(low[edge.low], edge), 1)
            high[edge.low] = _tighter(high[edge.low], _carried(high[edge.high], edge), -1)
            _check_interval(edge.high, low, high, schema)
            _check_interval(edge.low, low, high, schema)


def _carried(end: Bound, edge: _Edge) -> Bound:
    return Bound(end.value, end.open or edge.strict, tuple(dict.fromkeys([*end.why, edge.why])))


def _tighter(a: Bound, b: Bound, sign: int) -> Bound:
    """The end that allows less; of two alike the first."""
    return b if (sign * b.value, b.open) > (sign * a.value, a.open) else a


def _check_interval(column: str, low: Mapping[str, Bound], high: Mapping[str, Bound], schema: Schema) -> None:
    a, b = low[column], high[column]
    if a.value < b.value or (a.value == b.value and not (a.open or b.open)):
        return
    if a.why and b.why:
        raise _exclude([*a.why, *b.why])
    end, side = (b, "no value above") if a.why else (a, "no value below")
    raise RuleError(
        f"No row can obey {_quoted(a.why or b.why)}: the training data have {side} {_shown(column, end.value, schema)} "
        f"in {column!r}",
        do="Loosen the rule: what a model never saw it never draws",
    )


def _exclude(texts: list[str]) -> RuleError:
    distinct = list(dict.fromkeys(texts))
    if len(distinct) == 1:
        return RuleError(f"The rule {distinct[0]!r} contradicts itself", do="Change it")
    return RuleError(f"The rules {_quoted(distinct)} exclude each other: no row can obey them", do="Drop one of them")


def _quoted(texts: list[str] | tuple[str, ...]) -> str:
    return " and ".join(repr(text) for text in texts)


def _shown(column: str, value: float, schema: Schema) -> str:
    shown = native(value, schema[column])
    return f"{shown:g}" if isinstance(shown, float) else str(shown)


# ---------------------------------------------------------------- circles


def _edges(expression: Expression, text: str) -> Iterator[_Edge]:
    """a <= b between two columns; a == b is that both ways."""
    for part in conjuncts(expression):
        if not isinstance(part, Apply) or part.operation not in MIRROR or len(set(columns(part))) < 2:
            continue
        left, right = part.parts if part.operation[0] in "<=" else part.parts[::-1]
        if isinstance(left, Column) and isinstance(right, Column):
            yield _Edge(left.name, right.name, len(part.operation) == 1, text)
            if part.operation == "==":
                yield _Edge(right.name, left.name, False, text)


def _check_circles(edges: list[_Edge]) -> None:
    """a < b and b < a, over any number of columns: a strict inequality whose ends are joined the other way round."""
    for strict in (edge for edge in edges if edge.strict):
        path = _path(strict.high, strict.low, edges)
        if path is not None:
            raise _exclude([strict.why, *path])


def _path(start: str, end: str, edges: list[_Edge]) -> list[str] | None:
    """The rules along a chain of inequalities from one column to another; breadth first."""
    reached: dict[str, list[str]] = {start: []}
    for name in (queue := [start]):
        if name == end:
            return reached[name]
        for edge in edges:
            if edge.low == name and edge.high not in reached:
                reached[edge.high] = [*reached[name], edge.why]
                queue.append(edge.high)
    return None
