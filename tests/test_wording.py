"""Texts that must mention some words and may not have others: the language, its lengths, draws of models."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

import anew
from anew.core.errors import AnewError, BudgetError, GrammarError
from anew.core.sequences import Sequences
from anew.grammar.tokens import Guide
from anew.grammar.wording import wording
from anew.objectives.next_token import NextToken

ASKED = {"mention": ["Geeqie", "slide show"], "avoid": ["cheap", "free*", "élan"]}
PIECES = [bytes([i]) for i in range(256)] + [b"", b"Geeqie", b" slide", b"che", "ä".encode() * 2]
END = 256


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("Geeqie, a Slide Show.", True),
        ("a geeqie slide show", False),
        ("Geeqie slide", False),
        ("Geeqies slide show", False),
        ("Geeqie slide shows", False),
        ("Geeqie slide slide show", True),
        ("Geeqié slide show Geeqie", True),
        ("Geeqie slide show, CHEAP", False),
        ("Geeqie slide show, cheaply", True),
        ("Geeqie slide show – “cheap”", False),
        ("Geeqie slide show, freely", False),
        ("Geeqie slide show, carefree", True),
        ("Geeqie slide show of ÉLAN", False),
        ("Geeqie slide show\x07", False),
    ],
)
def test_a_text_has_what_it_must_and_nothing_that_it_may_not(text: str, good: bool) -> None:
    assert wording(ASKED).accepts(text.encode()) is good


def test_the_language_is_that_of_the_words_for_random_texts() -> None:
    rng, language = np.random.default_rng(0), wording({"mention": ["ab"], "avoid": ["ba*", "cc"]})
    for _ in range(500):
        text = "".join(rng.choice(list("abc  "), 8))
        have = re.search(r"(?<!\w)ab(?!\w)", text) is not None
        never = re.search(r"(?<!\w)(ba|cc(?!\w))", text) is not None
        assert language.accepts(text.encode()) is (have and not never), text


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"mention": ["cheap"], "avoid": ["cheap"]}, "No text mentions"),
        ({"mention": [""]}, "mention takes words"),
        ({"mentions": ["a"]}, "did you mean 'mention'|no part 'mentions'"),
        ({"most": -1}, "whole number"),
        ({"least": 9, "most": 3}, "above the most"),
        ("cheap", "is a dict"),
    ],
)
def test_what_cannot_be_held_is_one_sentence(asked: object, wrong: str) -> None:
    with pytest.raises(GrammarError, match=wrong):
        wording(asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(("least", "most"), [(0, 40), (30, 45), (24, 24)])
def test_a_network_that_learned_nothing_keeps_to_words_and_lengths(least: int, most: int) -> None:
    space = Sequences((len(PIECES),), end=END, opening=(END,), most=400)
    learner = NextToken(space, {}, context=16, width=32, depth=1)
    guide = Guide(wording(ASKED), PIECES, END, least=least, most=most)
    rows = learner.drawing(words=guide).sample(24, np.random.default_rng(0))
    texts = [b"".join(PIECES[token] for token in rows[i]).decode() for i in range(24)]
    assert all(least <= len(text) <= most for text in texts)
    assert all("Geeqie" in text and "slide show" in text.lower() for text in texts)
    assert not any(re.search(r"(?<!\w)(cheap(?!\w)|free)", text, re.IGNORECASE) for text in texts)


def test_lengths_that_no_text_has_are_an_error() -> None:
    guide = Guide(wording(ASKED), PIECES, END, most=10)
    with pytest.raises(BudgetError, match="10 characters at most"):
        guide.start(1, 100)


def test_a_model_is_asked_in_words() -> None:
    things = [(thing, how, i) for i in range(20) for thing in ("lamp", "desk") for how in ("good", "cheap", "small")]
    rows = [f"The {thing} is {how} for {i} of us." for thing, how, i in things]
    model = anew.fit(pl.DataFrame({"note": rows, "kind": ["x", "y"] * 60}), learn="note", network="ngram")
    asked = {"mention": ["desk"], "avoid": ["cheap"], "most": 30}
    texts = model.sample(30, words=asked, seed=1)["note"]
    assert texts.str.contains(r"(?i)\bdesk\b").all()
    assert not texts.str.contains(r"(?i)\bcheap\b").any()
    assert texts.str.len_chars().max() <= 30
    assert texts.str.starts_with("The desk is ").any(), "what is likely stays so"
    with pytest.raises(AnewError, match="regex, schema, choices and words"):
        model.sample(2, words=asked, regex="a")


def test_a_sign_stands_for_a_text_and_is_urged_until_it_stands() -> None:
    pieces = [*PIECES[:16], b"Geeqie", *PIECES[17:257]]
    space = Sequences((len(pieces),), end=END, opening=(END,), most=200)
    learner = NextToken(space, {}, context=16, width=32, depth=1)
    guide = Guide(wording({"mention": ["Geeqie"]}), pieces, END, most=60, signs=[16])
    walk = guide.start(2, 60)
    logits = np.zeros((2, len(pieces)), np.float32)
    walk.bar(logits)
    assert logits[0, 16] == pytest.approx(2.0)
    for token in (16, ord(" ")):
        walk.write(np.array([token, ord(" ")]))
    logits = np.zeros((2, len(pieces)), np.float32)
    walk.bar(logits)
    assert logits[:, 16].tolist() == [0.0, 2.0]
    rows = learner.drawing(words=guide).sample(8, np.random.default_rng(0))
    texts = [b"".join(pieces[token] for token in rows[i]).decode() for i in range(8)]
    assert all("Geeqie" in text and len(text) <= 60 for text in texts)


def test_each_row_is_held_to_its_own_words() -> None:
    rows = [f"The {thing} is {how} for {i} of us." for i in range(20) for thing in ("lamp", "desk") for how in "abc"]
    model = anew.fit(pl.DataFrame({"note": rows, "kind": ["x", "y"] * 60}), learn="note", network="ngram")
    words = ["lamp", "desk", "chair", "lamp"]
    texts = model.sample(4, words=[{"mention": [word], "most": 40} for word in words], seed=1)["note"]
    assert all(word in text.lower() for word, text in zip(words, texts, strict=True))
    with pytest.raises(AnewError, match="Each row needs what it is held to"):
        model.sample(3, words=[{"mention": ["lamp"]}])
