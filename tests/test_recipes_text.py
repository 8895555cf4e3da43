"""Recipes that read texts: what they say of made-up data, and of what they cannot read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew.recipes as recipes
from anew.core.errors import DataError, UsageError
from anew.data.examples import example
from anew.recipes._grading import agreement


def test_later_reviews_are_compared_with_earlier_ones(tmp_path: Path) -> None:
    reviews = example("reviews")
    early, late = reviews.filter(pl.col("day").dt.month() < 7), reviews.filter(pl.col("day").dt.month() >= 7)
    late.drop("mood").write_csv(tmp_path / "late.csv")
    found = recipes.sentiment(early, newer=tmp_path / "late.csv", out=tmp_path / "out")
    drift = found.figures["drift"]
    assert drift["changed by"]["high"] < 0, "the wifi got worse"
    assert "right" not in drift, "nobody said how the later ones were meant"
    assert "wifi" in [row["word"] for row in drift["words"]]
    assert pl.read_csv(tmp_path / "out" / "newer.csv").columns == ["review", "read as", "probability"]
    assert found.figures["gained"]["low"] > 0
    assert '<mark class="for' in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_without_texts_or_with_the_wrong_words_it_says_so() -> None:
    reviews = example("reviews")
    with pytest.raises(DataError, match="No column holds texts"):
        recipes.sentiment(reviews.drop("review"))
    with pytest.raises(DataError, match="'mood' holds no texts"):
        recipes.sentiment(reviews, text="mood")
    with pytest.raises(UsageError, match="'mood' never is 'great'"):
        recipes.sentiment(reviews, positive="great")
    with pytest.raises(DataError, match="Drift needs 20 reviews a side"):
        recipes.sentiment(reviews, newer=reviews[:3])


# ---------------------------------------------------------------- grade


def test_answers_are_graded_refused_and_told_what_the_nearest_was(tmp_path: Path) -> None:
    graded = example("answers")
    graded[:40].drop("score").write_csv(tmp_path / "late.csv")
    found = recipes.grade(graded[40:], new=tmp_path / "late.csv", longest=200, out=tmp_path / "out")
    proposed = pl.read_csv(tmp_path / "out" / "graded.csv")
    guess, truth = proposed["proposed score"].to_numpy(), graded["score"][:40].to_numpy()
    there = ~np.isnan(guess)
    assert there.mean() > 0.9
    assert np.corrcoef(guess[there], truth[there])[0, 1] > 0.7
    assert set(proposed["to the nearest answer"]) <= set(graded["feedback"])
    asked = pl.DataFrame({"question": ["What do roots do?"] * 2, "answer": ["?!", "x " * 300]})
    why = found.grade(asked)["refused"].to_list()
    assert why == ["it has no word", "it is too long: 600 characters, of 200 at most"]
    assert all(one["value"] >= 0.95 for one in found.figures["made up"].values())
    assert found.figures["second grader"] is None


def test_columns_that_are_not_there_are_asked_for() -> None:
    graded = example("answers")
    with pytest.raises(DataError, match="No column looks like the score"):
        recipes.grade(graded.drop("score"))
    with pytest.raises(DataError, match="no numbers, or all the same"):
        recipes.grade(graded.with_columns(score=pl.lit(1.0)))


@pytest.mark.parametrize(("a", "b", "kappa"), [([0, 1, 2], [0, 1, 2], 1.0), ([0, 0, 2, 2], [0, 2, 0, 2], 0.0)])
def test_agreement_is_cohens_weighted_kappa(a: list[int], b: list[int], kappa: float) -> None:
    assert agreement(np.array(a, float), np.array(b, float), [0, 1, 2]) == pytest.approx(kappa)
