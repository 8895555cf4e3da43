"""Balanced samples: exact counts, rows in no order, conditions beside them, and what cannot be balanced is said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import anew
from anew.balance import apportioned, parse
from anew.data.examples import patients


def counts(frame: pl.DataFrame, column: str) -> dict[object, int]:
    return dict(frame[column].value_counts().iter_rows())


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return patients(600).with_columns(unit=pl.lit("kg"), grade=pl.Series(np.arange(600) % 3))


@pytest.fixture(scope="module")
def model(table: pl.DataFrame) -> anew.Model:
    return anew.fit(table, objective="marginals", seed=1)


def test_as_many_of_each_class(model: anew.Model, table: pl.DataFrame) -> None:
    rows = model.sample(101, balance="outcome", seed=2)
    assert sorted(counts(rows, "outcome").values()) == [50, 51]
    assert rows["patient_id"].n_unique() == 101
    assert rows.columns == table.columns
    assert rows.equals(model.sample(101, balance="outcome", seed=2))
    assert not rows.equals(model.sample(101, balance="outcome", seed=3))
    halves = [counts(part, "outcome").get("readmitted", 0) for part in (rows[:50], rows[50:])]
    assert min(halves) > 15, "the rows come in no order"


def test_target_shares(model: anew.Model) -> None:
    shares = {"outcome": {"readmitted": 0.3, "recovered": 0.7}}
    rows = model.sample(200, balance=shares)
    assert counts(rows, "outcome") == {"readmitted": 60, "recovered": 140}
    assert rows.equals(model.sample(200, balance="outcome=readmitted:0.3,recovered:0.7"))
    assert counts(model.sample(40, balance={"smoker": {True: 0.25, False: 0.75}}), "smoker") == {True: 10, False: 30}
    assert counts(model.sample(40, balance={"bmi": {None: 1.0}}), "bmi") == {None: 40}


def test_whole_numbers_of_few_values_are_classes(model: anew.Model) -> None:
    assert counts(model.sample(30, balance="grade"), "grade") == {0: 10, 1: 10, 2: 10}
    assert counts(model.sample(30, balance={"grade": {2: 1}}), "grade") == {2: 30}


def test_beside_conditions(model: anew.Model) -> None:
    rows = model.sample(60, balance="ward", where={"sex": "F", "ward": ["surgery", "cardiology"]})
    assert counts(rows, "ward") == {"surgery": 30, "cardiology": 30}
    assert (rows["sex"] == "F").all()


def test_the_rest_follows_the_class(table: pl.DataFrame) -> None:
    chain = anew.fit(table, seed=1)
    rows = chain.sample(300, balance="ward", seed=1)
    assert counts(rows, "ward") == dict.fromkeys(["surgery", "cardiology", "geriatrics", "maternity"], 75)
    ages = dict(rows.group_by("ward").agg(pl.col("age").mean()).iter_rows())
    assert ages["geriatrics"] > 60 > 45 > ages["maternity"]


def test_given_rows_keep_their_place(table: pl.DataFrame) -> None:
    model = anew.fit(table, learn=["ward", "age"], given="sex", objective="marginals")
    given = table.select("sex")[:80]
    rows = model.sample(given=given, balance={"ward": {"surgery": 0.5, "cardiology": 0.5}})
    assert rows["sex"].equals(given["sex"])
    assert counts(rows, "ward") == {"surgery": 40, "cardiology": 40}
    with pytest.raises(anew.UsageError, match="'sex' is given"):
        model.sample(given=given, balance="sex")


def test_the_report(model: anew.Model) -> None:
    model.sample(100, balance="outcome", where={"sex": "F"})
    said = str(model.last)
    assert said.startswith("100 rows where sex = F balanced on outcome: ")
    assert "readmitted 50 (probability 0.1" in said
    assert said.endswith("effective sample size 100")


@pytest.mark.parametrize("objective", ["copula", "bootstrap"])
def test_by_rejection(objective: str, table: pl.DataFrame) -> None:
    rows = anew.fit(table, objective=objective).sample(50, balance="ward")
    assert sorted(counts(rows, "ward").values()) == [12, 12, 13, 13]


@pytest.mark.parametrize(
    ("balance", "where", "words"),
    [
        ("unit", {}, "'unit' is constant"),
        ("patient_id", {}, "identifier: it has no classes"),
        ("bmi", {}, "many values, not classes"),
        ("outcom", {}, "Did you mean 'outcome'"),
        ({"outcome": {"died": 1.0}}, {}, "never takes the value 'died'"),
        ({"outcome": {"readmitted": 0.5, "recovered": 0.6}}, {}, "sum to 1"),
        ({"outcome": {"readmitted": 1.5, "recovered": -0.5}}, {}, "at least 0"),
        ({"outcome": {}}, {}, "sum to 1"),
        ({"outcome": {"readmitted": 1}, "sex": {"F": 1}}, {}, "on one column"),
        ("outcome=readmitted", {}, "COLUMN=CLASS:SHARE"),
        ("outcome", {"outcome": "recovered"}, "one class under the condition"),
        ({"outcome": {"readmitted": 1.0}}, {"outcome": "recovered"}, "'readmitted' of 'outcome' cannot be drawn"),
        ({"outcome": {None: 1.0}}, {}, "probability zero"),
    ],
)
def test_what_cannot_be_balanced(model: anew.Model, balance: object, where: dict[str, object], words: str) -> None:
    with pytest.raises(anew.AnewError, match=words):
        model.sample(20, balance=balance, where=where)  # type: ignore[arg-type]


def test_a_class_that_the_condition_rules_out(table: pl.DataFrame) -> None:
    """No man is on the maternity ward: the error names the class that cannot be drawn."""
    model = anew.fit(table, objective="bootstrap")
    with pytest.raises(anew.ConditionError, match="'maternity' of 'ward' cannot be drawn: Only 0 of"):
        model.sample(20, balance={"ward": {"maternity": 0.5, "surgery": 0.5}}, where={"sex": "M"})


@pytest.mark.parametrize("n", [1, 7, 100, 1001])
@pytest.mark.parametrize("shares", [[0.5, 0.5], [1 / 3] * 3, [0.7, 0.2, 0.1], [0.999, 0.001]])
def test_seats_are_exact(n: int, shares: list[float]) -> None:
    seats = apportioned(n, np.array(shares))
    assert seats.sum() == n
    assert (np.abs(seats - n * np.array(shares)) < 1).all()


def test_words_of_the_command_line() -> None:
    assert parse("outcome", ("outcome",)) == "outcome"
    assert parse("a=b", ("a=b",)) == "a=b"
    assert parse("ward=a:0.3, b:0.6,:0.1", ("ward",)) == {"ward": {"a": 0.3, "b": 0.6, None: 0.1}}
    assert parse("time=12:30:1", ("time",)) == {"time": {"12:30": 1.0}}
