"""Rules on models: every row that is drawn, completed or balanced obeys, also rules that were added after training."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import polars as pl
import pytest

import anew
from anew.core.rules import rules_of
from anew.data.obeying import shares
from anew.testing import example_frame

RULES: list[object] = [
    "since <= until",
    "total = round(2 * age + spent, 2)",
    {"together": ["ward", "floor"]},
    "unique: age, weight, spent",
    "not smoker or age >= 20",
]


def table(n: int = 600) -> pl.DataFrame:
    """The example with an end after each beginning, a sum, and a column that another one fixes."""
    frame, rng = example_frame(n), np.random.default_rng(1)
    days = pl.Series(rng.integers(0, 30, n).astype("timedelta64[D]").astype("timedelta64[us]"))
    return frame.with_columns(
        until=pl.col("since") + days,
        total=(2 * pl.col("age") + pl.col("spent")).round(2),
        floor=pl.col("ward").replace_strict({"a": "1", "b": "1", "c": "2", "d": "3"}, return_dtype=pl.String),
    )


def under(frame: pl.DataFrame, rules: object) -> anew.Schema:
    return anew.look(frame).schema.with_rules(rules)


def obeys(model: anew.Model, frame: pl.DataFrame, *more: object) -> bool:
    found = shares([*model.schema.rules, *rules_of(more)], model.schema, frame)
    return all(share.kept == share.rows == len(frame) for share in found)


@pytest.fixture(scope="module")
def model() -> anew.Model:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", anew.AnewWarning)
        return anew.fit(table(), schema=under(table(), RULES), seed=1, trees=1)


@pytest.fixture(scope="module")
def free() -> anew.Model:
    """The same table, fitted without a rule."""
    return anew.fit(table(), seed=1, trees=1)


def test_every_row_obeys_and_most_draws_do_already(model: anew.Model) -> None:
    rows = model.sample(3000, seed=2)
    assert len(rows) == 3000
    assert obeys(model, rows)
    assert model.last is not None
    assert 0.5 < (model.last.obeyed or 0) < 1


def test_fewer_rows_are_the_first_of_more_whatever_the_threads(model: anew.Model) -> None:
    many = model.sample(9000, seed=4)
    assert model.sample(40, seed=4).equals(many[:40])
    model.joint.threads, threads = 1, model.joint.threads
    assert model.sample(9000, seed=4).equals(many)
    model.joint.threads = threads
    assert not model.sample(40, seed=5).equals(many[:40])


def test_combinations_are_those_of_the_training_rows(model: anew.Model) -> None:
    (rule,) = (rule for rule in model.schema.rules if rule.text.startswith("together"))
    assert rule.to_dict()["allowed"] == [["a", "1"], ["b", "1"], ["c", "2"], ["d", "3"]]
    assert any(entry["what"] == "levels" and entry["of"] == rule.text for entry in model.provenance["released"])


def test_rules_added_after_training(free: anew.Model) -> None:
    listed = {"together": ["ward", "floor"], "allowed": [["a", "1"], ["c", "2"]]}
    added: list[object] = ["age < weight", "unique: spent, since", "total = 3 * age", listed, "sex == 'F' or age < 60"]
    rows = free.sample(500, rules=added, seed=1)
    assert obeys(free, rows, *added)
    assert (rows["total"] == 3 * rows["age"]).all()
    assert not obeys(free, free.sample(500, seed=1), *added)
    with pytest.raises(anew.RuleError, match="lists no combinations"):
        free.sample(5, rules=["together: ward, floor"])


def test_rejection_leaves_the_rest_as_it_was(free: anew.Model) -> None:
    """p(x | rule) is the part of p(x) that obeys: the kept rows of a free draw, one after the other."""
    every = free.sample(8192, seed=3)
    assert free.sample(500, seed=3, rules=["age < weight or smoker"]).equals(
        every.filter((pl.col("age") < pl.col("weight")).fill_null(True) | pl.col("smoker"))[:500]
    )


def test_a_rare_bound_is_a_condition_and_not_rejected(free: anew.Model) -> None:
    rows = free.sample(2000, rules=["age >= 75", "since >= '2021-01-01'", "sex in ['F']"])
    assert obeys(free, rows, "age >= 75", "since >= '2021-01-01'", "sex in ['F']")
    assert free.last is not None
    assert "age >= 75" in str(free.last)
    assert (free.last.obeyed or 0) > 0.3  # of 2000 rows in whole blocks; rejection alone would keep some hundredths


def test_conditions_and_rules_hold_together(model: anew.Model) -> None:
    rows = model.sample(500, where={"sex": "M", "total": (120, None), "age": (None, 60)}, rules=["weight > 60"])
    assert obeys(model, rows, "weight > 60")
    assert set(rows["sex"]) == {"M"}
    assert rows["total"].min() >= 120
    assert rows["age"].max() <= 60
    assert model.last is not None
    assert 0 < (model.last.probability or 0) < 0.5


def test_balance_and_rules_hold_together(model: anew.Model) -> None:
    rows = model.sample(400, balance={"ward": {"a": 0.5, "c": 0.5}}, rules=["unique: weight, sex"])
    assert obeys(model, rows, "unique: weight, sex")
    assert rows["ward"].value_counts()["count"].to_list() == [200, 200]
    with pytest.raises(anew.ConditionError, match="'b'"):
        model.sample(40, balance={"ward": {"a": 0.5, "b": 0.5}}, rules=["ward == 'a'"])


def test_completion_obeys_and_keeps_what_is_known(model: anew.Model) -> None:
    rng = np.random.default_rng(5)
    whole = model.sample(200, seed=6)
    gaps = whole.with_columns(
        pl.when(pl.Series(rng.random(200) < 0.6)).then(pl.col(name)).alias(name) for name in whole.columns
    )
    gaps = gaps.with_columns(total=pl.when(pl.all_horizontal(pl.col("age", "spent").is_not_null())).then("total"))
    full = model.complete(gaps, seed=1)
    assert obeys(model, full)
    for name in whole.columns:
        there = gaps[name].is_not_null()
        assert full[name].filter(there).equals(gaps[name].filter(there))
    assert model.complete(gaps, seed=1).equals(full)
    broken = gaps.with_columns(
        until=pl.lit("2000-01-01").str.to_datetime(), since=pl.lit("2001-01-01").str.to_datetime()
    )
    with pytest.raises(anew.RuleError, match="200 of 200 given rows break the rule 'since <= until'"):
        model.complete(broken)


def test_given_columns_stay_and_the_rest_obeys() -> None:
    schema = under(table(), ["since <= until", "total = round(2 * age + spent, 2)"])
    model = anew.fit(table(), given=["since", "age"], schema=schema, trees=1)
    context = table(900)[600:].select("since", "age")
    rows = model.sample(given=context, seed=1)
    assert rows.select("since", "age").equals(context)
    assert obeys(model, rows)
    with pytest.raises(anew.RuleError, match="given rows break the rule 'age < 30'"):
        model.sample(given=context, rules=["age < 30"])


def test_a_budget_ends_with_the_name_of_the_rule(free: anew.Model) -> None:
    with pytest.raises(anew.RuleError) as told:
        free.sample(10, rules=["spent * 7 == 3.1 + age", "age < 80"])
    assert "'spent * 7 == 3.1 + age' holds in" in str(told.value)
    assert "0 of 10 rows" in str(told.value)
    with pytest.raises(anew.RuleError, match="only 2 different values"):
        free.sample(3, rules=["unique: sex"])
    with pytest.raises(anew.RuleError, match="no value above"):
        free.sample(3, rules=["age >= 500"])


def test_a_fit_stops_at_rules_that_no_row_can_obey() -> None:
    for rules, words in (
        (["age >= 500"], "no value above"),
        (["since < until", "until < since"], "exclude each other"),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", anew.AnewWarning)
            with pytest.raises(anew.RuleError, match=words):
                anew.fit(table(), schema=under(table(), rules))
    with pytest.raises(anew.UsageError, match="Did you mean 'age'"):
        anew.fit(table(), schema=under(table(), ["agee >= 5"]))


def test_data_that_break_a_rule_are_told_and_learned_all_the_same() -> None:
    frame, schema = table(), under(table(), ["age >= 40", "since <= until"])
    broken = (frame["age"] < 40).sum()
    with pytest.warns(anew.AnewWarning, match=f"{broken} of 600 rows break the rule 'age >= 40'"):
        model = anew.fit(frame, schema=schema, objective="marginals")
    assert model.sample(200)["age"].min() >= 40
    text = anew.look(frame, schema=schema).text()
    assert f"  age >= 40: holds in {100 - broken / 6:.4g} % of the rows" in text
    assert "  since <= until: holds in 100 % of the rows" in text
    assert "- `age >= 40`" in model.card


def test_rules_about_columns_that_are_not_learned_are_told() -> None:
    schema = under(table(), ["since <= until", "age >= 18"])
    with pytest.warns(anew.AnewWarning, match="left out: \\['since <= until'\\]"):
        model = anew.fit(table(), learn=["age", "sex"], schema=schema, objective="marginals")
    assert [rule.text for rule in model.schema.rules] == ["age >= 18"]


def test_the_same_fit_again_finds_its_model(tmp_path: Path) -> None:
    table().write_parquet(tmp_path / "rows.parquet")
    schema = under(table(), [{"together": ["ward", "floor"]}, "since <= until"])
    anew.fit(tmp_path / "rows.parquet", schema=schema, objective="marginals", out=tmp_path / "model")
    with pytest.warns(anew.AnewWarning, match="already holds this model"):
        anew.fit(tmp_path / "rows.parquet", schema=schema, objective="marginals", out=tmp_path / "model")


def test_a_saved_model_keeps_its_rules(model: anew.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = anew.load(tmp_path / "model")
    assert again.schema.rules == model.schema.rules
    assert pl.concat(again.stream(50, seed=3)).equals(pl.concat(model.stream(50, seed=3)))


def test_the_audit_asks_for_the_rules(model: anew.Model) -> None:
    report = model.audit(table(900)[:600], table(900)[600:], measures=["rules"])
    found = {finding.name: finding for finding in report.findings if finding.measure == "rules"}
    assert set(found) == {rule.text for rule in model.schema.rules}
    assert all(finding.verdict == "good" and finding.value == 1 for finding in found.values())
    bad = model.sample(300).with_columns(total=pl.lit(1.0))
    report = model.audit(table(900)[:600], table(900)[600:], bad, measures=["rules"])
    verdicts = {finding.name: finding.verdict for finding in report.findings if finding.measure == "rules"}
    assert verdicts.pop("total = round(2 * age + spent, 2)") == "poor"
    assert set(verdicts.values()) == {"good"}


def test_rules_on_the_command_line(
    free: anew.Model, tmp_path: Path, anew_command: Callable[..., CompletedProcess[str]]
) -> None:
    free.save(tmp_path / "model")
    (tmp_path / "rules.json").write_text(json.dumps({"rules": ["age >= 30", {"unique": ["weight", "spent"]}]}))
    done = anew_command(
        "sample", "model", "-n", 50, "--rules", "rules.json", "--rule", "since <= until", "-o", "new.csv"
    )
    assert done.returncode == 0, done.stderr
    rows = pl.read_csv(tmp_path / "new.csv", try_parse_dates=True)
    assert obeys(
        free, rows.with_columns(pl.col("since", "until").cast(pl.Datetime("us"))), "age >= 30", "since <= until"
    )
    assert "of the draws obeyed the rules" in done.stderr
    for rule, code, words in (("age >", 2, "cannot be read"), ("age >= 500", 3, "no value above"), ("x < 3", 2, "'x'")):
        done = anew_command("sample", "model", "-n", 5, "--rule", rule)
        assert (done.returncode, done.stdout) == (code, "")
        assert words in done.stderr.splitlines()[-1], "one line, after what is being done"
        assert "Traceback" not in done.stderr
    (tmp_path / "bad.schema.json").write_text('{"fields": [], "rules": [{"rule": "a <"}]}')
    done = anew_command("look", "new.csv", "--schema", "bad.schema.json", "--dry-run")
    assert done.returncode == 3
    assert "'a <' cannot be read at" in done.stderr


def test_flights(shared: Path) -> None:
    """Dependencies of a real table: a tail number's carrier, and a time that is hours and minutes."""
    names = ["tailnum", "carrier", "sched_dep_time", "hour", "minute", "dep_time", "air_time", "distance"]
    frame = pl.read_parquet(shared / "data/tables/flights/train.parquet").select(names)[:4000]
    rules = [
        {"together": ["tailnum", "carrier"]},
        "sched_dep_time = hour * 100 + minute",
        "air_time is None or dep_time is not None",
        "distance / air_time < 12",
    ]
    model = anew.fit(frame, schema=under(frame, rules), trees=1)
    rows = model.sample(5000, seed=1)
    assert obeys(model, rows)
    known = set(frame.select("tailnum", "carrier").drop_nulls().iter_rows())
    assert set(rows.select("tailnum", "carrier").drop_nulls().iter_rows()) <= known
    assert (rows["sched_dep_time"] == rows["hour"] * 100 + rows["minute"]).all()
    assert model.last is not None
    assert (model.last.obeyed or 0) > 0.9


def test_hearts(shared: Path) -> None:
    """Added after training: a grade and the disease that it stands for, as listed pairs."""
    frame = pl.read_parquet(shared / "data/tables/heart_disease/train.parquet")
    model = anew.fit(frame, objective="copula")
    pairs = [[grade, int(grade > 0)] for grade in range(5)]
    together = {"together": ["disease_grade", "disease"], "allowed": pairs}
    rules: list[object] = [together, "max_heart_rate <= 260 - age"]
    rows = model.sample(1000, rules=rules, seed=1)
    assert obeys(model, rows, *rules)
    assert set(rows.select("disease_grade", "disease").iter_rows()) <= {tuple(pair) for pair in pairs}
