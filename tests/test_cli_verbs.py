"""complete, interpolate, encode, decode and balanced samples on the command line; every bad input is one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew.cli.app import serve
from anew.core.learner import Encodes, Samples
from anew.data.examples import patients
from anew.plan import OBJECTIVES

Outcome = tuple[int, str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with its gaps, single rows of it, and models that can and that cannot."""
    folder = tmp_path_factory.mktemp("verbs")
    table = patients(400).with_columns(unit=pl.lit("kg"))
    table.write_csv(folder / "patients.csv")
    rng = np.random.default_rng(0)
    table[:40].with_columns(
        pl.when(pl.Series(rng.random(40) < 0.6)).then(pl.col(name)).alias(name) for name in table.columns
    ).write_csv(folder / "gaps.csv")
    whole = table.drop_nulls()
    whole[:1].write_csv(folder / "a.csv")
    whole[1:2].write_csv(folder / "b.csv")
    whole[:1].drop("age").write_csv(folder / "no_age.csv")
    whole[:1].with_columns(bmi=pl.lit(None)).write_csv(folder / "no_bmi.csv")
    whole[:2].write_csv(folder / "two.csv")
    whole[:3].write_csv(folder / "whole.csv")
    whole[:3].with_columns(hat=pl.lit("red")).write_csv(folder / "unknown.csv")
    (folder / "empty.csv").write_text("age,ward,sex\n,,\n,,\n")
    (folder / "narrow.csv").write_text("z1,z2\n0.5,1\n")
    (folder / "words.csv").write_text("z1,z2\na,b\n")
    anew.fit(folder / "patients.csv", objective="copula", seed=1, out=folder / "model")
    anew.fit(
        folder / "patients.csv", learn="outcome", given=["age", "sex"], objective="cross_entropy", out=folder / "judge"
    )
    return folder


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    monkeypatch.chdir(folder)

    def call(*words: object) -> Outcome:
        code = serve([str(word) for word in words])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def cells(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


def test_complete(cli: Callable[..., Outcome]) -> None:
    code, out, err = cli("complete", "model", "gaps.csv", "--seed", 2)
    assert code == 0, err
    before, after = cells(Path("gaps.csv").read_text()), cells(out)
    assert before[0] == after[0]
    kept = [(a, b) for old, new in zip(before, after, strict=True) for a, b in zip(old, new, strict=True) if a]
    assert all(a == b for a, b in kept), "every known cell is written as it was read"
    assert all(cell for row in after for cell in row)
    assert cli("complete", "model", "gaps.csv", "--seed", 2)[1] == out


def test_complete_several_times(cli: Callable[..., Outcome]) -> None:
    code, out, err = cli("complete", "model", "gaps.csv", "-o", "full.csv", "--draws", 3, "--columns", "ward,age")
    assert (code, out) == (0, "120 rows in full.csv\n"), err
    full = pl.read_csv("full.csv")
    assert full.columns[0] == "draw"
    assert full["draw"].to_list() == [1] * 40 + [2] * 40 + [3] * 40
    assert full.select("ward", "age").null_count().sum_horizontal().item() == 0
    assert full["bmi"].null_count() > 0
    assert cli("complete", "model", "gaps.csv", "-o", "full.parquet")[0] == 0
    assert pl.read_parquet("full.parquet")["age"].dtype == pl.Int64


def test_complete_where_nothing_is_missing(cli: Callable[..., Outcome]) -> None:
    code, out, err = cli("complete", "model", "whole.csv")
    assert code == 0
    assert out == Path("whole.csv").read_text()
    assert "nothing to complete" in err


def test_values_never_seen_are_written_as_they_were(cli: Callable[..., Outcome]) -> None:
    Path("new.csv").write_text("age,ward,bmi\n42.5,ICU,\n,surgery,26.123\n")
    code, out, err = cli("complete", "model", "new.csv", "--columns", "age,bmi")
    assert code == 0, err
    assert out.startswith("age,ward,bmi\n42.5,ICU,")
    assert out.endswith(",surgery,26.123\n")
    assert "'ICU'" in err


def test_interpolate(cli: Callable[..., Outcome]) -> None:
    line = ("interpolate", "model", "--from", "a.csv", "--to", "b.csv")
    code, out, err = cli(*line, "--steps", 5, "--range", "-0.5,1.5")
    assert code == 0, err
    rows = cells(out)
    assert rows[0][:2] == ["t", "patient_id"]
    assert [row[0] for row in rows[1:]] == ["-0.5", "0.0", "0.5", "1.0", "1.5"]
    assert rows[2][1:] == cells(Path("a.csv").read_text())[1]
    assert rows[4][1:] == cells(Path("b.csv").read_text())[1]
    code, out, _ = cli(*line, "--json")
    assert len(json.loads(out)["rows"]) == 8


@pytest.mark.parametrize("name", ["z.npy", "z.csv", "z.parquet"])
def test_encode_and_decode(name: str, cli: Callable[..., Outcome]) -> None:
    code, out, err = cli("encode", "model", "whole.csv", "-o", name)
    assert code == 0, err
    assert name in out
    code, out, err = cli("decode", "model", name)
    assert code == 0, err
    drop_key = [row[1:] for row in cells(out)]
    assert drop_key == [row[1:] for row in cells(Path("whole.csv").read_text())]


def test_balance(cli: Callable[..., Outcome]) -> None:
    code, _, err = cli("sample", "model", "-n", 30, "--balance", "ward=surgery:0.5,maternity:0.5", "-o", "new.csv")
    assert code == 0
    assert "30 rows balanced on ward: " in err
    new = pl.read_csv("new.csv")
    assert sorted(new["ward"].value_counts().rows()) == [("maternity", 15), ("surgery", 15)]
    assert new["patient_id"].n_unique() == 30


JOIN = ("interpolate", "model", "--from", "a.csv")
REFUSED: dict[str, tuple[tuple[object, ...], int, str]] = {
    "a completion file with unknown columns": (("complete", "model", "unknown.csv"), 3, "'hat'"),
    "a completion file with every cell empty": (("complete", "model", "empty.csv"), 3, "anew sample"),
    "no draw": (("complete", "model", "gaps.csv", "--draws", 0), 2, "draws"),
    "an unknown column to fill": (("complete", "model", "gaps.csv", "--columns", "wrad"), 2, "'ward'"),
    "rows of different columns": ((*JOIN, "--to", "no_age.csv"), 3, "different columns"),
    "a row with an empty cell": ((*JOIN, "--to", "no_bmi.csv"), 3, "anew complete"),
    "one row and two": ((*JOIN, "--to", "two.csv"), 3, "1 and 2 rows"),
    "one step": ((*JOIN, "--to", "b.csv", "--steps", 1), 2, "2 steps"),
    "a range of one number": ((*JOIN, "--to", "b.csv", "--range", "1"), 2, "two numbers"),
    "a range of equal ends": ((*JOIN, "--to", "b.csv", "--range", "1,1"), 2, "two different numbers"),
    "a balance on a constant column": (("sample", "model", "--balance", "unit"), 3, "'unit' is constant"),
    "a balance on a number": (("sample", "model", "--balance", "bmi"), 2, "many values"),
    "shares of more than one": (("sample", "model", "--balance", "sex=F:0.7,M:0.7"), 2, "sum to 1"),
    "an unknown class": (("sample", "model", "--balance", "sex=F:0.5,X:0.5"), 3, "'X'"),
    "codes that are words": (("decode", "model", "words.csv"), 3, "numbers"),
    "codes of another width": (("decode", "model", "narrow.csv"), 2, "in 9 columns"),
    "a model that only predicts": (("complete", "judge", "gaps.csv"), 2, "predicts only"),
    "a network that cannot serve": (("fit", "patients.csv", "-o", "n", "--network", "mlp"), 2, "'mlp'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_sentence(case: str, cli: Callable[..., Outcome]) -> None:
    words, exit_code, said = REFUSED[case]
    code, out, err = cli(*words)
    assert code == exit_code, err
    assert said in err
    assert out == ""


def test_an_objective_that_cannot(cli: Callable[..., Outcome]) -> None:
    lack = [
        name
        for name in OBJECTIVES
        for kind in [OBJECTIVES[name]]
        if issubclass(kind, Samples) and not kind.keeps_rows and not issubclass(kind, Encodes)
        if set(kind.reads) != {"Sequence"}  # which learns no table
    ]
    if not lack:
        pytest.skip("every objective that can be saved encodes")
    assert (
        cli("fit", "patients.csv", "-o", "other", "--objective", lack[0], "--time", "1s", "--learn", "age,sex")[0] == 0
    )
    for words in (("encode", "other", "whole.csv"), ("interpolate", "other", "--from", "a.csv", "--to", "b.csv")):
        code, out, err = cli(*words)
        assert (code, out) == (2, "")
        assert f"{lack[0]} cannot encode. Objectives that can: " in err
        assert "copula" in err
