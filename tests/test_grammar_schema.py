"""Constraints by JSON schema: what a model that knows nothing writes under one is valid, its bounds included."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest

from anew.core.errors import GrammarError
from anew.grammar.numerals import Interval, numbers
from anew.grammar.schema import schema
from anew.grammar.tokens import Guide
from anew.testing import grammars

SCHEMAS = 60
PIECES = grammars.vocabulary(Random(0), 600)


def drawn(document: Any, rows: int = 40, room: int = 30, seed: int = 0) -> list[Any]:
    guide = Guide(schema(document), grammars.vocabulary(), grammars.END)
    texts = grammars.written(guide, rows, guide.shortest + room, np.random.default_rng(seed))
    return [json.loads(text) for text in texts]


@pytest.mark.parametrize("seed", range(SCHEMAS))
def test_random_schemas_get_valid_texts_alone(seed: int) -> None:
    random = Random(seed)
    document = grammars.schema(random)
    guide = Guide(schema(document), PIECES if seed % 2 else grammars.vocabulary(), grammars.END)
    budget = guide.shortest + random.choice([0, 1, 5, 50])
    for text in grammars.written(guide, 3, budget, np.random.default_rng(seed)):
        assert grammars.why_invalid(document, text) == "", (document, text)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("step", [None, "0.25", "3", "0.05", "40"])
@pytest.mark.parametrize(
    ("low", "high", "low_open", "high_open"),
    [
        ("-5.25", "12.3", False, True),
        ("0", "1", True, True),
        ("-1", "0", False, False),
        ("99", "1001", True, False),
        ("0.001", "0.0025", False, False),
        (None, "-0.5", False, False),
        ("1e3", None, True, False),
    ],
)
def test_bounds_of_numbers_hold_exactly(
    low: str | None, high: str | None, low_open: bool, high_open: bool, step: str | None, whole: bool
) -> None:
    ends = [None if one is None else Decimal(one) for one in (low, high)]
    every = None if step is None else Fraction(step)
    automaton = numbers(Interval(ends[0], ends[1], low_open, high_open, every), whole=whole)
    places = 15 if step is None else max(0, -int(str(Decimal(step).as_tuple().exponent)))
    random = Random(0)
    near = [str(one) for one in (low, high) if one is not None]
    for _ in range(400):
        number = str(random.choice([random.randrange(10), random.randrange(100), random.randrange(2000)]))
        number = random.choice(["", "-"]) + number
        number += random.choice(["", "." + "".join(random.choice("0012579") for _ in range(random.randint(1, 4)))])
        text = random.choice([number, number, number, random.choice(near) if random.random() < 0.2 else number])
        value, decimals = Decimal(text), len(text.partition(".")[2])
        held = (
            not (text.startswith("-") and value == 0)
            and "e" not in text
            and (ends[0] is None or value > ends[0] or (value == ends[0] and not low_open))
            and (ends[1] is None or value < ends[1] or (value == ends[1] and not high_open))
            and (every is None or Fraction(value) % every == 0)
            and decimals <= (0 if whole else places)
            and (not whole or value == int(value))
        )
        assert automaton.accepts(text.encode()) == held, text


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 4}, r"at \$ exclude each other"),
        ({"properties": {"a": {"type": "number", "exclusiveMinimum": 1, "maximum": 1}}}, r"\$\.properties\.a exclude"),
        ({"type": "integer", "minimum": 11, "maximum": 19, "multipleOf": 10}, r"lies within the bounds at \$\."),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, r"lies within the bounds at \$"),
        (
            {"items": {"type": "string", "minLength": 3, "maxLength": 2}},
            r"'minLength' is above 'maxLength' at \$\.items",
        ),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "'minItems' is above"),
        ({"type": "string", "pattern": "^a{3}$", "maxLength": 2}, "No string of 0 to 2 characters at"),
        ({"enum": ["a", "b"], "minLength": 2}, r"No value of 'enum' at \$"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, r"contradicts itself at \$: no type"),
        ({"required": ["a"], "additionalProperties": False}, "required at .* and not allowed"),
        ({"type": "array", "prefixItems": [{}], "items": False, "minItems": 2}, "More items are asked for"),
        ({"properties": {"a": {"not": {}}}}, r"keyword at \$\.properties\.a that cannot be held.*'not'"),
        ({"type": "integer", "minimun": 3}, "Did you mean 'minimum'"),
        ({"type": "string", "format": "color"}, "format at"),
        ({"type": "string", "minLength": "3"}, "must be a whole number"),
        ({"type": "integer", "multipleOf": 0}, "above 0"),
        ({"type": "integer", "exclusiveMinimum": True}, "must be a number"),
        ({"type": "integr"}, "must be a type"),
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
        ({"$ref": "https://example.org/x"}, "the same schema"),
        ({"$ref": "#"}, "leads back to itself"),
        (
            {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
            "leads back to itself",
        ),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "nothing ends within 3 levels"),
        ({"oneOf": [{"type": "object"}, {"type": "object", "properties": {"a": {}}}]}, r"\$\.oneOf\[0\] and \[1\]"),
        (
            {"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "integer"}], "maximum": 3, "type": "integer"},
            "oneOf",
        ),
        ({"type": "string", "pattern": "(?=a)"}, "a lookahead"),
        (False, "allows nothing"),
        ("{", "not JSON"),
        ([1], "is an object"),
    ],
)
def test_what_contradicts_itself_or_cannot_be_held_is_refused_with_its_place(document: Any, path: str) -> None:
    with pytest.raises(GrammarError, match=path):
        schema(document)


def test_lengths_are_counted_in_characters() -> None:
    texts = drawn({"type": "string", "minLength": 3, "maxLength": 5, "pattern": '^[äöü𝄞"\\\\\n]*$'})
    assert {len(text) for text in texts} == {3, 4, 5}
    assert set("".join(texts)) == set('äöü𝄞"\\\n')


def test_members_keep_their_order_and_may_be_left_out_where_they_are_not_required() -> None:
    document = {"properties": {"a": {"const": 1}, "b": {"const": 2}, "c": {"const": 3}}, "required": ["b"]}
    found = {tuple(one) for one in drawn(document, 200)}
    assert found == {("b",), ("a", "b"), ("b", "c"), ("a", "b", "c")}


def test_one_of_several_leaves_out_what_two_allow() -> None:
    found = drawn({"oneOf": [{"type": "integer", "minimum": 0}, {"type": "number", "maximum": 9.5}]}, 300)
    assert all((one == int(one) and one >= 0) != (one <= 9.5) for one in found)
    assert any(one > 9.5 for one in found)
    assert any(one < 0 for one in found)


def test_a_schema_that_refers_to_itself_ends_within_its_depth() -> None:
    tree = {
        "$ref": "#/$defs/n",
        "$defs": {"n": {"properties": {"l": {"$ref": "#/$defs/n"}, "r": {"$ref": "#/$defs/n"}}}},
    }

    def depth(node: dict[str, Any]) -> int:
        return 1 + max([0, *map(depth, node.values())])

    assert {depth(one) for one in drawn(tree, 200, 400)} <= {1, 2, 3}
    assert max(depth(one) for one in drawn(tree, 200, 400)) == 3


def test_bounds_between_two_doubles_hold_for_who_reads_doubles() -> None:
    document = {"type": "number", "exclusiveMinimum": 0.1, "exclusiveMaximum": 0.30000000000000004}
    assert all(0.1 < one < 0.30000000000000004 for one in drawn(document, 300))
    large = {"type": "integer", "minimum": 1e23, "maximum": 1.0000000000000001e23}
    assert all(1e23 <= one <= 1.0000000000000001e23 for one in drawn(large, 50))


def test_what_is_said_of_people_by_a_class_of_pydantic_is_held() -> None:
    from pydantic import BaseModel, Field

    class Patient(BaseModel):
        age: int = Field(ge=0, le=120)
        weight: float = Field(gt=2, lt=400, multiple_of=0.5)
        ward: str = Field(pattern=r"^[A-F]\d$")
        notes: list[str] = Field(max_length=2)
        next: Patient | None = None

    texts = [json.dumps(one) for one in drawn(Patient.model_json_schema(), 100, 300)]
    assert all(Patient.model_validate_json(text) for text in texts)
