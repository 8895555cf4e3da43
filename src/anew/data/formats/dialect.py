"""How a delimited file is written: the delimiter that cuts its lines into equally many cells, quotes, and a header.

Decided from the first lines. A `sep=;` line, as Excel writes it, is believed.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

DELIMITERS = ",;\t|"
SAMPLE = 2**18
LINES = 200
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
SHOWN = {"\t": "tab", ",": "','", ";": "';'", "|": "'|'", " ": "white space"}
SPACE = " "
ALIKE = 0.9  # share of the lines of a table that have as many cells as the others


@dataclass(frozen=True)
class Dialect:
    """`header` holds the cells of the header, None when the first line is data; `skip` lines come before the data.

    `spaced` files put a space after the delimiter, also before a quote; `titles` lines were skipped before the header.
    """

    delimiter: str
    header: tuple[str, ...] | None
    width: int
    quote: str = '"'
    skip: int = 0
    spaced: bool = False
    titles: int = 0

    @property
    def notes(self) -> list[str]:
        """What was found beyond a comma and a header."""
        usual = self.delimiter == ","
        found = [] if usual else [f"delimiter {SHOWN.get(self.delimiter, repr(self.delimiter))}"]
        if self.titles:
            found.append(f"{self.titles} line{'s' * (self.titles > 1)} before the header skipped")
        return found if self.header is not None else [*found, "no header line: the columns are called column_1, ..."]


def sniff(path: Path) -> Dialect | None:
    """The dialect of a UTF-8 file, or None when it has no line with anything in it."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
        whole = not file.read(1)
    text = sample.decode("utf-8", errors="ignore")
    lines = io.StringIO(text, newline="\n").readlines()
    lines = lines if whole or len(lines) < 2 else lines[:-1]
    lines = [line.rstrip("\r\n").replace("\r", " ") + "\n" for line in lines]
    skip = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    if skip == len(lines):
        return None
    if named := re.fullmatch(r"sep=(.)", lines[skip].strip("\r\n\"' ") if lines[skip][:4] == "sep=" else ""):
        return _describe(lines[skip + 1 : skip + LINES], named[1], skip + 1)
    shown = lines[skip : skip + LINES]
    return _describe(shown, _delimiter(shown), skip)


def is_table(path: Path) -> bool:
    """Whether nearly all lines of a UTF-8 file are cut alike: what decides where the ending leaves it open."""
    with path.open("rb") as file:
        lines = file.read(SAMPLE).decode("utf-8", errors="ignore").splitlines(keepends=True)[:LINES]
    lines = [line for line in lines if line.strip()]
    if lines and lines[0].startswith("sep="):
        return True
    return len(lines) > 1 and (
        max(_score(lines, mark)[0] for mark in DELIMITERS) >= ALIKE or _delimiter(lines) == SPACE
    )


def _delimiter(lines: list[str]) -> str:
    """The candidate that cuts most lines into the same number (> 1) of cells, then the one that cuts into most.

    Where there is none, white space if it cuts every line into the same number of cells, some of them numbers.
    """
    scores = {mark: _score(lines, mark) for mark in DELIMITERS}
    best = max(scores, key=lambda mark: scores[mark])
    if scores[best] > (0.0, 0):
        return best
    rows = [line.split() for line in lines if line.strip()]
    even = len({len(row) for row in rows}) == 1 and len(rows) > 1 and len(rows[0]) > 1
    return SPACE if even and any(NUMBER.fullmatch(cell) for row in rows[1:] for cell in row) else ","


def _score(lines: list[str], mark: str) -> tuple[float, int]:
    widths = [len(row) for row in csv.reader(lines, delimiter=mark, skipinitialspace=True) if row]
    usual, many = Counter(widths).most_common(1)[0]
    header = widths[0] if widths else 0
    if usual < 2 and header < 2:
        return (0.0, 0)
    return (round(many / len(widths), 1) if usual > 1 else 0.05, header)


def _describe(lines: list[str], delimiter: str, skip: int) -> Dialect:
    quote = _quote(lines, delimiter)
    spaced = delimiter == SPACE or all(f"{delimiter} " in line for line in lines if line.strip())
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=spaced)
    numbered = [(trimmed(row, delimiter), reader.line_num) for row in reader if row]
    if not numbered:
        return Dialect(delimiter, (), 0, skip=skip)
    before = _titles([row for row, _ in numbered])
    (top, line), rows = numbered[before], [row for row, _ in numbered[before + 1 :]]
    first = tuple(cell.strip() for cell in top)
    if _is_data(first, rows):
        return Dialect(delimiter, None, len(first), quote, skip + (numbered[before - 1][1] if before else 0), spaced)
    header = _widened(first, rows)
    return Dialect(delimiter, header, len(header), quote, skip + line, spaced, before)


def trimmed(row: list[str], delimiter: str) -> list[str]:
    """A row without the empty cell that white space at the end of a line makes."""
    return row[:-1] if delimiter == SPACE and row and not row[-1] else row


def _titles(rows: list[list[str]]) -> int:
    """How many lines stand before the header: of one cell where rows have several, or comments of another width."""
    usual = Counter(map(len, rows)).most_common(1)[0][0]
    before = 0
    while before < len(rows) - 1 and _is_title(rows[before], usual):
        before += 1
    return before


def _is_title(row: list[str], usual: int) -> bool:
    return (len(row) == 1 and usual > 2) or (len(row) != usual and row[0].startswith("#"))


def _widened(header: tuple[str, ...], rows: list[list[str]]) -> tuple[str, ...]:
    """R leaves the column of row names without a name; others end every row, but not the header, with a delimiter."""
    if not rows or any(len(row) != len(header) + 1 for row in rows):
        return header
    return (*header, "") if all(row[-1] == "" for row in rows) else ("", *header)


def _quote(lines: list[str], delimiter: str) -> str:
    """Double quotes, unless cells are wrapped in single ones and no double quote is in sight."""
    text = "\n".join(lines)
    if '"' in text:
        return '"'
    mark = re.escape(delimiter)
    wrapped = sum(bool(re.search(rf"(^|{mark})'[^']*'({mark}|$)", line)) for line in lines)
    return "'" if wrapped > len(lines) / 2 else '"'


def _is_data(first: tuple[str, ...], rest: list[list[str]]) -> bool:
    """Whether the first line is a row of data: all numbers, not all whole and different as years in a header are."""
    if not rest or not first or not all(NUMBER.fullmatch(cell) for cell in first):
        return False
    plain = all(re.fullmatch(r"\d+", cell) for cell in first)
    return not (plain and len(set(first)) == len(first) and len(first) > 1)
