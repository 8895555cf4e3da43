"""A fit that is stopped, politely or not, loses nothing: the same command resumes and gives the same model."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from anew.data.dataset import Dataset
from anew.data.examples import patients
from anew.fitting import fit_plan
from anew.plan import Plan
from anew.store import pack

FIT = ["fit", "patients.csv", "-o", "model", "--objective", "diffusion", "--time", "12s", "--seed", "3"]
PATIENCE = 120.0  # seconds for a machine that does other things, too


def start(*words: str, folder: Path) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "anew", *words]
    return subprocess.Popen(line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_checkpoint(folder: Path, after: float = 0.0) -> float:
    """The time of the first checkpoint that is younger than `after`."""
    path, end = folder / "model" / ".checkpoint" / "factor0.safetensors", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if path.exists() and path.stat().st_mtime > after:
            return path.stat().st_mtime
        time.sleep(0.02)
    raise AssertionError(f"no checkpoint in {PATIENCE} s")


@pytest.mark.slow
def test_stopped_twice_and_resumed_is_the_same_model(tmp_path: Path) -> None:
    patients(400).write_csv(tmp_path / "patients.csv")

    first = start(*FIT, folder=tmp_path)
    at = wait_for_checkpoint(tmp_path)
    first.send_signal(signal.SIGTERM)
    out, err = first.communicate(timeout=PATIENCE)
    assert (first.returncode, out) == (130, "")
    assert "the same command resumes" in err
    assert "Traceback" not in err

    second = start(*FIT, folder=tmp_path)
    wait_for_checkpoint(tmp_path, after=at)
    beside = start(*FIT, folder=tmp_path)
    _, err = beside.communicate(timeout=PATIENCE)
    assert beside.returncode == 4, "two processes must not write one folder"
    assert "Another process" in err
    second.kill()
    second.communicate(timeout=PATIENCE)
    assert not (tmp_path / "model" / "config.json").exists()

    third = start(*FIT, folder=tmp_path)
    _, err = third.communicate(timeout=PATIENCE)
    assert third.returncode == 0, err

    config = json.loads((tmp_path / "model" / "config.json").read_text())
    training = " ".join(json.loads((tmp_path / "model" / "provenance.json").read_text())["training"])
    assert "resumed" in training
    if "clock" in training:
        pytest.skip("this machine is so busy that the safety stop ended the training, which no step count can repeat")
    plan = Plan.model_validate(config["plan"])
    unhurried = plan.create[0].model_copy(update={"seconds": 1e6})
    plan = plan.model_copy(update={"create": (unhurried,)})
    _, never_stopped = pack(fit_plan(Dataset.open(tmp_path / "patients.csv", seed=3), plan).joint)
    saved = load_file(tmp_path / "model" / "model.safetensors")
    assert saved.keys() == never_stopped.keys()
    for name, array in never_stopped.items():
        np.testing.assert_array_equal(saved[name], array, err_msg=name)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the system answers with the same kind of error."""
    patients(400).write_csv(tmp_path / "patients.csv")
    words = ["fit", "patients.csv", "-o", "model", "--objective", "marginals", "--quiet"]
    line = [sys.executable, "-m", "anew", *words]
    assert subprocess.run(line, cwd=tmp_path, check=False).returncode == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = subprocess.run(
        [*line, "--fresh", "--seed", "1"],
        cwd=tmp_path,
        preexec_fn=fill,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 4
    assert "The disk is full" in done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["model"]
