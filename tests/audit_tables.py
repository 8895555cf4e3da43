"""Tables for the audit's tests: real ones from scikit-learn, and a made one with every kind of column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from anew.core.schema import Field, Kind, Schema

KINDS: dict[type[pl.DataType], Kind] = {
    pl.Int64: "integer",
    pl.Float64: "number",
    pl.String: "category",
    pl.Boolean: "boolean",
    pl.Datetime: "datetime",
    pl.Duration: "duration",
}


def schema_of(frame: pl.DataFrame) -> Schema:
    """Kinds from the canonical dtypes; a column named `id` is an identifier."""
    return Schema(
        fields=tuple(
            Field(
                name=name,
                kind="identifier" if name == "id" else KINDS[dtype.base_type()],
                dtype=str(dtype),
                missing=frame[name].null_count() > 0,
                why="the dtype says so",
            )
            for name, dtype in frame.schema.items()
        )
    )


def made(rows: int, seed: int) -> pl.DataFrame:
    """Mixed columns with strong dependencies, joint missingness, a rare class, a long category and a rule."""
    rng = np.random.default_rng(seed)
    sector = rng.choice(["retail", "farm", "city", "port"], rows, p=[0.5, 0.3, 0.15, 0.05])
    age = np.clip(rng.normal(45, 14, rows), 18, 95).astype(int)
    wage = np.exp(7 + 0.02 * age + 0.5 * (sector == "city") + rng.normal(0, 0.3, rows))
    spent = wage * rng.uniform(0.2, 0.95, rows)
    score = (age - 45) / 14 + np.log(wage) - 8 + rng.normal(0, 0.6, rows)
    grade = np.where(score > 2.2, "rare", np.where(score > 0, "high", "low"))
    asked = rng.random(rows) < 0.8
    start = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=int(d)) for d in rng.integers(0, 900, rows)]
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "age": age,
            "wage": wage,
            "spent": spent,
            "sector": sector,
            "town": [f"{s}-{k}" for s, k in zip(sector, rng.zipf(1.8, rows).clip(1, 60), strict=True)],
            "member": rng.random(rows) < 0.3,
            "since": start,
            "size": rng.normal(0, 1, rows) + (sector == "farm"),
            "answer": rng.normal(0, 1, rows) + score,
            "reply": rng.choice(["yes", "no"], rows),
            "grade": grade,
        }
    ).with_columns(
        since=pl.col("since").dt.replace_time_zone(None).cast(pl.Datetime("us")),
        answer=pl.when(pl.Series(asked)).then(pl.col("answer")),
        reply=pl.when(pl.Series(asked)).then(pl.col("reply")),
    )


def cancer() -> pl.DataFrame:
    """569 real rows, 30 numbers and a diagnosis."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    columns = {str(name): data.data[:, i] for i, name in enumerate(data.feature_names)}
    return pl.DataFrame(columns | {"diagnosis": np.array(["malignant", "benign"])[data.target]})


def diabetes() -> pl.DataFrame:
    """442 real rows, ten numbers and the progress of an illness."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    return pl.DataFrame({str(n): data.data[:, i] for i, n in enumerate(data.feature_names)} | {"progress": data.target})


def split(frame: pl.DataFrame, *sizes: int, seed: int = 0) -> list[pl.DataFrame]:
    """Disjoint random parts of the given sizes."""
    rows = np.random.default_rng(seed).permutation(len(frame))
    ends = np.cumsum([0, *sizes])
    return [frame[rows[a:b]] for a, b in pairwise(ends)]


def shifted(frame: pl.DataFrame, seed: int, amount: float = 0.01) -> pl.DataFrame:
    """Every number moved by a little noise: no row is a copy, every row is recognisable."""
    rng = np.random.default_rng(seed)
    moved = [
        (pl.col(name) + pl.Series(rng.normal(0, amount * (frame[name].std() or 1), len(frame)))).cast(dtype)
        for name, dtype in frame.schema.items()
        if dtype == pl.Float64
    ]
    return frame.with_columns(moved)


def outlying(frame: pl.DataFrame, rows: int) -> pl.DataFrame:
    """The rows whose numbers lie furthest out."""
    numbers = frame.select(pl.col(pl.Float64).fill_null(strategy="mean")).to_numpy()
    away = np.abs((numbers - numbers.mean(0)) / numbers.std(0)).max(1)
    return frame[np.argsort(-away)[:rows]]


def alone(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Every column shuffled on its own."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame({name: frame[name].gather(rng.permutation(len(frame))) for name in frame.columns})
