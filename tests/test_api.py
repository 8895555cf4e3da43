"""The public api on real data: frames in and the same frames out, conditions, predictions, errors."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import anew
from anew.data.examples import example
from anew.testing import example_frame


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return example_frame(600)


@pytest.fixture(scope="module")
def model(frame: pl.DataFrame) -> anew.Model:
    return anew.fit(frame, predict="smoker", seed=1)


def test_rows_come_back_as_the_kind_of_table_that_came(frame: pl.DataFrame) -> None:
    numbers = frame.select("sex", "age", "weight")
    for data, kind in (
        (numbers, pl.DataFrame),
        (numbers.to_pandas(), pd.DataFrame),
        (numbers.to_arrow(), pa.Table),
        ({"sex": numbers["sex"].to_list(), "age": numbers["age"].to_numpy()}, dict),
    ):
        out = anew.fit(data, objective="marginals").sample(50)
        assert isinstance(out, kind)
        assert list(
            out.keys() if isinstance(out, dict) else out.column_names if isinstance(out, pa.Table) else out.columns
        ) == list(data.keys() if isinstance(data, dict) else numbers.columns)


def test_dtypes_and_precision_are_kept(frame: pl.DataFrame) -> None:
    data = frame.to_pandas()
    data["age"] = data["age"].astype("int16")
    data["ward"] = data["ward"].astype("category")
    out = anew.fit(data).sample(200)
    assert out.dtypes.to_dict() == data.dtypes.to_dict()
    weights = out["weight"].dropna()
    assert np.allclose(weights, weights.round(1))


def test_fewer_rows_are_the_first_of_more_whatever_the_threads(model: anew.Model) -> None:
    many = model.sample(9000, seed=4)
    assert model.sample(40, seed=4).equals(many[:40])
    model.joint.threads = 1
    assert model.sample(9000, seed=4).equals(many)
    model.joint.threads = 2
    assert not model.sample(40, seed=5).equals(many[:40])


def test_conditions_hold_and_are_reported(model: anew.Model) -> None:
    out = model.sample(500, where={"sex": "F", "age": (60, None), "ward": ["a", "b"]}, seed=2)
    assert len(out) == 500
    assert (out["sex"] == "F").all()
    assert (out["age"] >= 60).all()
    assert out["ward"].is_in(["a", "b"]).all()
    assert model.last is not None
    assert model.last.probability is not None
    assert 0 < model.last.probability < 0.5
    assert out.equals(model.sample(500, where=["sex=F", "age>=60", "ward=a|b"], seed=2))


def test_conditions_on_times_flags_missing_and_one_number(model: anew.Model) -> None:
    assert (model.sample(50, where=["since>=2021-06-01"])["since"] >= datetime(2021, 6, 1)).all()  # noqa: DTZ001
    assert model.sample(50, where={"smoker": True})["smoker"].all()
    assert model.sample(50, where={"weight": None})["weight"].null_count() == 50
    assert model.sample(50, where=["weight!="])["weight"].null_count() == 0
    assert (model.sample(20, where={"spent": 12.5})["spent"] == 12.5).all()


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"sex": "X"}, "never takes the value 'X'"),
        ({"age": (200, None)}, "probability zero"),
        ({"agee": 3}, "Did you mean 'age'"),
        ({"sex": (1, 2)}, "no order"),
        ({"age": (9, 1)}, "upside down"),
        ({"age": "old"}, "needs such a value"),
        ({"age": []}, "empty"),
        ({"age": (1, 2, 3)}, "pair"),
    ],
)
def test_a_condition_that_cannot_be(model: anew.Model, where: dict[str, object], words: str) -> None:
    with pytest.raises(anew.AnewError, match=words):
        model.sample(10, where=where)


def test_prediction_three_ways_on_scans_of_cells() -> None:
    data = example("breast_cancer")
    train, test = data[::2], data[1::2]
    target = data.columns[-1]
    model = anew.fit(train, predict=target)
    truth = test[target].to_numpy()
    for method in (None, "linear", "boosted"):
        assert (model.predict(test.drop(target), method) == truth).mean() > 0.9
    assert (model.predict(test, "joint") == truth).mean() > 0.85
    chance = model.predict_proba(test)
    assert chance.shape == (len(test), 2)
    assert np.allclose(chance.sum(1), 1)
    assert set(model.classes) == set(truth)


def test_predicting_a_number() -> None:
    data = example("diabetes")
    model = anew.fit(data[::2], predict="progression")
    answer = model.predict(data[1::2])
    truth = data[1::2]["progression"].to_numpy()
    assert np.corrcoef(answer, truth)[0, 1] > 0.5
    with pytest.raises(anew.CapabilityError, match="no classes"):
        model.predict_proba(data)


def test_a_classifier_alone(frame: pl.DataFrame) -> None:
    model = anew.fit(frame, learn="sex", given=["weight", "age"], objective="cross_entropy")
    assert (model.predict(frame) == frame["sex"].to_numpy()).mean() > 0.6
    with pytest.raises(anew.CapabilityError, match="predicts only"):
        model.sample(3)


def test_given_columns(frame: pl.DataFrame) -> None:
    model = anew.fit(frame, learn=["weight", "smoker"], given="sex")
    out = model.sample(given={"sex": ["F", "M"] * 300})
    assert len(out) == 600
    means = out.group_by("sex").agg(pl.col("weight").mean()).sort("sex")["weight"]
    assert means[1] > means[0] + 5
    with pytest.raises(anew.UsageError, match="given"):
        model.sample(5)


def test_log_prob_prefers_what_is_real(model: anew.Model, frame: pl.DataFrame) -> None:
    apart = pl.DataFrame([column.shuffle(seed=i) for i, column in enumerate(frame)])
    assert model.log_prob(frame).mean() > np.maximum(model.log_prob(apart), -1e3).mean()


def test_errors_name_who_can(frame: pl.DataFrame) -> None:
    copula = anew.fit(frame, objective="copula")
    with pytest.raises(anew.CapabilityError, match=r"copula cannot score rows.*chain"):
        copula.log_prob(frame)
    with pytest.raises(anew.CapabilityError, match="predict=COLUMN"):
        copula.predict(frame)
    with pytest.raises(anew.UsageError, match="Did you mean 'chain'"):
        anew.fit(frame, objective="chian")


def test_an_unseen_category_is_named_and_predicted(model: anew.Model, frame: pl.DataFrame) -> None:
    strange = frame.with_columns(ward=pl.lit("zz"))
    with pytest.warns(anew.AnewWarning, match="'ward' has 1 value"):
        assert len(model.predict(strange)) == len(frame)


def test_a_saved_model_answers_the_same_in_a_new_process(
    model: anew.Model, frame: pl.DataFrame, tmp_path: Path
) -> None:
    model.save(tmp_path / "m")
    frame.write_parquet(tmp_path / "rows.parquet")
    code = (
        "import anew, sys, numpy as np; m = anew.load(sys.argv[1] + '/m'); r = sys.argv[1] + '/rows.parquet';"
        "np.savez(sys.argv[1] + '/a.npz', p=m.log_prob(r), c=m.predict_proba(r));"
        "import polars as pl; pl.DataFrame(m.sample(100, seed=9)).write_parquet(sys.argv[1] + '/s.parquet');"
        "assert 'torch' not in sys.modules, 'the chain needs no torch'"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    answers = np.load(tmp_path / "a.npz")
    assert np.array_equal(answers["p"], model.log_prob(frame))
    assert np.array_equal(answers["c"], model.predict_proba(frame))
    assert pl.read_parquet(tmp_path / "s.parquet")["age"].equals(model.sample(100, seed=9)["age"])


def test_identifiers_are_made_anew_and_constants_repeated() -> None:
    data = pl.DataFrame(
        {
            "id": [f"P{i:04d}" for i in range(300)],
            "country": ["DE"] * 300,
            "x": np.arange(300) % 7,
            "nothing": pl.Series([None] * 300, dtype=pl.Float64),
        }
    )
    out = anew.fit(data).sample(500)
    assert out["id"].n_unique() == 500
    assert out["id"].str.contains(r"^[A-Z]\d{4}$").all()
    assert (out["country"] == "DE").all()
    assert out["nothing"].null_count() == 500


def test_leading_zeros_and_words_stay(tmp_path: Path) -> None:
    rows = "\n".join(f"00{i % 7},{'None' if i % 3 else 'some'},{i % 11}" for i in range(200))
    (tmp_path / "t.csv").write_text("code,word,n\n" + rows)
    out = anew.fit(tmp_path / "t.csv").sample(100)
    assert set(out["code"]) <= {f"00{i}" for i in range(7)}
    assert set(out["word"]) == {"None", "some"}


def test_seed_and_plan_fix_the_model(frame: pl.DataFrame) -> None:
    one, two, other = (anew.fit(frame, seed=seed).sample(100) for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)
