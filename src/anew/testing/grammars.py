"""Constraints to test with: random JSON schemas and regular expressions, and texts of a model that knows nothing.
What an engine of constraints must reach is that none of these texts is invalid."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, time
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

import numpy as np

from anew.grammar.tokens import Guide

_NAMES = ["id", "name", "age", "a b", 'say "hi"', "größe", "日本", "back\\slash", "x", "y", "tab\t", "kind2"]
_WORDS = ["", "red", 'qu"ote', "new\nline", "ü", "𝄞", "a/b", "null", "\u0001", "\u2028"]
_ATOMS = [
    "a",
    "b",
    "Z",
    "7",
    "ü",
    "-",
    "_",
    "[a-f]",
    "[^a-y]",
    "[äöü]",
    "\\d",
    "\\w",
    "\\s",
    ".",
    "\\.",
    "\\D",
    '"',
    "/",
]
_FORMATS = ["date", "date-time", "time", "email", "uuid", "ipv4"]
BYTES, END = 256, 256


def vocabulary(random: Random | None = None, pieces: int = 0) -> list[bytes]:
    """The bytes, a mark for the end, and random pieces as byte-pair encoding may find them, halves of letters too."""
    found = [bytes([i]) for i in range(BYTES)] + [b""]
    source = '{"name": "größe 日本", "age": 12.5, [true, false, null], "a b": -0.25} the and ing 2024-01-31T'.encode()
    known = set(found)
    while random is not None and len(found) < BYTES + 1 + pieces:
        begin, size = random.randrange(len(source)), random.randint(2, 6)
        piece = source[begin : begin + size]
        if random.random() < 0.7:
            piece = bytes(random.choice(source) for _ in range(size))
        if piece not in known and len(piece) > 1:
            known.add(piece)
            found.append(piece)
    return found


def written(guide: Guide, rows: int, budget: int, rng: np.random.Generator) -> list[bytes]:
    """Texts of a model for which every token is equally likely, under a constraint."""
    walk, texts = guide.start(rows, budget), [b""] * rows
    open_ = np.arange(rows)
    for _ in range(budget):
        chances = walk.allowed(open_) * rng.random((len(open_), guide.size))
        tokens = chances.argmax(1)
        walk.write(tokens, open_)
        for row, token in zip(open_, tokens, strict=True):
            texts[row] += guide.pieces[token]
        open_ = open_[tokens != guide.end]
        if not len(open_):
            break
    return texts


def why_invalid(document: Any, text: bytes) -> str:
    """What is wrong with a text under a schema, by `json` and `jsonschema`: with exact decimals, and with doubles."""
    import jsonschema

    formats = jsonschema.FormatChecker()
    for name, kind in (("date-time", datetime), ("time", time)):
        formats.checks(name, ValueError)(partial(_reads, kind))
    doubles = json.dumps(document)
    try:
        exact = json.loads(doubles, parse_float=Decimal)
        validator = jsonschema.Draft202012Validator(exact, format_checker=formats)
        validator.validate(json.loads(text.decode(), parse_float=Decimal))
        if '"multipleOf": 0.' not in doubles:  # a division of doubles is no test of a multiple
            jsonschema.Draft202012Validator(document, format_checker=formats).validate(json.loads(text.decode()))
    except (ValueError, jsonschema.ValidationError) as error:
        return str(error)
    return ""


def _reads(kind: type[datetime] | type[time], value: object) -> bool:
    return not isinstance(value, str) or kind.fromisoformat(value) is not None


# -------------------------------------------------------------------------------------------------- regular expressions


def expression(random: Random, depth: int = 3) -> str:
    """A regular expression that something matches."""
    kind = random.random()
    if depth == 0 or kind < 0.35:
        return "".join(random.choice(_ATOMS) for _ in range(random.randint(1, 3)))
    inner = expression(random, depth - 1)
    if kind < 0.55:
        return inner + expression(random, depth - 1)
    if kind < 0.75:
        opened = random.choice(["", "?:", f"?P<g{random.randrange(10**9)}>", "?i:"])
        return f"({opened}{inner}|{expression(random, depth - 1)})"
    least = random.randint(0, 3)
    count = random.choice(
        ["*", "+", "?", f"{{{least}}}", f"{{{least},{least + random.randint(0, 4)}}}", f"{{{least},}}"]
    )
    return f"(?:{inner}){count}{random.choice(['', '', '?'])}"


def pattern(random: Random) -> str:
    """One to be found in a text: with or without anchors."""
    return random.choice(["", "^"]) + f"(?:{expression(random, 2)})" + random.choice(["", "$"])


# -------------------------------------------------------------------------------------------------------------- schemas


def schema(random: Random) -> dict[str, Any]:
    """A JSON schema that something is valid under, of every kind there is."""
    maker = _Maker(random)
    found = maker.any(random.randint(1, 3))
    if maker.shared:
        found = {**found, "$defs": maker.shared}
    return found


class _Maker:
    """Schemas that refer to `shared` ones."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.shared: dict[str, Any] = {}

    def any(self, depth: int) -> dict[str, Any]:
        simple = [self.integer, self.number, self.string, self.listed, self.plain]
        deep = [
            self.object,
            self.object,
            self.array,
            self.tuple,
            self.either,
            self.one,
            self.all,
            self.reference,
            self.chain,
        ]
        made: Callable[..., dict[str, Any]] = self.random.choice(
            simple * (2 if depth < 2 else 1) + (deep if depth else [])
        )
        return made(depth - 1)

    def plain(self, depth: int) -> dict[str, Any]:
        return self.random.choice(
            [{"type": "boolean"}, {"type": "null"}, {"type": ["boolean", "null"]}, {}, {"const": 1.5}]
        )

    def integer(self, depth: int) -> dict[str, Any]:
        size = self.random.choice([1, 10, 1000, 10**6, 10**17])
        low = self.random.randint(-size, size)
        found: dict[str, Any] = {"type": "integer"}
        step = self.random.choice([None, None, 2, 5, 7, 12, 250, 0.5])
        wide = self.random.choice([1, 9, 100, size]) + 2 * int(step or 1) + 2
        return self._bounded(found, low, low + wide, step)

    def number(self, depth: int) -> dict[str, Any]:
        places = self.random.choice([0, 1, 2, 5])
        low = Decimal(self.random.randint(-2000, 2000)).scaleb(-places)
        step = self.random.choice([None, None, 0.01, 0.25, 2, 0.5])
        wide = Decimal(self.random.choice([1, 3, 40, 5000])).scaleb(-places) + 2 * Decimal(str(step or 0))
        return self._bounded({"type": "number"}, float(low), float(low + wide), step)

    def _bounded(self, found: dict[str, Any], low: Any, high: Any, step: Any) -> dict[str, Any]:
        kind = self.random.random()
        if kind > 0.15:
            found[self.random.choice(["minimum", "exclusiveMinimum"])] = low
        if kind < 0.85:
            found[self.random.choice(["maximum", "exclusiveMaximum"])] = high
        if step is not None:
            found["multipleOf"] = step
        return found

    def string(self, depth: int) -> dict[str, Any]:
        kind = self.random.random()
        if kind < 0.25:
            return {"type": "string", "pattern": pattern(self.random)}
        if kind < 0.45:
            return {"type": "string", "format": self.random.choice(_FORMATS)}
        least = self.random.randint(0, 12)
        found: dict[str, Any] = {"type": "string", "minLength": least, "maxLength": least + self.random.randint(0, 30)}
        if kind < 0.6:
            found["pattern"] = self.random.choice(["^[a-zäöü ]*$", "[aeiou]", "^\\w", "\\d$", ".", "^[^\\s]*$"])
            found["maxLength"] += 1
        for name in ("minLength", "maxLength"):
            if self.random.random() < 0.2:
                del found[name]
        return found

    def listed(self, depth: int) -> dict[str, Any]:
        values = [self.random.choice(_WORDS), 3, 2.5, None, True, [1, "a"], {"k": [0.1]}, *_WORDS]
        if self.random.random() < 0.3:
            return {"const": self.random.choice(values)}
        return {"enum": self.random.sample(values, self.random.randint(1, 5))}

    def object(self, depth: int) -> dict[str, Any]:
        names = self.random.sample(_NAMES, self.random.randint(0, 4))
        found: dict[str, Any] = {"type": "object", "properties": {name: self.any(depth) for name in names}}
        found["required"] = [name for name in names if self.random.random() < 0.6]
        if self.random.random() < 0.3:
            found["required"].append("other")
            found["additionalProperties"] = self.random.choice([True, {"type": "integer"}])
        elif self.random.random() < 0.5:
            found["additionalProperties"] = False
        return found

    def array(self, depth: int) -> dict[str, Any]:
        least = self.random.randint(0, 3)
        found = {"type": "array", "items": self.any(min(depth, 1)), "minItems": least}
        if self.random.random() < 0.7:
            found["maxItems"] = least + self.random.randint(0, 3)
        return found

    def tuple(self, depth: int) -> dict[str, Any]:
        first = [self.any(min(depth, 1)) for _ in range(self.random.randint(1, 3))]
        found: dict[str, Any] = {"type": "array", "prefixItems": first, "minItems": self.random.randint(0, len(first))}
        found["items"] = self.random.choice([False, {"type": "integer"}])
        return found

    def either(self, depth: int) -> dict[str, Any]:
        return {"anyOf": [self.any(depth) for _ in range(self.random.randint(1, 3))]}

    def one(self, depth: int) -> dict[str, Any]:
        if self.random.random() < 0.5:
            options = [
                {"type": "integer", "minimum": -5},
                {"type": "number", "maximum": 7.25},
                self.plain(0) or {"type": "null"},
            ]
            return {"oneOf": [*options[:2], {"type": "string", "maxLength": 4}, {"type": "string", "minLength": 3}]}
        kinds = self.random.sample(["cat", "dog", "eel"], self.random.randint(2, 3))
        return {
            "oneOf": [
                {"type": "object", "properties": {"kind": {"const": kind}, "v": self.any(depth)}, "required": ["kind"]}
                for kind in kinds
            ]
        }

    def all(self, depth: int) -> dict[str, Any]:
        low = self.random.randint(-50, 50)
        return {
            "allOf": [
                {"type": ["integer", "string"], "minimum": low, "maxLength": 9},
                {
                    "type": ["number", "string"],
                    "maximum": low + 30,
                    "minLength": self.random.randint(0, 9),
                    "pattern": "^[a-z]*$",
                },
            ]
        }

    def reference(self, depth: int) -> dict[str, Any]:
        name = f"shared/{len(self.shared)}~"
        self.shared[name] = {}  # its place, before what is in it takes one
        self.shared[name] = self.any(depth)
        return {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1")}

    def chain(self, depth: int) -> dict[str, Any]:
        name = f"chain{len(self.shared)}"
        node = {"$ref": f"#/$defs/{name}"}
        following: Sequence[dict[str, Any]] = [
            {"anyOf": [node, {"type": "null"}]},
            {"oneOf": [node, {"type": "null"}]},
            {"type": "array", "items": node, "maxItems": 2},
            node,
        ]
        self.shared[name] = {
            "type": "object",
            "properties": {"value": self.integer(0), "next": self.random.choice(following)},
            "required": ["value"],
            "additionalProperties": False,
        }
        return dict(node)
