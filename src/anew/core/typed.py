"""Rules read against a schema: what every part of an expression is (a number, time, span, word or truth).

time - time = span, time + span = time, span / span = number; a quoted word beside a time or a span is read as one.
Constants of times and spans become microseconds, so that only numbers, words and truths are left to compare.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from anew.core.errors import UsageError
from anew.core.expressions import COMPARISONS, Apply, Column, Expression, Value, columns
from anew.core.schema import Field, Schema

Type = Literal["number", "time", "span", "word", "truth"]

_KINDS: dict[str, Type] = {
    "integer": "number", "number": "number", "datetime": "time", "duration": "span",
    "category": "word", "text": "word", "boolean": "truth",
}  # fmt: skip
_DTYPES: dict[str, Type] = {
    "Int": "number", "UInt": "number", "Float": "number", "Decimal": "number", "Date": "time", "Duration": "span",
    "Time": "span", "Boolean": "truth",
}  # fmt: skip
_SIGNATURES: dict[str, dict[tuple[Type, ...], Type]] = {
    "+": {("number", "number"): "number", ("time", "span"): "time", ("span", "time"): "time", ("span", "span"): "span"},
    "-": {("number", "number"): "number", ("time", "time"): "span", ("time", "span"): "time", ("span", "span"): "span"},
    "*": {("number", "number"): "number", ("span", "number"): "span", ("number", "span"): "span"},
    "/": {("number", "number"): "number", ("span", "number"): "span", ("span", "span"): "number"},
    "**": {("number", "number"): "number"},
    "%": {("number", "number"): "number"},
    "negative": {("number",): "number", ("span",): "span"},
    "abs": {("number",): "number", ("span",): "span"},
    "floor": {("number",): "number"},
    "round": {("number",): "number", ("number", "number"): "number"},
}
_SAID = {
    "number": "a number",
    "time": "a date or time",
    "span": "a duration",
    "word": "a word",
    "truth": "true or false",
}


def type_of(field: Field) -> Type | None:
    """What a column is in a rule; None for identifiers and empty columns, whose cells are not learned."""
    if field.kind == "constant":
        return next((kind for start, kind in _DTYPES.items() if field.dtype.startswith(start)), "word")
    return _KINDS.get(field.kind)


@dataclass(frozen=True)
class Typed:
    """An expression whose constants are resolved, and what it is."""

    expression: Expression
    type: Type


def typed(expression: Expression, schema: Schema, text: str) -> Typed:
    """The expression over the schema's columns; UsageError where its parts do not go together."""
    return _Reader(expression, schema, text).read(expression)


class _Reader:
    def __init__(self, expression: Expression, schema: Schema, text: str) -> None:
        self.schema, self.text = schema, text
        fields = [schema[name] for name in columns(expression)]
        times = [field for field in fields if field.kind == "datetime"]
        zones = {field.time_zone for field in times}
        if None in zones and len(zones) > 1:
            raise self._wrong(f"of {[field.name for field in times]}, some have a time zone and some have none")
        self.zone = next(iter(zones), None)

    def read(self, expression: Expression) -> Typed:
        if isinstance(expression, Column):
            return Typed(expression, self._column(expression.name))
        if isinstance(expression, Value):
            kind: Type = "truth" if isinstance(expression.value, bool) else "number"
            return Typed(expression, "word" if isinstance(expression.value, str) else kind)
        parts = [self.read(part) for part in expression.parts]
        operation = expression.operation
        if operation in ("and", "or", "not"):
            return self._truths(operation, parts)
        if operation == "missing":
            return Typed(Apply("missing", (parts[0].expression,)), "truth")
        if operation in (*COMPARISONS, "in", "min", "max"):
            return self._alike(operation, parts)
        return self._computed(operation, parts)

    def _column(self, name: str) -> Type:
        kind = type_of(self.schema[name])
        if kind is None:
            raise self._wrong(f"the cells of {name!r} ({self.schema[name].kind}) are made anew and obey nothing")
        return kind

    def _truths(self, operation: str, parts: list[Typed]) -> Typed:
        for part in parts:
            if part.type != "truth":
                raise self._wrong(f"{operation!r} joins what is true or false, and {_name(part)} is {_SAID[part.type]}")
        return Typed(Apply(operation, tuple(part.expression for part in parts)), "truth")

    def _alike(self, operation: str, parts: list[Typed]) -> Typed:
        """Comparisons, lists, min and max: parts of one type; constants become what the others are."""
        wanted = next((part.type for part in parts if not isinstance(part.expression, Value)), parts[0].type)
        same = [self._as(part, wanted) for part in parts]
        for part in same:
            if part.type != wanted:
                raise self._wrong(
                    f"{_name(same[0])} is {_SAID[same[0].type]} and {_name(part)} is {_SAID[part.type]}"
                    if part is not same[0]
                    else f"{_name(part)} is {_SAID[part.type]}, not {_SAID[wanted]}"
                )
        if operation not in ("in", "==", "!=") and wanted in ("word", "truth"):
            raise self._wrong(f"{_name(same[0])} is {_SAID[wanted]}: such values have no order")
        expression = Apply(operation, tuple(part.expression for part in same))
        return Typed(expression, wanted if operation in ("min", "max") else "truth")

    def _computed(self, operation: str, parts: list[Typed]) -> Typed:
        known = _SIGNATURES[operation]
        for wanted in known:  # the first reading of quoted words under which the parts go together
            if len(wanted) != len(parts):
                continue
            same = [self._as(part, kind, strict=False) for part, kind in zip(parts, wanted, strict=True)]
            if tuple(part.type for part in same) == wanted:
                return Typed(Apply(operation, tuple(part.expression for part in same)), known[wanted])
        said = " and ".join(f"{_name(part)} ({_SAID[part.type]})" for part in parts)
        raise self._wrong(f"{operation!r} does not go with {said}")

    def _as(self, part: Typed, wanted: Type, strict: bool = True) -> Typed:
        """A quoted constant as the time or span it is compared with; a number as the word of a category."""
        if part.type == wanted or not isinstance(part.expression, Value):
            return part
        value = part.expression.value
        if wanted == "word" and isinstance(value, float):
            return Typed(Value(f"{value:g}"), "word")
        read = {"time": self._moment, "span": span_of}.get(wanted)
        if read is None or not isinstance(value, str):
            return part
        found = read(value)
        if found is None and strict:
            raise self._wrong(f"{value!r} is not {_SAID[wanted]}, such as {_LIKE[wanted]}")
        return part if found is None else Typed(Value(found), wanted)

    def _moment(self, word: str) -> float | None:
        return moment_of(word, self.zone)

    def _wrong(self, why: str) -> UsageError:
        return UsageError(f"The rule {self.text!r} cannot be meant: {why}", do="Change the rule, or the column's kind")


_LIKE = {"time": "'2024-12-31' or '2024-12-31 08:30'", "span": "'7 days', '90 minutes' or 'PT90M'"}


def _name(part: Typed) -> str:
    expression = part.expression
    if isinstance(expression, Column):
        return repr(expression.name)
    return repr(expression.value) if isinstance(expression, Value) else f"the result of {expression.operation!r}"


# ---------------------------------------------------------------- times and spans as microseconds

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNITS = {
    "week": 604_800e6, "day": 86_400e6, "hour": 3_600e6, "minute": 60e6, "second": 1e6, "millisecond": 1e3,
    "microsecond": 1.0,
}  # fmt: skip
_SPOKEN = re.compile(r"([+-]?\d+(?:\.\d+)?) *(week|day|hour|minute|second|millisecond|microsecond)s?(?:,? +|$)")
_CLOCK = re.compile(r"(\d+):(\d{2})(?::(\d{2}(?:\.\d+)?))?")
_ISO = re.compile(r"(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def moment_of(word: str, zone: str | None) -> float | None:
    """A date or time in ISO form as microseconds since 1970, as polars counts them in that zone (None: no zone)."""
    try:
        moment = dt.datetime.fromisoformat(word.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone) if zone else dt.UTC)
    return (moment - _EPOCH) / dt.timedelta(microseconds=1)


def span_of(word: str) -> float | None:
    """'7 days', '1 hour 30 minutes', '08:30' and ISO 8601's 'P7D' as microseconds."""
    word = word.strip()
    spoken = list(_SPOKEN.finditer(word))
    if spoken and "".join(match[0] for match in spoken) == word:
        return sum(float(match[1]) * _UNITS[match[2]] for match in spoken)
    if match := _CLOCK.fullmatch(word):
        return sum(float(part or 0) * _UNITS[unit] for part, unit in zip(match.groups(), _CLOCK_UNITS, strict=True))
    if (match := _ISO.fullmatch(word)) and any(match.groups()[1:]):
        whole = sum(float(part or 0) * _UNITS[unit] for part, unit in zip(match.groups()[1:], _ISO_UNITS, strict=True))
        return -whole if match[1] else whole
    return None


_CLOCK_UNITS = ("hour", "minute", "second")
_ISO_UNITS = ("week", "day", "hour", "minute", "second")


def native(value: float | str | bool, field: Field) -> object:
    """A constant as a person would write it: microseconds become a moment of the column's zone, or a span."""
    if not isinstance(value, float) or field.kind not in ("datetime", "duration"):
        return int(value) if field.kind == "integer" and isinstance(value, float) and value.is_integer() else value
    span = dt.timedelta(microseconds=value)
    if field.kind == "duration":
        return span
    return (_EPOCH + span).astimezone(ZoneInfo(field.time_zone) if field.time_zone else dt.UTC).replace(tzinfo=None)
