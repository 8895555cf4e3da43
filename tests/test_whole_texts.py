"""Short texts as so many positions: any order of them, and a latent space of sentences."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

import anew
from anew.core.errors import CapabilityError, DataError, UsageError
from anew.model import Model


def sentences(n: int = 300) -> pl.DataFrame:
    rng = random.Random(0)
    rows = []
    for _ in range(n):
        said = rng.choice(["yes", "no"])
        word = rng.choice(["lovely", "superb"] if said == "yes" else ["awful", "poor"])
        what = f"{rng.choice(['film', 'book'])} {rng.randrange(1000)}"
        rows.append({"review": f"A {what} is {word}", "liked": said})
    return pl.DataFrame(rows)


def fitted(steps: int, **how: object) -> Model:
    """So many steps, whatever a step takes here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anew.train.seconds_a_step", lambda *_: 1.0)
        patch.setattr("anew.fitting.SAFETY", 1e6)
        return anew.fit(sentences(), learn="review", given="liked", time=steps, seed=1, **how)


@pytest.fixture(scope="module")
def any_order() -> Model:
    return fitted(160, objective="any_order", width=64, depth=2)


@pytest.fixture(scope="module")
def elbo() -> Model:
    return fitted(160, objective="elbo", width=64, latent=16)


def test_any_order_writes_what_is_given(any_order: Model, tmp_path: Path) -> None:
    """By a transformer of positions that share one vocabulary; the first letter of the word goes with what is given."""
    (factor,) = any_order.joint.factors
    assert factor.plan.network == "transformer"
    assert factor.learner.space.alike
    made = any_order.sample(60, where={"liked": "yes"}, seed=3)["review"]
    assert made.str.contains("is [ls]").mean() > 0.5
    assert made.str.contains("is [ap]").mean() < 0.15
    any_order.save(tmp_path / "model")
    asked = {"where": {"liked": "no"}, "seed": 5}
    drawn = [model.sample(4, **asked)["review"].to_list() for model in (any_order, anew.load(tmp_path / "model"))]
    assert drawn[0] == drawn[1]


def test_its_likelihood_tells_texts_from_noise(any_order: Model) -> None:
    real = sentences(20)
    noise = real.with_columns(pl.col("review").str.replace(r"A (\w+) (\d+) is (\w+)", "A ${3} ${2} is ${1}"))
    assert any_order.log_prob(real).mean() > any_order.log_prob(noise).mean() + 3


def test_a_gap_of_any_length_is_refused(any_order: Model) -> None:
    asked = pl.DataFrame({"review": ["A film [...] is lovely"], "liked": ["yes"]})
    with pytest.raises(CapabilityError, match=r"cannot fill a gap of any length.*next_token"):
        any_order.complete(asked, gap="[...]")


def test_sentences_have_codes_and_a_line_between_them(elbo: Model) -> None:
    """There and back; the ends of a line are the two sentences, and beyond them it goes on."""
    real = sentences(40)
    codes = elbo.encode(real)
    assert codes.shape == (40, 16)
    back = elbo.decode(codes, given=real.select("liked"))["review"]
    same = back.str.replace(r"\d+", "") == real["review"].str.replace(r"\d+", "")
    assert same.mean() > 0.8  # the numbers are no part of what sentences have in common
    one, two = (real.filter(pl.col("liked") == "yes")[i : i + 1] for i in range(2))
    walk = elbo.interpolate(one, two, steps=5, range=(-0.5, 1.5))
    assert walk["t"].to_list() == [-0.5, 0.0, 0.5, 1.0, 1.5]
    assert [walk["review"][1], walk["review"][3]] == [one["review"][0], two["review"][0]]
    assert walk["review"].n_unique() > 2


def test_texts_that_are_too_long() -> None:
    rng = random.Random(1)
    tails = [" ".join(str(rng.randrange(10**6)) for _ in range(99)) for _ in range(40)]
    long = sentences(40).with_columns(pl.col("review") + pl.Series(tails))
    with pytest.raises(UsageError, match=r"too long to be learned as a whole.*next_token"):
        anew.fit(long, learn="review", objective="any_order", time=1)


def test_a_new_text_longer_than_all_that_were_learned_from(any_order: Model) -> None:
    long = sentences(1).with_columns(pl.col("review") + pl.lit(" or 123456789 and so on"))
    with pytest.raises(DataError, match=r"longer than all that were learned from.*has room for"):
        any_order.log_prob(long)
