"""Boosted trees for the questions "can you tell them apart?" and "can you learn from them?".

Histogram gradient boosting (scikit-learn) reads codes and missing cells as they are, so nothing is one-hot. Same
settings as the ruler of the benchmarks. Imported inside functions: scikit-learn takes a second to load.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from anew.audit.encode import Column
from anew.audit.statistics import Estimate, auc
from anew.core.columns import Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = 250  # the levels that the trees can tell apart; the rest, by falling frequency, share a code


def readable(columns: Sequence[Column], matrix: Floats) -> tuple[Floats, list[bool]]:
    """The matrix with long categories cut to what trees can read, and which columns are categories."""
    out = matrix.copy()
    for i, column in enumerate(columns):
        if not column.ordered:
            out[:, i] = np.minimum(out[:, i], LEVELS)
    return out, [not column.ordered and len(column.levels) < LEVELS for column in columns]


def boosted(
    kind: str,
    categorical: list[bool],
    inputs: Floats,
    labels: npt.NDArray[Any],
    seed: int,
    weight: Floats | None = None,
) -> Any:
    """A boosted classifier or regressor fitted to inputs (n, d), labels (n,) and perhaps weights (n,) of the rows.

    Fewer rows get smaller leaves.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rows = len(inputs)
    inputs = np.where(np.isnan(inputs).all(0), 0.0, inputs)  # a column of nothing but blanks stops scikit-learn
    make = HistGradientBoostingClassifier if kind == "classifier" else HistGradientBoostingRegressor
    model = make(
        categorical_features=categorical,
        random_state=seed,
        max_iter=200,
        early_stopping=rows >= 200,
        validation_fraction=0.1,
        min_samples_leaf=20 if rows >= 1000 else 5,
        learning_rate=0.1 if rows >= 200 else 0.05,
    )
    return model.fit(inputs, labels, sample_weight=weight)


def one_thread() -> AbstractContextManager[Any]:
    """Trees on one core. On a busy machine two threads wait for each other: measured, 86 s instead of 5.6 s."""
    import sklearn.ensemble  # noqa: F401  a library loaded later would not hear of the limit
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)  # type: ignore[no-any-return]


def tell_apart(columns: Sequence[Column], real: Floats, fake: Floats, seed: int, folds: int = 3) -> Estimate:
    """Classifier two-sample test: AUC of boosted trees that tell real from fake rows; 0.5 is best, 1 is worst.

    Lopez-Paz and Oquab 2017. Every row is scored by trees that did not see it; the interval is DeLong's.
    """
    size = min(len(real), len(fake))
    rows, categorical = readable(columns, np.concatenate([real[:size], fake[:size]]))
    is_fake = np.repeat([0, 1], size)
    score, fold = np.empty(2 * size), np.tile(np.arange(size) % folds, 2)
    for k in range(folds):
        seen = fold != k
        with one_thread():
            model = boosted("classifier", categorical, rows[seen], is_fake[seen], seed)
            score[~seen] = model.predict_proba(rows[~seen])[:, 1]
        # Each fold's trees have their own level; only the order within a fold may count.
        score[~seen] -= np.median(score[~seen])
    return auc(score[is_fake == 1], score[is_fake == 0])


def predictable(labels: npt.NDArray[Any]) -> bool:
    """Whether there are two different labels to learn."""
    return len(np.unique(labels)) > 1
