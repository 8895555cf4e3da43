"""Folders of pictures through the command line: looked at, learned from, created, predicted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from made_pictures import save

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Bright and dark noise of 8 x 8 pixels by folder, and one file that is no picture."""
    rng = np.random.default_rng(0)
    for name, low in (("bright", 150), ("dark", 0)):
        save(tmp_path / "scans" / name, rng.integers(low, low + 100, (20, 8, 8), np.uint8))
    (tmp_path / "scans" / "dark" / "x.png").write_text("no picture")
    return tmp_path / "scans"


def test_look(anew_command: Command, scans: Path) -> None:
    refused = anew_command("look", "scans")
    assert refused.returncode == 3
    assert "x.png' holds text and no picture. Repair or remove it, or leave out" in refused.stderr
    seen = anew_command("look", "scans", "--skip-bad", "--json")
    found = json.loads(seen.stdout)
    assert found["rows"] == 40
    assert [(row["column"], row["kind"], row["why"]) for row in found["columns"]] == [
        ("image", "image", "40 pictures of 8 x 8 pixels, grey"),
        ("label", "category", "words, 2 distinct in 40 rows"),
    ]
    assert "x.png' holds text and no picture" in found["notes"][0]
    assert json.loads((scans.parent / "scans.schema.json").read_text())["fields"][0]["size"] == [8, 8]
    resized = json.loads(anew_command("look", "scans", "--skip-bad", "--size", "6x4", "--json", "--dry-run").stdout)
    assert "of 4 x 6 pixels" in resized["columns"][0]["why"]
    wrong = anew_command("look", "scans", "--size", "big")
    assert (wrong.returncode, "--size takes a number of pixels" in wrong.stderr) == (2, True)


def test_fit_sample_and_predict(anew_command: Command, scans: Path) -> None:
    fitted = anew_command(
        "fit", "scans", "-o", "m", "--skip-bad", "--predict", "label", "--predictors", "mlp", "--time", "2s"
    )
    assert fitted.returncode == 0, fitted.stderr
    assert "note: 1 row left out, since the picture cannot be used" in fitted.stderr
    assert anew_command("sample", "m", "-n", "3", "-o", "new").returncode == 0
    table = pl.read_csv(scans.parent / "new" / "metadata.csv")
    assert table.columns == ["file_name", "label"]
    assert table["file_name"].to_list() == ["000001.png", "000002.png", "000003.png"]
    refused = anew_command("sample", "m", "-n", "3")
    assert (refused.returncode, "Name a folder for them with -o" in refused.stderr) == (2, True)
    told = anew_command("predict", "m", "scans/bright")
    assert told.stdout.splitlines()[0] == "file_name,label"
    assert told.stdout.splitlines()[1].startswith("000.png,")
