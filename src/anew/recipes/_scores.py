"""Scores of a class on held-out rows, with intervals. n rows; truth (n,) is whether a row is of the class."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.audit.statistics import Estimate, bootstrap_error, proportion
from anew.core.columns import Floats
from anew.core.seeds import stream

Truth = npt.NDArray[np.bool_]


def average_precision(truth: Truth, score: Floats) -> float:
    """The mean precision over the rows of the class, rows of equal score taken together (Zhu 2004)."""
    precision, recall = curve(truth, score)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def recall_at(truth: Truth, score: Floats, precision: float) -> float:
    """The largest share of the class that is found while so much of what is found is right; 0 where never."""
    reached, recall = curve(truth, score)
    return float(recall[reached >= precision].max(initial=0.0))


def curve(truth: Truth, score: Floats) -> tuple[Floats, Floats]:
    """Precision and recall at each distinct score, from the highest down."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(truth[order])[last]
    return hits / (last + 1), hits / max(int(truth.sum()), 1)


def paired(
    statistic: Callable[[Truth, Floats], float], truth: Truth, first: Floats, second: Floats, seed: int
) -> Estimate:
    """statistic of `first` less that of `second` on the same rows, with the bootstrap's interval."""

    def less(rows: npt.NDArray[Any]) -> float:
        return statistic(truth[rows], first[rows]) - statistic(truth[rows], second[rows])

    error = bootstrap_error(less, len(truth), 200, stream("paired", seed))
    return Estimate.around(less(np.arange(len(truth))), error)


def over_splits(values: Floats, tested: float) -> Estimate:
    """Mean over repeated splits; `tested` is the rows tested over the rows learned from.

    Splits of one table overlap, so the plain error is too small: s^2 (1/J + tested), t with J - 1 degrees of freedom
    (Nadeau and Bengio 2003, equation 9).
    """
    from scipy.stats import t

    count = len(values)
    error = float(np.std(values, ddof=1)) * sqrt(1 / count + tested)
    return Estimate.around(float(np.mean(values)), error, float(t.ppf(0.975, count - 1)))


def calibration(truth: Truth, chance: Floats, groups: int = 5) -> list[dict[str, Any]]:
    """Rows in groups of equal size by their stated probability: what was stated, and what came."""
    table = []
    for rows in np.array_split(np.argsort(chance, kind="stable"), groups):
        if len(rows):
            seen = proportion(float(truth[rows].sum()), len(rows))
            table.append({
                "rows": len(rows),
                "stated probability": f"{chance[rows].mean():.0%}",
                "observed": f"{seen.value:.0%}",
                "95 % interval": f"{seen.low:.0%} to {seen.high:.0%}",
                "agrees": bool(seen.low <= chance[rows].mean() <= seen.high),
            })  # fmt: skip
    return table
