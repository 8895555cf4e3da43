"""Expressions of rules: a small language over the columns of one row, parsed into a tree and never evaluated as code.

    discharged <= admitted + '30 days'
    bmi = round(weight / height ** 2, 1)
    not pregnant or sex == 'F' and age in [18, 19]

Columns by name (in backquotes where the name is not one plain word), numbers, quoted words, dates and durations;
+ - * / ** %; min, max, abs, round, floor; comparisons; and, or, not, in [...], is None. Python's own parser reads it
(`ast`), and whatever is not in this list is an error that quotes the place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from anew.core.errors import UsageError

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
FUNCTIONS = {"min": (2, 99), "max": (2, 99), "abs": (1, 1), "round": (1, 2), "floor": (1, 1)}  # arguments, at most
LANGUAGE = (
    "A rule knows columns, numbers, 'words', + - * / ** %, min, max, abs, round, floor, < <= > >= == !=, and, or, not, "
    "in [...], is None"
)


@dataclass(frozen=True)
class Column:
    """The cell of a column."""

    name: str


@dataclass(frozen=True)
class Value:
    """A constant; times and durations become microseconds when the rule is read against a schema."""

    value: float | str | bool


@dataclass(frozen=True)
class Apply:
    """An operation on parts: "+", "min", "<=", "and", "in" (the first part in the others), "missing", ..."""

    operation: str
    parts: tuple[Expression, ...]


Expression = Column | Value | Apply


@dataclass(frozen=True)
class Statement:
    """A condition, or, with a `target`, the formula that computes that column."""

    expression: Expression
    target: str | None = None


def columns(expression: Expression) -> tuple[str, ...]:
    """The columns that an expression reads, each once, in order."""
    return tuple(dict.fromkeys(_columns(expression)))


def _columns(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Column):
        yield expression.name
    elif isinstance(expression, Apply):
        for part in expression.parts:
            yield from _columns(part)


# ---------------------------------------------------------------- parsing

_TOKENS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?P<name>[^`]*)`""")
_BINARY: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Mod: "%",
}  # fmt: skip
_COMPARE: dict[type, str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


def parse(text: str) -> Statement:
    """A rule as a person wrote it -> its tree; UsageError quotes the place that is not of the language."""
    return _Parser(text).statement()


class _Parser:
    """Backquoted names stand in for by plain words of the same length, so that every place is a place of the text."""

    def __init__(self, text: str) -> None:
        self.text = " ".join(text.splitlines()).strip()
        self.names: dict[str, str] = {}
        self.plain = _TOKENS.sub(self._stand_in, self.text)

    def _stand_in(self, match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        word = f"_{len(self.names)}".ljust(len(match[0]), "_")
        self.names[word] = name
        return word

    def statement(self) -> Statement:
        try:
            body = ast.parse(self.plain).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            start = max((getattr(error, "offset", None) or 1) - 1, 0)
            raise self._wrong(self.text[start : start + 20] or "its end", "this is not an expression") from None
        if len(body) != 1:
            raise UsageError("A rule is one expression or one formula", found=self.text, do=LANGUAGE)
        line = body[0]
        if isinstance(line, ast.Expr):
            return Statement(self.read(line.value))
        if not isinstance(line, ast.Assign) or len(line.targets) != 1 or not isinstance(line.targets[0], ast.Name):
            raise self._wrong(self.text, "a formula is COLUMN = EXPRESSION, and a comparison for equality is ==")
        target, value = self._name(line.targets[0]), self.read(line.value)
        if not columns(value):  # sex = 'F' asks for something and computes nothing
            return Statement(Apply("==", (target, value)))
        return Statement(value, target.name)

    def read(self, node: ast.expr) -> Expression:
        reader = self.READERS.get(type(node))
        if reader is None:
            raise self._refuse(node)
        return reader(self, node)

    def _name(self, node: ast.Name) -> Column:
        return Column(self.names.get(node.id, node.id))

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, bool | str):
            return Value(node.value)
        if isinstance(node.value, int | float):
            return Value(float(node.value))
        raise self._refuse(node, "write `is None` for a missing value" if node.value is None else "")

    def _binary(self, node: ast.BinOp) -> Expression:
        operation = _BINARY.get(type(node.op))
        if operation is None:
            raise self._refuse(node)
        return Apply(operation, (self.read(node.left), self.read(node.right)))

    def _unary(self, node: ast.UnaryOp) -> Expression:
        inner = self.read(node.operand)
        if isinstance(node.op, ast.Not):
            return Apply("not", (inner,))
        if isinstance(node.op, ast.USub):
            number = isinstance(inner, Value) and isinstance(inner.value, float)
            return Value(-inner.value) if number else Apply("negative", (inner,))  # type: ignore[union-attr,operator]
        raise self._refuse(node)

    def _logic(self, node: ast.BoolOp) -> Expression:
        return Apply("and" if isinstance(node.op, ast.And) else "or", tuple(map(self.read, node.values)))

    def _compare(self, node: ast.Compare) -> Expression:
        """a < b <= c means a < b and b <= c."""
        lefts = [node.left, *node.comparators[:-1]]
        pairs = [self._pair(*pair, node) for pair in zip(lefts, node.ops, node.comparators, strict=True)]
        return pairs[0] if len(pairs) == 1 else Apply("and", tuple(pairs))

    def _pair(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, whole: ast.Compare) -> Expression:
        if isinstance(operator, ast.In | ast.NotIn):
            found = Apply("in", (self.read(left), *self._list(right)))
            return Apply("not", (found,)) if isinstance(operator, ast.NotIn) else found
        if isinstance(operator, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise self._refuse(right, "only `is None` and `is not None` are known")
            gone = Apply("missing", (self.read(left),))
            return Apply("not", (gone,)) if isinstance(operator, ast.IsNot) else gone
        known = _COMPARE.get(type(operator))
        if known is None:
            raise self._refuse(whole)
        return Apply(known, (self.read(left), self.read(right)))

    def _list(self, node: ast.expr) -> list[Expression]:
        if not isinstance(node, ast.List | ast.Tuple | ast.Set) or not node.elts:
            raise self._refuse(node, "what follows `in` is a list of values, ['a', 'b']")
        values = [self.read(item) for item in node.elts]
        for item, value in zip(node.elts, values, strict=True):
            if not isinstance(value, Value):
                raise self._refuse(item, "a list holds values and no columns")
        return values

    def _call(self, node: ast.Call) -> Expression:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or node.keywords:
            raise self._refuse(node, f"the functions are {', '.join(FUNCTIONS)}")
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            raise self._refuse(node, f"{name} takes {fewest if fewest == most else f'{fewest} or more'} values")
        parts = tuple(map(self.read, node.args))
        if name == "round" and len(parts) == 2 and not _whole(parts[1]):
            raise self._refuse(node, "round takes a whole number of decimals")
        return Apply(name, parts)

    def _refuse(self, node: ast.expr, why: str = "") -> UsageError:
        plain = self.plain.encode()
        start, end = (len(plain[:at].decode()) for at in (node.col_offset, node.end_col_offset or len(plain)))
        reason = "a name with a dot needs backquotes" if isinstance(node, ast.Attribute) else "this is not known here"
        return self._wrong(self.text[start:end], why or reason)

    def _wrong(self, place: str, why: str) -> UsageError:
        return UsageError(f"The rule {self.text!r} cannot be read at {place!r}: {why}", do=_HINT)

    READERS: ClassVar[dict[type, Callable[..., Expression]]] = {
        ast.Name: _name,
        ast.Constant: _constant,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.BoolOp: _logic,
        ast.Compare: _compare,
        ast.Call: _call,
    }


_HINT = f"{LANGUAGE}; a name with spaces or marks stands in `backquotes`"


def _whole(part: Expression) -> bool:
    return isinstance(part, Value) and isinstance(part.value, float) and part.value.is_integer() and part.value >= 0
