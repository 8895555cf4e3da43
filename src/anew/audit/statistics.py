"""Estimates with intervals: proportions, areas under a curve, bootstraps. Everything an audit quotes is one of these.

All intervals are two-sided 95 % unless a function says otherwise. n, m: numbers of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats

Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Estimate:
    """A number and the interval that holds it in 95 of 100 repetitions."""

    value: float
    low: float
    high: float

    @classmethod
    def around(cls, value: float, error: float, z: float = Z95) -> Estimate:
        """value +- z standard errors."""
        return cls(float(value), float(value - z * error), float(value + z * error))

    @classmethod
    def exactly(cls, value: float) -> Estimate:
        """A number known by theory, with no interval."""
        return cls(float(value), float(value), float(value))

    def clipped(self, low: float = 0.0, high: float = 1.0) -> Estimate:
        """The same with its interval cut to what is possible."""
        return Estimate(self.value, max(self.low, low), min(self.high, high))

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


def z_of_many(tests: int, level: float = 0.95) -> float:
    """The z whose interval holds for all of `tests` estimates at once (Bonferroni 1936)."""
    return NormalDist().inv_cdf(1 - (1 - level) / (2 * max(tests, 1)))


def proportion(hits: float, n: float, z: float = Z95) -> Estimate:
    """hits of n as a share, with Wilson's score interval (Wilson 1927), which stays honest at 0 and at n."""
    if n <= 0:
        return Estimate(float("nan"), 0.0, 1.0)
    share, z2 = hits / n, z * z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Estimate(float(share), float(max(min(middle - half, share), 0)), float(min(max(middle + half, share), 1)))


def difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b for independent estimates: the half widths add as squares."""
    value = a.value - b.value
    low = np.hypot(a.value - a.low, b.high - b.value)
    high = np.hypot(a.high - a.value, b.value - b.low)
    return Estimate(value, float(value - low), float(value + high))


def ranks(values: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean rank.  (n,)"""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], dtype=np.float64)


def auc(positive: Floats, negative: Floats, z: float = Z95) -> Estimate:
    """Area under the ROC curve: how often a positive scores above a negative, with DeLong's interval.

    DeLong, DeLong and Clarke-Pearson 1988. The error never falls below half a row, so that a perfect separation of
    few rows does not pretend to be certain.
    """
    n, m = len(positive), len(negative)
    if n < 2 or m < 2:
        return Estimate(0.5, 0.0, 1.0)
    together = ranks(np.concatenate([positive, negative]))
    above = (together[:n] - ranks(positive)) / m  # (n,) share of negatives below each positive
    below = 1 - (together[n:] - ranks(negative)) / n  # (m,) share of positives above each negative
    error = np.sqrt(above.var(ddof=1) / n + below.var(ddof=1) / m)
    return Estimate.around(float(above.mean()), max(float(error), 0.5 / min(n, m)), z).clipped()


def mean_auc(truth: npt.NDArray[Any], predicted: Floats) -> float:
    """Mean over classes of one class against the rest; classes absent from the held-out rows are not asked.

    Two classes count once. A class that the model never saw scores everything 0: one half.
    """
    classes = np.unique(truth[truth >= 0]).astype(int)
    if len(classes) < 2:
        return float("nan")
    if len(classes) == 2:
        classes = classes[1:]
    return float(np.mean([auc(predicted[truth == k, k], predicted[truth != k, k]).value for k in classes]))


def balanced_accuracy(truth: npt.NDArray[Any], guess: npt.NDArray[Any]) -> Estimate:
    """Mean over the labels 0, 1, ... that occur of the share guessed rightly; -1 is an unknown label.  (n,), (n,)"""
    hits = [guess[truth == k] == k for k in np.unique(truth[truth >= 0])]
    if not hits:
        return Estimate(float("nan"), 0.0, 1.0)
    shares = np.array([hit.mean() for hit in hits])
    sizes = np.array([len(hit) for hit in hits])
    variance = shares * (1 - shares) / sizes + 1 / (4 * sizes**2)  # of few pictures no share is certain
    return Estimate.around(float(shares.mean()), float(np.sqrt(variance.sum())) / len(hits)).clipped()


def bootstrap_error(
    statistic: Callable[[npt.NDArray[np.intp]], float], n: int, times: int, rng: np.random.Generator
) -> float:
    """Standard error of `statistic(rows)` when the n rows are drawn again with replacement (Efron 1979)."""
    found = np.array([statistic(rng.integers(0, n, n)) for _ in range(times)])
    found = found[np.isfinite(found)]
    return float(found.std(ddof=1)) if len(found) > 1 else float("nan")


def true_positive_rate(members: Floats, others: Floats, false_positive_rate: float) -> float:
    """Share of members above the threshold that only `false_positive_rate` of the others pass; ties count as misses."""
    threshold = np.quantile(others, 1 - false_positive_rate, method="higher")
    return float((members > threshold).mean())
