"""Texts as bags of n-grams, and what linear predictors make of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew.audit import audit
from anew.cli.app import serve
from anew.codecs._bags import Bags, letters, words
from anew.core.errors import CapabilityError, DataError
from anew.core.release import exact
from anew.examine import reading
from anew.plan import Plan

sys.path.insert(0, str(Path(__file__).parent))
from made_reviews import reviews

TEXTS = ["It is good, good!", "it IS bad", "", "Gut war's nicht: schön", "good  or bad", "schön is good", "\ud800 odd"]


def bags(texts: list[str]) -> Bags:
    made = Bags()
    made.fit(texts, "text", exact())
    return made


def test_bags_are_those_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    by_word = TfidfVectorizer(token_pattern=r"(?u)\w+|[^\w\s]+", ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    by_letter = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 6), sublinear_tf=True, min_df=2)
    theirs = [way.fit_transform(TEXTS).toarray() for way in (by_word, by_letter)]
    ours = bags(TEXTS)
    whole = ours.bag(TEXTS).toarray()
    for own, other in zip(np.split(whole, [len(ours.known[0])], 1), theirs, strict=True):
        assert own.shape == other.shape
        assert np.allclose(own @ own.T, other @ other.T, atol=1e-6)  # the same up to the order of n-grams


def test_hashes_are_the_same_in_every_process() -> None:
    assert words(["it is"])[1].tolist() == [11713430748062943334, 4389569928903695813, 15769202645943616923]
    assert len(letters([" it  is "])[1]) == 12  # 3 + 2 + 1 of each word; none across the two


def test_texts_without_a_known_word() -> None:
    made = bags(["a b", "a b"]).bag(["", "zzz", "a b"])
    assert made.sum(1).ravel().tolist()[0][:2] == [0, 0]
    assert bags([""]).bag(["x"]).shape == (1, 0)


@pytest.mark.parametrize("method", ["cross_entropy", "hinge"])
def test_a_mood_is_predicted_from_a_text(method: str, tmp_path: Path) -> None:
    fresh = reviews(80, seed=1)
    wrong = np.random.default_rng(2).random(200) < 0.1  # some say one thing and mean another
    data = reviews().with_columns(mood=pl.when(pl.Series(wrong)).then(pl.lit("down")).otherwise(pl.col("mood")))
    model = anew.fit(data, learn="mood", objective=method, network="linear")
    model.save(tmp_path / "model")
    chance = np.asarray(anew.load(tmp_path / "model").predict_proba(fresh))
    assert np.array_equal(chance, np.asarray(model.predict_proba(fresh)))
    assert (np.array(model.classes)[chance.argmax(1)] == fresh["mood"].to_numpy()).mean() > 0.95
    assert chance.max(1).mean() < 0.99  # as sure as it was of rows that it had not seen
    none = pl.DataFrame({"text": [None, "zzz"], "price": [0.0, 0.0]}, schema_overrides={"text": pl.String})
    assert np.abs(np.asarray(model.predict_proba(none)) - 0.5).max() < 0.45


def test_a_number_is_predicted_from_a_text() -> None:
    data = reviews().with_columns(
        stars=pl.when(pl.col("mood") == "up").then(4.5).otherwise(1.5) + 0.1 * pl.col("price")
    )
    model = anew.fit(data.drop("mood"), learn="stars", objective="squared_error", network="linear")
    guess = np.asarray(model.predict(data.drop("mood", "stars")), np.float64).ravel()
    assert np.corrcoef(guess, data["stars"].to_numpy())[0, 1] > 0.95


def test_a_page_shows_the_words_that_decided(tmp_path: Path) -> None:
    model = anew.fit(reviews(), learn="mood", objective="hinge", network="linear")
    fresh = reviews(6, seed=1)
    model.save(tmp_path / "model")
    fresh.write_csv(tmp_path / "fresh.csv")
    asked = ["predict", str(tmp_path / "model"), str(tmp_path / "fresh.csv"), "--explain", str(tmp_path / "why.html")]
    assert serve([*asked, "--out", str(tmp_path / "said.csv")]) == 0
    page = (tmp_path / "why.html").read_text(encoding="utf-8")
    told = sum((word in page) for word in ("awful", "dull", "broken", "lovely", "great", "superb"))
    assert '<mark class="for4">' in page
    assert told
    assert "http" not in page
    assert len(pl.read_csv(tmp_path / "said.csv")) == 6
    assert model.explain(fresh).columns == ["row", "column", "word", "start", "end", "share"]
    boosted = anew.fit(reviews(), learn="mood", objective="cross_entropy", network="boosted")
    with pytest.raises(CapabilityError, match=r"does not say which words decided.*--predictors linear"):
        boosted.explain(fresh)


def test_the_report_of_a_run_shows_them_too() -> None:
    frame = reviews(60).drop("price")
    joint = anew.fit(frame, learn="mood", objective="cross_entropy", network="linear").joint
    read = reading(joint, Plan(rows=60, seed=0, target="mood"))
    schema = anew.look(frame).schema
    report = audit(frame[:20], frame[20:40], frame[40:], schema, target="mood", reading=read, measures=[])
    assert len(report.pictures.decided) == 8
    assert report.pictures.decided[0].title.endswith(f"is {frame['mood'][20]}")
    assert '<mark class="for4">' in report.to_html()
    assert '<mark class="for4">' not in report.to_html(rows=False), "real texts are shown where none may be"


def test_trees_read_no_text() -> None:
    model = anew.fit(reviews(), learn="mood", objective="cross_entropy", network="boosted")
    assert model.plan.predict[0].given == ("price",)
    with pytest.raises(DataError, match=r"no column that boosted could predict.*use linear where there are texts"):
        anew.fit(reviews().drop("price"), learn="mood", objective="cross_entropy", network="boosted")


def test_customers_are_understood(shared: Path) -> None:
    data = pl.read_parquet(shared / "data/text/customer_reviews/data.parquet")
    data = data.with_columns(label=pl.when(pl.col("label") == 1).then(pl.lit("good")).otherwise(pl.lit("bad")))
    learn, test = (part.select("text", "label") for part in (data.filter(split="train"), data.filter(split="test")))
    model = anew.fit(learn, learn="label", objective="cross_entropy", network="linear")
    assert (np.ravel(model.predict(test)) == test["label"].to_numpy()).mean() >= 0.855
