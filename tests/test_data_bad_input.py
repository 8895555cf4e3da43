"""Bad input: one clear sentence that says what was wrong, what was found and what to do, and nothing lost."""

from __future__ import annotations

import errno
import gzip
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from anew.core.errors import AnewError, DataError, ResourceError, UsageError
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.formats import atomic
from anew.data.formats.frames import SUFFIXES, write


def bytes_of(text: str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding)


def _rows(many: int, broken: dict[int, str] | None = None) -> str:
    lines = [f"{i},word {i % 7},{i / 4}" for i in range(1, many + 1)]
    for row, line in (broken or {}).items():
        lines[row - 1] = line
    return "id,word,number\n" + "\n".join(lines) + "\n"


def _bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"a,b\n" + b"0,0\n" * 12_500_000)
    return packed.getvalue()


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", r"'.*' is empty\. Give a file with a header"),
    "blank lines only": (lambda: b"\n\n  \n", "is empty"),
    "header only": (lambda: b"a,b\n", "has columns but no rows"),
    "header only, no newline": (lambda: b"a,b", "has columns but no rows"),
    "duplicate names": (lambda: b"a,b,a\n1,2,3\n", r"2 columns named 'a' \(columns 1, 3\)"),
    "broken quote in row 70,000": (
        lambda: bytes_of(_rows(100_000, {70_000: '70000,"word,1.5'})),
        r"broken quote in row 70,000 of .* \(line 70,001 of the file\)",
    ),
    "broken quote before good quotes": (
        lambda: bytes_of(_rows(100_000, {70_000: '70000,"word,1.5', 80_000: '80000,"a, b",1.5'})),
        r"broken quote in row 70,000 of .* \(line 70,001 of the file\)",
    ),
    "broken quote in the last row": (lambda: b'a,b\n1,x\n2,"y\n', "broken quote in row 2 "),
    "text after a closing quote": (lambda: b'a,b\n1,"x"y\n', "broken quote in row 1 "),
    "too many cells": (lambda: bytes_of(_rows(5000, {4321: "1,2,3,4"})), r"Row 4,321 of .* has 4 cells .* has 3"),
    "too few cells": (lambda: bytes_of(_rows(5000, {4321: "1,2"})), r"Row 4,321 of .* has 2 cells .* has 3"),
    "broken byte in utf-8": (
        lambda: bytes_of("a,b\n" + "Jürgen,1\n" * 100) + b"J\xfcrgen,2\n",
        r"UTF-8 text with 1 broken byte, the first in line 102",
    ),
    "binary": (lambda: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100), "is damaged: its header cannot be read"),
    "zip bomb": (_bomb, "zip bomb"),
    "gzip bomb": (lambda: gzip.compress(b"a,b\n" + b"0,0\n" * 12_500_000), "zip bomb"),
    "truncated gzip": (lambda: gzip.compress(bytes_of(_rows(9999)))[:5000], "damaged"),
    "truncated zip": (lambda: _bomb()[:3000], "damaged"),
    "truncated parquet": (lambda: b"PAR1" + bytes(100), "damaged Parquet"),
    "truncated arrow": (lambda: b"ARROW1\0\0" + bytes(100), "damaged Arrow"),
    "truncated sqlite": (lambda: b"SQLite format 3\0" + bytes(5), "SQLite"),
    "truncated duckdb": (lambda: bytes(8) + b"DUCK" + bytes(100), "DuckDB"),
    "damaged json": (lambda: b'[{"a": 1}, {"a": ', "damaged JSON"),
    "damaged json lines": (lambda: b'{"a": 1}\n{"a": 2}\n{"a"\n', "Line 3 of .* is no JSON"),
    "json that is no table": (lambda: b'[[1, 2], {"a": 1}]', "no table|is no"),
    "nested json": (lambda: b'{"a": 1, "b": [1]}\n{"a": 2, "b": [2]}\n', "Column 'b' holds lists"),
    "infinity": (lambda: b"a,b\n1,x\n2.5,x\ninf,y\n", r"Column 'a' holds an infinity in row 3\. Found 'inf'"),
    "beyond float range": (lambda: b"a,b\n1,x\n1e400,y\n", "beyond the range of floats .* in row 2"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_named(tmp_path: Path, name: str) -> None:
    make, message = FILES[name]
    (tmp_path / "a.csv").write_bytes(make())
    with pytest.raises(DataError, match=message) as caught:
        Dataset.open(tmp_path / "a.csv")
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_no_such_file_suggests_the_near_one(tmp_path: Path) -> None:
    (tmp_path / "patients.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"There is no file '.*patient\.csv'\. Did you mean 'patients\.csv'\?"):
        Dataset.open(tmp_path / "patient.csv")
    with pytest.raises(DataError, match=r"is a folder"):
        Dataset.open(tmp_path)
    with pytest.raises(DataError, match=r"no file"):
        Dataset.open(str(tmp_path / "nowhere" / "b.csv"))


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"Cannot read .*Permission denied"):
        Dataset.open(tmp_path / "a.csv")


FRAMES: dict[str, tuple[object, type[AnewError], str]] = {
    "no columns": ({}, DataError, "no columns"),
    "no rows": (pl.DataFrame({"a": []}), DataError, "no rows"),
    "unequal lengths": ({"a": [1, 2], "b": [1]}, DataError, "differ in length"),
    "infinity": (pl.DataFrame({"a": [1.0, np.inf]}), DataError, "Column 'a' holds an infinity in row 2"),
    "lists": (pl.DataFrame({"a": [[1], [2, 3]]}), DataError, "Column 'a' holds lists or records"),
    "records": (pl.DataFrame({"a": [{"b": 1}]}), DataError, "Column 'a' holds lists or records"),
    "bytes": (pl.DataFrame({"a": [b"x"]}), DataError, "Column 'a' holds binary"),
    "a number": (5, UsageError, "Cannot read a table from this object. Found 'int'"),
    "nothing": (None, UsageError, "Cannot read a table"),
    "a list of numbers": ([1, 2], UsageError, "A list must hold one dict a row"),
    "an array of one axis": (np.arange(3), UsageError, "two axes"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_bad_frame_is_named(name: str) -> None:
    data, error, message = FRAMES[name]
    with pytest.raises(error, match=message):
        Dataset.open(data)


def test_bad_pandas_frames() -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(DataError, match=r"2 columns named 'a'"):
        Dataset.open(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match=r"2 columns named '1'"):
        Dataset.open(pd.DataFrame([[1, 2]], columns=["1", 1]))
    with pytest.raises(DataError, match=r"several levels"):
        Dataset.open(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])))
    with pytest.raises(DataError, match=r"not handled.*period"):
        Dataset.open(pd.DataFrame({"a": pd.period_range("2024", periods=2, freq="D")}))
    with pytest.raises(DataError, match=r"not handled.*complex"):
        Dataset.open(pd.DataFrame({"a": [1j, 2j]}))


SMALL: dict[str, tuple[object, dict[str, str]]] = {
    "one row": ({"a": [1], "b": ["x"]}, {"a": "integer", "b": "category"}),
    "two rows": ({"a": [1, 2], "b": ["x", "y"]}, {"a": "integer", "b": "category"}),
    "one column": ({"a": [1.5, 2.0, 2.5]}, {"a": "number"}),
    "all missing": ({"a": [None, None], "b": [1, 2]}, {"a": "empty", "b": "integer"}),
    "all not a number": ({"a": np.array([np.nan, np.nan]), "b": [1, 2]}, {"a": "empty", "b": "integer"}),
    "constant": ({"a": ["x"] * 3, "b": [5, 5, 5], "c": [1, 2, 1]},
                 {"a": "constant", "b": "constant", "c": "integer"}),
    "constant with gaps": ({"a": ["x", None, "x"], "b": [5, None, 5]}, {"a": "category", "b": "integer"}),
    "more columns than rows": ({f"c{i}": [1.5, 2.5, i] for i in range(50)}, {f"c{i}": "number" for i in range(50)}),
    "mixed types": ({"a": [1, "x", 2.5, None], "b": [1, 2, 3, 4]}, {"a": "category", "b": "integer"}),
    "decimals": ({"a": [Decimal("1.10"), Decimal("2.25")]}, {"a": "number"}),
    "durations": ({"a": [timedelta(1), timedelta(2)]}, {"a": "duration"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_odd_but_readable(name: str) -> None:
    data, kinds = SMALL[name]
    opened = Dataset.open(data)
    assert {field.name: field.kind for field in opened.schema} == kinds
    assert all(field.why for field in opened.schema)


def test_a_column_that_mixes_types_says_so_and_loses_nothing(tmp_path: Path) -> None:
    cells = [*map(str, range(100)), "unknown", "<5"]
    (tmp_path / "a.csv").write_text("k,x\n" + "".join(f"a,{cell}\n" for cell in cells))
    opened = Dataset.open(tmp_path / "a.csv")
    field = opened.schema["x"]
    assert field.kind == "text"
    assert "numbers mixed with words: 2 cells are no numbers, the first in row 101" in field.why
    assert "unknown" not in field.why, "a reason is saved with the model and quotes no cell"
    assert any(note.startswith("x: numbers mixed") for note in opened.notes)
    assert opened.frame["x"].to_list() == cells
    edited = opened.schema.replace(field.model_copy(update={"kind": "integer", "missing_words": ("unknown", "<5")}))
    again = Dataset.open(tmp_path / "a.csv", edited)
    assert again.frame["x"].to_list() == [*range(100), None, None]
    assert again.schema["x"].missing


def test_dates_in_several_formats_are_named(tmp_path: Path) -> None:
    days = [f"2024-01-{day:02d}" for day in range(1, 29)] * 2 + [f"{day:02d}/12/2024" for day in range(10, 29)]
    (tmp_path / "a.csv").write_text("k,x\n" + "".join(f"a,{day}\n" for day in days))
    opened = Dataset.open(tmp_path / "a.csv")
    assert opened.schema["x"].kind == "text"
    assert "dates in several formats: 56 like %Y-%m-%d, 19 like" in opened.schema["x"].why


EDITS: dict[str, tuple[Field, str]] = {
    "words are no integers": (Field(name="w", kind="integer", dtype="String"),
                              r"Column 'w' is a column of whole numbers, but 3 of 3 cells .* row 1\. Found 'x'"),
    "halves are no integers": (Field(name="h", kind="integer", dtype="Float64"), "1 of 3 cells .* row 2. Found 1.5"),
    "words are no dates": (Field(name="w", kind="datetime", dtype="String"), "a column of dates.*row 1"),
    "seven is not true": (Field(name="n", kind="boolean", dtype="Int64"), r"true or false, .* in row 3\. Found 7"),
    "numbers are no durations": (Field(name="n", kind="duration", dtype="Int64"), "durations.*row 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_that_cannot_be(name: str) -> None:
    field, message = EDITS[name]
    with pytest.raises(DataError, match=message):
        Dataset.open({"w": ["x", "y", "x"], "h": [1.0, 1.5, 2.0], "n": [0, 1, 7]}, Schema(fields=(field,)))


def test_a_schema_for_other_data() -> None:
    schema = Dataset.open({"age": [1, 2], "sex": ["F", "M"]}).schema
    with pytest.raises(DataError, match=r"lacks 1 column of the schema: sex. Did you mean 'Sex'"):
        Dataset.open({"age": [1], "Sex": ["F"]}, like=schema)
    with pytest.raises(DataError, match=r"lacks 1 column"):
        Dataset.open({"age": [1]}, schema)
    with pytest.raises(DataError, match=r"Column 'age' .* row 2\. Found 'old'"):
        Dataset.open({"age": ["1", "old"], "sex": ["F", "F"]}, like=schema)
    with pytest.raises(UsageError, match=r"No column is named 'ag'. Did you mean 'age'"):
        Dataset.open({"age": [1, 2]}, target="ag")


def test_several_tables_are_listed(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "a.db") as database:
        database.executescript("create table one (a); create table two (b); insert into two values (5), (6);")
    database.close()
    with pytest.raises(DataError, match=r"holds 2 tables: one, two\. Name one, as in '.*a\.db::one'"):
        Dataset.open(tmp_path / "a.db")
    assert Dataset.open(f"{tmp_path / 'a.db'}::two").frame["b"].to_list() == [5, 6]
    with pytest.raises(DataError, match=r"no table named 'tow'. Did you mean 'two'"):
        Dataset.open(f"{tmp_path / 'a.db'}::tow")


@pytest.mark.parametrize("tables", [0, 2])
def test_duckdb_is_silent_when_it_is_refused(tmp_path: Path, tables: int) -> None:
    """Objects of DuckDB that an error keeps alive make it complain on stderr when Python ends."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(str(tmp_path / "a.db")) as database:
        for number in range(tables):
            database.execute(f"create table t{number} as select 1 as a")
    if not tables:
        (tmp_path / "a.db").write_bytes((tmp_path / "a.db").read_bytes()[:3000])
    code = "from anew.data.dataset import Dataset\ntry: Dataset.open('a.db')\nexcept ValueError as e: kept = e"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_several_files_in_a_zip_are_listed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one.csv", "a\n1\n2\n")
        archive.writestr("two.csv", "b\n3\n4\n")
    with pytest.raises(DataError, match=r"holds 2 files: one.csv, two.csv"):
        Dataset.open(tmp_path / "a.zip")
    assert Dataset.open(f"{tmp_path / 'a.zip'}::two.csv").frame["b"].to_list() == [3, 4]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_text("before")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match=r"No space left .* nothing was written"):
        write(pl.DataFrame({"a": [1, 2]}), tmp_path / f"a{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]
    assert (tmp_path / f"a{suffix}").read_text() == "before"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writers of polars report a full disk in their own words."""

    def on_full_disk(**_: object) -> tuple[int, str]:
        link = tmp_path / ".full.csv"
        link.symlink_to("/dev/full")
        return os.open(os.devnull, os.O_RDONLY), str(link)

    monkeypatch.setattr(atomic.tempfile, "mkstemp", on_full_disk)
    with pytest.raises(ResourceError, match=r"No space left"):
        write(pl.DataFrame({"a": range(100_000)}), tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_unwritable(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Cannot write a table to 'a\.docx'\. Found '\.docx'\. The endings are \.csv"):
        write(pl.DataFrame({"a": [1]}), tmp_path / "a.docx")
    with pytest.raises(DataError, match=r"Cannot write .*No such file or directory"):
        write(pl.DataFrame({"a": [1]}), tmp_path / "no" / "a.csv")
    with pytest.raises(DataError, match=r"An Excel sheet holds 1,048,575 rows"):
        write(pl.DataFrame({"a": np.zeros(1_048_576, np.int8)}), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []
