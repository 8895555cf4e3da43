"""The law of explanations: they add up to what the answer owes to a text, and a word that says nothing has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from anew.core.columns import Floats
from anew.core.learner import Learner, Predicts, Solved
from anew.core.network import NETWORKS, Additive
from anew.core.release import exact
from anew.core.schema import Field, Schema
from anew.deciding import words_that_decided
from anew.joint import Joint
from anew.plan import FactorPlan
from anew.record import Record
from anew.store import factor_of

ROWS = 120
SCHEMA = Schema(
    fields=(
        Field(name="said", kind="text", dtype="String"),
        Field(name="size", kind="number", dtype="Float64"),
        Field(name="mood", kind="category", dtype="String"),
        Field(name="price", kind="number", dtype="Float64"),
    )
)
NAMES = {False: "cross_entropy", True: "squared_error"}  # what a plan calls it: the class need not be registered
WORDS = {"up": ["lovely", "great", "a joy"], "down": ["awful", "dull", "a bore"], "so": ["plain", "usual", "as ever"]}


def check_explanations(kind: type[Learner]) -> None:
    """Every network of an objective whose logits are sums says of each word how much it spoke for the answer."""
    for network in NETWORKS:
        if kind.serves(NETWORKS[network]) and issubclass(NETWORKS[network], Additive):
            _check(kind.variant(network), network)


def _check(kind: type[Learner], network: str) -> None:
    assert issubclass(kind, Predicts), f"{kind.__name__} answers nothing that could be explained"
    frame = _texts()
    joint = _fitted(kind, network, frame, "price" if kind.ordered else "mood")
    asked = frame[:40].with_columns(said=pl.when(pl.int_range(40) < 38).then("said").otherwise(pl.lit("zzz qqq")))
    words = words_that_decided(joint, asked, None)
    shares = words.group_by("row", maintain_order=True).agg(pl.col("share").sum())["share"].to_numpy()
    whole, blank = (_answer(joint.predict(rows, None)) for rows in (asked, asked.with_columns(said=pl.lit(""))))
    best = whole.argmax(1)
    owed = whole[np.arange(40), best] - blank[np.arange(40), best]
    assert np.allclose(shares, owed, atol=1e-3), "the words do not add up to what the answer owes to the text"
    assert not words.filter(pl.col("row") >= 38)["share"].to_numpy().any(), "words that were never seen have a share"
    spoken = [asked["said"][row][start:end] for row, _, _, start, end, _ in words.iter_rows()]
    assert spoken == words["word"].to_list(), "a word does not stand where it is said to"
    known = words.filter(pl.col("row") < 38).sort(pl.col("share").abs(), descending=True)
    strongest = known.unique("row", keep="first", maintain_order=True)["word"]
    telling = {word for part in WORDS.values() for phrase in part for word in phrase.split()}
    assert np.mean([word in telling for word in strongest]) > 0.6, "the word with most to say is seldom one that tells"


def _fitted(kind: type[Any], network: str, frame: pl.DataFrame, target: str) -> Joint:
    """A model with one predictor, of a column given a text and a number."""
    record = Record(SCHEMA)
    record.fit(frame, exact())
    record.parts["said"].prepare("Columns", frame, exact())
    plan = FactorPlan(learn=(target,), given=("said", "size"), objective=NAMES[kind.ordered], network=network)
    factor = factor_of(kind, plan, record, "Columns", seed=0, threads=1)
    assert isinstance(factor.learner, Solved), f"{kind.__name__} with {network} is not solved"
    factor.learner.solve(factor.cells(frame), exact())
    return Joint(record, [], [factor], 1)


def _answer(said: Floats) -> Floats:
    """Log-probabilities (n, K), or values as one column."""
    return said[:, None] if said.ndim == 1 else np.asarray(np.log(np.maximum(said, 1e-300)))


def _texts() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    moods = rng.choice(list(WORDS), ROWS)
    said = [f"The {rng.choice(['film', 'soup', 'phone'])} is {rng.choice(WORDS[mood])}" for mood in moods]
    price = np.select([moods == "up", moods == "down"], [9.0, 1.0], 5.0) + rng.normal(0, 0.1, ROWS)
    return pl.DataFrame({"said": said, "size": rng.normal(size=ROWS), "mood": moods, "price": np.round(price, 2)})
