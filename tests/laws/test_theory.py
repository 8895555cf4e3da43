"""Theory: closed-form answers that every objective must recover."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

import anew
from anew.core.learner import Samples, Scores, Trained
from anew.plan import OBJECTIVES

MEAN = np.array([2.0, -1.0])
ROOT = np.array([[1.0, 0.0], [0.8, 0.6]])
CREATING = [
    name
    for name in OBJECTIVES.names
    if issubclass(OBJECTIVES[name], Samples) and set(OBJECTIVES[name].reads) != {"Sequence"}
]
SCORING = [name for name in CREATING if issubclass(OBJECTIVES[name], Scores)]


def gaussian(n: int = 4000) -> pl.DataFrame:
    x = MEAN + np.random.default_rng(1).standard_normal((n, 2)) @ ROOT.T
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1]})


SECONDS = {"minimax": 16}  # a game of two takes longer to settle
STEPS = {"minimax": 1_300}  # and is cut short by a busy machine: its steps are not left to the clock


def short(name: str, seconds: int) -> dict[str, object]:
    """What keeps a training small; a computation needs nothing."""
    torch.set_num_threads(1)
    own = {"elbo": {"beta": 1.0, "latent": 4}}.get(name, {})  # the bound itself, for a Gaussian of two columns
    return {"time": seconds, "width": 48, "depth": 2, **own} if issubclass(OBJECTIVES[name], Trained) else {}


def fitted(name: str) -> anew.Model:
    seconds = SECONDS.get(name, 4 if name in SCORING else 8)
    with pytest.MonkeyPatch.context() as patch:
        if name in STEPS:
            patch.setattr("anew.train.seconds_a_step", lambda *_: seconds / STEPS[name])
        return anew.fit(gaussian(), objective=name, **short(name, seconds))


@pytest.mark.parametrize("name", CREATING)
def test_a_gaussian_is_recovered(name: str) -> None:
    drawn = fitted(name).sample(8000, seed=3).to_numpy()
    truth = np.diag(np.diag(ROOT @ ROOT.T)) if name == "marginals" else ROOT @ ROOT.T  # it knows no dependence
    assert np.allclose(drawn.mean(0), MEAN, atol=0.12)
    assert np.allclose(np.cov(drawn.T), truth, atol=0.15)


@pytest.mark.parametrize("name", SCORING)
def test_log_prob_integrates_to_one(name: str) -> None:
    """The midpoint rule on a fine grid over the whole support, in two dimensions."""
    data = gaussian()
    model = fitted(name)
    ends = [(float(data[c].min()), float(data[c].max())) for c in "ab"]  # type: ignore[arg-type]
    n = 700
    axes = [np.linspace(low, high, n + 1)[:-1] + (high - low) / n / 2 for low, high in ends]
    area = np.prod([(high - low) / n for low, high in ends])
    a, b = (part.ravel() for part in np.meshgrid(*axes))
    total = np.exp(model.log_prob(pl.DataFrame({"a": a, "b": b}))).sum() * area
    assert total == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("name", SCORING)
def test_mass_of_discrete_columns_sums_to_one(name: str) -> None:
    rng = np.random.default_rng(0)
    data = pl.DataFrame({"k": rng.integers(0, 6, 900), "l": rng.choice(list("xyz"), 900)})
    model = anew.fit(data, objective=name, **short(name, 1))
    every = pl.DataFrame([(k, w) for k in range(6) for w in "xyz"], schema=["k", "l"], orient="row")
    assert np.exp(model.log_prob(every)).sum() == pytest.approx(1.0, abs=1e-6)


def test_the_chain_scores_a_gaussian_nearly_as_itself() -> None:
    """Held-out log-likelihood: within a stated distance of the true density, and above independent columns."""
    x = MEAN + np.random.default_rng(9).standard_normal((2000, 2)) @ ROOT.T
    inside = pl.DataFrame({"a": x[:, 0], "b": x[:, 1]})
    precision = np.linalg.inv(ROOT @ ROOT.T)
    truth = (
        -0.5 * np.einsum("ni,ij,nj->n", x - MEAN, precision, x - MEAN) - np.log(2 * np.pi) - np.log(np.linalg.det(ROOT))
    ).mean()
    scores = {name: np.maximum(fitted(name).log_prob(inside), -20).mean() for name in ("chain", "marginals")}
    assert truth - 0.45 < scores["chain"] < truth + 0.02  # cells of a few rows are rough: docs/log.md
    assert scores["marginals"] < scores["chain"] - 0.1
