"""The network `factorised` against what is known in closed form, and at its edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import anew
from anew.networks import factorised
from anew.networks._tastes import Ratings, fit_tastes


def ratings(users: int, items: int, share: float, seed: int = 0) -> tuple[Ratings, Any, Any]:
    """Draws of a known Gaussian with a share of its cells rated; also the whole draws and the covariance."""
    rng = np.random.default_rng(seed)
    w = rng.normal(0, 1, (items, 2))
    covariance = w @ w.T + 0.3 * np.eye(items)
    whole = rng.multivariate_normal(np.zeros(items), covariance, users)
    u, i = np.nonzero(rng.random((users, items)) < share)
    return Ratings(u, i, whole[u, i], np.ones((users, 1)), items), whole, covariance


def test_em_recovers_the_covariance_and_the_best_prediction() -> None:
    seen, whole, covariance = ratings(3000, 6, 0.5)
    found = fit_tastes(seen, 3.0)
    assert np.abs(found.covariance - covariance).max() < 0.15 * np.abs(covariance).max()
    user = int(np.flatnonzero(np.bincount(seen.users, minlength=3000) == 4)[0])
    rated = np.sort(seen.items[seen.users == user])
    best = covariance[:, rated] @ np.linalg.solve(covariance[np.ix_(rated, rated)], whole[user, rated])
    guess = found.slopes[0] + found.deviations[user]
    assert np.abs(guess - best).max() < 0.3, "the conditional mean of a Gaussian"
    assert np.allclose(guess[rated], whole[user, rated], atol=0.05), "what was rated is known"


def test_users_may_be_handled_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, _, _ = ratings(60, 5, 0.6)
    one = fit_tastes(seen, 3.0)
    monkeypatch.setattr("anew.networks._tastes.BLOCK", 100)
    many = fit_tastes(seen, 3.0)
    assert np.allclose(one.deviations, many.deviations)


def table(users: int = 80, items: int = 30) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    u, i = np.nonzero(rng.random((users, items)) < 0.5)
    taste, kind = rng.normal(0, 1, (users, 2)), rng.normal(0, 1, (items, 2))
    value = (taste[u] * kind[i]).sum(1) + rng.normal(0, 0.1, len(u))
    return pl.DataFrame({"who": [f"w{n}" for n in u], "what": [f"i{n}" for n in i], "stars": value})


def fit(frame: pl.DataFrame) -> anew.Model:
    return anew.fit(frame, learn="stars", objective="squared_error", network="factorised")


def error(model: anew.Model, frame: pl.DataFrame) -> float:
    return float(np.sqrt(np.mean((model.predict(frame) - frame["stars"].to_numpy()) ** 2)))


def test_tastes_are_learned_where_columns_alone_say_nothing() -> None:
    frame = table().sample(fraction=1.0, shuffle=True, seed=0)
    model = fit(frame[:900])
    assert error(model, frame[900:]) < 0.6 * float(frame["stars"].std())  # type: ignore[arg-type]


def test_levels_that_are_unknown_or_missing_have_an_answer_within_the_range() -> None:
    frame = table()
    model = fit(frame)
    new = pl.DataFrame({"who": ["nobody", None, "w1", "nobody"], "what": ["i1", "i1", "nothing", None]})
    with pytest.warns(anew.AnewWarning, match="never seen"):
        answer = model.predict(new)
    assert np.isfinite(answer).all()
    assert ((answer >= frame["stars"].min()) & (answer <= frame["stars"].max())).all()
    assert answer[0] == answer[1], "an unknown user is a missing user"


def test_rare_items_share_a_coordinate_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factorised, "ROOM", 80 * 10)
    frame = table()
    model = fit(frame)
    learner: Any = model.joint.predictors[0].learner
    assert learner.solver.items.shape[0] == 10
    assert np.isfinite(model.predict(frame)).all()


def test_classes_are_refused_with_who_can() -> None:
    frame = table().with_columns(stars=pl.when(pl.col("stars") > 0).then(pl.lit("good")).otherwise(pl.lit("bad")))
    with pytest.raises(anew.UsageError, match="factorised"):
        anew.fit(frame, learn="stars", objective="cross_entropy", network="factorised")
