"""A model folder: whole or not at all, checked when read, locked when written, never a pickle."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import anew
from anew import store
from anew.testing import example_frame


@pytest.fixture(scope="module")
def model() -> anew.Model:
    return anew.fit(example_frame(200), predict="smoker")


@pytest.fixture
def folder(model: anew.Model, tmp_path: Path) -> Path:
    model.save(tmp_path / "m")
    return tmp_path / "m"


def test_members_and_no_pickle(folder: Path) -> None:
    assert sorted(os.listdir(folder)) == sorted(store.MEMBERS)
    assert not any(b"pickle" in (folder / name).read_bytes() for name in store.MEMBERS)
    assert os.listdir(folder.parent) == ["m"], "nothing is left beside it"


def test_the_card_says_what_is_let_out(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    assert "leaf counts" in card
    assert "no training row" in card


def test_newer_format(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "format": 99}))
    with pytest.raises(anew.StoreError, match=r"newer anew: its format is 99.*Update anew"):
        anew.load(folder)


@pytest.mark.parametrize("keep", [0, 100, -7])
def test_truncated_tensors(folder: Path, keep: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(anew.StoreError, match="truncated"):
        anew.load(folder)


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(anew.StoreError, match="no model folder"):
        anew.load(tmp_path / "nowhere")
    with pytest.raises(anew.StoreError, match="not a model folder"):
        anew.load(tmp_path)


def test_other_files_are_not_lost(model: anew.Model, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(anew.UsageError, match=r"would be lost.*thesis\.txt"):
        model.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_loses_nothing(
    model: anew.Model, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = {name: (folder / name).read_bytes() for name in store.MEMBERS}

    def full(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(anew.ResourceError, match="disk is full"):
        model.save(folder)
    monkeypatch.undo()
    assert {name: (folder / name).read_bytes() for name in store.MEMBERS} == before
    assert os.listdir(folder.parent) == ["m"]


def test_two_processes_cannot_write_one_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from anew import store\n"
        "with store.lock(sys.argv[1]): print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "m")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(anew.ResourceError, match="Another process is writing"):
            anew.fit(example_frame(50), objective="marginals", out=tmp_path / "m")
        other.stdin.write("\n")
    anew.fit(example_frame(50), objective="marginals", out=tmp_path / "m")


def test_the_same_command_again_does_nothing_and_fresh_starts_over(tmp_path: Path) -> None:
    frame, place = example_frame(100), tmp_path / "m"
    anew.fit(frame, out=place)
    made = (place / "provenance.json").read_text()
    with pytest.warns(anew.AnewWarning, match="already holds this model"):
        anew.fit(frame, out=place)
    assert (place / "provenance.json").read_text() == made
    with pytest.raises(anew.UsageError, match="holds another model"):
        anew.fit(frame, out=place, seed=7)
    anew.fit(frame, out=place, seed=7, fresh=True)
    assert anew.load(place).plan.seed == 7


def test_bootstrap_is_never_saved(tmp_path: Path) -> None:
    model = anew.fit(example_frame(50), objective="bootstrap")
    assert len(model.sample(10)) == 10
    with pytest.raises(anew.StoreError, match="keeps training rows"):
        model.save(tmp_path / "m")
    assert os.listdir(tmp_path) == []


def test_no_array_of_a_saved_chain_is_a_column_of_the_data(folder: Path) -> None:
    """The privacy claim of the card: no array holds a raw column, in any order."""
    import numpy as np
    from safetensors.numpy import load_file

    frame = example_frame(200)
    spent = np.sort(frame["spent"].to_numpy())
    rare = spent[spent > 0]
    for name, array in load_file(folder / "model.safetensors").items():
        flat = np.asarray(array, np.float64).ravel()
        shared = np.isin(np.round(rare, 9), np.round(flat, 9)).mean()
        assert shared < 0.1, f"{name} holds {shared:.0%} of the values of a column"
