"""Verbatim values: how often does a continuous column of the synthetic table repeat a value of the training table?

A fresh real row repeats training values too (a price, a weight in whole pounds), so the figure means nothing alone: it
stands beside the same share for the test rows. A generator whose share is well above that hands out other people's
values.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

MIN_DISTINCT = 100
MAX_MULTIPLICITY = 10.0


def as_numbers(column: pd.Series) -> np.ndarray[Any, Any]:
    """The column as float64 with missing cells dropped; a datetime becomes nanoseconds."""
    kept = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(kept):
        return kept.astype("datetime64[ns]").astype("int64").to_numpy().astype(float)
    # six decimals, the precision at which the ruler itself compares rows
    return np.round(pd.to_numeric(kept, errors="coerce").to_numpy(dtype=float), 6)


def continuous_columns(train: pd.DataFrame, categorical: Sequence[str]) -> list[str]:
    """The rule: numeric or datetime, not declared categorical, at least 100 distinct values in train, and each of them
    on at most 10 rows in the mean. Coarser columns repeat by nature and would only dilute the figure."""
    found = []
    for name in train.columns:
        column = train[name]
        ordered = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
        if name in categorical or not ordered or pd.api.types.is_bool_dtype(column):
            continue
        values = as_numbers(column)
        distinct = len(np.unique(values))
        if distinct >= MIN_DISTINCT and len(values) / distinct <= MAX_MULTIPLICITY:
            found.append(str(name))
    return found


def verbatim_share(train: pd.Series, other: pd.Series) -> float:
    """Share of the non-missing values of `other` that occur in `train`."""
    values = as_numbers(other)
    return float(np.isin(values, as_numbers(train)).mean()) if len(values) else float("nan")


def verbatim(
    train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame, categorical: Sequence[str]
) -> dict[str, Any]:
    """Per column, the mean, and the column with the largest excess over the test rows."""
    columns = {
        name: {
            "synthetic": verbatim_share(train[name], synthetic[name]),
            "test": verbatim_share(train[name], test[name]),
        }
        for name in continuous_columns(train, categorical)
    }
    if not columns:
        return {"columns": {}, "mean": None, "mean_test": None, "worst": None, "worst_excess": None}
    excess = {name: shares["synthetic"] - shares["test"] for name, shares in columns.items()}
    worst = max(excess, key=lambda name: excess[name])
    return {
        "columns": columns,
        "mean": float(np.mean([shares["synthetic"] for shares in columns.values()])),
        "mean_test": float(np.mean([shares["test"] for shares in columns.values()])),
        "worst": worst,
        "worst_excess": excess[worst],
    }
