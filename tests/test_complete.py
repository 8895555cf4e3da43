"""Completion: what is known stays, what is unknown is drawn and exists, and what cannot be is one clear sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import anew
from anew.core.columns import MISSING, Bools, Cells, Grid
from anew.core.learner import Completes, Solved
from anew.data.examples import patients
from anew.plan import OBJECTIVES
from anew.steer.complete import complete_existing
from anew.testing import example_table

CAN = [name for name in OBJECTIVES if issubclass(OBJECTIVES[name], Completes) and issubclass(OBJECTIVES[name], Solved)]


def with_gaps(frame: pl.DataFrame, share: float = 0.4, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return frame.with_columns(
        pl.when(pl.Series(rng.random(len(frame)) >= share)).then(pl.col(name)).alias(name) for name in frame.columns
    )


def assert_kept(full: pl.DataFrame, gaps: pl.DataFrame) -> None:
    for name in gaps.columns:
        known = gaps[name].is_not_null()
        assert full[name].filter(known).to_list() == gaps[name].filter(known).to_list(), name


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return patients(500)


@pytest.fixture(scope="module")
def model(table: pl.DataFrame) -> anew.Model:
    return anew.fit(table[:400], objective="copula", seed=1)


@pytest.fixture(scope="module")
def gaps(table: pl.DataFrame) -> pl.DataFrame:
    return with_gaps(table[400:])


@pytest.mark.parametrize("objective", CAN)
def test_known_cells_stay_and_all_others_are_filled(objective: str, table: pl.DataFrame, gaps: pl.DataFrame) -> None:
    model = anew.fit(table[:400], objective=objective, seed=1)
    full = model.complete(gaps, seed=3)
    assert full.schema == table.schema
    assert_kept(full, gaps)
    assert full.null_count().sum_horizontal().item() == 0
    assert full["patient_id"].n_unique() == len(full)
    assert full.equals(model.complete(gaps, seed=3))
    assert not full.equals(model.complete(gaps, seed=4))


@pytest.mark.parametrize("objective", [name for name in CAN if name != "marginals"])
def test_what_is_known_is_used(objective: str, table: pl.DataFrame) -> None:
    """Drawn blood pressures rise with the known age about as the real ones do (0.45 a year)."""
    model = anew.fit(table, objective=objective, seed=1)
    some = patients(400, seed=5)
    full = model.complete(some.drop("blood_pressure", "days", "bmi"), seed=1)
    slope = np.polyfit(full["age"].to_numpy(), full["blood_pressure"].to_numpy(), 1)[0]
    assert 0.2 < slope < 0.7


def test_blocks_and_workers_change_nothing(model: anew.Model) -> None:
    many = with_gaps(patients(2500, seed=2))
    whole = model.complete(many, seed=4)
    model.joint.threads = 1
    assert model.complete(many, seed=4).equals(whole)
    model.joint.threads = 2
    assert model.complete(many[:1024], seed=4).drop("patient_id").equals(whole[:1024].drop("patient_id"))


def test_several_draws_differ_only_where_nothing_was_known(model: anew.Model, gaps: pl.DataFrame) -> None:
    tables = model.complete(gaps, draws=3, seed=1)
    assert len(tables) == 3
    assert tables[0].equals(model.complete(gaps, seed=1))
    for full in tables:
        assert_kept(full, gaps)
    holes = gaps["age"].is_null()
    assert (tables[0]["age"] == tables[1]["age"]).filter(~holes).all()
    assert (tables[0]["age"] == tables[1]["age"]).filter(holes).mean() < 0.3


def test_only_the_columns_named(model: anew.Model, gaps: pl.DataFrame) -> None:
    full = model.complete(gaps, columns="ward,age")
    assert full.select("ward", "age").null_count().sum_horizontal().item() == 0
    rest = [name for name in gaps.columns if name not in ("ward", "age")]
    assert full.select(rest).equals(gaps.select(rest))
    assert model.complete(gaps.select("sex", "age"), columns=["ward"]).columns == ["sex", "age", "ward"]


def test_absent_columns_are_completed(model: anew.Model, table: pl.DataFrame) -> None:
    full = model.complete(table.select("ward", "sex")[:30])
    assert full.columns == table.columns
    assert full["ward"].equals(table["ward"][:30])
    assert full.null_count().sum_horizontal().item() == 0


def test_values_never_seen_stay_as_they_are(model: anew.Model, table: pl.DataFrame) -> None:
    strange = table[:6].with_columns(
        ward=pl.Series(["ICU"] * 6), bmi=pl.Series([26.125, 7.0, 250.0, None, None, None]), age=pl.lit(42.5)
    )
    with pytest.warns(anew.AnewWarning, match="'ward' has 1 value.*read as unknown"):
        full = model.complete(strange)
    assert full["ward"].to_list() == ["ICU"] * 6
    assert full["age"].to_list() == [42.5] * 6
    assert full["bmi"].to_list()[:3] == [26.125, 7.0, 250.0]
    assert full["bmi"].null_count() == 0


def test_nothing_to_do_is_said(model: anew.Model, table: pl.DataFrame) -> None:
    whole = table.drop_nulls()[:5]
    with pytest.warns(anew.AnewWarning, match="No cell is empty"):
        assert model.complete(whole).equals(whole)


def test_frames_come_back_as_they_came(model: anew.Model, gaps: pl.DataFrame) -> None:
    data = gaps.select("sex", "ward", "bmi", "days").to_pandas()
    data.index = pd.Index(range(7, 7 + len(data)))
    data["ward"] = data["ward"].where(data["ward"] != "surgery").astype("category")  # does not list all wards
    full = model.complete(data, seed=1)
    assert isinstance(full, pd.DataFrame)
    assert full.index.equals(data.index)
    assert not full.isna().any().any()
    assert full["ward"].dtype == "category"
    assert "surgery" in set(full["ward"])


def test_an_enum_that_lacks_a_drawn_level_becomes_words(model: anew.Model, gaps: pl.DataFrame) -> None:
    few, all_wards = pl.Enum(["cardiology"]), pl.Enum(["maternity", "surgery", "geriatrics", "cardiology"])
    part = gaps.with_columns(ward=pl.when(pl.col("ward") == "cardiology").then("ward"))
    assert model.complete(part.cast({"ward": few}))["ward"].dtype == pl.String
    assert model.complete(part.cast({"ward": all_wards}))["ward"].dtype == all_wards


def test_keys_and_constants_are_made_where_they_are_missing() -> None:
    data = pl.DataFrame({"id": [f"P{i:02d}" for i in range(60)], "unit": ["kg"] * 60, "x": [i % 7 for i in range(60)]})
    model = anew.fit(data, objective="marginals")
    part = data[:40].with_columns(
        pl.when(pl.int_range(40) % 4 == 0).then(pl.col(name)).alias(name) for name in ("id", "unit", "x")
    )
    full = model.complete(part)
    assert_kept(full, part)
    assert full["id"].n_unique() == 40
    assert (full["unit"] == "kg").all()


def test_a_conditional_model_needs_what_it_was_given(table: pl.DataFrame) -> None:
    model = anew.fit(table, learn=["blood_pressure", "days"], given="ward", objective="marginals")
    full = model.complete(table.select("ward", "days")[:20])
    assert full["blood_pressure"].null_count() == 0
    assert full["ward"].equals(table["ward"][:20])
    with pytest.raises(anew.DataError, match="given 'ward'"):
        model.complete(table.select("days")[:20])
    with pytest.raises(anew.DataError, match="2 empty cells"):
        model.complete(pl.DataFrame({"ward": ["surgery", None, None], "days": [1, 2, 3]}))
    with pytest.raises(anew.UsageError, match="never completed"):
        model.complete(table.select("ward")[:3], columns="ward")


@pytest.mark.parametrize(
    ("change", "more", "words"),
    [
        (lambda g: g.with_columns(wrad=pl.lit(1)), {}, "knows no column 'wrad'.*Did you mean 'ward'"),
        (lambda g: g.select(pl.lit(None).alias("ward")), {}, r"Every cell is empty.*sample\(\)"),
        (lambda g: g, {"draws": 0}, "at least 1"),
        (lambda g: g, {"columns": "agee"}, "Did you mean 'age'"),
        (lambda g: g.with_columns(age=pl.lit("old")), {}, "'age' is a column of numbers"),
        (lambda g: g[:0], {}, "no rows"),
    ],
)
def test_what_cannot_be_completed(
    model: anew.Model,
    gaps: pl.DataFrame,
    change: Callable[[pl.DataFrame], pl.DataFrame],
    more: dict[str, object],
    words: str,
) -> None:
    with pytest.raises(anew.AnewError, match=words):
        model.complete(change(gaps), **more)  # type: ignore[arg-type]


def test_who_can_is_named(table: pl.DataFrame) -> None:
    model = anew.fit(table, objective="bootstrap")
    with pytest.raises(anew.CapabilityError, match=r"bootstrap cannot complete\. Objectives that can: .*copula"):
        model.complete(table)


@pytest.mark.parametrize("name", ["horse_colic", "pima_diabetes"])
def test_real_tables_with_real_gaps(name: str, shared: Path) -> None:
    folder = shared / "data" / "tables" / name
    model = anew.fit(folder / "train.parquet", objective="copula", seed=1)
    test = pl.read_parquet(folder / "test.parquet")
    full = pl.DataFrame(model.complete(test, seed=1))
    assert test.null_count().sum_horizontal().item() > 0
    assert_kept(full, test)
    assert full.null_count().sum_horizontal().item() == 0


# -------------------------------------------------------------------- asking again


def test_a_cell_is_asked_for_until_it_exists() -> None:
    """A learner that says "missing" nine times in ten, and always in one column: the first is drawn, the other taken
    from its own distribution; what is known stays even when the learner changes it."""
    grids = [Grid(np.arange(3.0), np.arange(3.0), np.array([0.0, 5.0, 0.0]), missing=5.0)] * 3
    rng = np.random.default_rng(0)

    def once(rows: object, cells: Cells, known: Bools) -> Cells:
        codes = np.where(rng.random((len(cells), 3)) < 0.9, MISSING, 2).astype(np.int32)
        codes[:, 1] = MISSING
        return Cells(codes, np.where(codes >= 0, codes + 0.5, np.nan))

    cells = Cells(np.zeros((200, 3), np.int32), np.full((200, 3), 0.5))
    known = np.tile([False, False, True], (200, 1))
    done = complete_existing(once, cells, known, ~known, grids, np.random.default_rng(1))
    assert (done.codes[:, 0] == 2).mean() > 0.6  # 1 - 0.9^12
    assert set(done.codes[:, 0]) <= {1, 2}
    assert (done.codes[:, 1] == 1).all()
    assert (done.codes[:, 2] == 0).all()
    free = complete_existing(once, cells, known, np.zeros_like(known), grids, np.random.default_rng(1))
    assert (free.codes[:, 1] == MISSING).all(), "what is not wanted may stay missing"


def test_a_network_is_told_that_a_number_exists() -> None:
    codec, frame = example_table(50)
    names = [field.name for field in codec.learned]
    cells = codec.cells(frame.with_columns(weight=pl.lit(None, pl.Float64), sex=pl.lit(None, pl.String)))
    known, wanted = np.ones((50, len(names)), bool), np.zeros((50, len(names)), bool)
    known[:, [names.index("weight"), names.index("sex")]] = False
    wanted[:25, names.index("weight")] = True
    x, mask = codec.partly(cells, known, wanted, "Mixed")
    plain = codec.mask(known, "Mixed")
    told = (mask & ~plain).any(0)
    assert told.sum() == 1, "one token: that of weight"
    assert mask[:25, told].all()
    assert not mask[25:, told].any()
    assert (x.x[:25][:, told] == 0).all()
    assert (x.x[25:][:, told] == 1).all()
