"""The data that the laws are checked on: a table of every learned kind, dependences, an atom, rare levels, missing
values; pictures; captions."""

from __future__ import annotations

import numpy as np
import polars as pl

from anew.codecs.table import Table
from anew.core.pixels import column as pictures
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


def example_pictures(n: int = 40, seed: int = 0) -> tuple[Schema, pl.DataFrame]:
    """Small colour pictures: a bright square on a dark ground somewhere, some missing."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 60, (n, 8, 6, 3), dtype=np.uint8)
    for i, (row, column) in enumerate(rng.integers(0, 4, (n, 2))):
        pixels[i, row : row + 3, column : column + 3] += np.uint8(180)
    gone = rng.random(n) < 0.1
    field = Field(name="scan", kind="image", dtype="Binary", size=(8, 6), mode="RGB", missing=True)
    return Schema(fields=(field,)), pl.DataFrame([pictures("scan", pixels, gone)])


def example_captions(n: int = 40, seed: int = 0) -> tuple[Schema, pl.DataFrame]:
    """Captions of two to four words, some missing."""
    rng = np.random.default_rng(seed)
    words = ["red", "blue", "small", "umbrella", "cat", "house"]
    cells = [None if rng.random() < 0.1 else " ".join(rng.choice(words, rng.integers(2, 5))) for _ in range(n)]
    field = Field(name="caption", kind="text", dtype="String", missing=True)
    return Schema(fields=(field,)), pl.DataFrame({"caption": cells})


def example_of(kinds: frozenset[str]) -> tuple[Schema, pl.DataFrame]:
    """Data of fields of these kinds."""
    if "image" in kinds:
        return example_pictures()
    return example_captions() if "text" in kinds else (example_schema(), example_frame())
