"""House rules that a machine can check."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_pre_commit_checks_what_make_check_checks() -> None:
    hooks = re.findall(r"entry: \.venv/bin/([^,]+),", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    recipe = MAKEFILE.split("\ncheck:", 1)[1].split("\n\n", 1)[0]
    assert hooks == re.findall(r"\$\(BIN\)/(.+)", recipe)
    assert "make check" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_make_has_its_verbs() -> None:
    verbs = re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE)
    assert {"setup", "run", "test", "check", "bench", "docs"} <= set(verbs)


def test_every_dependency_is_pinned_for_the_tests() -> None:
    pins = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    project = PROJECT["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert [name for name in (re.split(r"[<>=\[ ]", one)[0].lower() for one in wanted) if name not in pins] == []


def test_the_readme_has_a_line_for_every_folder() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    folders = {path.parent.relative_to(ROOT) for path in SOURCES if path.parent != ROOT / "src" / "anew"}
    assert [
        str(folder) for folder in sorted(folders) if f"`{folder}/" not in readme and f"`{folder.name}/`" not in readme
    ] == []


def test_the_grid_of_the_readme_names_what_is_there() -> None:
    grid = (ROOT / "README.md").read_text(encoding="utf-8").split("## The grid", 1)[1].split("##", 1)[0]
    for folder in ("objectives", "networks"):
        there = {path.stem for path in (ROOT / "src" / "anew" / folder).glob("*.py") if not path.stem.startswith("_")}
        assert {name for name in there if not re.search(rf"\b{name}\b", grid)} == set(), folder


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_holds_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert not text or text.startswith('"""'), "a module says first what it is"
    assert re.search(r"\bhasattr\(", text) is None, "a capability is a type"
    assert re.search(r"\b(TODO|FIXME|XXX)\b", text) is None
