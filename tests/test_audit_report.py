"""The report: one file that loads nothing, shows what it was given, and never lets data become markup."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import audit_tables as tables
from anew.audit import MEASURES, Report, audit
from anew.core.errors import DataError, UsageError
from anew.core.schema import Field, Schema

EVIL = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def full() -> Report:
    train, holdout, fresh = tables.split(tables.made(900, 5), 400, 200, 300)
    rename = {"wage": EVIL}
    parts = [
        frame.rename(rename).with_columns(pl.col("sector").replace("farm", EVIL)) for frame in (train, holdout, fresh)
    ]
    steps: list[tuple[str, float]] = []
    report = audit(
        *parts,
        Schema(fields=tables.schema_of(parts[0]).fields, rules=("age >= 0", f"`{EVIL}` is not None")),
        target="grade",
        cost={"seconds": 3.2, "peak_bytes": 3e8},
        predictions={"joint": (0.9, 0.85, 0.95), "trees": {"value": 0.91, "low": 0.87, "high": 0.96}, "guess": 0.5},
        facts={"name": EVIL, "plan": {"objective": "chain", "steps": 3}, "notes": ["first", EVIL]},
        where={"age": (18, None), "grade": ["low", "high", "rare"]},
        log_prob=lambda frame: -np.abs(frame["age"].to_numpy().astype(float) - 45),
        progress=lambda words, share: steps.append((words, share)),
    )
    assert [share for _, share in steps] == sorted(share for _, share in steps)
    assert steps[-1][1] == 1.0
    return report


def test_every_measure_has_a_say_or_a_reason(full: Report) -> None:
    assert {asked.name for asked in full.asked} == set(MEASURES.names)
    of_others = {name for name in MEASURES.names if MEASURES[name].kinds <= {"image", "text"}}
    assert {finding.measure for finding in full.findings} >= set(MEASURES.names) - {"dependencies"} - of_others
    for found in full.findings:
        assert found.words[0].isupper() or not found.words[0].isalpha()
        assert found.words.endswith(".")
        assert found.verdict in ("good", "fair", "poor", "told")
        assert not found.value < found.low
        assert not found.value > found.high
        assert (found.verdict == "told") or (found.ceiling is not None), found.name


def test_the_page_loads_nothing_and_escapes_everything(full: Report) -> None:
    page = full.to_html()
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://", page)
    assert page.count("<svg") == page.count("</svg>") > 20


def test_the_page_shows_identifiers_and_real_rows_only_when_it_may(full: Report) -> None:
    assert "id" not in full.pictures.neighbour_names
    assert "Nearest relatives" in full.to_html()
    assert "Nearest relatives" not in full.to_html(rows=False)


def test_json_holds_the_same(full: Report) -> None:
    content = json.loads(full.to_json())
    assert [f["name"] for f in content["findings"]] == [f.name for f in full.findings]
    assert content["verdict"] == full.verdict
    assert content["figures"]["pair_names"] == full.pictures.pair_names
    assert content["facts"]["plan"] == {"objective": "chain", "steps": 3}
    assert len(content["decisions"]) == 12


def test_notebooks_get_a_frame(full: Report) -> None:
    assert full._repr_html_().startswith("<iframe srcdoc=")
    assert "<!doctype" not in full._repr_html_()


def test_the_same_arguments_give_the_same_findings() -> None:
    train, holdout, fresh = tables.split(tables.made(500, 6), 200, 100, 200)
    reports = [audit(train, holdout, fresh, tables.schema_of(train), target="grade", seed=4) for _ in range(2)]
    assert [str(f) for f in reports[0].findings] == [str(f) for f in reports[1].findings]
    assert reports[0].pictures == reports[1].pictures


def test_a_broken_condition_is_poor() -> None:
    train, holdout, fresh = tables.split(tables.made(500, 6), 200, 100, 200)
    report = audit(train, holdout, fresh, tables.schema_of(train), where={"age": (60, None)}, measures=["obeys"])
    assert not report.passed
    old = fresh.filter(pl.col("age") >= 60)
    assert audit(train, holdout, old, tables.schema_of(train), where=["age>=60"], measures=["obeys"]).passed


@pytest.mark.parametrize("sizes", [(30, 5, 30), (12, 2, 12), (3, 1, 2), (1, 1, 1)])
def test_hardly_any_rows_give_no_alarm(sizes: tuple[int, int, int]) -> None:
    train, holdout, fresh = tables.split(tables.made(100, 7), *sizes)
    report = audit(train, holdout, fresh, tables.schema_of(train), target="grade")
    assert report.passed, report.verdict
    assert "<html" in report.to_html()


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": [1.0] * 60}),
        pl.DataFrame({"x": pl.Series([None] * 60, dtype=pl.Float64), "y": [1, 2] * 30}),
        pl.DataFrame({"x": ["a", None] * 30}),
        pl.DataFrame({"x": [float("inf"), 1.0, -1.0] * 20, "y": [True] * 60}),
    ],
)
def test_odd_columns(frame: pl.DataFrame) -> None:
    parts = tables.split(frame, 20, 20, 20)
    for target in frame.columns:
        report = audit(*parts, tables.schema_of(frame), target=target)
        assert report.passed, report.verdict
        assert "<html" in report.to_html()


def test_nothing_to_compare() -> None:
    frame = pl.DataFrame({"id": ["a", "b", "c"]})
    report = audit(frame, frame, frame, tables.schema_of(frame))
    assert report.verdict.startswith("Nothing could be judged")
    assert "<html" in report.to_html()


def test_misuse_is_said_in_a_sentence() -> None:
    frame = pl.DataFrame({"x": [1, 2, 3]})
    schema = Schema(fields=(Field(name="y", kind="integer", dtype="Int64"),))
    with pytest.raises(DataError, match="lack columns"):
        audit(frame, frame, frame, schema)
    with pytest.raises(DataError, match="synthetic rows are empty"):
        audit(frame, frame, frame[:0], tables.schema_of(frame))
    with pytest.raises(UsageError, match="No column is named"):
        audit(frame, frame, frame, tables.schema_of(frame), target="z")
    with pytest.raises(UsageError, match="No entry of measures is named"):
        audit(frame, frame, frame, tables.schema_of(frame), measures=["fidelty"])


def test_a_conditional_sample_is_compared_with_real_rows_that_meet_the_condition() -> None:
    train, holdout, fresh = tables.split(tables.made(3000, 8), 1200, 600, 1200)
    old = {"age": (45, None), "sector": ["retail", "farm"]}
    kept = fresh.filter((pl.col("age") >= 45) & pl.col("sector").is_in(["retail", "farm"]))
    report = audit(train, holdout, kept, tables.schema_of(train), target="grade", where=old)
    assert report.passed, report.verdict
    assert report.facts["training rows"] < len(train)
    never = audit(train, holdout, kept, tables.schema_of(train), where={"age": (200, None)}, measures=["obeys"])
    assert not never.passed
