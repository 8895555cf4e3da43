"""A linear machine over bags of n-grams, that tells classes of texts apart: the judge that reads texts.

A support vector machine for each class against the rest (Cortes & Vapnik 1995; squared hinge loss), classes weighed by
their rarity. It learns in a fraction of a second from a few thousand texts.

n texts, V n-grams, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from anew.audit.labels import Ints
from anew.audit.statistics import Estimate, auc
from anew.core.columns import Floats

STRENGTH = 0.2  # C


@dataclass(frozen=True)
class Linear:
    """A fitted machine."""

    machine: Any

    @classmethod
    def fitted(cls, bags: Any, classes: Ints, seed: int) -> Linear:
        """To bags (n, V) and their classes (n,); two different ones at least."""
        from sklearn.svm import LinearSVC

        made = LinearSVC(C=STRENGTH, class_weight="balanced", max_iter=10_000, tol=1e-2, random_state=seed)
        return cls(made.fit(bags, classes))

    def read(self, bags: Any) -> Ints:
        """The class of each text.  (n,)"""
        return np.asarray(self.machine.predict(bags), dtype=np.intp)

    def margin(self, bags: Any) -> Floats:
        """How sure it is of the larger of two classes.  (n,)"""
        return np.asarray(self.machine.decision_function(bags), dtype=np.float64)


def tell_apart(pair: Any, seed: int, folds: int = 3) -> Estimate:
    """Classifier two-sample test of two equally large samples, one under the other; 0.5 is best, 1 is worst.  (2 n, V)

    Lopez-Paz and Oquab 2017. Every text is scored by a machine that did not see it; the interval is DeLong's.
    """
    size = pair.shape[0] // 2
    which, fold = np.repeat([0, 1], size), np.tile(np.arange(size) % folds, 2)
    score = np.empty(2 * size)
    for k in range(folds):
        seen = fold != k
        score[~seen] = Linear.fitted(pair[seen], which[seen], seed).margin(pair[~seen])
        # Each fold's machine has its own level; only the order within a fold may count.
        score[~seen] -= np.median(score[~seen])
    return auc(score[which == 1], score[which == 0])
