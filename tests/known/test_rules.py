"""What rules mean, by hand: reading them, what goes together, missing cells, roundings, and rules that cannot be."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from anew.core.contradictions import Known, check
from anew.core.errors import RuleError, UsageError
from anew.core.expressions import Apply, Column, Value, parse
from anew.core.rules import Holds, Together, Unique, rule_of, rules_of
from anew.core.ruling import ruling
from anew.core.schema import Field, Schema
from anew.core.typed import moment_of, span_of
from anew.data.obeying import Obeying, Seen, shares

FIELDS = {
    "a": ("number", "Float64", 1), "b": ("number", "Float64", 1), "c": ("integer", "Int8", None),
    "start": ("datetime", "Datetime(us)", None), "end": ("datetime", "Date", None),
    "stay": ("duration", "Duration(us)", None),
    "sex": ("category", "String", None), "old": ("boolean", "Boolean", None),
    "blood pressure": ("number", "Float64", None), "key": ("identifier", "String", None),
}  # fmt: skip
SCHEMA = Schema(
    fields=tuple(
        Field(name=name, kind=kind, dtype=dtype, decimals=decimals, missing=name == "b")  # type: ignore[arg-type]
        for name, (kind, dtype, decimals) in FIELDS.items()
    )
)
KNOWN = {"a": Known(0, 10), "b": Known(0, 5), "sex": Known(words=frozenset({"F", "M"}))}


def frame(**columns: list[object]) -> pl.DataFrame:
    """Cells of the columns named, and the same for the others."""
    day = dt.datetime.fromisoformat("2024-01-01")
    usual = {
        "a": 1.0, "b": 2.0, "c": 3, "start": day, "end": day, "stay": dt.timedelta(days=1), "sex": "F", "old": True,
        "blood pressure": 120.0, "key": "K1",
    }  # fmt: skip
    n = len(next(iter(columns.values())))
    types = {"a": pl.Float64, "b": pl.Float64, "c": pl.Int64, "sex": pl.String, "old": pl.Boolean}
    return pl.DataFrame(
        [pl.Series(name, columns.get(name, [value] * n), types.get(name)) for name, value in usual.items()]
    )


def held(rule: object, **columns: list[object]) -> list[bool]:
    return [bool(met) for met in Obeying(ruling(rules_of([rule]), SCHEMA), SCHEMA).judged(frame(**columns))[:, 0]]


# ---------------------------------------------------------------- reading


def test_the_tree_of_an_expression() -> None:
    statement = parse("`blood pressure` = round(a / c ** 2, 1)")
    assert statement.target == "blood pressure"
    power = Apply("**", (Column("c"), Value(2.0)))
    assert statement.expression == Apply("round", (Apply("/", (Column("a"), power)), Value(1.0)))
    assert parse("0 < a <= b").expression == Apply(
        "and", (Apply("<", (Value(0.0), Column("a"))), Apply("<=", (Column("a"), Column("b"))))
    )


def test_an_equation_with_a_constant_asks_and_computes_nothing() -> None:
    assert parse("sex = 'F'") == parse("sex == 'F'")


def test_forms_of_rules() -> None:
    assert rule_of("together: sex, `a, b`") == Together(together=("sex", "a, b"))
    assert rule_of({"unique": ["a"]}) == rule_of("unique: a") == Unique(unique=("a",))
    assert rule_of("a <= b") == rule_of({"rule": "a <= b"}) == Holds(rule="a <= b")
    assert rules_of("a <= b") == rules_of(["a <= b", "a <= b"])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a <", "its end"),
        ("a => b", "> b"),
        ("__import__('os').system('x')", "__import__('os').system('x')"),
        ("a.b < 3", "a.b"),
        ("mean(a) < 3", "mean(a)"),
        ("a if old else b", "a if old else b"),
        ("`blood pressure` // 2 < a", "`blood pressure` // 2"),
        ("a in b", "b"),
        ("[x for x in a]", "[x for x in a]"),
        ("lambda: 3", "lambda: 3"),
        ("é <= a and b.c < 2", "b.c"),
        ("a[0] < 1", "a[0]"),
        ("a := 3", ":= 3"),
    ],
)
def test_what_is_not_of_the_language_is_quoted(text: str, place: str) -> None:
    with pytest.raises(UsageError) as told:
        rule_of(text)
    assert f"{place!r}:" in str(told.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("nope > 3", "'nope'"),
        ("sexx == 'F'", "Did you mean 'sex'"),
        ("a <= 'x'", "'a' is a number and 'x' is a word"),
        ("sex < 'F'", "no order"),
        ("start < 3", "'start' is a date or time and 3.0 is a number"),
        ("start + end < start", "'+' does not go with"),
        ("stay > '3 foo'", "'3 foo' is not a duration"),
        ("a and old", "'a' is a number"),
        ("a + b", "neither a comparison nor a formula"),
        ("key > 3", "'key' (identifier)"),
        ("a = sex", "gives a word and 'a' holds a number"),
        ("key = sex", "an identifier"),
        ("together: sex, key", "an identifier"),
    ],
)
def test_what_does_not_go_together_is_told(rule: str, words: str) -> None:
    with pytest.raises(UsageError) as told:
        ruling(rules_of([rule]), SCHEMA)
    assert words in str(told.value)


@pytest.mark.parametrize(
    "written", [{"rule": "a < b", "unique": ["a"]}, {"together": ["a"]}, {"unique": []}, {"rule": 3}, 7, {"ruel": "a"}]
)
def test_what_is_no_rule(written: object) -> None:
    with pytest.raises(UsageError):
        rule_of(written)


def test_spans_and_moments() -> None:
    day = 86_400e6
    assert [span_of(word) for word in ("7 days", "1 day 12 hours", "36:00", "P1DT12H", "0.5 weeks", "x", "3 x")] == [
        7 * day, 1.5 * day, 1.5 * day, 1.5 * day, 3.5 * day, None, None,
    ]  # fmt: skip
    assert moment_of("1970-01-02", None) == day
    assert moment_of("1970-01-02", "Europe/Berlin") == day - 3600e6


# ---------------------------------------------------------------- meaning


def test_comparisons_and_missing_cells() -> None:
    assert held("a <= b", a=[1.0, 3.0, None, 2.0], b=[2.0, 2.0, 1.0, None]) == [True, False, True, True]
    assert held("not old or a > 5", a=[1.0, 6.0, None, 1.0], old=[True, True, True, False]) == [False, True, True, True]
    assert held("a is not None", a=[1.0, None]) == [True, False]
    assert held("sex in ['F', 'X']", sex=["F", "M", None]) == [True, False, True]
    assert held("a / b > 1", a=[1.0, 4.0, 4.0], b=[0.0, 2.0, 8.0]) == [True, True, False]
    assert held("max(a, b) < 3 and abs(a) % 2 == 1", a=[1.0, -1.0, 2.0, 5.0]) == [True, True, False, False]


def test_arithmetic_is_compared_as_decimals() -> None:
    assert held("a + b <= 0.3", a=[0.1, 0.1], b=[0.2, 0.3]) == [True, False]
    assert held("a + b < 0.3", a=[0.1, 0.1], b=[0.2, 0.1]) == [False, True]
    assert held("`blood pressure` - a == 0.1", a=[1000.2], **{"blood pressure": [1000.3]}) == [True]


def test_dates_and_spans() -> None:
    days = [dt.datetime.fromisoformat("2024-01-01T12"), dt.datetime.fromisoformat("2024-01-09")]
    assert held("start <= end + '7 days'", start=days) == [True, False]
    assert held("(start - end) / '1 day' < 1", start=days) == [True, False]
    assert held("stay >= '36 hours'", stay=[dt.timedelta(days=1), dt.timedelta(days=2)]) == [False, True]
    assert held("start < '2024-01-05'", start=days) == [True, False]


def test_computed_cells() -> None:
    """Rounded as the column is written: one decimal, whole days. `old` reads the computed `a`."""
    rules = rules_of(["old = a > 50", "end = start + stay", "a = `blood pressure` / 3"])
    obeying = Obeying(ruling(rules, SCHEMA), SCHEMA)
    made = obeying.computed(
        frame(**{"blood pressure": [100.0, 200.0], "start": [dt.datetime.fromisoformat("2024-01-01T13")] * 2})
    )
    assert made["a"].to_list() == [33.3, 66.7]
    assert made["end"].to_list() == [dt.datetime.fromisoformat("2024-01-02")] * 2
    assert made["old"].to_list() == [False, True]
    assert obeying.judged(made).all()
    off = obeying.judged(made.with_columns(a=pl.col("a") + 0.1))
    assert off.all(0).tolist() == [text != "a = `blood pressure` / 3" for text in obeying.texts]


def test_a_result_that_does_not_fit_its_column_breaks_the_rule() -> None:
    obeying = Obeying(ruling(rules_of(["c = a * 100"]), SCHEMA), SCHEMA)  # Int8 holds up to 127
    made = obeying.computed(frame(a=[1.0, 2.0]))
    assert made["c"].to_list() == [100, None]
    assert obeying.judged(made)[:, 0].tolist() == [True, False]


def test_known_cells_are_not_computed() -> None:
    obeying = Obeying(ruling(rules_of(["a = b + 1"]), SCHEMA), SCHEMA)
    made = obeying.computed(frame(a=[7.0, 7.0]), {"a": np.array([True, False])})
    assert made["a"].to_list() == [7.0, 3.0]
    assert obeying.judged(made)[:, 0].tolist() == [False, True]


def test_combinations() -> None:
    rule = {"together": ["sex", "c"], "allowed": [["F", 1], ["M", 2]]}
    assert held(rule, sex=["F", "F", "M", None, "X"], c=[1, 2, 2, 2, 1]) == [True, False, True, True, False]
    with pytest.raises(UsageError, match="'one'"):
        held({"together": ["sex", "c"], "allowed": [["F", "one"]]}, sex=["F"])
    with pytest.raises(UsageError, match="2 values"):
        rule_of({"together": ["sex", "c"], "allowed": [["F"]]})


def test_no_two_rows_alike_over_several_blocks() -> None:
    obeying = Obeying(ruling(rules_of(["unique: a, sex"]), SCHEMA), SCHEMA)
    seen, all_good = Seen(obeying), np.ones(4, bool)
    assert seen.fresh(frame(a=[1.0, 1.0, None, None]), all_good).tolist() == [True, False, True, True]
    later = frame(a=[1.0, 2.0, 2.0, 2.0], sex=["F", "F", "M", "F"])
    assert seen.fresh(later, np.array([True, False, True, True])).tolist() == [False, False, True, True]


def test_shares() -> None:
    found = shares(rules_of(["a <= b", "unique: sex"]), SCHEMA, frame(a=[1.0, 3.0, 1.0], sex=["F", "M", "F"]))
    assert [(share.rule, share.kept, share.rows) for share in found] == [("a <= b", 2, 3), ("unique: sex", 2, 3)]


# ---------------------------------------------------------------- rules that cannot be


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (["a > 11"], ["'a > 11'", "no value above 10"]),
        (["a > 5", "a < 3"], ["'a > 5'", "'a < 3'", "exclude each other"]),
        (["a >= 5 and a < 5"], ["contradicts itself"]),
        (["a >= 6", "a <= b"], ["'a >= 6'", "'a <= b'", "no value above 5 in 'b'"]),
        (["a < b", "b < a"], ["exclude each other"]),
        (["a < b", "b <= c", "c <= a"], ["'a < b'", "'b <= c'", "'c <= a'", "exclude each other"]),
        (["a == b", "a > b"], ["exclude each other"]),
        (["sex == 'F'", "sex == 'M'"], ["exclude each other"]),
        (["sex in ['F', 'M']", "sex == 'X'"], ["exclude each other"]),
        (["sex == 'X'"], ["never takes", "'X'"]),
        (["old", "not old"], ["exclude each other"]),
        (["a in [1, 2]", "a == 3"], ["exclude each other"]),
        (["start > '2024-01-02'", "start <= '2024-01-01'"], ["exclude each other"]),
        (["a = b", "b = a"], ["needs its own result", "'a = b'"]),
        (["a = a + 1"], ["needs its own result"]),
        (["b = a", "b = 2 * a"], ["both compute 'b'"]),
        (["a = b + 1"], ["'b' is missing", "'a' is never missing"]),
        (["together: sex, old"], ["lists no combinations", "fit again"]),
        ([{"together": ["sex", "old"], "allowed": [["X", True]]}], ["none of its 1 combinations"]),
    ],
)
def test_rules_that_no_row_can_obey(rules: list[object], words: list[str]) -> None:
    with pytest.raises(RuleError) as told:
        check(ruling(rules_of(rules), SCHEMA), SCHEMA, KNOWN)
    for word in words:
        assert word in str(told.value)


@pytest.mark.parametrize(
    "rules",
    [
        ["a >= 5 and a <= 5"],
        ["a <= b", "b <= a"],
        ["b = a + 100", "b >= 50"],
        ["a >= 4", "a <= b", "b <= 5"],
        ["sex in ['F', 'X']"],
        ["b = a", "a <= b"],
    ],
)
def test_rules_that_some_row_obeys(rules: list[object]) -> None:
    check(ruling(rules_of(rules), SCHEMA), SCHEMA, KNOWN)


# ---------------------------------------------------------------- the schema file


def test_a_schema_file_keeps_its_rules() -> None:
    rules = rules_of(["a <= b", "unique: sex", {"together": ["sex", "old"], "allowed": [["F", True]]}])
    schema = Schema(fields=SCHEMA.fields, rules=rules)
    assert Schema.from_json(schema.to_json()) == schema
    assert '    {"rule": "a <= b"},\n' in schema.to_json()
    assert schema.select(["a", "b", "sex"]).rules == rules[:2]
    assert schema.replace(SCHEMA["a"]).rules == rules
    assert SCHEMA.to_json().count("rules") == 0
