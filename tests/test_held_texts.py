"""Texts held by a regular expression, a JSON schema or choices: through the verbs, with counts and with networks."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew.cli.app import serve
from anew.codecs._vocabulary import END, Vocabulary
from anew.core.errors import BudgetError, CapabilityError, GrammarError, UsageError
from anew.core.sequences import Sequences
from anew.grammar.regex import regex
from anew.grammar.tokens import Guide
from anew.model import Model
from anew.objectives._choosing import pick
from anew.objectives.next_token import NextToken
from anew.testing.grammars import why_invalid

PIECES = Vocabulary([(b"a", b"b"), (b"\xc3", b"\xa4"), (b"1", b"2")]).pieces
PERSON = {
    "properties": {
        "name": {"type": "string", "maxLength": 6},
        "age": {"type": "integer", "minimum": 18, "maximum": 21},
    },
    "required": ["name", "age"],
}


@pytest.fixture(scope="module")
def model() -> Model:
    rng = random.Random(0)
    rows = [f'{{"name": "{rng.choice(["Ann", "Bo", "Cy"])}", "age": {rng.randrange(99)}}}' for _ in range(200)]
    return anew.fit(pl.DataFrame({"note": rows, "kind": ["x", "y"] * 100}), learn="note", network="ngram")


def test_every_text_is_what_it_is_held_to(model: Model) -> None:
    words = model.sample(70, regex="[A-Z][a-zäö]{2,9}(, [^a-z]){2}")["note"]  # more than a block
    assert all(re.fullmatch("[A-Z][a-zäö]{2,9}(, [^a-z]){2}", text) for text in words)
    people = model.sample(20, schema=PERSON, seed=1)["note"]
    assert [why_invalid(PERSON, text.encode()) for text in people] == [""] * 20
    assert set(model.sample(40, choices=["Ann", "Anna", "Bo"])["note"]) <= {"Ann", "Anna", "Bo"}
    assert re.fullmatch("b+o?", "".join(model.write(regex="b+o?", tokens=30)))
    assert re.fullmatch("Bo, [0-9]{2}", model.sample(1, prompt="Bo, ", regex="[0-9]{2}")["note"][0])


def test_a_held_draw_follows_the_model_and_its_seed(model: Model) -> None:
    some = model.sample(200, choices=["Ann", "Zoe"], prompt='{"name": "', seed=2)["note"]
    assert some.str.ends_with("Ann").mean() > 0.9
    again = model.sample(6, schema=PERSON, seed=3, temperature=0.7, top_p=0.9)["note"].to_list()
    assert model.sample(3, schema=PERSON, seed=3, temperature=0.7, top_p=0.9)["note"].to_list() == again[:3]
    greedy = model.sample(2, schema=PERSON, temperature=0.0)["note"]
    assert greedy[0] == greedy[1]
    assert why_invalid(PERSON, greedy[0].encode()) == ""


@pytest.mark.parametrize(
    ("how", "error", "wrong"),
    [
        ({"regex": "a{50}", "tokens": 10}, BudgetError, "has 50 tokens"),
        ({"regex": "a", "choices": ["b"]}, UsageError, "one of regex, schema, choices and words"),
        ({"regex": "a", "stop": "b"}, UsageError, "ends where that says"),
        ({"regex": "a^"}, GrammarError, "No text at all"),
        ({"schema": {"type": "integer", "minimum": 2, "maximum": 1}}, GrammarError, r"at \$ exclude"),
        ({"choices": []}, GrammarError, "nothing to choose"),
    ],
)
def test_what_cannot_be_held_is_an_error_before_anything_is_drawn(
    model: Model, how: dict[str, object], error: type[Exception], wrong: str
) -> None:
    with pytest.raises(error, match=wrong):
        model.sample(2, **how)


def test_a_model_without_texts_is_not_held() -> None:
    model = anew.fit(pl.DataFrame({"a": [0.5, 1.5, 1.25, 7.5] * 25}), objective="marginals")
    with pytest.raises(CapabilityError, match="draws without regex"):
        model.sample(2, regex="a")


@pytest.mark.parametrize("network", ["gpt", "recurrent"])
@pytest.mark.parametrize("continuing", [False, True])
def test_networks_that_learned_nothing_are_held_with_pieces_of_bytes(network: str, continuing: bool) -> None:
    opening, least = ((10,), 4) if continuing else ((END,), 0)
    space = Sequences((len(PIECES),), end=END, opening=opening, least=least, most=40)
    learner = NextToken(space, {}, network=network, context=16, width=32, depth=1)
    expression = "(ab|ä|12|\n){30,60}"  # beyond the context, and with what would open another passage
    guide = Guide(regex(expression), PIECES, END)
    rows = learner.drawing(regex=guide).sample(5, np.random.default_rng(0))
    assert guide.shortest == 30
    texts = [b"".join(PIECES[token] for token in rows[i]).decode() for i in range(5)]
    assert all(re.fullmatch(expression, text) for text in texts)
    assert max(map(len, texts)) > min(map(len, texts))


def test_the_last_chance_is_never_passed() -> None:
    chances = np.array([[0.3, 0.7, 0.0], [0.1, 0.2, 0.0]])
    assert pick(chances, np.full(2, np.nextafter(1.0, 0))).tolist() == [1, 1]


def test_on_the_command_line(model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert serve(["sample", str(tmp_path / "m"), "-n", "4", "--quiet", *words]) == 0
        return capsys.readouterr().out

    model.save(tmp_path / "m")
    (tmp_path / "person.json").write_text(json.dumps(PERSON), encoding="utf-8")
    assert set(said("--choices", 'Bo,"Ann, Cy"').split("\n")) == {"", "Bo", "Ann, Cy"}
    assert re.fullmatch(r"(\d\d\n+){4}", said("--regex", r"\d\d"))
    said("--schema", str(tmp_path / "person.json"), "-o", str(tmp_path / "new.csv"))
    people = pl.read_csv(tmp_path / "new.csv")["note"]
    assert [why_invalid(PERSON, text.encode()) for text in people] == [""] * 4
    assert serve(["sample", str(tmp_path / "m"), "--schema", str(tmp_path / "none.json")]) == 3
    assert serve(["sample", str(tmp_path / "m"), "--regex", "("]) == 2
