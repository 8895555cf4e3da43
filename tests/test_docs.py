"""Every code block of README and docs is executed, page by page, in order, in a folder that holds patients.csv.

- ```python: one namespace a page. A ```text block straight after it is what it must print.
- ```console: lines that start with `$ ` are commands, the lines after each are what it must print (stdout, stderr).
- ```bash: a script that must end well.
- `<!-- skip: reason -->` on the line before a block leaves it out; `<!-- ci: name -->` leaves it to `.ci/run`.
- `<!-- setup` ... `-->` holds Python that the reader need not see.

Documented and true output are equal after `normalised`: times, sizes, speeds and numbers of three decimals or more
differ from machine to machine; lines of progress come only when the machine is slow; `...` stands for anything.
`python tests/test_docs.py [PAGE]` writes the true output into the pages.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUN = {"python", "console", "bash"}
BLOCK = re.compile(
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```$|^<!-- setup\n(?P<setup>.*?)^-->$", re.MULTILINE | re.DOTALL
)
MARK = re.compile(r"<!-- (?P<what>skip|ci): (?P<why>.+?) -->\n$")
OUTPUT = re.compile(r"\A\n*```text\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
VARIES = [
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s|min|seconds?|minutes?)\b"), "TIME"),
    (re.compile(r"\b[\d,.]+ rows/s\b"), "SPEED"),
    (re.compile(r"\b[\d,.]+ ?(kB|MB|GB|KiB|MiB|GiB)\b"), "SIZE"),
    (re.compile(r"-?\b\d+\.\d{3,}(e[+-]\d+)?\b|\b\d(\.\d+)?e[+-]\d+\b"), "NUMBER"),
]
PROGRESS = re.compile(r"^[A-Z][^.\n]* \.\.\.\n", re.MULTILINE)
CHECK = doctest.OutputChecker()


@dataclass(frozen=True)
class Block:
    """A piece of a page: code to run, and the span of the page where its output stands (None: nothing is claimed)."""

    language: str
    code: str
    line: int
    output: tuple[int, int] | None = None
    start: int = 0


def blocks(text: str) -> Iterator[Block]:
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["setup"] is not None:
            yield Block("python", match["setup"], line)
        elif match["language"] in RUN and not MARK.search(text[: match.start()]):
            after = OUTPUT.search(text[match.end() :]) if match["language"] == "python" else None
            span = (match.end() + after.start("text"), match.end() + after.end("text")) if after else None
            yield Block(match["language"], match["code"], line, span, match.start("code"))


def normalised(text: str, folder: Path) -> str:
    for pattern, word in VARIES:
        text = pattern.sub(word, text.replace(str(folder), "FOLDER"))
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def same(documented: str, true: str, folder: Path) -> bool:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return CHECK.check_output(normalised(documented, folder) + "\n", normalised(true, folder) + "\n", flags)


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )


def commands(code: str) -> list[tuple[str, str]]:
    """The (command, documented output) pairs of a console block; a line that ends in \\ goes on in the next."""
    pairs: list[tuple[str, str]] = []
    for line in code.splitlines(keepends=True):
        if line.startswith("$ "):
            pairs.append((line[2:], ""))
        elif pairs and not pairs[-1][1] and pairs[-1][0].endswith("\\\n"):
            pairs[-1] = (pairs[-1][0] + line, "")
        elif pairs:
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + line)
    return pairs


def prepare(folder: Path) -> None:
    from anew.data.examples import patients

    patients(1000).write_csv(folder / "patients.csv")


def run_python(block: Block, page: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    code = compile("\n" * block.line + block.code, page, "exec")
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    return printed.getvalue()


def execute(page: Path, folder: Path) -> Iterator[tuple[Block, str, str, str]]:
    """(block, what was run, documented output, true output) wherever the page claims an output."""
    text, names = page.read_text(encoding="utf-8"), {"__name__": "docs"}
    for block in blocks(text):
        if block.language == "python":
            true = run_python(block, str(page), names)
            if block.output:
                yield block, block.code, text[slice(*block.output)], true
        elif block.language == "bash":
            done = shell(f"set -e\n{block.code}", folder)
            assert done.returncode == 0, f"{page.name}, line {block.line}:\n{done.stdout}"
        else:
            for command, documented in commands(block.code):
                yield block, command, documented, PROGRESS.sub("", shell(command, folder).stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if list(blocks(page.read_text(encoding="utf-8")))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    for block, ran, documented, true in execute(page, tmp_path):
        assert same(documented, true, tmp_path), (
            f"{page.name}, block at line {block.line}\n$ {ran}\n--- documented\n{documented}\n--- true\n{true}"
        )


def test_blocks_left_to_ci_are_run_there() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    names = {
        match["why"]
        for page in PAGES
        for match in re.finditer(r"^<!-- ci: (?P<why>\w+) -->$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert names == {"install", "run", "test"}
    assert "for name in install run test; do" in ci


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def write(page: Path) -> None:
    """Puts the true output into the page, where it says something else."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        prepare(folder)
        with contextlib.chdir(folder):
            edits = list(execute(page, folder))
    for block, ran, documented, true in reversed(edits):
        if not same(documented, true, folder):
            head = text[: block.start] if block.output is None else text[: block.output[0]]
            tail = text[len(head) :]
            old = f"$ {ran}{documented}" if block.output is None else documented
            new = f"$ {ran}{true}" if block.output is None else true
            text = head + tail.replace(old, new, 1)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for one in [Path(word).resolve() for word in sys.argv[1:]] or PAGES:
        write(one)
