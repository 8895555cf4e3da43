"""JSON schemas made plain: keywords checked, references followed, and what must hold together merged into one.

Every keyword is held, or a remark that changes nothing, or refused by name: none is passed over in silence. A plain
schema has neither `$ref` nor `allOf` nor `const`; `pattern` and `format` are tuples of all that must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from anew.core.errors import GrammarError, did_you_mean

Plain = dict[str, Any]
TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
REMARKS = frozenset(
    name
    for names in (
        (
            "$schema",
            "$id",
            "$comment",
            "$anchor",
            "$defs",
            "definitions",
            "title",
            "description",
            "default",
            "examples",
        ),
        ("example", "deprecated", "readOnly", "writeOnly", "contentMediaType", "contentEncoding"),
    )
    for name in names
)
_NUMBER, _COUNT = "a number", "a whole number from 0"
_SCHEMA, _SCHEMAS = "a schema", "a list of schemas"
HELD = {
    "type": "a type or a list of types",
    "enum": "a list of values",
    "const": "a value",
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _NUMBER,
    "exclusiveMaximum": _NUMBER,
    "multipleOf": _NUMBER,
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "pattern": "a text",
    "format": "a text",
    "$ref": "a text",
    "properties": "an object of schemas",
    "required": "a list of names",
    "additionalProperties": _SCHEMA,
    "items": _SCHEMA,
    "prefixItems": _SCHEMAS,
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "allOf": _SCHEMAS,
}


def is_number(value: object) -> bool:
    """A JSON number; `True` is none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float | Decimal) and Decimal(value).is_finite())


def is_whole(value: object) -> bool:
    """A number without decimals, of any size."""
    exact = Decimal(str(value))
    return bool(exact == exact.to_integral_value())


def _is_schema(value: object) -> bool:
    return isinstance(value, bool | Mapping)


def _is_list(value: object, each: Callable[[object], bool], least: int = 0) -> bool:
    return isinstance(value, list | tuple) and len(value) >= least and all(map(each, value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_type(value: object) -> bool:
    return value in TYPES if isinstance(value, str) else False


_CHECKS: dict[str, Callable[[object], bool]] = {
    _NUMBER: is_number,
    _COUNT: lambda value: is_number(value) and value >= 0 and value == int(value),  # type: ignore[operator, call-overload]
    _SCHEMA: _is_schema,
    _SCHEMAS: lambda value: _is_list(value, _is_schema, 1),
    "a text": _is_text,
    "a value": lambda value: True,
    "a list of values": lambda value: _is_list(value, lambda one: True, 1),
    "a list of names": lambda value: _is_list(value, _is_text),
    "an object of schemas": lambda value: isinstance(value, Mapping) and all(map(_is_schema, value.values())),
    "a type or a list of types": lambda value: _is_type(value) or _is_list(value, _is_type, 1),
}


def checked(node: Mapping[str, Any], path: str) -> Plain:
    """The keywords of a schema that are to be held."""
    found: Plain = {}
    for name, value in node.items():
        if name in REMARKS or name.startswith("x-"):
            continue
        if name == "uniqueItems" and value is False:
            continue
        if name not in HELD:
            raise GrammarError(
                f"The schema has a keyword at {path} that cannot be held while a text is written",
                found=name,
                do=did_you_mean(name, HELD),
            )
        if not _CHECKS[HELD[name]](value):
            raise GrammarError(f"{name!r} at {path} must be {HELD[name]}", found=value)
        found[name] = value
    if "multipleOf" in found and found["multipleOf"] <= 0:
        raise GrammarError(f"'multipleOf' at {path} must be above 0", found=found["multipleOf"])
    return found


def plain(node: Mapping[str, Any], path: str) -> Plain:
    """One schema's own keywords in the form that merges."""
    found = checked(node, path)
    if "const" in found:
        value = found.pop("const")
        found = merged(found, {"enum": [value]}, path)
    if isinstance(found.get("type"), str):
        found["type"] = [found["type"]]
    for name in ("pattern", "format"):
        if isinstance(found.get(name), str):
            found[name] = (found[name],)
    for name in ("minLength", "maxLength", "minItems", "maxItems"):
        if name in found:
            found[name] = int(found[name])
    if "multipleOf" in found:
        found["multipleOf"] = Fraction(Decimal(str(found["multipleOf"])))
    return found


# -------------------------------------------------------------------------------------------------------------- merging


def merged(a: Plain, b: Plain, path: str) -> Plain:
    """What holds where both hold."""
    found = {**a, **{name: value for name, value in b.items() if name not in a}}
    if "properties" in found or "additionalProperties" in found:
        found.update(_properties(a, b))
    for name in a.keys() & b.keys() - {"properties", "additionalProperties"}:
        if name not in _RULES:
            raise GrammarError(f"Two {name!r} that hold together at {path} cannot be merged", do="Write them as one")
        found[name] = _RULES[name](a[name], b[name])
    for name in ("type", "enum"):
        if found.get(name) == []:
            raise GrammarError(f"The schema contradicts itself at {path}: no {name} is allowed by all")
    return found


def _properties(a: Plain, b: Plain) -> Plain:
    """The members of both; one that a side does not name must meet what that side says of all others."""
    ours, theirs = a.get("properties", {}), b.get("properties", {})
    members: dict[str, Any] = {}
    for name in {**ours, **theirs}:
        sides = [side.get("properties", {}).get(name, side.get("additionalProperties", True)) for side in (a, b)]
        members[name] = _together(*sides)
    others = [side["additionalProperties"] for side in (a, b) if "additionalProperties" in side]
    found: Plain = {"properties": members}
    if others:
        found["additionalProperties"] = others[0] if len(others) == 1 else _together(*others)
    return found


def _together(a: Any, b: Any) -> Any:
    if a is False or b is False:
        return False
    if a is True or a == {}:
        return b
    return a if b is True or b == {} or a == b else {"allOf": [a, b]}


def _types(a: Sequence[str], b: Sequence[str]) -> list[str]:
    """Every integer is a number."""
    return [
        one
        for one in TYPES
        if (one in a or (one == "integer" and "number" in a)) and (one in b or (one == "integer" and "number" in b))
    ]


def _fractions(a: Fraction, b: Fraction) -> Fraction:
    """The least common multiple."""
    return Fraction(lcm(a.numerator, b.numerator), gcd(a.denominator, b.denominator))


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), min),
    **dict.fromkeys(("pattern", "format"), lambda a, b: tuple(dict.fromkeys(a + b))),
    "multipleOf": _fractions,
    "type": _types,
    "enum": lambda a, b: [one for one in a if any(same(one, other) for other in b)],
    "required": lambda a, b: list(dict.fromkeys([*a, *b])),
    "items": _together,
    "anyOf": lambda a, b: [_together(one, other) for one in a for other in b],
}


def same(a: object, b: object) -> bool:
    """Equal as JSON: 1 is 1.0 and not true."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if is_number(a) and is_number(b):
        return Decimal(str(a)) == Decimal(str(b))
    return type(a) is type(b) and a == b
