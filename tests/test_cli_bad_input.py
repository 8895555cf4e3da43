"""Whatever a user gives, the answer is one clear sentence and a documented exit code, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from anew.cli.app import serve

Outcome = tuple[int, str, str]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`cli("fit", "a.csv")` -> (exit code, stdout, stderr), in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Outcome:
        code = serve([str(word) for word in words])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def rows(count: int) -> str:
    return "age,sex,ward\n" + "".join(f"{20 + i * 7 % 60},{'FM'[i % 2]},{'abc'[i % 3]}\n" for i in range(count))


REFUSED: dict[str, tuple[bytes | None, str]] = {
    "no such file": (None, "data.csv"),
    "empty file": (b"", "empty"),
    "header only": (b"age,sex\n", "no rows"),
    "one row": (b"age,sex\n3,F\n", "row"),
    "two rows": (b"age,sex\n3,F\n4,M\n", "2 rows"),
    "numbers beyond float range": (b"a,b\n" + b"".join(b"%d,%de400\n" % (i, i) for i in range(80)), "range of floats"),
    "infinities": (b"a,b\n" + b"".join(b"%d,%s\n" % (i, b"inf" if i == 3 else b"1.5") for i in range(80)), "infinity"),
    "duplicate names": (b"age,age\n1,2\n3,4\n", "'age'"),
    "broken quote in row 70,000": (b"a,b\n" + b"1,x\n" * 70_000 + b'2,"y\n' + b"3,z\n" * 10, "70"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_a_sentence(case: str, cli: Callable[..., Outcome]) -> None:
    content, words = REFUSED[case]
    if content is not None:
        Path("data.csv").write_bytes(content)
    code, out, err = cli("fit", "data.csv", "-o", "model")
    assert (code, out) == (3, "")
    assert words in err
    assert err.strip().count("\n") == 0
    assert not Path("model", "config.json").exists()


FITTED: dict[str, bytes] = {
    "one column": b"age\n" + b"".join(b"%d\n" % (i % 40) for i in range(80)),
    "all-missing column": b"age,none\n" + b"".join(b"%d,\n" % (i % 40) for i in range(80)),
    "constant column": b"age,unit\n" + b"".join(b"%d,kg\n" % (i % 40) for i in range(80)),
    "a column that mixes types": b"age,mixed\n"
    + b"".join(b"%d,%s\n" % (i % 40, b"7" if i % 2 else b"seven") for i in range(80)),
    "dates in several formats": b"age,day\n"
    + b"".join(
        b"%d,%s\n" % (i % 40, b"2024-01-%02d" % (i % 28 + 1) if i % 2 else b"%d/3/2024" % (i % 28 + 1))
        for i in range(80)
    ),
    "wrong encoding": b"age,town\n"
    + b"".join(b"%d,%s\n" % (i % 40, "Zürich".encode("latin-1") if i % 2 else b"Bern") for i in range(80)),
    "more columns than rows": b",".join(b"c%d" % i for i in range(60))
    + b"\n"
    + b"".join(b",".join(b"%d" % (i * j % 7) for j in range(60)) + b"\n" for i in range(20)),
}


@pytest.mark.parametrize("case", FITTED)
def test_learned_all_the_same(case: str, cli: Callable[..., Outcome]) -> None:
    Path("data.csv").write_bytes(FITTED[case])
    code, _, err = cli("fit", "data.csv", "-o", "model")
    assert code == 0, err
    code, _, err = cli("sample", "model", "-n", "5", "-o", "new.csv")
    assert code == 0, err
    header, *lines = Path("new.csv").read_text(encoding="utf-8").splitlines()
    assert header == FITTED[case].decode("latin-1").splitlines()[0]
    assert len(lines) == 5


@pytest.fixture
def model(cli: Callable[..., Outcome]) -> Path:
    Path("data.csv").write_text(rows(300))
    assert cli("fit", "data.csv", "-o", "model", "--predict", "sex")[0] == 0
    return Path("model")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("ward=z", "'z'"),
        ("age>=200", "age"),
        ("wrad=a", "Did you mean 'ward'"),
        ("age is old", "age is old"),
        ("ward>a", "ward"),
    ],
)
def test_conditions_that_cannot_be_met(where: str, words: str, model: Path, cli: Callable[..., Outcome]) -> None:
    code, out, err = cli("sample", model, "-n", 5, "--where", where)
    assert code in {2, 3}
    assert out == ""
    assert words in err


def test_a_category_never_seen_in_what_is_predicted(model: Path, cli: Callable[..., Outcome]) -> None:
    Path("new.csv").write_text("age,ward\n30,a\n40,z\n")
    code, out, err = cli("predict", model, "new.csv")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "'z'" in err


def test_a_target_with_one_class(cli: Callable[..., Outcome]) -> None:
    Path("data.csv").write_text("age,sex\n" + "".join(f"{i},F\n" for i in range(80)))
    code, _, err = cli("fit", "data.csv", "-o", "model", "--predict", "sex")
    assert code == 3
    assert "'sex'" in err


def test_a_model_from_the_future(model: Path, cli: Callable[..., Outcome]) -> None:
    config = model / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "format": 999}))
    code, _, err = cli("sample", model, "-n", 5)
    assert code == 3
    assert "999" in err
    assert "newer" in err


def test_truncated_weights(model: Path, cli: Callable[..., Outcome]) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    code, _, err = cli("sample", model, "-n", 5)
    assert code == 3
    assert "model.safetensors" in err


def test_no_model_there(cli: Callable[..., Outcome]) -> None:
    code, _, err = cli("sample", "nowhere", "-n", 5)
    assert code == 3
    assert "'nowhere'" in err


def test_cells_that_a_spreadsheet_would_run(cli: Callable[..., Outcome]) -> None:
    Path("data.csv").write_text(
        "word,age\n" + "".join(f"{'=1+1' if i % 2 else 'plain'},{i % 40}\n" for i in range(200))
    )
    assert cli("fit", "data.csv", "-o", "model")[0] == 0
    code, _, err = cli("sample", "model", "-n", 100, "-o", "new.csv")
    assert code == 0
    assert "--escape-formulas" in err
    written = Path("new.csv").read_text()
    assert "\n=1+1," in written
    count = written.count("\n=1+1,")
    assert str(count) in err
    assert cli("sample", "model", "-n", 100, "-o", "new.csv", "--escape-formulas")[0] == 0
    assert Path("new.csv").read_text().count("\n'=1+1,") == count


def test_a_folder_that_does_not_exist(model: Path, cli: Callable[..., Outcome]) -> None:
    code, _, err = cli("sample", model, "-n", 5, "-o", "nowhere/new.csv")
    assert code == 3
    assert "nowhere" in err


def test_an_ending_that_is_no_format(model: Path, cli: Callable[..., Outcome]) -> None:
    code, _, err = cli("sample", model, "-n", 5, "-o", "new.pickle")
    assert code in {2, 3}
    assert ".pickle" in err
    assert not Path("new.pickle").exists()
