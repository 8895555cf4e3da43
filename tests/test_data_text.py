"""Delimited text: encoding, delimiter, decimal marks and compression are found, and words stay words."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anew.core.errors import AnewWarning
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.formats.frames import write
from anew.data.restore import restored

at = datetime.fromisoformat
TABLE = "name,size\nJürgen,1\nZoë,2\nRenée,3\n"
ROWS = {"name": ["Jürgen", "Zoë", "Renée"], "size": [1, 2, 3]}


def put(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def columns(dataset: Dataset) -> dict[str, list[object]]:
    return dataset.frame.to_dict(as_series=False)


def kinds(dataset: Dataset) -> dict[str, str]:
    return {field.name: field.kind for field in dataset.schema}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_any_encoding(tmp_path: Path, encoding: str) -> None:
    assert columns(Dataset.open(put(tmp_path / "a.csv", TABLE, encoding))) == ROWS


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_any_delimiter_whatever_the_name(tmp_path: Path, mark: str) -> None:
    assert columns(Dataset.open(put(tmp_path / "a.csv", TABLE.replace(",", mark)))) == ROWS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end(tmp_path: Path, end: str) -> None:
    assert columns(Dataset.open(put(tmp_path / "a.csv", TABLE.replace("\n", end)))) == ROWS


def _zip(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", data)
    return packed.getvalue()


def _zstandard(data: bytes) -> bytes:
    import pyarrow as pa

    return pa.compress(data, codec="zstd", asbytes=True)  # type: ignore[no-any-return]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, _zip, _zstandard])
def test_any_compression_whatever_the_name(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "a.csv").write_bytes(pack(TABLE.encode()))
    assert columns(Dataset.open(tmp_path / "a.csv")) == ROWS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n"x,1",2\n"y ""z""",3\n"two\nlines",4\n', {"a": ["x,1", 'y "z"', "two\nlines"], "b": [2, 3, 4]}),
        ("a, b\nx, 1\ny, 2\n", {"a": ["x", "y"], "b": [1, 2]}),
        ("a;b\n'x;1';2\n'y;2';3\n", {"a": ["x;1", "y;2"], "b": [2, 3]}),
        ("sep=;\na;b\nx;1\ny;2\n", {"a": ["x", "y"], "b": [1, 2]}),
        ('a,b\n5" pipe,1\n6" pipe,2\n7 inch,3\n', {"a": ['5" pipe', '6" pipe', "7 inch"], "b": [1, 2, 3]}),
        ("\n\na,b\nx,1\n\ny,2\n\n", {"a": ["x", "y"], "b": [1, 2]}),
        ('"a" "b"\n'.replace(" ", ",") + '"1","x",3\n"2","y",4\n', {"column_1": [1, 2], "a": ["x", "y"], "b": [3, 4]}),
        ("a,b\nx,1,\ny,2,\n", {"a": ["x", "y"], "b": [1, 2], "column_3": [None, None]}),
        ("3.5,x\n", {"3.5": [], "x": []}),
        ("3.6,-8.1,0\n4.5,8.2,0\n3.8,-2.6,1\n", {"column_1": [3.6, 4.5, 3.8], "column_2": [-8.1, 8.2, -2.6],
                                                "column_3": [0, 0, 1]}),
        ("2019,2020\n5,6\n7,8\n", {"2019": [5, 7], "2020": [6, 8]}),
        ("a\n1\n\n3\n", {"a": [1, None, 3]}),
        ("# of June\na,b\nx,1\ny,2\n", {"a": ["x", "y"], "b": [1, 2]}),
        ("Report of June\n\na,b,c\nx,1,5\ny,2,6\n", {"a": ["x", "y"], "b": [1, 2], "c": [5, 6]}),
        ("#a,b\nx,1\ny,2\n", {"#a": ["x", "y"], "b": [1, 2]}),
        ("a  b c\n1 2  3 \n  4 5 6\n", {"a": [1, 4], "b": [2, 5], "c": [3, 6]}),
        ("a\nhello there\ngood bye\n", {"a": ["hello there", "good bye"]}),
        ('"two\nlines",b\nx,1\ny,2\n', {"two\nlines": ["x", "y"], "b": [1, 2]}),
        ("a,b\n\nx,1\ny,2\n", {"a": ["x", "y"], "b": [1, 2]}),
        ("a,b\nx,1\n,\n\ny,2\n", {"a": ["x", None, "y"], "b": [1, None, 2]}),
        ("a,b\nx\u2028z,1\ny,2\n", {"a": ["x\u2028z", "y"], "b": [1, 2]}),
    ],
    ids=["quotes", "spaced", "single", "sep", "inches", "blank", "R", "trailing", "header-only", "headless", "years",
         "one-column", "comment", "title", "hash", "white-space", "one-column-of-words", "tall-header", "blank-second",
         "void", "line-separator"],
)  # fmt: skip
def test_the_ways_of_csv(tmp_path: Path, text: str, expected: dict[str, list[object]]) -> None:
    path = put(tmp_path / "a.csv", text)
    if not next(iter(expected.values())):
        with pytest.raises(ValueError, match="no rows"):
            Dataset.open(path)
    else:
        assert columns(Dataset.open(path)) == expected


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["007", "012", "007"], "category", ["007", "012", "007"]),
        (["None", "NA", "x"], "category", ["None", "NA", "x"]),
        (["None", "NA", "None"], "category", ["None", "NA", "None"]),
        (["1", "NA", "3"], "integer", [1, None, 3]),
        (["1.5", "nan", "3"], "number", [1.5, None, 3.0]),
        (["1.0", "2.0", "2.0"], "integer", [1, 2, 2]),
        (["true", "FALSE", "true"], "boolean", [True, False, True]),
        (["True", "False", ""], "boolean", [True, False, None]),
        (["yes", "no", "yes"], "category", ["yes", "no", "yes"]),
        (["1e3", "-2.5e-1", "0"], "number", [1000.0, -0.25, 0.0]),
        (["0,5", "1,25", "2"], "number", [0.5, 1.25, 2.0]),
        (["1.234,5", "12", "1.000.000,0"], "number", [1234.5, 12.0, 1e6]),
        (["1,234.5", "12", "1,000,000.0"], "number", [1234.5, 12.0, 1e6]),
        (["1,234", "2,500", "1,000"], "integer", [1234, 2500, 1000]),
        (["$1,234.50", "-$2.25", "$0.75"], "number", [1234.5, -2.25, 0.75]),
        (["12.5 %", "3 %", "-4.5 %"], "number", [12.5, 3.0, -4.5]),
        (["1 234,5", "7,5", "8"], "number", [1234.5, 7.5, 8.0]),
        (["+4912", "+4913", "+4912"], "category", ["+4912", "+4913", "+4912"]),
        (["99999999999999999999", "1", "2"], "integer", [99999999999999999999, 1, 2]),
        (["5", "many", "7"], "category", ["5", "many", "7"]),
        (["2024-01-31", "2024-02-01", ""], "datetime", [at("2024-01-31"), at("2024-02-01"), None]),
        (["31/12/2024", "01/02/2024", "02/02/2024"], "datetime",
         [at("2024-12-31"), at("2024-02-01"), at("2024-02-02")]),
        (["12/31/2024", "01/02/2024", "02/02/2024"], "datetime",
         [at("2024-12-31"), at("2024-01-02"), at("2024-02-02")]),
        (["1/2/2024", "2/2/2024", "1/3/2024"], "datetime",  # in order only with the day first
         [at("2024-02-01"), at("2024-02-02"), at("2024-03-01")]),
        (["31.12.24", "1.2.24", "NaT"], "datetime", [at("2024-12-31"), at("2024-02-01"), None]),
        (["5 Jan 2024", "12 Feb 2024", "1 Mar 2023"], "datetime",
         [at("2024-01-05"), at("2024-02-12"), at("2023-03-01")]),
        (["2024-01-31 10:30", "2024-02-01 23:59", "2024-02-01 00:00"], "datetime",
         [at("2024-01-31 10:30"), at("2024-02-01 23:59"), at("2024-02-01")]),
        (["1/31/2024 1:05 PM", "2/1/2024 11:59 AM", "2/1/2024 12:00 AM"], "datetime",
         [at("2024-01-31 13:05"), at("2024-02-01 11:59"), at("2024-02-01")]),
        (["P1DT2H", "PT3.5S", "-PT1M"], "duration",
         [timedelta(days=1, hours=2), timedelta(seconds=3.5), -timedelta(minutes=1)]),
        (["1 days 02:00:00", "0 days 00:00:03.5", "-1 days +23:59:00"], "duration",
         [timedelta(days=1, hours=2), timedelta(seconds=3.5), -timedelta(minutes=1)]),
        (["10:30", "23:59", "00:00"], "duration",
         [timedelta(hours=10, minutes=30), timedelta(hours=23, minutes=59), timedelta(0)]),
    ],
    ids=lambda value: "|".join(value) if isinstance(value, list) and isinstance(value[0], str) else "",
)  # fmt: skip
def test_what_words_mean(tmp_path: Path, cells: list[str], kind: str, values: list[object]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["k", "x"], *(["a", cell] for cell in cells)])
    opened = Dataset.open(put(tmp_path / "a.csv", out.getvalue()))
    assert kinds(opened)["x"] == kind
    assert columns(opened)["x"] == values


def test_a_time_zone_is_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "k,t\na,2024-01-31T10:30:00+02:00\nb,2024-01-31T10:30:00+00:00\n")
    opened = Dataset.open(path)
    assert opened.schema["t"].time_zone == "UTC"
    assert [str(time) for time in columns(opened)["t"]] == ["2024-01-31 08:30:00+00:00", "2024-01-31 10:30:00+00:00"]


def test_an_ambiguous_date_is_said(tmp_path: Path) -> None:
    opened = Dataset.open(put(tmp_path / "a.csv", "k,t\na,05/06/2024\nb,01/02/2024\nc,07/03/2024\n"))
    assert "both fit" in opened.schema["t"].why
    assert any("both fit" in note for note in opened.notes)


def test_a_decimal_comma_elsewhere_decides_about_1_234(tmp_path: Path) -> None:
    opened = Dataset.open(put(tmp_path / "a.csv", "a;b\n0,5;1.234\n1,5;2.500\n"))
    assert columns(opened) == {"a": [0.5, 1.5], "b": [1234, 2500]}


@pytest.mark.parametrize(
    "cells",
    [
        ["31.12.2024", "01.02.2024"],
        ["1/2/2024 1:05 PM", "12/31/2024 11:59 AM"],
        ["2024-01-31 10:30:00.123", "2024-01-31 10:30:00.500"],
        ["1.234,5", "-12.345.678,25"],
        ["12.50", "3.00", "0.05", "-4.25"],
        ["1.234,50", "0,25"],
        ["True", "False"],
        ["007", "012"],
        ["10:30", "23:59"],
        ["$1,234.5", "-$7.25"],
        ["1 days 02:00:00", "2 days 00:00:03"],
        ["P1DT2H", "PT3.5S"],
        ["2024-01-31T10:30:00Z", "2024-02-01T00:00:00Z"],
    ],
)
def test_csv_out_looks_like_csv_in(tmp_path: Path, cells: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["k", "x"], *(["a", cell] for cell in cells)])
    opened = Dataset.open(put(tmp_path / "a.csv", out.getvalue()))
    write(opened.frame, tmp_path / "b.csv", opened.schema)
    with (tmp_path / "b.csv").open(newline="") as file:
        assert [row["x"] for row in csv.DictReader(file)] == cells


def test_formulas_are_counted_and_escaped(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["=1+1", "-5", "@x", "ok", None], "b": [-1, -2, 3, 4, 5]})
    with pytest.warns(AnewWarning, match="^2 cells start with"):
        write(frame, tmp_path / "a.csv")
    assert pl.read_csv(tmp_path / "a.csv")["a"].to_list() == ["=1+1", "-5", "@x", "ok", None]
    write(frame, tmp_path / "b.csv", escape_formulas=True)
    assert pl.read_csv(tmp_path / "b.csv")["a"].to_list() == ["'=1+1", "-5", "'@x", "ok", None]


WORDS = st.text(st.sampled_from("ab12é€ .,;|\t\n\"'=-\u2028"), max_size=6)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=4, max_size=12), mark=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)  # fmt: skip
def test_no_word_is_lost(
    tmp_path: Path, rows: list[tuple[str, ...]], mark: str, quoting: Any, end: str, encoding: str
) -> None:
    """Whatever stands in the cells: as categories they come back letter for letter; an empty cell is missing."""
    names = ("first", "second", "third")
    with (tmp_path / "a.csv").open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=mark, quoting=quoting, lineterminator=end).writerows([names, *rows])
    schema = Schema(fields=tuple(Field(name=name, kind="category", dtype="String") for name in names))
    read = Dataset.open(tmp_path / "a.csv", schema).frame.rows()
    assert read == [tuple(cell or None for cell in row) for row in rows]


def test_dates_before_1970_and_after(tmp_path: Path) -> None:
    opened = Dataset.open(put(tmp_path / "a.csv", "k,t\na,1899-12-31\nb,2105-01-01\n"))
    assert columns(opened)["t"] == [at("1899-12-31"), at("2105-01-01")]
    assert opened.schema["t"].dtype == "Date"
    assert restored(opened.frame, opened.schema)["t"].to_list() == [date(1899, 12, 31), date(2105, 1, 1)]
