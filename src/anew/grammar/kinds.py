"""The types of JSON values, and those that a schema speaks of."""

from __future__ import annotations

from collections.abc import Mapping

from anew.grammar.merging import Plain, is_number, is_whole

FAMILIES = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
}
_SCALARS = ["string", "number", "boolean", "null"]


def types_of(found: Plain) -> list[str]:
    """The types of a plain schema: those it names, else those its keywords speak of, else the simple ones."""
    if "enum" in found:
        return sorted({one for value in found["enum"] for one in kind_of(value)})
    spoken = [kind for kind, names in FAMILIES.items() if found.keys() & set(names)]
    types = list(found.get("type") or spoken or _SCALARS)
    return [one for one in types if one != "integer" or "number" not in types]


def kind_of(value: object) -> set[str]:
    """The types that a value has."""
    if value is None or isinstance(value, bool):
        return {"null" if value is None else "boolean"}
    if is_number(value):
        return {"number", "integer"} if is_whole(value) else {"number"}
    return {"string" if isinstance(value, str) else "object" if isinstance(value, Mapping) else "array"}


def family(kind: str) -> str:
    """The type whose values are compared with those of a type: integers are numbers."""
    return "number" if kind == "integer" else kind


def only(found: Plain, kind: str) -> Plain:
    """The part of a plain schema that speaks of one family of types."""
    types = [one for one in types_of(found) if family(one) == kind]
    part = {**found, "type": types}
    if "enum" in found:
        part["enum"] = [value for value in found["enum"] if kind_of(value) & set(types)]
    return part
