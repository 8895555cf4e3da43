"""Figures of a classifier from its probabilities (n, K) and the true classes (n,)."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BINS = 15


def calibration_error(chance: Array, truth: Array, bins: int = BINS) -> float:
    """Expected calibration error (Guo et al. 2017, arXiv 1706.04599, eq. 3): the answers in bins of equal width of the
    probability of the answer given, and in each bin the gap between its mean and the share of right answers."""
    said, right = chance.max(1), chance.argmax(1) == truth
    at = np.minimum((said * bins).astype(int), bins - 1)
    gaps = [
        abs(said[at == b].mean() - right[at == b].mean()) * (at == b).mean() for b in range(bins) if (at == b).any()
    ]
    return float(sum(gaps))


def balanced_accuracy(chance: Array, truth: Array) -> float:
    """Mean over the classes of the share of their members that are found."""
    said = chance.argmax(1)
    return float(np.mean([(said[truth == k] == k).mean() for k in np.unique(truth)]))


def area(chance: Array, truth: Array) -> float:
    """Area under the ROC curve, the mean over classes of one against the rest (two classes: their one value)."""
    from scipy.stats import rankdata

    found = []
    for k in np.unique(truth):
        positive, ranks = truth == k, rankdata(chance[:, k])
        n, m = int(positive.sum()), int((~positive).sum())
        found.append((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))
    return float(np.mean(found))


def figures(chance: Array, truth: Array) -> dict[str, float]:
    """All of them."""
    return {
        "balanced": balanced_accuracy(chance, truth),
        "accuracy": float((chance.argmax(1) == truth).mean()),
        "auc": area(chance, truth),
        "ece": calibration_error(chance, truth),
    }
