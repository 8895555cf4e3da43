"""A linear map of bags of n-grams, each weighed first by how much more often one class has it than the rest.

For one class against the rest let p_g and q_g be the texts of either side that have the n-gram g, plus one, and r_g =
log(p_g / |p|) - log(q_g / |q|). A machine is fitted to B diag(r), B the bags (Wang & Manning 2012, "Baselines and
bigrams", s. 2.2): the ridge then charges a telling n-gram less. Weights times r are again a linear map of B. Such
machines are too sure of rows that they have seen, so probabilities come from other rows, as for the hinge loss.
Standardised columns of a table stand before the bags, as they are.

Shapes: n rows, p columns, V n-grams.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Codes, Floats
from anew.networks._heads import Head, by_margins

PENALTY = 1.0  # of the squares of a ridge
STRENGTH = {"log": 1.0, "hinge": 0.1}  # C


def beside(features: Floats, bags: Any) -> Any:
    """(n, p + V), sparse."""
    from scipy import sparse

    return sparse.hstack([sparse.csr_matrix(features), bags], format="csr")


def classes_of_words(both: Any, columns: int, classes: Codes, seed: int, loss: str) -> Head:
    """From (n, columns + V) to probabilities."""
    return by_margins(both, classes, seed, partial(machine, columns=columns, loss=loss, seed=seed))


def values_of_words(both: Any, values: Floats, seed: int) -> Head:
    """Ridge regression."""
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=PENALTY, random_state=seed, solver="sag", max_iter=200, tol=1e-4).fit(both, values)
    return Head(np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_), np.zeros(0, np.int32))


POINTS, PARTS = np.polynomial.legendre.leggauss(24)  # of Gauss's rule on [-1, 1]


def shares(head: Head, features: Floats, bags: Any, size: int) -> Any:
    """How much each n-gram speaks for the answer: integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365,
    eq. 1) from an empty bag to this one, B_g (w_kg - sum_j p_j w_jg), p the mean of the probabilities on the way.
    (n, V), sparse; a row adds up to log p_k(bag) - log p_k(no bag), k the class that is answered, or to the value."""
    bags, columns = bags.tocsr().astype(np.float64), features.shape[1]
    words = head.weights[:, columns:]
    still, moved = features @ head.weights[:, :columns].T + head.bias, bags @ words.T  # (n, K) each
    told = bags.copy()
    rows = np.repeat(np.arange(len(features)), np.diff(bags.indptr))
    if not size:
        told.data *= words[0, bags.indices]
        return told
    way = zip(POINTS, PARTS, strict=True)
    mean = np.sum([part / 2 * _softmax(still + moved * (point + 1) / 2) for point, part in way], 0)
    pull = np.eye(len(words))[(still + moved).argmax(1)] - mean
    told.data *= (pull[rows] * words.T[bags.indices]).sum(1)
    return told


def _softmax(logits: Floats) -> Floats:
    chance = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(chance / chance.sum(1, keepdims=True))


def machine(both: Any, side: npt.NDArray[np.bool_], *, columns: int, loss: str, seed: int) -> tuple[Floats, float]:
    """One class against the rest."""
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    ratio = np.concatenate([np.ones(columns), _log_ratio(both[:, columns:], side)])
    kind = LogisticRegression(solver="liblinear", C=STRENGTH[loss], max_iter=200, tol=1e-3, random_state=seed)
    if loss == "hinge":
        kind = LinearSVC(loss="hinge", C=STRENGTH[loss], max_iter=2_000, tol=1e-3, random_state=seed)
    fitted = kind.fit(both @ sparse.diags(ratio), side)
    return fitted.coef_[0] * ratio, float(np.ravel(fitted.intercept_)[0])


def _log_ratio(bags: Any, side: npt.NDArray[np.bool_]) -> Floats:
    """(V,)"""
    there = bags.astype(bool)
    counts = [np.asarray(there[rows].sum(0), np.float64).ravel() + 1 for rows in (side, ~side)]
    with_, without = (count / count.sum() for count in counts)
    return np.asarray(np.log(with_ / without))
