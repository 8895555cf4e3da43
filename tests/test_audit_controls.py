"""The audit must be able to fail: fresh real rows pass everything, and each bad generator is caught by the measure
that is meant for it."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import audit_tables as tables
from anew.audit import Finding, Report, audit

TABLES = {
    "made": (lambda: tables.made(4500, 1), "grade", (1800, 900, 1800)),
    "cancer": (tables.cancer, "diagnosis", (220, 129, 220)),
    "diabetes": (tables.diabetes, "progress", (180, 80, 180)),
}


@cache
def parts(name: str) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Training rows, held-out rows and fresh rows of a table."""
    make, _, sizes = TABLES[name]
    train, holdout, fresh = tables.split(make(), *sizes, seed=3)
    return train, holdout, fresh


def outlier_memoriser(train: pl.DataFrame, fresh: pl.DataFrame) -> pl.DataFrame:
    """Fresh rows, but one in twenty is an unusual training row, moved by so little that no exact copy remains."""
    some = max(len(fresh) // 20, 12)
    return pl.concat([fresh[:-some], tables.shifted(tables.outlying(train, some), 2, 0.002)])


def collapsed(fresh: pl.DataFrame, target: str) -> pl.DataFrame:
    """Fresh rows in which the target has a single class."""
    common = fresh[target].value_counts().sort("count")[target][-1]
    return fresh.with_columns(pl.lit(common).alias(target))


@cache
def report(name: str, control: str) -> Report:
    train, holdout, fresh = parts(name)
    target = TABLES[name][1]
    made = {
        "fresh": lambda: fresh,
        "copier": lambda: train,
        "shifter": lambda: tables.shifted(train, 1),
        "outliers": lambda: outlier_memoriser(train, fresh),
        "marginals": lambda: tables.alone(train, 1),
        "collapsed": lambda: collapsed(fresh, target),
        "rare class lost": lambda: fresh.filter(pl.col(target) != "rare"),
    }
    return audit(train, holdout, made[control](), tables.schema_of(train), target=target)


def finding(name: str, control: str, measure: str, starts: str) -> Finding:
    found = report(name, control).find(measure, starts)
    assert found is not None, f"{measure} found nothing that starts with {starts!r}"
    return found


@pytest.mark.parametrize("name", TABLES)
def test_fresh_rows_pass(name: str) -> None:
    judged = report(name, "fresh")
    assert judged.passed, judged.verdict
    assert [f.name for f in judged.findings if f.verdict == "poor"] == []


CAUGHT = [
    ("copier", "copies", "exact copies"),
    ("copier", "copies", "verbatim"),
    ("copier", "membership", "strongest attack, all"),
    ("copier", "attribute", "advantage"),
    ("shifter", "membership", "strongest attack, all"),
    ("shifter", "membership", "members found"),
    ("shifter", "attribute", "advantage"),
    ("outliers", "membership", "unusual people"),
    ("marginals", "pairs", "average difference"),
    ("marginals", "utility", "predicting"),
    ("collapsed", "coverage", "levels lost"),
    ("collapsed", "utility", "predicting"),
]


@pytest.mark.parametrize(("control", "measure", "starts"), CAUGHT)
@pytest.mark.parametrize("name", TABLES)
def test_control_is_caught(name: str, control: str, measure: str, starts: str) -> None:
    if control == "collapsed" and name == "diabetes":
        pytest.skip("its target is a number: there is no class to lose")
    assert not report(name, control).passed
    assert finding(name, control, measure, starts).verdict == "poor"


@pytest.mark.parametrize("name", ["made", "cancer"])
def test_marginals_are_told_from_fresh_rows(name: str) -> None:
    found = finding(name, "marginals", "detectable", "telling")
    assert found.verdict == "poor"
    assert found.value > 0.85


def test_copies_are_not_found_where_there_are_none() -> None:
    for control in ("shifter", "outliers", "fresh"):
        assert finding("made", control, "copies", "exact copies").verdict == "good"


def test_only_the_outliers_of_the_memoriser_are_recognised() -> None:
    found = finding("made", "outliers", "membership", "unusual people")
    assert found.ceiling is not None
    assert found.low > found.ceiling
    assert finding("made", "fresh", "membership", "unusual people").verdict == "good"


def test_a_rare_class_that_vanished_is_named() -> None:
    found = finding("made", "rare class lost", "coverage", "levels lost")
    assert found.verdict == "poor"
    assert "grade = rare" in found.words


def test_rules_and_blanks_of_independent_columns() -> None:
    assert finding("made", "marginals", "missingness", "patterns").verdict == "poor"
    assert finding("made", "marginals", "dependencies", "").verdict == "poor"
    assert finding("made", "fresh", "dependencies", "").value < 0.02


@pytest.mark.slow
def test_adult() -> None:
    folder = Path(__file__).parents[2] / "shared" / "data" / "tables" / "adult"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    rows, holdout = (pl.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    train, fresh = tables.split(rows, 4000, 4000)
    schema = tables.schema_of(train)
    assert audit(train, holdout, fresh, schema, target="income").passed
    copied = audit(train, holdout, tables.shifted(train, 1), schema, target="income", measures=["copies", "membership"])
    assert not copied.passed
    alone = audit(
        train,
        holdout,
        tables.alone(train, 1),
        schema,
        target="income",
        measures=["pairs", "detectable", "utility", "fairness"],
    )
    assert {f.measure for f in alone.findings if f.verdict == "poor"} == {"pairs", "detectable", "utility", "fairness"}
