"""Each verb from end to end, in this process, on one small table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import anew
from anew.cli.app import serve
from anew.data.examples import patients

Outcome = tuple[int, str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, its two parts and a model of the first."""
    folder = tmp_path_factory.mktemp("cli")
    table = patients(500)
    table.write_csv(folder / "patients.csv")
    table[:400].write_csv(folder / "train.csv")
    table[400:].write_csv(folder / "holdout.csv")
    anew.fit(folder / "train.csv", predict="outcome", seed=1, out=folder / "model")
    return folder


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    monkeypatch.chdir(folder)

    def call(*words: object) -> Outcome:
        code = serve([str(word) for word in words])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


@pytest.fixture
def said(cli: Callable[..., Outcome]) -> Callable[..., dict[str, Any]]:
    """`said(...)` is the one object on stdout of a command with --json that ended well."""

    def call(*words: object) -> dict[str, Any]:
        code, out, err = cli(*words, "--json")
        assert code == 0, err
        found: dict[str, Any] = json.loads(out)
        return found

    return call


def test_look(cli: Callable[..., Outcome], said: Callable[..., dict[str, Any]]) -> None:
    code, out, _ = cli("look", "patients.csv", "-o", "a.schema.json")
    assert code == 0
    assert "patient_id" in out
    schema = anew.Schema.read("a.schema.json")
    assert schema["patient_id"].kind == "identifier"
    found = said("look", "patients.csv", "--dry-run")
    assert found["rows"] == 500
    assert [row["column"] for row in found["columns"]] == list(schema.names)
    assert all(row["why"] for row in found["columns"])


def test_an_edited_schema_is_never_written_over(cli: Callable[..., Outcome]) -> None:
    path = Path("patients.schema.json")
    assert cli("look", "patients.csv")[0] == 0
    edited = path.read_text().replace('"integer"', '"number"')
    path.write_text(edited)
    code, out, _ = cli("look", "patients.csv")
    assert code == 0
    assert "kept" in out
    assert path.read_text() == edited
    code, out, _ = cli("look", "patients.csv", "--schema", path, "--dry-run")
    assert "integer" not in out


def test_fit_prints_its_plan_and_saves(said: Callable[..., dict[str, Any]], cli: Callable[..., Outcome]) -> None:
    planned = said("fit", "train.csv", "-o", "planned", "--dry-run", "--predict", "outcome")
    assert planned["plan"]["target"] == "outcome"
    assert not Path("planned").exists()
    code, out, err = cli("fit", "train.csv", "-o", "fitted", "--objective", "marginals", "--seed", 5)
    assert (code, out) == (0, "Model: fitted\n")
    assert "by marginals" in err
    assert anew.load("fitted").plan.seed == 5


def test_the_same_command_again_does_nothing_and_another_is_refused(cli: Callable[..., Outcome]) -> None:
    line = ["fit", "train.csv", "-o", "again", "--objective", "marginals"]
    assert cli(*line)[0] == 0
    made = Path("again/config.json").stat().st_mtime_ns
    code, _, err = cli(*line)
    assert code == 0
    assert "already holds this model" in err
    assert Path("again/config.json").stat().st_mtime_ns == made
    code, _, err = cli(*line, "--seed", 9)
    assert code == 2
    assert "--fresh" in err
    assert cli(*line, "--seed", 9, "--fresh")[0] == 0
    assert anew.load("again").plan.seed == 9


def test_sample_to_stdout_is_a_table(cli: Callable[..., Outcome]) -> None:
    code, out, _ = cli("sample", "model", "-n", 7, "--seed", 3)
    assert code == 0
    assert pl.read_csv(out.encode()).columns == patients(1).columns
    assert len(out.splitlines()) == 8
    assert cli("sample", "model", "-n", 7, "--seed", 3)[1] == out
    assert cli("sample", "model", "-n", 7, "--seed", 4)[1] != out


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".jsonl", ".xlsx", ".sqlite", ".duckdb", ".arrow"])
def test_sample_in_every_format(ending: str, cli: Callable[..., Outcome]) -> None:
    code, out, err = cli("sample", "model", "-n", 12, "-o", f"new{ending}")
    assert code == 0, err
    assert out == f"12 rows in new{ending}\n"
    assert anew.look(f"new{ending}").count == 12


def test_where(said: Callable[..., dict[str, Any]], cli: Callable[..., Outcome]) -> None:
    conditions = ["--where", "sex=F", "--where", "age>=60", "--where", "ward=surgery|cardiology"]
    rows = said("sample", "model", "-n", 30, *conditions)["rows"]
    assert len(rows) == 30
    assert {row["sex"] for row in rows} == {"F"}
    assert min(row["age"] for row in rows) >= 60
    assert {row["ward"] for row in rows} <= {"surgery", "cardiology"}
    code, _, err = cli("sample", "model", "-n", 30, *conditions)
    assert code == 0
    assert "probability 0." in err
    assert "effective sample size" in err


def test_given_columns_are_given_again(cli: Callable[..., Outcome], said: Callable[..., dict[str, Any]]) -> None:
    assert cli("fit", "train.csv", "--learn", "age,days", "--given", "ward", "-o", "by-ward")[0] == 0
    Path("wards.csv").write_text("ward\nsurgery\nmaternity\n")
    rows = said("sample", "by-ward", "--given", "wards.csv")["rows"]
    assert [row["ward"] for row in rows] == ["surgery", "maternity"]
    assert set(rows[0]) == {"age", "days", "ward"}
    code, _, err = cli("sample", "by-ward", "-n", 2)
    assert code == 2
    assert "--given" in err


@pytest.mark.parametrize("method", [None, "linear", "boosted", "joint"])
def test_predict(method: str | None, said: Callable[..., dict[str, Any]], cli: Callable[..., Outcome]) -> None:
    how = ["--method", method] if method else []
    rows = said("predict", "model", "holdout.csv", *how)["rows"]
    assert len(rows) == 100
    assert {row["outcome"] for row in rows} <= {"recovered", "readmitted"}
    chances = said("predict", "model", "holdout.csv", "--proba", *how)["rows"]
    assert all(abs(sum(row.values()) - 1) < 1e-5 for row in chances)
    assert set(chances[0]) == {"outcome=recovered", "outcome=readmitted"}


def test_predict_without_the_target(cli: Callable[..., Outcome]) -> None:
    pl.read_csv("holdout.csv").drop("outcome").write_csv("unknown.csv")
    code, out, err = cli("predict", "model", "unknown.csv", "-o", "predicted.csv")
    assert (code, out) == (0, "100 rows in predicted.csv\n"), err


def test_predict_by_an_unknown_method(cli: Callable[..., Outcome]) -> None:
    code, _, err = cli("predict", "model", "holdout.csv", "--method", "oracle")
    assert code == 2
    assert "oracle" in err


@pytest.mark.slow
def test_audit_is_a_gate(cli: Callable[..., Outcome]) -> None:
    line = ["audit", "model", "--train", "train.csv", "--holdout", "holdout.csv"]
    code, out, err = cli(*line, "--synthetic", "train.csv", "-o", "copied", "--json")
    assert code == 1, err
    found = json.loads(out)
    assert (found["passed"], found["exit_code"]) == (False, 1)
    poor = {finding["measure"] for finding in found["findings"] if finding["verdict"] == "poor"}
    assert "copies" in poor
    page = Path("copied/report.html").read_text(encoding="utf-8")
    assert "<html" in page.lower()
    assert json.loads(Path("copied/report.json").read_text())["passed"] is False


@pytest.mark.slow
def test_run_is_the_whole_job(said: Callable[..., dict[str, Any]]) -> None:
    found = said("run", "patients.csv", "-o", "all", "--seed", 2)
    assert {path.name for path in Path("all").iterdir()} >= {"synthetic.csv", "model", "report.html", "report.json"}
    assert found["held_out"] == 100
    assert pl.read_csv("all/synthetic.csv").columns == patients(1).columns
    assert len(pl.read_csv("all/synthetic.csv")) == 500
    assert found["plan"]["target"] == "outcome"


def test_run_without_data_plans_for_an_example(said: Callable[..., dict[str, Any]]) -> None:
    assert said("run", "--dry-run")["plan"]["rows"] > 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["fit", "train.csv", "--time", "soon", "-o", "x"], "60s"),
        (["fit", "train.csv", "--objective", "chian", "-o", "x"], "Did you mean 'chain'"),
        (["fit", "train.csv", "--predict", "outcom", "-o", "x"], "Did you mean 'outcome'"),
        (["fit", "train.csv", "--option", "leaf", "-o", "x"], "NAME=VALUE"),
        (["fit", "train.csv", "--device", "warp", "-o", "x"], "cuda"),
        (["sample", "model", "-n", "0"], "-n"),
        (["list", "object"], "Did you mean 'objectives'"),
    ],
)
def test_misuse_says_what_is_meant(words: list[str], expected: str, cli: Callable[..., Outcome]) -> None:
    code, out, err = cli(*words)
    assert (code, out) == (2, "")
    assert expected in err
    assert "Traceback" not in err
