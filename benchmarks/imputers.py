"""Rivals in filling unknown cells: each column's mean or mode, independent draws, and scikit-learn's IterativeImputer.

All learn from the complete training rows. Frames hold floats, a category as a code by falling frequency, a missing
value as NaN: what `score.py` makes of a table (`norm`, `ord_enc`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

Known = np.ndarray[Any, np.dtype[np.bool_]]
Impute = Callable[[pd.DataFrame, pd.DataFrame, Known, Sequence[str]], pd.DataFrame]


def mean_or_mode(train: pd.DataFrame, rows: pd.DataFrame, known: Known, categorical: Sequence[str]) -> pd.DataFrame:
    """The mean of a number, the most frequent level of a category."""
    best = [train[c].mode()[0] if c in categorical else train[c].mean() for c in train]
    return rows.where(known, pd.DataFrame([best] * len(rows), columns=rows.columns, index=rows.index))


def independent(train: pd.DataFrame, rows: pd.DataFrame, known: Known, categorical: Sequence[str]) -> pd.DataFrame:
    """A draw from each column by itself."""
    rng = np.random.default_rng(0)
    drawn = pd.DataFrame({c: rng.choice(train[c].to_numpy(), len(rows)) for c in train}, index=rows.index)
    return rows.where(known, drawn)


def iterative(
    train: pd.DataFrame, rows: pd.DataFrame, known: Known, categorical: Sequence[str], draw: bool = False
) -> pd.DataFrame:
    """Chained Bayesian ridge regressions; codes of categories are rounded to a code that exists."""
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    imputer = IterativeImputer(random_state=0, sample_posterior=draw)
    imputer.fit(train.to_numpy())
    filled = pd.DataFrame(imputer.transform(rows.where(known).to_numpy()), columns=rows.columns, index=rows.index)
    for c in categorical:
        filled[c] = filled[c].round().clip(0, train[c].max())
    return rows.where(known, filled)


def iterative_draw(train: pd.DataFrame, rows: pd.DataFrame, known: Known, categorical: Sequence[str]) -> pd.DataFrame:
    """The same, each cell drawn from the regression's posterior."""
    return iterative(train, rows, known, categorical, draw=True)


RIVALS: dict[str, Impute] = {
    "mean or mode": mean_or_mode,
    "independent draws": independent,
    "IterativeImputer": iterative,
    "IterativeImputer, drawn": iterative_draw,
}


def errors(
    train: pd.DataFrame, rows: pd.DataFrame, filled: pd.DataFrame, known: Known, categorical: Sequence[str]
) -> dict[str, float]:
    """Of hidden cells: RMSE in the training column's deviations, mean over numbers; accuracy, mean over categories."""
    rmse, accuracy = [], []
    for j, c in enumerate(rows):
        hidden = ~known[:, j]
        if not hidden.any():
            continue
        truth, guess = rows[c].to_numpy()[hidden], filled[c].to_numpy()[hidden]
        if c in categorical:
            accuracy.append(float(np.mean(truth == guess)))
        else:
            rmse.append(float(np.sqrt(np.nanmean((truth - guess) ** 2)) / train[c].std()))
    return {"rmse": float(np.mean(rmse)), "accuracy": float(np.mean(accuracy))}
