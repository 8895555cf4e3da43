"""The benchmark of pictures: its splits keep groups whole, its measures are right on cases worked out by hand."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # benchmarks/ is no part of the installed package

from benchmarks.calibration import area, balanced_accuracy, calibration_error
from benchmarks.figures import summarise
from benchmarks.gate import Line
from benchmarks.interval import Interval
from benchmarks.picture_floor import gaussian
from benchmarks.picture_gate import quality
from benchmarks.picture_sets import SPLITS, load
from benchmarks.picture_splits import GROUPS, held_out, splits
from benchmarks.pictures import generator_rows, title
from benchmarks.pictures_predict import criteria

DATA = SPLITS.parents[2] / "shared/data/images"


def test_a_group_is_on_one_side_and_every_class_gives_its_share() -> None:
    groups = [str(row // 2) for row in range(400)]
    classes = ["rare" if row < 40 else "common" for row in range(400)]
    out = set(held_out(groups, classes))
    assert {groups[row] for row in out}.isdisjoint(groups[row] for row in range(400) if row not in out)
    assert sum(row < 40 for row in out) == 8
    assert sum(row >= 40 for row in out) == 72
    assert out != set(held_out(groups, classes, seed=1))


def test_the_committed_splits_hold_out_a_fifth() -> None:
    for name in ("blood_cells", *GROUPS):
        split = json.loads((SPLITS / f"{name}.json").read_text())
        assert len(set(split["test"])) == len(split["test"])
        assert set(split["test"]) <= set(range(split["rows"]))
        assert len(split["test"]) / split["rows"] == pytest.approx(0.2, abs=0.01)


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data/images")
def test_the_committed_splits_are_what_the_rule_gives() -> None:
    for name, split in splits(DATA).items():
        assert json.loads((SPLITS / f"{name}.json").read_text()) == split
    pictures = load(DATA, "blood_cells")
    assert (len(pictures.train), len(pictures.held), pictures.train.shape[1:]) == (1265, 317, (32, 32, 3))


def test_measures_of_a_classifier() -> None:
    truth = np.array([0, 0, 0, 1])
    sure = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    assert balanced_accuracy(sure, truth) == pytest.approx((2 / 3 + 1) / 2)
    assert calibration_error(sure, truth) == pytest.approx(0.9 - 0.75)  # one bin: 0.9 said, three of four right
    assert area(sure, truth) == pytest.approx((1 + 1 + 0.5) / 3)  # a tie counts half


def test_the_floor_has_the_mean_and_the_covariance_of_the_pixels() -> None:
    generator = np.random.default_rng(0)
    level = generator.normal(120, 20, size=(500, 1))
    train = (level + generator.normal(0, 5, size=(500, 4))).round().astype(np.uint8).reshape(-1, 2, 2, 1)
    made = gaussian(train, 20_000, generator).reshape(-1, 4).astype(float)
    real = train.reshape(-1, 4).astype(float)
    assert made.mean(0) == pytest.approx(real.mean(0), abs=1.0)
    assert np.cov(made.T) == pytest.approx(np.cov(real.T), rel=0.05)


def row(**figures: float) -> dict[str, Interval]:
    return {key: Interval(value, None, (value,)) for key, value in figures.items()}


def found(
    many: float, few: float, copies: float = 0.0, speed: float = 200.0, obeys: float = 0.9
) -> dict[str, dict[str, Interval]]:
    ours = {"copies": copies, "per_s": speed, "per_cpu_s": speed, "obeys": obeys}
    rivals = {"pythae 1": 30.0, "torchgan 1": 10.0, "ddp 50": 20.0, "diffusers 4": 40.0, "diffusers 50": 8.0}
    return {
        "ceiling": row(fd=1.0),
        "fresh": row(copies=0.01, n=1000, accuracy=0.9),
        **{key: row(fd=value) for key, value in rivals.items()},
        "fm 32": row(fd=5.0),
        "anew 4": row(fd=few, **ours),
        "anew 4 guided": row(fd=few, **ours | {"per_s": speed / 2}),
        "anew 32": row(fd=many, **ours),
    }


def failed(lines: list[Line]) -> list[str]:
    return [line.criterion for line in lines if not line.passed]


def test_the_gate_passes_what_is_twice_better_and_names_what_is_not() -> None:
    assert failed(quality("fashion_mnist", found(4.0, 7.9))) == []
    assert failed(quality("fashion_mnist", found(4.1, 8.0))) == [
        "Frechet distance, 32 steps",
        "Frechet distance, 4 steps",
    ]
    assert failed(quality("fashion_mnist", found(5.1, 3.0)))[1:] == ["against plain flow matching, 32 steps"]
    assert failed(quality("fashion_mnist", found(4.0, 4.0, copies=0.03))) == ["copies, 4 steps", "copies, 32 steps"]
    assert failed(quality("fashion_mnist", found(4.0, 4.0, speed=99.0))) == [
        "pictures a second, plain, 4 steps",
        "pictures a second, guided, 4 steps",
    ]
    assert failed(quality("sign_digits", found(4.0, 4.0, obeys=0.86))) == []
    assert len(failed(quality("sign_digits", found(4.0, 4.0, obeys=0.85)))) == 2
    assert failed(quality("blood_cells", found(4.0, 4.0, speed=99.0))) == []


def test_near_the_ceiling_is_enough_and_an_absent_rival_is_not_beaten() -> None:
    near = found(1.5, 1.5) | {"torchgan 1": row(fd=1.6)}
    assert failed(quality("blood_cells", near)) == []
    del near["torchgan 1"]
    assert failed(quality("blood_cells", near)) == ["rivals to compare with"]
    assert failed(quality("blood_cells", {"ceiling": row(fd=1.0)})) == ["a finished run"]


def test_rows_by_sampling_steps_and_their_names() -> None:
    cost = {"n": 100, "steps": 7, "draws": {"4": {"seconds": 2.0, "cpu_s": 4.0}}}
    rows = generator_rows(cost, {"4": {"fd": 3.0}})
    assert rows == {"4": {"fd": 3.0, "per_s": 50.0, "per_cpu_s": 25.0, "train_steps": 7.0}}
    assert title("pythae 1") == "pythae VAE, 1 step"
    assert title("diffusers 20 DPM").endswith("20 steps DPM")


def test_what_the_classifier_must_reach() -> None:
    def judged(name: str, balanced: float, ece: float) -> list[str]:
        ours = {"balanced": balanced, "auc": 0.96, "ece": ece}
        return failed(list(criteria(name, {"anew": summarise([ours]), "logistic": summarise([{"balanced": 0.85}])})))

    assert judged("fashion_mnist", 0.92, 0.04) == []
    assert judged("fashion_mnist", 0.89, 0.05) == [
        "balanced accuracy",
        "balanced accuracy against logistic regression",
        "calibration error",
    ]
    assert judged("blood_cells", 0.865, 0.01) == []
