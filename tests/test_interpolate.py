"""Codes and lines: decode(encode(x)) is x, a line begins and ends in its rows, and what cannot be joined is said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

import anew
from anew.core.learner import Encodes, Solved
from anew.data.examples import patients
from anew.plan import OBJECTIVES

CAN = [name for name in OBJECTIVES if issubclass(OBJECTIVES[name], Encodes) and issubclass(OBJECTIVES[name], Solved)]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return patients(500).drop_nulls()


@pytest.fixture(scope="module")
def model(table: pl.DataFrame) -> anew.Model:
    return anew.fit(table, objective="copula", seed=1)


@pytest.mark.parametrize("objective", CAN)
def test_decode_undoes_encode(objective: str) -> None:
    table = patients(300)
    model = anew.fit(table, objective=objective, seed=1)
    z = model.encode(table)
    assert z.shape[0] == len(table)
    assert abs(z.mean()) < 0.2
    assert 0.6 < z.std() < 1.3
    back = model.decode(z)
    assert back.drop("patient_id").equals(table.drop("patient_id"))
    assert back["patient_id"].n_unique() == len(table)


@pytest.mark.parametrize("objective", CAN)
def test_a_line_begins_and_ends_in_its_rows(objective: str, table: pl.DataFrame) -> None:
    path = anew.fit(table, objective=objective, seed=1).interpolate(table[:1], table[1:2], steps=5)
    assert path.columns == ["t", *table.columns]
    assert path["t"].to_list() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert path[[0, 4]].drop("t").equals(table[:2])
    assert path["patient_id"].n_unique() == 5


def test_beyond_the_rows(model: anew.Model, table: pl.DataFrame) -> None:
    old, young = table.sort("age")[[-5]], table.sort("age")[[5]]
    path = model.interpolate(young, old, steps=7, range=(-1, 2))
    assert path["t"].to_list() == [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0]
    assert path["age"].is_sorted()
    assert path["age"][0] <= young["age"].item()
    assert path["age"][-1] >= old["age"].item()
    backwards = model.interpolate(young, old, steps=7, range=(2, -1))
    assert backwards["age"].to_list() == path["age"].to_list()[::-1]


def test_what_two_rows_share_stays(table: pl.DataFrame) -> None:
    model = anew.fit(table, objective="marginals")
    a, b = table.filter(pl.col("sex") == "F")[[0]], table.filter(pl.col("sex") == "F")[[1]]
    path = model.interpolate(a, b, steps=9, range=(-1, 2))
    assert path["sex"].to_list() == ["F"] * 9
    assert (path["age"].diff().drop_nulls() * (b["age"] - a["age"]).item() >= 0).all(), "no column turns back"


def test_rows_in_pairs(model: anew.Model, table: pl.DataFrame) -> None:
    path = model.interpolate(table[:3], table[3:6], steps=2)
    assert path.columns[:2] == ["t", "pair"]
    assert path["pair"].to_list() == [1, 1, 2, 2, 3, 3]
    assert path[::2].drop("t", "pair").equals(table[:3])
    assert path[1::2].drop("t", "pair").equals(table[3:6])


def test_a_column_of_the_name_t(table: pl.DataFrame) -> None:
    data = table.select(t="age", draw="days")
    path = anew.fit(data, objective="marginals").interpolate(data[:1], data[1:2], steps=2)
    assert path.columns == ["t_", "t", "draw"]


def test_what_is_given_must_be_the_same(table: pl.DataFrame) -> None:
    model = anew.fit(table, learn=["age", "days"], given="sex", objective="marginals")
    part = table.select("sex", "age", "days")
    women = part.filter(pl.col("sex") == "F")
    assert model.interpolate(women[:1], women[1:2])["sex"].to_list() == ["F"] * 8
    with pytest.raises(anew.DataError, match="given the same of both"):
        model.interpolate(women[:1], part.filter(pl.col("sex") == "M")[:1])
    z = model.encode(part)
    assert model.decode(z[:5], given=part[:5]).equals(part[:5])


@pytest.mark.parametrize(
    ("change", "more", "words"),
    [
        (lambda b: b.drop("age"), {}, "different columns.*'age'"),
        (lambda b: pl.concat([b, b]), {}, "1 and 2 rows"),
        (lambda b: b.with_columns(bmi=pl.lit(None, pl.Float64)), {}, r"empty cell in 'bmi'.*complete\(\)"),
        (lambda b: b.with_columns(ward=pl.lit("ICU")), {}, "'ward' has a value never seen.*'ICU'"),
        (lambda b: b, {"steps": 1}, "at least 2 steps"),
        (lambda b: b, {"range": (1, 1)}, "two different numbers"),
        (lambda b: b, {"range": (0, float("inf"))}, "two different numbers"),
    ],
)
def test_what_cannot_be_joined(
    model: anew.Model,
    table: pl.DataFrame,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    more: dict[str, object],
    words: str,
) -> None:
    with pytest.raises(anew.AnewError, match=words):
        model.interpolate(table[:1], change(table[1:2]), **more)  # type: ignore[arg-type]


def test_both_rows_lack_a_column(model: anew.Model, table: pl.DataFrame) -> None:
    with pytest.raises(anew.DataError, match="lack the column 'age'"):
        model.interpolate(table[:1].drop("age"), table[1:2].drop("age"))


@pytest.mark.parametrize("z", [np.zeros((2, 3)), np.zeros(9), np.full((1, 9), np.nan)], ids=["wide", "flat", "nan"])
def test_codes_of_another_model(model: anew.Model, z: np.ndarray) -> None:
    with pytest.raises(anew.UsageError, match="finite numbers in 9 columns"):
        model.decode(z)


def test_who_can_is_named(table: pl.DataFrame) -> None:
    model = anew.fit(table, objective="bootstrap")
    for ask in (lambda: model.encode(table), lambda: model.interpolate(table[:1], table[1:2])):
        with pytest.raises(anew.CapabilityError, match=r"bootstrap cannot encode.*copula"):
            ask()
