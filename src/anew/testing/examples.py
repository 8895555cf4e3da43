"""The table that the laws are checked on: every learned kind, dependences, an atom, rare levels, missing values."""

from __future__ import annotations

import numpy as np
import polars as pl

from anew.codecs.table import Table
from anew.core.release import exact
from anew.core.schema import Field, Schema


def example_frame(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """A table of every learned kind, with dependences, an atom, rare levels and missing values."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["F", "M"], n)
    age = np.clip(rng.normal(50 + 8 * (sex == "F"), 15), 18, 90).astype(int)
    weight = np.round(rng.normal(70 + 10 * (sex == "M"), 9, n), 1)
    spent = np.where(rng.random(n) < 0.5, 0.0, rng.lognormal(3, 1, n))
    since = np.datetime64("2020-01-01", "us") + rng.integers(0, 1000, n).astype("timedelta64[D]")
    return pl.DataFrame(
        {
            "sex": sex,
            "age": age.astype(np.int64),
            "weight": pl.Series([None if rng.random() < 0.1 else float(w) for w in weight]),
            "spent": spent,
            "since": since,
            "smoker": rng.random(n) < 0.2 + 0.3 * (age > 60),
            "ward": pl.Series([None if rng.random() < 0.05 else str(w) for w in rng.choice(list("abcd"), n)]),
        }
    )


def example_schema() -> Schema:
    return Schema(
        fields=(
            Field(name="sex", kind="category", dtype="String"),
            Field(name="age", kind="integer", dtype="Int64"),
            Field(name="weight", kind="number", dtype="Float64", decimals=1, missing=True),
            Field(name="spent", kind="number", dtype="Float64"),
            Field(name="since", kind="datetime", dtype="Datetime('us')"),
            Field(name="smoker", kind="boolean", dtype="Boolean"),
            Field(name="ward", kind="category", dtype="String", missing=True),
        )
    )


def example_table(n: int = 400, seed: int = 0) -> tuple[Table, pl.DataFrame]:
    """A fitted codec and the rows it was fitted on."""
    frame = example_frame(n, seed)
    table = Table(example_schema())
    table.fit(frame, exact())
    return table, frame
