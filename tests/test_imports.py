"""Start-up is a law: `import anew` and `anew --help` touch nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import anew

HEAVY = {
    "torch",
    "polars",
    "sklearn",
    "pandas",
    "pyarrow",
    "numpy",
    "scipy",
    "matplotlib",
    "pydantic",
    "duckdb",
    "rich",
    "tokenizers",
    "transformers",
    "peft",
}
HELP = "import sys; sys.argv = ['anew', '--help']\ntry:\n import anew.cli; anew.cli.main()\nexcept SystemExit: pass\n"


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys; print('MODULES', *{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("MODULES", 1)[1].split())


def best_seconds(code: str, runs: int = 7) -> float:
    """The fastest of several runs: what the code costs when the machine does nothing else."""
    script = f"import time; start = time.perf_counter()\n{code}\nprint('SECONDS', time.perf_counter() - start)"
    times = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        times.append(float(done.stdout.rsplit("SECONDS", 1)[1]))
    return min(times)


@pytest.mark.parametrize("code", ["import anew", HELP], ids=["import anew", "anew --help"])
def test_nothing_heavy_is_imported(code: str) -> None:
    assert modules_after(code) & HEAVY == set()


def test_import_is_quick() -> None:
    assert best_seconds("import anew") < 0.15


def test_help_is_quick() -> None:
    assert best_seconds(HELP) < 0.3


def test_all_is_sorted_and_whole() -> None:
    assert anew.__all__ == sorted(anew.__all__)
    assert set(anew.__all__) == set(anew._HOME)


@pytest.mark.parametrize("name", anew.__all__)
def test_public_names_load(name: str) -> None:
    assert getattr(anew, name).__name__ == name


def test_type_checkers_see_what_is_loaded() -> None:
    tree = ast.parse(Path(anew.__file__).read_text(encoding="utf-8"))
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("anew")
    ]
    assert {name.name: node.module for node in imports for name in node.names} == anew._HOME


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        anew.nothing  # noqa: B018
