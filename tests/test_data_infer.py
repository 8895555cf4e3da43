"""What each column is taken for, on real tables and on the cases where a wrong guess would hurt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from anew.core.errors import UsageError
from anew.core.schema import KINDS, Schema
from anew.data.dataset import Dataset
from anew.data.describe import describe
from anew.data.examples import DEFAULT, EXAMPLES, example
from anew.data.identifiers import named_as_key, pattern_of
from anew.data.infer import decimals_of, infer
from anew.data.sample import default_rows, stratified

RNG = np.random.default_rng(0)
MANY = 1000


def words(template: str) -> list[str]:
    return [template.format(number) for number in RNG.permutation(MANY)]


COLUMNS: dict[str, tuple[str, list[Any], str]] = {
    "a flag": ("x", [0, 1] * 500, "integer"),
    "a real boolean": ("x", [True, False] * 500, "boolean"),
    "counts": ("x", [*range(10)] * 100, "integer"),
    "floats": ("x", list(RNG.normal(size=MANY)), "number"),
    "whole floats with gaps": ("x", [1.0, None] * 500, "integer"),
    "levels": ("x", ["a", "b"] * 500, "category"),
    "digits in words": ("x", ["1", "2"] * 500, "category"),
    "many levels": ("x", [f"N{i % 400}" for i in range(MANY)], "category"),
    "codes": ("x", words("P-{:05d}"), "identifier"),
    "uuids": ("x", [f"{i:08x}-0000-4000-8000-{i:012x}" for i in range(MANY)], "identifier"),
    "codes with a few gaps": ("x", [None, *words("P-{:05d}")[1:]], "identifier"),
    "running numbers": ("x", list(range(1, MANY + 1)), "identifier"),
    "shuffled running numbers": ("x", [int(i) for i in RNG.permutation(MANY)], "identifier"),
    "different numbers named as a key": ("customer_id", [int(i) for i in RNG.permutation(10**6)[:MANY]], "identifier"),
    "different numbers": ("income", [int(i) for i in RNG.permutation(10**6)[:MANY]], "integer"),
    "different floats named as a key": ("id", list(RNG.normal(size=MANY)), "number"),
    "repeated numbers named as a key": ("store_id", [i % 50 for i in range(MANY)], "integer"),
    "different times": (
        "x",
        list(pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 2), "1m", eager=True, closed="left"))[
            :MANY
        ],
        "datetime",
    ),
    "sentences": ("x", words("the {} quick brown foxes jump over the lazy dog"), "text"),
    "few sentences": ("x", ["strongly agree with all of this", "do not agree at all"] * 500, "category"),
    "names that nearly all differ": ("x", [f"Anna Smith {i % 930}" for i in range(MANY)], "identifier"),
    "names of people": ("x", words("Anna Smith {}"), "identifier"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_kind_of(name: str) -> None:
    column, cells, kind = COLUMNS[name]
    field = infer(pl.DataFrame({column: cells}, strict=False))[column]
    assert field.kind == kind, field.why
    assert field.why


def test_a_reason_quotes_no_cell() -> None:
    """The schema is saved with the model: what stands in it is let out."""
    cells = {"a": ["Jane Roe", *["John Doe"] * 50], "b": words("P-{:05d}")[:51], "c": [*["12"] * 50, "secret"]}
    schema = infer(pl.DataFrame(cells), text=True)
    assert not [word for word in ("Jane", "John", "secret") if word in schema.to_json()]


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([1.0, 2.0, -3.0], 0), ([0.1, 0.2, 3.0], 1), ([0.285, 1.005, 1e-3], 3), ([1234567.89], 2), ([1e-9], 9),
        ([1 / 3], None), ([1e-10], None), ([0.1 + 0.2], None), ([1e300], None), ([], 0),
    ],
)  # fmt: skip
def test_decimals(values: list[float], decimals: int | None) -> None:
    assert decimals_of(np.array(values, np.float64)) == decimals


def test_decimals_of_single_precision() -> None:
    values = np.array([0.1, 0.25, 7.3], np.float32)
    assert decimals_of(values.astype(np.float64), single=True) == 2


@pytest.mark.parametrize(
    ("keys", "pattern"),
    [
        (["P-001", "P-734", "P-298"], "P-999"), (["AB12", "CD34", "AC99"], "AA99"), (["x1", "x22", "x33"], "x99"),
        (["9a", "8b", "7c"], "9a"), (["A-1", "A-2", "A-3"], r"\A-9"), ([3, 1, 2], "integer"), (["", "b"], "b"),
        (["123e4567-e89b-12d3-a456-426614174000"], "uuid"), (["x" * 70, "y" * 70], None),
    ],
)  # fmt: skip
def test_the_shape_of_keys(keys: list[Any], pattern: str | None) -> None:
    assert pattern_of(pl.Series(keys)) == pattern


@pytest.mark.parametrize(
    ("name", "key"),
    [("id", True), ("patient_id", True), ("CustomerID", True), ("Kundennr", True), ("order-nr", True), ("idea", False),
     ("paid", False), ("liquid", False), ("e_mail", True), ("email", True), ("Unnamed: 0", True), ("width", False),
     ("rownames", True), ("zip code", True), ("monkey", False)],
)  # fmt: skip
def test_names_of_keys(name: str, key: bool) -> None:
    assert named_as_key(name) is key


TABLES = ("adult", "bank", "banknotes", "cancer", "credit_status", "default", "diamonds", "flights",
          "free_light_chain", "heart_disease", "horse_colic", "pima_diabetes", "telecom_churn")  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_real_tables(shared: Path, table: str) -> None:
    path = shared / "data" / "tables" / table / "train.parquet"
    raw = pl.read_parquet(path)
    opened = Dataset.open(path)
    assert opened.rows == len(raw) == len(opened.frame)
    assert opened.frame.columns == raw.columns
    for field in opened.schema:
        column = raw[field.name]
        assert field.kind in {"integer", "number", "category", "datetime"}, f"{field.name}: {field.kind} ({field.why})"
        assert (field.kind == "category") == (column.dtype == pl.String)
        assert field.missing == bool(column.null_count())
    again = Dataset.open(path.with_name("test.parquet"), like=opened.schema)
    assert dict(again.frame.schema) == dict(opened.frame.schema)


@pytest.mark.parametrize("table", ["flights", "horse_colic", "diamonds"])
def test_real_tables_through_pandas(shared: Path, table: str) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.read_parquet(shared / "data" / "tables" / table / "train.parquet")
    opened = Dataset.open(frame)
    pd.testing.assert_frame_equal(opened.give_back(opened.frame), frame)
    assert opened.schema == Dataset.open(shared / "data" / "tables" / table / "train.parquet").schema


@pytest.mark.parametrize("table", TABLES)
def test_a_csv_of_a_real_table_is_taken_for_the_same(shared: Path, tmp_path: Path, table: str) -> None:
    raw = pl.read_parquet(shared / "data" / "tables" / table / "train.parquet")
    raw.write_csv(tmp_path / "a.csv")
    typed, text = Dataset.open(raw), Dataset.open(tmp_path / "a.csv")
    digits = {
        name
        for name in raw.columns
        if raw[name].dtype == pl.String and raw[name].drop_nulls().str.contains(r"^-?\d+$").all()
    }
    for field in typed.schema:
        if field.name not in digits:  # only a typed file can say that digits are words
            assert text.schema[field.name].kind == field.kind
            assert text.frame[field.name].equals(typed.frame[field.name])
            assert (text.schema[field.name].decimals, text.schema[field.name].missing) == (
                field.decimals,
                field.missing,
            )


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    opened = Dataset.open(example(name))
    assert opened.rows >= 150
    assert {field.kind for field in opened.schema} <= {
        "integer",
        "number",
        "category",
        "boolean",
        "datetime",
        "identifier",
        "text",
    }
    assert example(name).equals(example(name))


def test_examples_by_name() -> None:
    assert example().equals(example(DEFAULT))
    with pytest.raises(UsageError, match=r"Did you mean 'iris'\?"):
        example("irsi")
    labels = example("breast_cancer")["diagnosis"].value_counts().sort("count")["diagnosis"].to_list()
    assert labels == ["malignant", "benign"]


def test_a_schema_file_is_read_back_and_obeyed(tmp_path: Path) -> None:
    data = example("patients")
    opened = Dataset.open(data)
    file = tmp_path / "schema.json"
    file.write_text(opened.schema.to_json(), encoding="utf-8")
    assert Schema.read(file) == opened.schema
    assert Dataset.open(data, file).frame.equals(opened.frame)
    edited = json.loads(file.read_text())
    edited["fields"] = [
        {**field, "kind": "category"} if field["name"] == "days" else field
        for field in edited["fields"] if field["name"] != "patient_id"
    ]  # fmt: skip
    file.write_text(json.dumps(edited))
    again = Dataset.open(data, file)
    assert "patient_id" not in again.schema
    assert again.notes == ("columns left out, since the schema does not have them: patient_id",)
    assert again.frame["days"].dtype == pl.String
    assert again.give_back(again.frame)["days"].dtype == pl.Int64  # type: ignore[index]


def test_declared_dates_without_a_format_find_it() -> None:
    schema = Schema.from_json('{"fields": [{"name": "t", "kind": "datetime", "dtype": "String"}]}')
    opened = Dataset.open(
        {"t": ["31.12.2024", "01.02.2024", "n.d."]},
        schema.replace(schema["t"].model_copy(update={"missing_words": ("n.d.",)})),
    )
    assert opened.schema["t"].format == "%d.%m.%Y"
    assert opened.schema["t"].missing
    assert opened.frame["t"].null_count() == 1


def test_declared_missing_numbers() -> None:
    schema = Schema.from_json(
        '{"fields": [{"name": "x", "kind": "integer", "dtype": "Int64", "missing_words": ["-999"]}]}'
    )
    assert Dataset.open({"x": [1, -999, 3]}, schema).frame["x"].to_list() == [1, None, 3]
    assert Dataset.open({"x": [1.0, -999.0, 3.0]}, schema).frame["x"].to_list() == [1, None, 3]


def test_data_for_a_model_is_read_by_its_schema(tmp_path: Path) -> None:
    trained = Dataset.open(
        {
            "age": [31, 42, 42],
            "code": ["007", "012", "012"],
            "paid": [True, False, True],
            "when": ["31.12.2024", "01.02.2024", "01.02.2024"],
            "y": ["a", "b", "b"],
        }
    )
    (tmp_path / "new.csv").write_text("extra;when;code;age;paid\nx;05.06.2024;007;5;true\nx;;099;;\n")
    new = Dataset.open(tmp_path / "new.csv", like=trained.schema, target="y")
    assert new.frame.columns == ["age", "code", "paid", "when"]
    assert dict(new.frame.schema) == {name: trained.frame.schema[name] for name in new.frame.columns}
    assert new.frame["code"].to_list() == ["007", "099"]
    assert new.frame["age"].to_list() == [5, None]
    assert any("extra" in note for note in new.notes)


def test_codes_read_by_pandas_beside_gaps_stay_the_codes() -> None:
    """pandas turns a column of integers with a gap into floats; 1.0 must still be the category 1."""
    schema = Schema.from_json('{"fields": [{"name": "x", "kind": "category", "dtype": "Int64"}]}')
    assert Dataset.open({"x": np.array([1.0, np.nan, 2.0])}, like=schema).frame["x"].to_list() == ["1", None, "2"]


def test_a_large_table_is_sampled_by_strata(tmp_path: Path) -> None:
    many = 20_000
    frame = pl.DataFrame({"x": np.arange(many) / 8, "y": np.where(np.arange(many) % 100 == 0, "rare", "common")})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    opened = [
        Dataset.open(data, target="y", max_rows=1000, seed=3)
        for data in (frame, frame.lazy(), tmp_path / "a.csv", tmp_path / "a.parquet")
    ]
    for one in opened:
        assert (one.rows, len(one.frame)) == (many, 1000)
        assert one.frame["y"].value_counts(sort=True)["count"].to_list() == [990, 10]
        assert one.frame["x"].is_sorted()
        assert one.frame.equals(opened[0].frame)
        assert any("20,000 rows; learned from a sample of 1,000, stratified by 'y'" in note for note in one.notes)
    other = Dataset.open(frame, target="y", max_rows=1000, seed=4)
    assert not other.frame.equals(opened[0].frame)
    assert len(Dataset.open(frame, like=opened[0].schema).frame) == many


def test_a_file_too_large_for_memory_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"x": range(5000), "y": ["a", "b"] * 2500})
    frame.write_csv(tmp_path / "a.csv")
    whole = Dataset.open(tmp_path / "a.csv", target="y", max_rows=100, seed=1)
    monkeypatch.setattr("anew.data.sample.free_memory", lambda: 0)
    pieces = Dataset.open(tmp_path / "a.csv", target="y", max_rows=100, seed=1)
    assert pieces.frame.equals(whole.frame)
    assert pieces.notes == whole.notes


def test_an_error_in_a_sample_names_the_row_of_the_source() -> None:
    frame = pl.DataFrame({"x": [*([1.0] * 5000), np.inf]})
    with pytest.raises(ValueError, match=r"in row (5,001|10,002)"):
        Dataset.open(pl.concat([frame, frame]), target="x", max_rows=5001)


def test_strata_keep_their_shares() -> None:
    target = pl.Series(RNG.choice(["a", "b", "c"], 10_000, p=[0.9, 0.09, 0.01]))
    picked = stratified(target, 10_000, 500, seed=1)
    assert len(np.unique(picked)) == 500
    shares = target.value_counts()
    for level, count in shares.iter_rows():
        assert abs((target[picked] == level).sum() - count / 20) <= 1


def test_default_rows_fall_with_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anew.data.sample.free_memory", lambda: 64 * 2**30)
    assert default_rows(20) == 500_000
    monkeypatch.setattr("anew.data.sample.free_memory", lambda: 2**30)
    assert 10_000 <= default_rows(50) < 100_000
    assert default_rows(2, 1024 * 1024 * 4) < 100


def test_describe_tells_of_no_one() -> None:
    rows = {row.column: row for row in describe(Dataset.open(example("patients")))}
    assert set(KINDS) > {row.kind for row in rows.values()}
    assert rows["patient_id"].like == "made anew like P99999"
    assert rows["ward"].like.startswith("surgery ")
    assert rows["age"].like.endswith("(5 % to 95 %)")
    assert 0.05 < rows["bmi"].missing < 0.2
    few = describe(Dataset.open({"x": ["a", "b"], "n": [1.5, 2.5]}))
    assert [row.like for row in few] == ["", ""]
