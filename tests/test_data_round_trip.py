"""What comes in goes out: kind of frame, dtypes, precision, column order; and every format reads what it wrote."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from anew.data.dataset import Dataset, give_back
from anew.data.dtypes import dtype_name, dtype_of
from anew.data.formats.frames import SUFFIXES, write
from anew.data.origin import Origin

at = datetime.fromisoformat

DTYPES = [
    pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64(), pl.Float32(),
    pl.Float64(), pl.Boolean(), pl.String(), pl.Date(), pl.Time(), pl.Datetime("ms"), pl.Datetime("us"),
    pl.Datetime("us", "Europe/Berlin"), pl.Datetime("ns", "UTC"), pl.Duration("ms"), pl.Duration("us"),
    pl.Categorical(), pl.Enum(["a", "b c", "d"]), pl.Decimal(12, 2), pl.Null(),
]  # fmt: skip


def every_dtype() -> pl.DataFrame:
    """One column of each type, with missing cells, in an order of its own."""
    stamp = at("2024-03-31 01:30:00.123456")
    return pl.DataFrame({
        "z text": pl.Series(["x", None, "007", "None"]),
        "i8": pl.Series([-128, 127, None, 0], dtype=pl.Int8),
        "u64": pl.Series([2**64 - 1, 0, 1, None], dtype=pl.UInt64),
        "i64": pl.Series([2**53 + 1, -(2**63), 7, None]),
        "f32": pl.Series([0.1, None, 2.5, 1e-7], dtype=pl.Float32),
        "f64": pl.Series([0.1, 1 / 3, None, 1e300]),
        "whole": pl.Series([1.0, 2.0, None, 3.0]),
        "money": pl.Series([Decimal("1.10"), Decimal("-2.25"), None, Decimal(3)], dtype=pl.Decimal(12, 2)),
        "flag": pl.Series([True, None, False, True]),
        "day": pl.Series([date(1899, 12, 31), date(2024, 2, 29), None, date(2100, 1, 1)]),
        "clock": pl.Series([time(0), time(23, 59, 59, 999999), None, time(12, 30)]),
        "ms": pl.Series([at("2024-01-01"), at("2024-01-02 03:04:05.678"), None, stamp], dtype=pl.Datetime("ms")),
        "zoned": pl.Series([stamp.replace(tzinfo=UTC), None] * 2).dt.convert_time_zone("Europe/Berlin"),
        "span": pl.Series([timedelta(days=1, microseconds=5), None, -timedelta(hours=2), timedelta(0)]),
        "level": pl.Series(["b", "a", None, "b"], dtype=pl.Categorical),
        "enum": pl.Series(["lo", None, "hi", "hi"], dtype=pl.Enum(["lo", "mid", "hi"])),
        "empty": pl.Series([None] * 4, dtype=pl.Float64),
        "null": pl.Series([None] * 4, dtype=pl.Null),
        "same": pl.Series(["s"] * 4, dtype=pl.Categorical),
        "key": pl.Series([11, 12, 13, 14], dtype=pl.Int16),
    })  # fmt: skip


def test_polars() -> None:
    frame = every_dtype()
    opened = Dataset.open(frame)
    assert_frame_equal(opened.give_back(opened.frame), frame)
    lazy = Dataset.open(frame.lazy())
    assert_frame_equal(lazy.give_back(lazy.frame).collect(), frame)  # type: ignore[attr-defined]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frame=dataframes(max_cols=4, min_cols=1, min_size=1, max_size=8, allowed_dtypes=[pl.Int64, pl.Float64, pl.String,
                        pl.Boolean, pl.Date, pl.Datetime("us"), pl.Int8, pl.Float32, pl.Categorical, pl.Duration("us")],
                        allow_infinity=False, allow_null=True, allow_nan=False))  # fmt: skip
def test_any_polars_frame(frame: pl.DataFrame) -> None:
    opened = Dataset.open(frame)
    assert opened.frame.columns == frame.columns == list(opened.schema.names)
    assert_frame_equal(opened.give_back(opened.frame), frame)


def test_canonical_dtypes_follow_the_kind() -> None:
    wanted = {
        "integer": (pl.Int64, pl.UInt64), "number": (pl.Float64,), "category": (pl.String,), "boolean": (pl.Boolean,),
        "datetime": (pl.Datetime("us"), pl.Datetime("us", "Europe/Berlin")), "duration": (pl.Duration("us"),),
    }  # fmt: skip
    opened = Dataset.open(every_dtype())
    assert {field.kind for field in opened.schema} > set(wanted)
    for field in opened.schema:
        if field.kind in wanted:
            assert opened.frame[field.name].dtype in wanted[field.kind], field.name


def pandas_frame() -> Any:
    import pandas as pd

    return pd.DataFrame({
        "int32": np.array([1, 2, 3], np.int32),
        "uint8": np.array([1, 2, 2], np.uint8),
        "float32": np.array([0.5, np.nan, 0.25], np.float32),
        "float64": [1.25, np.nan, 3.5],
        "whole": [1.0, np.nan, 3.0],
        "bool": [True, False, True],
        "object": pd.Series(["x", None, "y"], dtype=object),
        "flags": pd.Series([True, None, False], dtype=object),
        "str": ["x", "007", None],
        "string": pd.array(["x", None, "y"], dtype="string"),
        "Int64": pd.array([2**53 + 1, None, 3], dtype="Int64"),
        "Float64": pd.array([1.5, None, 3.5], dtype="Float64"),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "level": pd.Categorical(["b", None, "a"], categories=["b", "a", "c"], ordered=True),
        "codes": pd.Categorical([3, 1, None]),
        "day": pd.to_datetime(["2024-01-01", None, "2024-02-01"]),
        "nano": pd.to_datetime(["2024-01-01", None, "2024-02-01"]).astype("datetime64[ns]"),
        "zoned": pd.to_datetime(["2024-01-01", None, "2024-02-01"]).tz_localize("Europe/Berlin"),
        "span": pd.to_timedelta(["1 days", None, "2 hours"]),
        "arrow": pd.array([1, None, 3], dtype="int16[pyarrow]"),
        "dated": pd.Series([date(2024, 1, 1), date(2024, 2, 1), date(2024, 1, 1)], dtype=object),
        7: [1, 2, 2],
        "written": ["31.12.2024", "01.02.2024", "01.02.2024"],
    })  # fmt: skip


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = pandas_frame()
    opened = Dataset.open(frame)
    assert opened.schema["codes"].kind == "category"
    assert opened.schema["written"].kind == "datetime"
    pd.testing.assert_frame_equal(opened.give_back(opened.frame), frame)


def test_pandas_index() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2, 2]}, index=pd.Index(["p", "q", "r"], name="key"))
    opened = Dataset.open(frame)
    assert opened.schema.names == ("key", "a")
    pd.testing.assert_frame_equal(opened.give_back(opened.frame), frame)
    shuffled = pd.DataFrame({"a": [1, 2, 2]}, index=[5, 3, 9])
    opened = Dataset.open(shuffled)
    assert opened.schema.names == ("a",)
    pd.testing.assert_frame_equal(opened.give_back(opened.frame), shuffled.reset_index(drop=True))
    pd.testing.assert_frame_equal(opened.give_back(opened.frame, same_rows=True), shuffled)
    predicted = opened.give_back(pl.DataFrame({"prediction": [1, 2, 3]}), same_rows=True)
    assert list(predicted.index) == [5, 3, 9]  # type: ignore[attr-defined]


def test_pyarrow() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({
        "i16": pa.array([1, None, 3], pa.int16()),
        "string": pa.array(["x", None, "y"], pa.string()),
        "large": pa.array(["x", None, "y"], pa.large_string()),
        "level": pa.array(["b", "a", None]).dictionary_encode(),
        "day": pa.array([1, 2, None], pa.date32()),
        "stamp": pa.array([1, 2, None], pa.timestamp("ms", "UTC")),
        "money": pa.array([Decimal("1.5"), None, Decimal("2.25")], pa.decimal128(10, 2)),
        "half": pa.array([0.5, None, 0.25], pa.float32()),
        "flag": pa.array([True, None, False]),
        "clock": pa.array([1, 2, None], pa.time64("us")),
    })  # fmt: skip
    opened = Dataset.open(table)
    back = opened.give_back(opened.frame)
    assert back.schema == table.schema  # type: ignore[attr-defined]
    assert back.to_pydict() == table.to_pydict()  # type: ignore[attr-defined]


def test_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as database:
        relation = database.sql("select * from (values (1, 'x', 1.5), (2, null, 2.25)) as t(a, b, c)")
        opened = Dataset.open(relation)
        back = opened.give_back(opened.frame)
        assert type(back) is type(relation)
        assert (back.columns, back.fetchall()) == (["a", "b", "c"], relation.fetchall())  # type: ignore[attr-defined]


def test_a_dict_of_arrays() -> None:
    data = {
        "a": np.array([1, 2, 2], np.int16), "b": np.array([0.5, np.nan, 1.5], np.float32), 5: ["x", None, "y"],
        "c": np.array(["x", "y", "y"]), "d": np.array(["2024-01-01", "2024-01-02", "2024-01-02"], "datetime64[ms]"),
    }  # fmt: skip
    opened = Dataset.open(data)
    back: Any = opened.give_back(opened.frame)
    assert list(back) == list(data)
    assert back[5] == data[5]
    for name in ("a", "b", "c", "d"):
        assert back[name].dtype == data[name].dtype  # type: ignore[union-attr]
        np.testing.assert_array_equal(back[name], data[name])


def test_a_dict_of_series() -> None:
    pd = pytest.importorskip("pandas")
    data = {"a": pd.Series([1, 2, 2], dtype="Int64"), "b": pl.Series(["x", None, "y"]), "c": (1.5, 2.5, 2.5)}
    opened = Dataset.open(data)
    assert opened.give_back(opened.frame) == {"a": [1, 2, 2], "b": ["x", None, "y"], "c": [1.5, 2.5, 2.5]}


def test_a_list_of_dicts() -> None:
    data = [{"a": 1, "b": "x"}, {"a": 2, "b": None}, {"a": 2, "b": "x"}]
    opened = Dataset.open(data)
    assert opened.give_back(opened.frame) == data


def test_a_path_gives_pandas() -> None:
    pd = pytest.importorskip("pandas")
    assert isinstance(give_back(pl.DataFrame({"a": [1]}), Dataset.open({"a": [1, 2]}).schema), pd.DataFrame)


def test_new_columns_and_rows_go_along() -> None:
    opened = Dataset.open(pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "y"]}, schema_overrides={"a": pl.Int8}))
    made = pl.DataFrame({"b": ["x"] * 5, "a": [3] * 5, "probability": [0.5] * 5})
    back = opened.give_back(made)
    assert isinstance(back, pl.DataFrame)
    assert dict(back.schema) == {"b": pl.String, "a": pl.Int8, "probability": pl.Float64}


def test_made_numbers_keep_the_decimals() -> None:
    opened = Dataset.open(pl.DataFrame({"price": [1.25, 2.5], "n": [1.0, 2.0]}))
    made = pl.DataFrame({"price": [1.2345678, 9.999], "n": [1.4, 2.6]})
    assert_frame_equal(opened.give_back(made), pl.DataFrame({"price": [1.23, 10.0], "n": [1.0, 3.0]}))


def test_opening_twice_is_opening_once() -> None:
    opened = Dataset.open({"a": [1, 2]})
    assert Dataset.open(opened) is opened


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_name_of_a_dtype_says_it(dtype: pl.DataType) -> None:
    named = dtype_of(dtype_name(dtype))
    assert named == (pl.Categorical() if isinstance(dtype, pl.Enum) else dtype)


KEPT = {  # what each format gives back: every dtype, or the kinds
    ".parquet": every_dtype, ".arrow": every_dtype, ".feather": every_dtype, ".ipc": every_dtype,
}  # fmt: skip


@pytest.mark.parametrize("suffix", sorted(KEPT))
def test_typed_formats_keep_every_dtype(tmp_path: Path, suffix: str) -> None:
    frame = every_dtype()
    write(frame, tmp_path / f"a{suffix}")
    opened = Dataset.open(tmp_path / f"a{suffix}")
    back = opened.frame
    assert opened.schema == Dataset.open(frame).schema
    assert_frame_equal(back, Dataset.open(frame).frame)


def plain_frame() -> pl.DataFrame:
    """What every format can say."""
    rng = np.random.default_rng(0)
    many = 300
    return pl.DataFrame({
        "integer": rng.integers(-50, 50, many), "number": np.round(rng.normal(size=many), 3),
        "continuous": rng.normal(size=many), "word": rng.choice(["a", "b c", 'd"e', "f,g", "None", "ü\n2"], many),
        "flag": rng.random(many) < 0.5, "code": [f"{value:04d}" for value in rng.integers(0, 99, many)],
        "stamp": pl.Series([at("2024-01-01") + timedelta(minutes=int(m)) for m in rng.integers(0, 9**6, many)]),
        "span": pl.Series([timedelta(seconds=int(s)) for s in rng.integers(0, 9**6, many)]),
        "day": pl.Series([date(2024, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 999, many)]),
    }).with_columns(pl.when(pl.Series(rng.random(many) > 0.2)).then(pl.col("*")))  # fmt: skip


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".csv.gz", ".csv.zst", ".tsv.gz"])
def test_what_is_written_reads_the_same(tmp_path: Path, suffix: str) -> None:
    before = Dataset.open(plain_frame())
    write(before.frame, tmp_path / f"a{suffix}", before.schema)
    after = Dataset.open(tmp_path / f"a{suffix}")
    by_kind = {field.name: field.kind for field in before.schema}
    found = {field.name: field.kind for field in after.schema}
    if suffix in (".xlsx", ".db", ".sqlite", ".sqlite3"):  # booleans are 0 and 1, durations numbers or words there
        by_kind.pop("flag"), by_kind.pop("span")
    kept = list(by_kind)
    assert {name: found[name] for name in kept} == by_kind
    assert_frame_equal(after.frame.select(kept), before.frame.select(kept))


def test_json_array_and_columns(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"a": 1, "b": "x"}, {"a": 2.5, "b": null}]')
    (tmp_path / "b.json").write_text('{"a": [1, 2.5], "b": ["x", null]}')
    (tmp_path / "c.json").write_text('{"a": 1, "b": "x"}\n\n{"a": 2.5}\n')
    frames = [Dataset.open(tmp_path / f"{name}.json").frame for name in "abc"]
    for frame in frames:
        assert frame.to_dict(as_series=False) == {"a": [1.0, 2.5], "b": ["x", None]}


def test_a_sheet_is_named(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        for name, value in (("one", 1), ("two", 2), ("blank", None)):
            sheet = book.add_worksheet(name)
            if value:
                sheet.write_column(0, 0, [name, value, value])
    with pytest.raises(ValueError, match="holds 2 sheets: one, two"):
        Dataset.open(tmp_path / "a.xlsx")
    assert Dataset.open(f"{tmp_path / 'a.xlsx'}::two").frame.to_dict(as_series=False) == {"two": [2, 2]}


def test_the_source_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n2\n")
    source = Dataset.open(tmp_path / "a.csv").source
    assert source is not None
    status = (tmp_path / "a.csv").stat()
    assert (source.path, source.size, source.mtime_ns) == (str(tmp_path / "a.csv"), 6, status.st_mtime_ns)


def test_origin_without_a_frame_is_pandas_or_polars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anew.data.origin.find_spec", lambda name: None)
    assert isinstance(
        give_back(pl.DataFrame({"a": [1]}), Dataset.open({"a": [1, 2]}).schema, Origin.usual()), pl.DataFrame
    )


WITHOUT = """
import sys
sys.modules["pandas"] = None
import polars as pl
from anew.data.dataset import Dataset
from anew.data.formats.frames import SUFFIXES, write
opened = Dataset.open({"a": [1, 2, 2], "b": ["x", "y", None]})
for suffix in SUFFIXES:
    write(opened.frame, f"a{suffix}", opened.schema)
    assert Dataset.open(f"a{suffix}").frame.equals(opened.frame), suffix
assert isinstance(Dataset.open("a.csv").give_back(opened.frame), pl.DataFrame)
"""


def test_without_pandas(tmp_path: Path) -> None:
    """It is for those who bring its frames."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
