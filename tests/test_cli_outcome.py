"""What every verb shares, on toy verbs: one answer on stdout, the rest on stderr, exit codes, signals, progress."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import typer

from anew.cli import progress
from anew.cli.outcome import Answer, Face, Finished, verb
from anew.core.errors import AnewError, AnewWarning, ConditionError, DataError, Interrupted, ResourceError, UsageError


def outcome(act: Callable[[Face], Answer], *words: str) -> int:
    """The exit code of a command line with one verb."""

    def toy(face: Face) -> Answer:
        return act(face)

    app = typer.Typer(rich_markup_mode=None)
    app.command()(verb(toy))
    with pytest.raises(Finished) as stopped:
        app(args=list(words))
    return int(str(stopped.value.code))


def raising(error: BaseException) -> Callable[[Face], Answer]:
    def act(face: Face) -> Answer:
        raise error

    return act


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(lambda face: Answer({"rows": 3}, "three rows")) == 0
    assert capsys.readouterr() == ("three rows\n", "")


def test_json_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    def act(face: Face) -> Answer:
        face.say("working on it")
        warnings.warn(AnewWarning("two cells start with '='"), stacklevel=1)
        return Answer({"share": float("nan"), "names": ("a", "b"), "count": 3}, "for people", exit_code=1)

    assert outcome(act, "--json") == 1
    seen = capsys.readouterr()
    assert json.loads(seen.out) == {"share": None, "names": ["a", "b"], "count": 3, "exit_code": 1}
    assert seen.err == "working on it\nnote: two cells start with '='\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    def act(face: Face) -> Answer:
        face.say("working on it")
        return Answer({}, "done")

    assert outcome(act, "--quiet") == 0
    assert capsys.readouterr() == ("done\n", "")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("No objective is named 'x'"), 2, "No objective"),
        (DataError("The file is empty", found="a.csv"), 3, "Found 'a.csv'"),
        (ConditionError("The condition has probability zero"), 3, "probability zero"),
        (ResourceError("Another process writes here"), 4, "Another process"),
        (Interrupted("Stopped at step 10"), 130, "Stopped at step 10"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (MemoryError(), 4, "not enough memory"),
        (OSError(errno.ENOSPC, "No space left on device"), 4, "disk is full"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"), 3, "'a.csv'"),
        (RuntimeError("surprise"), 70, "a fault of anew"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_errors_are_one_sentence_and_a_code(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome(raising(error)) == code
    seen = capsys.readouterr()
    assert seen.out == ""
    assert words in seen.err
    assert seen.err.count("\n") == 1
    assert "Traceback" not in seen.err


def test_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(raising(DataError("The file is empty")), "--json") == 3
    said = json.loads(capsys.readouterr().out)
    assert said == {"error": {"kind": "DataError", "message": "The file is empty."}, "exit_code": 3}


def test_debug_shows_where(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(raising(AnewError("wrong")), "--debug") == 1
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("ANEW_DEBUG", "1")
    assert outcome(raising(AnewError("wrong"))) == 1
    assert "Traceback" in capsys.readouterr().err


def test_sigterm_is_an_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)

    def act(face: Face) -> Answer:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        return Answer({})

    assert outcome(act) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_warnings_of_libraries_are_not_for_users(capsys: pytest.CaptureFixture[str]) -> None:
    def act(face: Face) -> Answer:
        warnings.simplefilter("always")
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        return Answer({})

    assert outcome(act) == 0
    assert "deprecated" not in capsys.readouterr().err
    assert outcome(act, "--debug") == 0
    assert "deprecated" in capsys.readouterr().err


def test_slow_work_says_what_it_does(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.01)

    def act(face: Face) -> Answer:
        face.progress("Reading")
        time.sleep(0.2)
        face.progress("Learning, step 1", 0.1)
        face.progress("Learning, step 2", 0.2)
        return Answer({})

    assert outcome(act) == 0
    assert capsys.readouterr().err == "Reading ...\nLearning ...\n"
    assert outcome(act, "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_quick_work_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(lambda face: Answer({})) == 0
    assert capsys.readouterr().err == ""


def test_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    def act(face: Face) -> Answer:
        face.progress("Learning, step 1", 0.1)
        face.progress("Learning, step 2", 0.2)
        time.sleep(0.3)
        face.say("a note above the bar")
        return Answer({}, "done")

    assert outcome(act) == 0
    seen = capsys.readouterr()
    assert seen.out == "done\n"
    assert "a note above the bar" in seen.err


def test_a_reader_that_has_gone_is_no_error() -> None:
    line = f"{sys.executable} -m anew list --quiet | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("141\n", "")


def said(command: Callable[..., Any], *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command(*words, "--json").stdout)
    return found


def test_misuse_of_the_command_line(anew_command: Callable[..., Any]) -> None:
    done = anew_command("fit", "--tme", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--time" in done.stderr
    assert said(anew_command, "fit")["exit_code"] == 2
    assert anew_command("nothing").returncode == 2
    assert anew_command("list", "planets").returncode == 2


def test_list_names_what_can_be_done(anew_command: Callable[..., Any]) -> None:
    found = said(anew_command, "list")
    assert set(found) == {"objectives", "networks", "codecs", "measures", "formats", "recipes", "exit_code"}
    marginals = next(row for row in found["objectives"] if row["name"] == "marginals")
    assert {"sample", "log_prob"} <= set(marginals["can"])
