"""Advice: what a goal in words means, what stops every model, and that the answer names what to run."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew.cli.app import serve
from anew.data.examples import example
from anew.recipes._goal import goal_of

NAMES = ("outcome", "blood_pressure", "age", "ward")


@pytest.mark.parametrize(
    ("words", "purposes", "column"),
    [
        ("predict outcome", ("predict",), "outcome"),
        ("Classify the Ward", ("predict",), "ward"),
        ("diagnose patients by outcome", ("predict",), "outcome"),
        ("score blood pressure", ("predict",), "blood_pressure"),
        ("share the data with a partner", ("share",), None),
        ("publish a private copy and predict age", ("predict", "share"), "age"),
        ("balance outcome", ("augment",), "outcome"),
        ("simulate new patients", ("create",), None),
        ("test data for the app", ("create",), None),
        ("impute the missing cells", ("fill",), None),
        ("why does outcome differ by ward", ("explain",), "outcome"),
        ("how many patients are over 60", ("look up",), None),
        ("calculate the sum of age", ("look up",), "age"),
    ],
)
def test_goals_in_plain_words(words: str, purposes: tuple[str, ...], column: str | None) -> None:
    goal = goal_of(words, NAMES)
    assert goal.purposes == purposes
    assert goal.column == column


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "A goal is needed"),
        ("bananas", "says nothing that is known"),
        ("predict outcom", "Did you mean 'outcome'?"),
        ("predict", "names no column"),
    ],
)
def test_a_goal_that_cannot_be_read(words: str, says: str) -> None:
    with pytest.raises(anew.UsageError, match=says.replace("?", r"\?")):
        goal_of(words, NAMES)


def test_a_columns_name_is_no_purpose() -> None:
    """A column that is called like a purpose does not set one."""
    assert goal_of("predict missing", ("missing", "age")).purposes == ("predict",)


PATIENTS = example("patients")


@pytest.mark.parametrize(
    ("goal", "answer", "command"),
    [
        ("predict outcome", "discriminative", "anew fit DATA -o model/ --learn outcome --objective cross_entropy"),
        ("forecast days", "discriminative", "--objective squared_error"),
        ("share the data", "generative", "anew run DATA"),
        ("balance outcome", "generative", "anew run DATA --recipe augment --option target=outcome"),
        ("fill the gaps", "generative", "anew complete"),
        ("simulate patients", "generative", "anew run DATA"),
        ("predict outcome and publish the rows", "both", "anew run DATA --predict outcome"),
        ("explain why outcome happens", "neither", "anew look DATA"),
        ("how many are in surgery", "neither", "anew look DATA"),
        ("predict patient_id", "neither", "anew look DATA"),
    ],
)
def test_answers(goal: str, answer: str, command: str) -> None:
    found = anew.advise(PATIENTS, goal).figures
    assert found["answer"] == answer
    assert any(command in line for line in found["commands"])
    assert all(reason["reason"].endswith(".") for reason in found["reasons"])


def reasons(frame: pl.DataFrame, goal: str) -> tuple[str, str]:
    found = anew.advise(frame, goal).figures
    return found["answer"], " ".join(reason["reason"] for reason in found["reasons"])


def table(rows: int = 200) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    net, rate = rng.integers(10, 500, rows), rng.choice([0.07, 0.19, 0.25], rows)
    return pl.DataFrame({
        "net": net, "rate": rate, "tax": np.round(net * rate, 2), "minutes": net * 1.5,
        "plane": [f"p{n % 20}" for n in net], "carrier": [f"c{n % 20 % 3}" for n in net],
        "late": rng.random(rows) < 0.5, "same": 1,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ("predict tax", "net * rate"),
        ("predict minutes", "a line in 'net', of slope 1.5"),
        ("predict carrier", "given by 'plane'"),
        ("predict same", "nothing to tell apart"),
    ],
)
def test_neither_where_the_table_has_the_answer(goal: str, says: str) -> None:
    answer, why = reasons(table(), goal)
    assert answer == "neither"
    assert says in why


def test_a_model_where_it_has_not() -> None:
    assert reasons(table(), "predict late")[0] == "discriminative"


def test_neither_for_too_few_rows() -> None:
    answer, why = reasons(PATIENTS[:20], "share the data")
    assert answer == "neither"
    assert "20 rows are too few" in why


def test_neither_for_a_class_of_hardly_any_rows() -> None:
    rare = pl.concat([PATIENTS.filter(pl.col("outcome") == "recovered"), PATIENTS.filter(outcome="readmitted")[:4]])
    answer, why = reasons(rare, "predict outcome")
    assert answer == "neither"
    assert "has 4 rows" in why


def test_reasons_name_gaps_keys_and_small_groups() -> None:
    rare = PATIENTS.with_columns(ward=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("isolation")).otherwise("ward"))
    _, why = reasons(rare, "share the data")
    assert "of the cells are missing" in why
    assert "'patient_id': keys" in why
    assert "1 level occurs in fewer than 5 rows (most in 'ward')" in why


def test_trying_measures_both_kinds() -> None:
    found = anew.advise(PATIENTS[:600], "predict outcome", try_=True).figures["evidence"]
    measured = {finding["measure"] for finding in found["findings"]}
    assert {"predictions", "detectable", "copies"} <= measured
    names = [finding["name"] for finding in found["findings"] if finding["measure"] == "predictions"]
    assert "the joint, by Bayes' rule" in names
    assert len(names) >= 3
    assert found["seconds"] > 0


def test_the_verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    PATIENTS.write_csv("p.csv")
    assert serve(["advise", "p.csv", "--goal", "predict outcome", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["figures"]["answer"] == "discriminative"
    assert serve(["advise", "p.csv", "--goal", "share it", "-o", "advice"]) == 0
    said = capsys.readouterr().out
    assert "Use a generative model." in said
    assert "anew run p.csv" in said
    assert (tmp_path / "advice" / "report.html").exists()
    assert serve(["advise", "p.csv", "--goal", "predict outcom"]) == 2
    assert "Did you mean 'outcome'?" in capsys.readouterr().err
    assert serve(["run", "p.csv", "--recipe", "advise", "--option", "goal=share the data", "-o", "again"]) == 0
    assert (tmp_path / "again" / "report.json").exists()


@pytest.mark.parametrize("goal", ["predict outcome", "forecast days"])
def test_the_commands_that_are_named_can_be_given(
    goal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    PATIENTS[:300].write_csv("p.csv")
    for command in anew.advise("p.csv", goal).figures["commands"]:
        assert serve(shlex.split(command)[1:]) == 0, capsys.readouterr().err
    assert len(pl.read_csv("predicted.csv")) == 300


def test_real_customers(shared: Path) -> None:
    path = shared / "data" / "tables" / "telecom_churn" / "train.parquet"
    if not path.is_file():
        pytest.skip(f"no table at {path}")
    assert anew.advise(path, "predict churn").figures["answer"] == "discriminative"
    charge = anew.advise(path, "predict total_day_charge").figures
    assert charge["answer"] == "neither", "a charge is the minutes times a price"
    assert "total_day_minutes" in charge["reasons"][0]["reason"]


def test_pictures_are_predicted_from_by_a_network_that_reads_them() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
    advice = anew.advise({"image": pictures, "label": ["a", "b"] * 20}, goal="predict label")
    assert "--objective cross_entropy --network conv" in advice.figures["commands"][0]
