"""Recipes that read texts: what they say of made-up data, and of what they cannot read."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import anew.recipes as recipes
from anew.core.errors import DataError, UsageError
from anew.data.examples import example


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
