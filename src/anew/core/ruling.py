"""Rules read against a schema: formulas in the order in which they can be computed, conditions, combinations, keys.

Every rule that names an unknown column, compares what cannot be compared or computes in a circle is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from anew.core.errors import RuleError, UsageError, did_you_mean
from anew.core.expressions import Apply, Column, Expression, Value, columns
from anew.core.rules import Holds, Rule, Together, Unique
from anew.core.schema import MADE, Field, Schema
from anew.core.typed import Type, type_of, typed


@dataclass(frozen=True)
class Formula:
    """The column `target` is computed by the expression."""

    text: str
    target: str
    expression: Expression
    type: Type

    @property
    def inputs(self) -> tuple[str, ...]:
        return columns(self.expression)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.target, *self.inputs)

    @property
    def asks_for_blanks(self) -> bool:
        return _asks(self.expression)


@dataclass(frozen=True)
class Condition:
    """The expression is not false in any row."""

    text: str
    expression: Expression

    @property
    def columns(self) -> tuple[str, ...]:
        return columns(self.expression)

    @property
    def asks_for_blanks(self) -> bool:
        return _asks(self.expression)


def _asks(expression: Expression) -> bool:
    """Whether `is None` is somewhere in it."""
    if not isinstance(expression, Apply):
        return False
    return expression.operation == "missing" or any(map(_asks, expression.parts))


@dataclass(frozen=True)
class Ruling:
    """All rules that are in force for rows of a schema; formulas in the order of computing."""

    formulas: tuple[Formula, ...] = ()
    conditions: tuple[Condition, ...] = ()
    together: tuple[Together, ...] = ()
    unique: tuple[Unique, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.formulas or self.conditions or self.together or self.unique)

    @property
    def expressed(self) -> tuple[Formula | Condition, ...]:
        """The rules that are expressions."""
        return (*self.formulas, *self.conditions)

    @property
    def computed(self) -> tuple[str, ...]:
        return tuple(formula.target for formula in self.formulas)


def ruling(rules: Iterable[Rule], schema: Schema) -> Ruling:
    """The rules over the columns of the schema; UsageError or RuleError names the one that cannot be meant."""
    formulas, conditions, together, unique = [], [], [], []
    for rule in dict.fromkeys(rules):
        _known(rule, schema)
        if isinstance(rule, Holds):
            read = _read(rule, schema)
            formulas += [read] if isinstance(read, Formula) else []
            conditions += [read] if isinstance(read, Condition) else []
        elif isinstance(rule, Together):
            together.append(_learned(rule, schema))
        elif isinstance(rule, Unique) and not _always(rule, schema):
            unique.append(rule)
    return Ruling(tuple(_in_order(formulas)), tuple(conditions), tuple(together), tuple(unique))


def _known(rule: Rule, schema: Schema) -> None:
    for name in rule.columns:
        if name not in schema:
            raise UsageError(
                f"The rule {rule.text!r} speaks of {name!r}, and no column is named so",
                do=did_you_mean(name, schema.names),
            )


def _read(rule: Holds, schema: Schema) -> Formula | Condition:
    statement = rule.statement
    found = typed(statement.expression, schema, rule.text)
    if statement.target is None:
        if found.type != "truth":
            raise UsageError(f"The rule {rule.text!r} is neither a comparison nor a formula", do="Write 'a <= b'")
        return Condition(rule.text, found.expression)
    field = schema[statement.target]
    wanted = type_of(field)
    if field.kind in MADE or wanted is None:
        raise UsageError(f"The rule {rule.text!r} computes {field.name!r}, and that is {_a(field)}: it is not learned")
    if found.type != wanted:
        raise UsageError(
            f"The rule {rule.text!r} gives a {found.type} and {field.name!r} holds a {wanted}",
            do="Change the formula, or the column's kind in the schema file",
        )
    return Formula(rule.text, field.name, found.expression, wanted)


def _learned(rule: Together, schema: Schema) -> Together:
    for name in rule.together:
        if schema[name].kind in ("identifier", "empty"):
            raise UsageError(
                f"The rule {rule.text!r} cannot hold: {name!r} is {_a(schema[name])}, whose cells are made anew"
            )
    return rule


def _a(field: Field) -> str:
    return {"identifier": "an identifier", "empty": "an empty column"}.get(field.kind, f"a {field.kind}")


def _always(rule: Unique, schema: Schema) -> bool:
    """An identifier among the columns: its keys are made unique."""
    return any(schema[name].kind == "identifier" for name in rule.unique)


def _in_order(formulas: list[Formula]) -> list[Formula]:
    by_target: dict[str, Formula] = {}
    for formula in formulas:
        other = by_target.setdefault(formula.target, formula)
        if other is not formula:
            raise RuleError(
                f"The rules {other.text!r} and {formula.text!r} both compute {formula.target!r}",
                do="Keep one of them, or write the other as a comparison with ==",
            )
    graph = {formula.target: set(formula.inputs) & set(by_target) for formula in formulas}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = [by_target[name].text for name in dict.fromkeys(error.args[1])]
        raise RuleError("A formula needs its own result", found=circle, do="Leave one of them out") from None
    return [by_target[name] for name in order]


# ---------------------------------------------------------------- what a rule says about one column alone


@dataclass(frozen=True)
class Bound:
    """One end of an interval and the rules that set it; none where it is the end of the data."""

    value: float
    open: bool = False
    why: tuple[str, ...] = ()


FREE_LOW, FREE_HIGH = Bound(float("-inf")), Bound(float("inf"))


@dataclass(frozen=True)
class Limits:
    """What a condition allows one column alone: an interval, or a set of words (None: any)."""

    column: str
    low: Bound = FREE_LOW
    high: Bound = FREE_HIGH
    values: frozenset[float | str | bool] | None = None
    why: str = ""


MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def limits(conditions: Iterable[Condition]) -> Iterator[Limits]:
    """The parts of conditions that limit one column by constants."""
    for condition in conditions:
        for part in conjuncts(condition.expression):
            found = _limit(part, condition.text)
            if found is not None:
                yield found


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """The parts of which all must hold."""
    if isinstance(expression, Apply) and expression.operation == "and":
        for part in expression.parts:
            yield from conjuncts(part)
    else:
        yield expression


def _limit(part: Expression, why: str) -> Limits | None:
    if isinstance(part, Column):
        return _listed(part.name, [True], why)
    if not isinstance(part, Apply):
        return None
    operation, first = part.operation, part.parts[0]
    if operation == "not" and isinstance(first, Column):
        return _listed(first.name, [False], why)
    if operation == "in" and isinstance(first, Column):
        return _listed(first.name, [p.value for p in part.parts[1:] if isinstance(p, Value)], why)
    return _compared(part, why) if operation in MIRROR else None


def _compared(part: Apply, why: str) -> Limits | None:
    """COLUMN >= VALUE, or the same the other way round."""
    operation, (column, value) = part.operation, part.parts
    if isinstance(column, Value):
        operation, (value, column) = MIRROR[operation], (column, value)
    if not isinstance(column, Column) or not isinstance(value, Value):
        return None
    if operation == "==":
        return _listed(column.name, [value.value], why)
    if not isinstance(value.value, float):
        return None
    bound = Bound(value.value, len(operation) == 1, (why,))
    upwards = operation[0] == ">"
    return Limits(column.name, bound if upwards else FREE_LOW, FREE_HIGH if upwards else bound, why=why)


def _listed(name: str, values: list[float | str | bool], why: str) -> Limits:
    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) < len(values):
        return Limits(name, values=frozenset(values), why=why)
    return Limits(name, Bound(min(numbers), why=(why,)), Bound(max(numbers), why=(why,)), frozenset(values), why)
