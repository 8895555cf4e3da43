"""Position after position: the tokens of a table, and what is learned of any subset given any other."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest
import torch

import anew
from anew.codecs.table import Table
from anew.core.columns import Allowed
from anew.core.release import exact
from anew.core.schema import Field, Schema
from anew.core.where import where_of


def coins(n: int = 4000) -> pl.DataFrame:
    """b copies a in 9 rows of 10, and c copies b."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, n)
    b = np.where(rng.random(n) < 0.9, a, 1 - a)
    c = np.where(rng.random(n) < 0.9, b, 1 - b)
    return pl.DataFrame({name: np.array(["no", "yes"])[x] for name, x in (("a", a), ("b", b), ("c", c))})


@cache
def fitted(objective: str) -> anew.Model:
    torch.set_num_threads(1)
    return anew.fit(coins(), objective=objective, time=3, width=32, depth=1)


def test_any_order_knows_the_past_given_the_future() -> None:
    """Against the order of the columns: p(a = yes | c = yes) = .9^2 + .1^2 = .82; b = yes given both: .81 / .82."""
    model, n = fitted("any_order"), 4000
    rows = model.complete(pl.DataFrame({"c": ["yes"] * n}), seed=1)
    assert (rows["c"] == "yes").all()
    assert (rows["a"] == "yes").mean() == pytest.approx(0.82, abs=0.04)
    rows = model.complete(pl.DataFrame({"a": ["yes"] * n, "c": ["yes"] * n}), seed=1)
    assert (rows["b"] == "yes").mean() == pytest.approx(0.81 / 0.82, abs=0.02)


@pytest.mark.parametrize("objective", ["any_order", "likelihood"])
def test_conditions_have_their_probability(objective: str) -> None:
    data, model = coins(), fitted(objective)
    rows = model.sample(2000, where={"b": "no", "c": "yes"})
    assert ((rows["b"] == "no") & (rows["c"] == "yes")).all()
    share = ((data["b"] == "no") & (data["c"] == "yes")).mean()
    assert model.last.probability == pytest.approx(share, abs=0.01)
    assert (rows["a"] == "no").mean() == pytest.approx(0.9, abs=0.04)


def test_a_condition_on_one_column_has_exactly_the_released_probability() -> None:
    model = fitted("any_order")
    for name in "abc":
        model.sample(50, where={name: "yes"})
        assert model.last.probability == pytest.approx((coins()[name] == "yes").mean(), abs=3e-4)


def test_a_network_that_cannot_serve_is_told_with_those_that_can() -> None:
    with pytest.raises(anew.UsageError, match=r"masked.*transformer"):
        anew.fit(coins(200), objective="any_order", network="mlp")


def numbers(n: int = 20_000) -> tuple[Table, pl.DataFrame]:
    """A heavy tail of thousands of values, half of them zero, some missing."""
    rng = np.random.default_rng(0)
    x = np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(3, 1, n))
    frame = pl.DataFrame({"x": pl.Series([None if u < 0.1 else v for u, v in zip(rng.random(n), x, strict=True)])})
    table = Table(Schema(fields=(Field(name="x", kind="number", dtype="Float64", missing=True),)))
    table.fit(frame, exact())
    return table, frame


def test_tokens_hold_about_equal_rows_and_atoms_alone() -> None:
    table, frame = numbers()
    space = table.space("Tokens")
    (size,) = space.sizes
    shares = np.array(space.shares)
    assert size <= 256
    assert shares.sum() == pytest.approx(1.0)
    x = table.encode(frame, "Tokens").x.numpy()[:, 0]
    found = np.bincount(np.floor(x).astype(int), minlength=size) / len(x)
    assert np.allclose(found, shares, atol=2e-3)
    assert shares[0] == pytest.approx(found[0], abs=2e-3), "zero is a token alone"
    assert np.median(shares) < 2 * 0.45 / 128


def test_places_inside_tokens_are_uniform_so_free_draws_follow_the_counts() -> None:
    table, frame = numbers()
    data = table.encode(frame, "Tokens")
    rng = np.random.default_rng(1)
    drawn = type(data)(data.x.floor() + torch.from_numpy(rng.random(data.x.shape)), data.present)
    real, made = (np.sort(part["x"].drop_nulls().to_numpy()) for part in (frame, table.decode(drawn, "Tokens")))
    assert len(real) == len(made)
    far = np.abs(real - made)[real < np.quantile(real, 0.95)]
    assert far.max() < 0.05 * real.std()


def test_rules_over_tokens_allow_the_released_share() -> None:
    table, frame = numbers()
    cells = table.allow(where_of({"x": (10.0, 40.0)}))
    rule: Allowed = table.rules(cells, "Tokens")[0]
    share = float((rule.mass * np.array(table.space("Tokens").shares)).sum())
    assert share == pytest.approx(float(frame["x"].is_between(10.0, 40.0).fill_null(False).mean()), abs=0.003)  # type: ignore[arg-type]
    codes = np.flatnonzero(rule.mass > 0).astype(np.int32).repeat(50)
    x = torch.from_numpy(rule.place(codes, np.random.default_rng(0)))[:, None]
    values = table.decode(type(table.encode(frame, "Tokens"))(x, torch.ones_like(x, dtype=torch.bool)), "Tokens")["x"]
    assert values.is_between(10.0, 40.0).all()


def test_a_level_of_a_large_vocabulary_is_spelled_in_digits() -> None:
    words = [f"w{i:04}" for i in range(1500)]
    frame = pl.DataFrame({"word": words * 2})
    table = Table(Schema(fields=(Field(name="word", kind="category", dtype="String"),)))
    table.fit(frame, exact())
    assert table.space("Tokens").sizes == (39, 39)
    assert table.decode(table.encode(frame, "Tokens"), "Tokens").equals(frame)
    rule = table.rules(table.allow(where_of({"word": ["w0003", "w1499"]})), "Tokens")[0]
    assert rule.size == 39 * 39
    assert rule.mass.sum() == 2
    model = anew.fit(frame, objective="likelihood", time=1, width=16, depth=1)
    assert set(model.sample(20, where={"word": ["w0003", "w1499"]})["word"]) <= {"w0003", "w1499"}


def test_codes_of_a_gaussian_are_standard_normal() -> None:
    x = np.random.default_rng(1).standard_normal((3000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    model = anew.fit(pl.DataFrame({"a": x[:, 0], "b": x[:, 1]}), objective="likelihood", time=3, width=32, depth=1)
    z = model.encode(pl.DataFrame({"a": x[:, 0], "b": x[:, 1]}))
    assert np.allclose(z.mean(0), 0, atol=0.1)
    assert np.allclose(np.cov(z.T), np.eye(2), atol=0.2)
