"""What every test may use. Heavy libraries are imported by the tests that need them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # test workers and benchmarks beside each other would wait for each other

Completed = subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped where it is not."""
    folder = ROOT.parent / "shared"
    if not (folder / "data" / "tables").is_dir():
        pytest.skip(f"no real tables in {folder}")
    return folder


@pytest.fixture
def anew_command(tmp_path: Path) -> Callable[..., Completed]:
    """`anew_command("fit", "a.csv")` runs the installed command in a temporary folder, as a user would."""

    def call(*words: object, **more: str) -> Completed:
        environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **more}
        line = [sys.executable, "-m", "anew", *map(str, words)]
        return subprocess.run(
            line, cwd=tmp_path, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )

    return call


@pytest.fixture(scope="module")
def without_minilm() -> Iterator[None]:
    """Captions are read word by word, whether or not the package of sentences is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anew.core.minilm.installed", lambda: False)
        yield
