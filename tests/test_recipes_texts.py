"""Recipes of texts: what they keep to by construction, what they leave out, and what they are judged by."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew.recipes as recipes
from anew.core.errors import DataError, UsageError
from anew.recipes import _bank, _play, _play_marks, _quiz, _said
from anew.recipes._cloze import GAP, cloze
from anew.recipes._copy import Limits, Roles, possible, required, required_columns, whole
from anew.recipes._copy_marks import Marks, held_to
from anew.recipes._signs import NAME, signed, spelled
from anew.recipes._texts import Judge, settings_of

SMALL = {"time": 1, "width": 32, "context": 64}
ROLES = Roles("text", "name", "category", "keywords", None)
PASSAGE = (
    "Ada Lovelace wrote a program in 1843. She met Charles Babbage in London. The machine was never built. Her notes "
    "were read by Alan Turing in 1937, long after Countess Lovelace had died. In 1980 a language was named after her."
)

# ---------------------------------------------------------------- copy


def test_signs_stand_for_what_is_copied() -> None:
    text = "GTK Edit is a graphics editor. Graphics are edited by GTK Edit, not by editors."
    short = signed(text, "GTK Edit", ["Graphics", "editor"])
    assert short.count(NAME) == 2
    assert "graphics" not in short.lower()
    assert short.endswith("not by editors.")
    assert spelled(short, "GTK Edit", ["Graphics", "editor"]) == text
    assert spelled(short, "Foo", ["plain", "tool"]).startswith("Foo is a plain tool. Plain are edited by Foo")
    assert spelled(short, None, []).startswith("It is a")


def test_what_is_required_is_a_name_as_written_and_two_keywords_in_any_case() -> None:
    product = {"name": "Chessy", "category": "Game", "keywords": "Chess, puzzle, board"}
    assert required(ROLES, required_columns(ROLES, "name,keywords"), product) == ["Chessy", "chess", "puzzle"]
    assert required(ROLES, ("name",), {"name": None}) == []
    with pytest.raises(UsageError, match="column that is told"):
        required_columns(ROLES, "price")
    limits = Limits(("name",), ("cheap", "free*"), 10, 80)
    assert possible(ROLES, limits, product)
    assert not possible(ROLES, limits, {"name": "FreeChess"})
    words = limits.words(ROLES, product)
    assert words["stands"][NAME] == "Chessy"
    assert words["mention"] == ["Chessy"]
    with pytest.raises(UsageError, match="Nothing is said of 'price'"):
        settings_of("name=Chessy; price=3", ROLES.told)


def test_a_text_that_was_cut_goes_back_to_its_last_sentence() -> None:
    words = {"mention": ["Foo"], "least": 0, "most": 24}
    assert whole("Foo is good. It is not ch", words) == "Foo is good."
    assert whole("It is good. Foo is not ch", words) == "It is good. Foo is not ch", "what is required stays"
    assert whole("Foo is", words) == "Foo is"


def test_marks_of_copy() -> None:
    texts = [f"Foo {i} is a {'game to play' if i % 2 else 'tool to work'} with." for i in range(60)]
    products = [
        {"name": f"Foo {i}", "category": "game" if i % 2 else "tool", "keywords": "play, work"} for i in range(60)
    ]
    found = Marks(ROLES, texts, products, 0).of(texts[:20], products[:20])
    assert found["name"] == 1.0
    assert found["keywords"] == 0.5
    assert found["category"] == 1.0
    assert found["copied"] == 0.0
    bad = held_to(["a cheap Foo", "freely", "Foo"], [["Foo"], ["Foo"], []], ["CHEAP", "free*"], 10)
    assert bad == {"without a required word": 1, "with a banned word": 2, "too long": 1}


def test_copy_keeps_its_promises(tmp_path: Path) -> None:
    done = recipes.copywriting(
        _said.products(90), "name=Zork 7; keywords=quiet, light", avoid="bench, ke*", require="name,keywords", most=90,
        n=3, drafts=2, tested=8, out=tmp_path, **SMALL,
    )  # fmt: skip
    texts = pl.read_csv(tmp_path / "copy.csv")["description"].to_list()
    assert len(texts) == 3
    assert all("Zork 7" in text and "quiet" in text.lower() and "light" in text.lower() for text in texts)
    assert not any(re.search(r"\b(bench\b|ke)", text, re.IGNORECASE) for text in texts)
    assert max(map(len, texts)) <= 90
    assert done.figures["held to"] == {"without a required word": 0, "with a banned word": 0, "too long": 0}
    assert done.figures["marks"]["new copy, as required"]["name"] == 1.0


# ---------------------------------------------------------------- questions


def test_a_bank_is_read_with_lists_or_bars(tmp_path: Path) -> None:
    frame = _said.questions(20)
    frame.write_parquet(tmp_path / "bank.parquet")
    names = dict.fromkeys(("question", "choices", "answer", "subject"))
    bank = _bank.opened(str(tmp_path / "bank.parquet"), names)
    assert bank == _bank.opened(frame.with_columns(pl.col("choices").list.join("|")), names)
    assert {one.form for one in bank} == {_quiz.FOUR, _quiz.TWO}
    assert all(_quiz.read(_quiz.written(one), one.subject) == one for one in bank)
    assert all(re.fullmatch(_quiz.FORMS[one.form], _quiz.written(one)) for one in bank)
    rng = np.random.default_rng(3)
    mixed = [one.mixed(rng) for one in bank]
    assert [one.choices[one.key] for one in mixed] == [one.choices[0] for one in bank]
    assert {one.key for one in mixed} == {0, 1, 2, 3}
    with pytest.raises(UsageError, match="looks like the choices"):
        _bank.opened(frame.drop("choices"), names)
    with pytest.raises(DataError, match="No row is a question"):
        _bank.opened(frame.with_columns(pl.lit("x").alias("answer")), names)


def test_a_sheet_takes_no_question_twice() -> None:
    old = [_quiz.Question(f"Which of the four towns is in the land number {i}?", tuple("abcd"), "s") for i in range(9)]
    sheet = _quiz.Sheet(old)
    odd = _quiz.Question("How many legs does this one have?", ("4", "5", "4 ", "6"), "s")
    new = _quiz.Question("How long is a piece of string?", ("a", "b", "c", "d"), "s")
    twin = _quiz.Question("which of the four towns is in the land number 3", tuple("abcd"), "s")
    close = _quiz.Question("Which of the four towns is in the land number 12?", tuple("abcd"), "s")
    sheet.add([odd, twin, close, new, new], 5)
    assert sheet.kept == [new]
    assert list(sheet.left.values()) == [1, 2, 1]


def test_questions_from_a_passage_have_their_answer_in_it() -> None:
    made = cloze(PASSAGE, 8, ["Grace Hopper", "1066", "Paris"], np.random.default_rng(0))
    assert len(made) == 8
    assert all(one.well_formed and one.checked == _quiz.CHECKED for one in made)
    for one in made:
        sentence = one.question.split("? ", 1)[1]
        assert sentence.replace(GAP, one.choices[0]) in PASSAGE
        assert not any(choice in sentence for choice in one.choices)
    with pytest.raises(DataError, match="No question can be made"):
        cloze("Too short.", 3, [], np.random.default_rng(0))


def test_practice_is_well_formed_new_and_says_what_is_unchecked() -> None:
    done = recipes.practice(_said.questions(120), "geography", n=3, tested=6, **SMALL)
    rows = done.tables["questions"]
    assert done.figures["unchecked"] == len(rows)
    assert all(len({row[letter] for letter in "ABCD"}) == 4 for row in rows.iter_rows(named=True))
    assert set(rows["answer is"]) <= {"unchecked"}
    passage = recipes.practice(_said.questions(40), passage=PASSAGE, n=4)
    assert passage.model is None
    assert set(passage.tables["questions"]["answer is"]) == {"in the passage"}
    with pytest.raises(UsageError, match="has no subject"):
        recipes.practice(_said.questions(40), "history")
    with pytest.raises(UsageError, match="one of two forms"):
        recipes.practice(_said.questions(40), form="essay")


# ---------------------------------------------------------------- scripts


def test_plays_are_read_as_scenes() -> None:
    text = "ACT I\n\nANN:\nGood day.\n\nBO:\nGood: day\nand night.\n\n" * 25 + "ACT II\n\nBO:\nMore.\n"
    speeches = _play.speeches_of(text)
    assert [one.speaker for one in speeches[:2]] == ["ANN", "BO"]
    assert speeches[1].words == "Good: day\nand night."
    scenes = _play.scenes_of(speeches)
    assert scenes["scene"].to_list()[-1] == "ACT II"
    assert scenes["cast"][0] == "ANN, BO"
    assert "\n\n".join(scenes["text"]) == "\n\n".join(map(str, speeches))
    assert "scene" not in _play.scenes_of(_play.speeches_of(_said.play(60))).columns
    with pytest.raises(DataError, match="at least 40 speeches"):
        _play.speeches_of("Nobody speaks.\n\nHere.")


def test_only_the_cast_speaks() -> None:
    expression = _play.form(["ANN", "BO (aside)"], "ANN", 3)
    good = "ANN:\nI go.\nNow.\n\nBO (aside):\nWhat?\n\nANN:\nYes."
    assert re.fullmatch(expression, good)
    assert not re.fullmatch(expression, good.replace("BO (aside)", "CY"))
    assert not re.fullmatch(expression, good.replace("Now.", "CY:"))
    assert _play.script(2, "A wood.", good).startswith("SCENE 2. A wood.\n[Enter ANN and BO (aside).]\n\nANN:")
    assert _play_marks.strangers([good], ["ANN"]) == 1


def test_a_script_is_by_its_cast() -> None:
    done = recipes.scripts(_said.play(150), "BRIT, DELIA", speaker="DELIA", scene="A pier.", n=2, speeches=3, **SMALL)
    page = done.files["script.txt"].decode()
    assert page.count("SCENE") == 2
    assert page.count("A pier.\n") == 2
    assert done.figures["speeches"] == 6
    assert done.figures["by others"] == 0
    assert done.tables["scenes"]["text"].str.starts_with("DELIA:\n").all()
    with pytest.raises(UsageError, match="Nobody called 'ROMEO'"):
        recipes.scripts(_said.play(60), "ROMEO")


def test_a_judge_says_how_sure_it_is() -> None:
    texts = ["a red apple", "a red rose", "the blue sea", "the blue sky"] * 5
    judge = Judge.of(texts, ["red", "red", "blue", "blue"] * 5, 0)
    assert judge.read(["red wine", "blue note"]) == ["red", "blue"]
    assert (judge.sure(["red wine", "blue note"], ["red", "red"]) > 0).tolist() == [True, False]
    with pytest.raises(DataError, match="never changes"):
        Judge.of(texts, ["red"] * 20, 0)
