"""The discriminative side: every objective with every network, alone and beside a generative model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew.cli.app import serve
from anew.data.examples import example
from anew.plan import make_plan
from anew.testing import example_frame

CLASSIFIERS = ["cross_entropy:linear", "cross_entropy:kernel", "cross_entropy:boosted", "cross_entropy:mlp"]
MACHINES = ["hinge:linear", "hinge:kernel"]
REGRESSORS = ["squared_error:linear", "squared_error:kernel", "squared_error:boosted", "squared_error:mlp"]


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return example_frame(600, seed=1)


def fit_alone(data: pl.DataFrame, method: str, target: str) -> anew.Model:
    objective, network = method.split(":")
    more = {"time": "3s"} if network == "mlp" else {}
    return anew.fit(data, predict=target, objective=objective, network=network, **more)


@pytest.mark.parametrize("method", [*CLASSIFIERS, *MACHINES])
def test_classes_of_scans(method: str) -> None:
    data = example("breast_cancer")
    target = data.columns[-1]
    model = fit_alone(data[::2], method, target)
    test, truth = data[1::2], data[1::2][target].to_numpy()
    assert (model.predict(test.drop(target)) == truth).mean() > 0.93
    chance = model.predict_proba(test)
    said = chance[np.arange(len(test)), [model.classes.index(value) for value in truth]]
    assert np.allclose(model.log_prob(test), np.log(said), atol=1e-4)
    assert -np.log(said).mean() < 0.3, "the probabilities are calibrated"


@pytest.mark.parametrize("method", REGRESSORS)
def test_numbers_of_patients(method: str) -> None:
    data = example("diabetes")
    model = fit_alone(data[::2], method, "progression")
    test, truth = data[1::2], data[1::2]["progression"].to_numpy()
    assert np.corrcoef(model.predict(test), truth)[0, 1] > 0.55
    assert np.isfinite(model.log_prob(test)).all()
    spread = np.std(truth)
    assert model.log_prob(test).mean() > -np.log(spread * np.sqrt(2 * np.pi)) - 0.5, "in the data's own units"


def test_several_classes_of_flowers() -> None:
    data = example("iris")
    target = data.columns[-1]
    for method in ("hinge:linear", "hinge:kernel", "cross_entropy:kernel"):
        model = fit_alone(data[::2], method, target)
        assert model.predict_proba(data).shape == (150, 3)
        assert (model.predict(data[1::2]) == data[1::2][target].to_numpy()).mean() > 0.9


def test_predictors_beside_a_generator_are_ranked(frame: pl.DataFrame) -> None:
    asked = ["linear", "boosted", "kernel", "mlp", "svm", "hinge:kernel"]
    model = anew.fit(frame, predict="sex", predictors=asked, time="10s")
    methods = [factor.plan.method for factor in model.joint.predictors]
    assert sorted(methods) == sorted([*CLASSIFIERS, *MACHINES])
    notes = [note for note in model.provenance["training"] if note.startswith("held-out loss")]
    assert len(notes) == 6
    best = min(notes, key=lambda note: float(note.rsplit(" ", 1)[1]))
    assert best.startswith("held-out loss of {} with {}:".format(*methods[0].split(":")))
    assert len(model.sample(10)) == 10
    for method in [*asked, *methods]:
        assert np.allclose(model.predict_proba(frame, method).sum(1), 1)
    kinds = {method: model.predict_proba(frame, method) for method in ("cross_entropy:kernel", "hinge:kernel")}
    assert not np.allclose(*kinds.values())


def test_predictors_are_linear_and_boosted_if_not_named(frame: pl.DataFrame) -> None:
    model = anew.fit(frame, predict="sex", dry_run=True)
    assert [factor.network for factor in model.plan.predict] == ["linear", "boosted"]


def test_the_time_is_shared(frame: pl.DataFrame) -> None:
    def seconds(time: str | None) -> list[float | None]:
        more = {"predict": "sex", "predictors": "boosted,mlp", "objective": "diffusion", "time": time, "dry_run": True}
        plan = anew.fit(frame, **more).plan
        return [factor.seconds for factor in (*plan.create, *plan.predict)]

    assert seconds("50s") == [40.0, None, 10.0]
    assert seconds(None) == [60.0, None, 20.0]
    assert seconds("10m") == [580.0, None, 20.0]


def test_a_trained_classifier_is_saved_and_answers_the_same(frame: pl.DataFrame, tmp_path: Path) -> None:
    model = anew.fit(frame, predict="sex", objective="cross_entropy", network="mlp", time="1s", out=tmp_path / "m")
    frame.write_parquet(tmp_path / "rows.parquet")
    code = (
        "import anew, sys, numpy as np; m = anew.load(sys.argv[1] + '/m'); r = sys.argv[1] + '/rows.parquet';"
        "np.savez(sys.argv[1] + '/a.npz', p=m.log_prob(r), c=m.predict_proba(r))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    answers = np.load(tmp_path / "a.npz")
    assert np.array_equal(answers["c"], model.predict_proba(frame))
    assert np.array_equal(answers["p"], model.log_prob(frame))
    with pytest.warns(anew.AnewWarning, match="already holds this model"):
        anew.fit(frame, predict="sex", objective="cross_entropy", network="mlp", time="1s", out=tmp_path / "m")


def test_an_interrupted_predictor_resumes(frame: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = {"predict": "sex", "predictors": "linear,mlp", "objective": "marginals", "seed": 3}
    monkeypatch.setattr("anew.fitting._with_steps", lambda factor, *_: factor.plan.model_copy(update={"steps": 60}))
    monkeypatch.setattr("anew.fitting.CHECKPOINT_EVERY", 0.0)
    whole = anew.fit(frame, out=tmp_path / "whole", **how)

    def stop(what: str, share: float) -> None:
        if "step 40" in what:
            raise KeyboardInterrupt

    with pytest.raises(anew.Interrupted, match="the same command resumes"):
        anew.fit(frame, out=tmp_path / "cut", progress=stop, **how)
    again = anew.fit(frame, out=tmp_path / "cut", **how)
    assert any(note.startswith("resumed cross_entropy at step") for note in again.provenance["training"])
    assert np.array_equal(again.predict_proba(frame, "mlp"), whole.predict_proba(frame, "mlp"))


def test_a_saved_kernel_keeps_no_row() -> None:
    rng = np.random.default_rng(0)
    data = pl.DataFrame({"x": rng.normal(size=300), "y": rng.normal(size=300)})
    data = data.with_columns(
        far=pl.when(pl.col("x") ** 2 + pl.col("y") ** 2 > 1.4).then(pl.lit("out")).otherwise(pl.lit("in"))
    )
    model = anew.fit(data, predict="far", objective="svm", network="kernel")
    linear = anew.fit(data, predict="far", objective="svm")
    assert (
        (model.predict(data) == data["far"].to_numpy()).mean()
        > 0.93
        > (linear.predict(data) == data["far"].to_numpy()).mean()
    )
    arrays = model.joint.predictors[0].learner.state()[1]
    assert all(300 not in array.shape for array in arrays.values())


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (
            {"objective": "hinge", "network": "boosted"},
            "hinge cannot be fitted with the network 'boosted'.*can: kernel, linear",
        ),
        (
            {"objective": "hinge", "network": "mlp"},
            "hinge cannot be fitted with the network 'mlp'.*can: kernel, linear",
        ),
        ({"objective": "cross_entropy", "network": "trees"}, "'trees'.*can: boosted, conv, kernel, linear"),
        ({"objective": "diffusion", "network": "boosted"}, "diffusion cannot.*'boosted'.*can: .*mlp"),
        ({"objective": "chain", "network": "mlp"}, "chain cannot.*'mlp'.*can: trees"),
        ({"objective": "copula", "network": "mlp"}, "copula has no network to choose"),
        ({"objective": "hinge", "network": "booosted"}, "Did you mean 'boosted'"),
        ({"predictors": "linear,kernl"}, "Did you mean 'kernel'"),
        (
            {"predictors": "squared_error"},
            "The target is a class.*squared_error does not predict.*cross_entropy, hinge",
        ),
        ({"predictors": "hinge:boosted"}, "hinge cannot be fitted with the network 'boosted'"),
        ({"predictors": "chain"}, "No predictor is named 'chain'"),
    ],
)
def test_what_cannot_be_says_what_can(frame: pl.DataFrame, how: dict[str, str], words: str) -> None:
    with pytest.raises(anew.UsageError, match=f"(?s){words}"):
        anew.fit(frame, predict="smoker", **how)


def test_a_machine_predicts_no_number(frame: pl.DataFrame) -> None:
    with pytest.raises(anew.UsageError, match=r"number of many values, not a class.*Use squared_error"):
        anew.fit(frame, predict="spent", objective="hinge")
    with pytest.raises(anew.UsageError, match=r"number of many values, not a class.*Use squared_error"):
        anew.fit(frame, predict="spent", objective="cross_entropy", network="mlp")
    with pytest.raises(anew.UsageError, match=r"'sex' is a category, so it has no squared error.*Use cross_entropy"):
        anew.fit(frame, predict="sex", objective="squared_error", network="mlp")
    with pytest.raises(anew.UsageError, match=r"The target is a number, which hinge does not predict.*squared_error"):
        anew.fit(frame, predict="spent", predictors="svm")
    with pytest.raises(anew.UsageError, match=r"nothing is to be predicted.*predict=COLUMN"):
        anew.fit(frame, predictors="mlp")


def test_verbs_of_a_model_that_only_predicts(frame: pl.DataFrame) -> None:
    model = anew.fit(frame, predict="sex", objective="svm")
    with pytest.raises(anew.CapabilityError, match=r"predicts only.*generative"):
        model.sample(5)
    with pytest.raises(anew.CapabilityError, match=r"svm creates none.*--predictors svm"):
        anew.run(frame, objective="svm", predict="sex")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*words: str) -> tuple[int, str, str]:
        code = serve(list(words))
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def test_predict_by_method_on_the_command_line(cli: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    example_frame(300).write_csv(tmp_path / "data.csv")
    where = [str(tmp_path / "data.csv"), "-o", str(tmp_path / "model")]
    assert cli("fit", *where, "--predict", "sex", "--predictors", "linear,hinge:kernel", "--quiet")[0] == 0
    code, out, err = cli("predict", str(tmp_path / "model"), str(tmp_path / "data.csv"), "--method", "svm", "--proba")
    assert (code, out.splitlines()[0]) == (0, "sex=M,sex=F"), err
    code, _, err = cli("predict", str(tmp_path / "model"), str(tmp_path / "data.csv"), "--method", "mlp")
    assert code == 2
    assert "hinge:kernel" in err


def test_few_rows_of_few_classes() -> None:
    data = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.5], "y": ["a", "a", "a", "b", "b", "c"]})
    for method in (*CLASSIFIERS, *MACHINES):
        model = fit_alone(data, method, "y")
        assert np.allclose(model.predict_proba(data).sum(1), 1)


def test_plan_names_the_target_once() -> None:
    from anew.data.dataset import Dataset

    plan = make_plan(Dataset.open(example_frame(100)), predict="sex", objective="svm", network="kernel")
    assert plan.target == "sex"
    assert [factor.method for factor in plan.predict] == ["hinge:kernel"]
    assert "sex" not in plan.predict[0].given
