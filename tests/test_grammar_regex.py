"""Constraints by regular expression and by choices: the automaton takes what `re.fullmatch` takes, and nothing else."""

from __future__ import annotations

import re
from random import Random

import numpy as np
import pytest

from anew.core.errors import BudgetError, GrammarError
from anew.grammar.choices import choices
from anew.grammar.regex import regex
from anew.grammar.tokens import Guide
from anew.testing import grammars

REGEXES = 40


@pytest.mark.parametrize("seed", range(REGEXES))
def test_random_expressions_agree_with_re_on_what_is_written_and_on_what_is_near_it(seed: int) -> None:
    random = Random(seed)
    expression = grammars.expression(random)
    automaton = regex(expression)
    guide = Guide(automaton, grammars.vocabulary(), grammars.END)
    budget = guide.shortest + random.choice([0, 1, 5, 30])
    for data in grammars.written(guide, 3, budget, np.random.default_rng(seed)):
        text = data.decode()
        assert re.fullmatch(expression, text), (expression, text)
        for _ in range(6):
            place, letter = random.randrange(len(text) + 1), random.choice("abZ7ü-_y é\n")
            near = random.choice(
                [text[:place] + letter + text[place:], text[:place] + letter + text[place + 1 :], text * 2]
            )
            assert automaton.accepts(near.encode()) == bool(re.fullmatch(expression, near)), (expression, near)


def test_characters_are_never_halved() -> None:
    for expression in (".", "[^a]", r"\W", r"[\U00010000-\U0010ffff]"):
        guide = Guide(regex(expression), grammars.vocabulary(), grammars.END)
        for data in grammars.written(guide, 200, 4, np.random.default_rng(0)):
            assert re.fullmatch(expression, data.decode()), (expression, data)


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("a(?=b)", "a lookahead at place 1"),
        ("(?<!a)b", "a negative lookbehind"),
        (r"(a)\1", "a reference back"),
        ("(?P<n>a)(?P=n)", "a reference back"),
        (r"\bfoo", "a word boundary"),
        ("a++", "a possessive repeat"),
        ("(?>ab)", "an atomic group"),
        ("(a)?(?(1)b|c)", "a condition"),
        ("(?m)^a", "the flag 'm'"),
        ("(", "not a regular expression: missing )"),
        ("a{20000}", "10,000 times"),
        ("a$b", "No text at all meets"),
        ("b^a", "No text at all meets"),
        ("[^\\s\\S]", "No text at all meets"),
    ],
)
def test_what_cannot_be_held_is_refused_by_name(expression: str, wrong: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(wrong)):
        regex(expression)


@pytest.mark.parametrize(
    "expression", ["^a$", r"\Aa\Z", "(?i)STRASSE", "(?:^|b)a$", "^$", "(?s:.)", "a{,2}", "a{}", "(?#x)a", "(?-i:a)"]
)
def test_anchors_flags_and_odd_notation_are_read_as_python_reads_them(expression: str) -> None:
    automaton = regex(expression)
    for text in ["", "a", "ba", "aa", "A", "straße", "ſtrasse", "Strasse", "\n", "a{}", "aaa", "b"]:
        assert automaton.accepts(text.encode()) == bool(re.fullmatch(expression, text)), (expression, text)


def test_a_choice_may_be_the_beginning_of_another() -> None:
    options = ["a", "ab", "abc", "", "日本", "日"]
    guide = Guide(choices(options), grammars.vocabulary(), grammars.END)
    drawn = {data.decode() for data in grammars.written(guide, 400, 10, np.random.default_rng(0))}
    assert drawn == set(options)


@pytest.mark.parametrize(("given", "wrong"), [([], "nothing to choose"), ("abc", "a list"), (["a", 3], "is a text")])
def test_choices_that_are_none_are_refused(given: object, wrong: str) -> None:
    with pytest.raises(GrammarError, match=wrong):
        choices(given)  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------------------- tokens


def test_masks_by_tokens_are_those_of_their_bytes() -> None:
    pieces = [*grammars.vocabulary(Random(0), 500), b"12", b"12", b""]  # twins, and a mark that is never written
    automaton = regex(r"[1-9][0-9]{0,3}|größe( [a-zäöü]+)*")
    guide = Guide(automaton, pieces, grammars.END)
    states = np.arange(1, automaton.states, dtype=np.int32)
    allowed = guide.start(len(states), 10_000)
    allowed.states = states
    after = np.array([[automaton.after(piece, state) for piece in pieces] for state in states.tolist()])
    expected = after != 0
    expected[:, [i for i, piece in enumerate(pieces) if not piece]] = False
    expected[:, grammars.END] = automaton.accepting[states]
    np.testing.assert_array_equal(allowed.allowed(), expected)
    tokens = np.arange(len(states)) % len(pieces)
    np.testing.assert_array_equal(guide.after(states, tokens), after[np.arange(len(states)), tokens])


@pytest.mark.parametrize("pieces", [0, 800])
def test_the_shortest_ending_is_forced_when_the_budget_ends(pieces: int) -> None:
    expression = r'\{"name": "[a-z]*", "ages": \[(\d\d(, \d\d)*)?\]\}'
    guide = Guide(regex(expression), grammars.vocabulary(Random(1), pieces), grammars.END)
    for budget in (guide.shortest, guide.shortest + 1, guide.shortest + 7):
        for data in grammars.written(guide, 20, budget, np.random.default_rng(budget)):
            assert re.fullmatch(expression, data.decode()), data


def test_a_budget_below_the_shortest_text_is_refused_before_anything_is_drawn() -> None:
    guide = Guide(regex("a{30}|b{40}"), grammars.vocabulary(), grammars.END)
    assert guide.shortest == 30
    with pytest.raises(BudgetError, match=r"has 30 tokens. Found '29 tokens to write'"):
        guide.start(1, 29)


def test_the_shortest_text_is_counted_in_tokens_not_in_bytes() -> None:
    pieces = [*grammars.vocabulary(), b"aaaaa", b"aa"]
    guide = Guide(regex("a{13}b*"), pieces, grammars.END)
    assert guide.shortest == 4  # 5 + 5 + 2 + 1
    assert grammars.written(guide, 1, 4, np.random.default_rng(0))[0] == b"a" * 13


@pytest.mark.parametrize(("name", "most"), [("_ROWS", 8), ("_KEPT", 8 * 257)])
def test_rows_of_masks_that_no_longer_fit_are_made_anew(name: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"anew.grammar.tokens.{name}", most)
    guide = Guide(regex("[0-9]{40}"), grammars.vocabulary(), grammars.END)
    assert all(re.fullmatch(rb"[0-9]{40}", data) for data in grammars.written(guide, 12, 40, np.random.default_rng(0)))


def test_a_vocabulary_without_every_byte_is_refused() -> None:
    with pytest.raises(GrammarError, match="every byte is a token"):
        Guide(regex("[ac]"), [b"a", b"b", b""], 2)


def test_what_needs_too_many_states_is_refused_before_memory_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anew.grammar.automaton.LARGEST", 1000)
    with pytest.raises(GrammarError, match="more than 1,000 states"):
        regex("[ab]*a[ab]{14}")
    with pytest.raises(GrammarError, match="more than 1,000 states"):
        regex("[0-9]{20}[a-z]{1,5000}")
