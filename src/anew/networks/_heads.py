"""A linear map of features fitted by one of three losses: what `linear` and `kernel` share.

log      multinomial logistic regression: min -mean log softmax(W f + b)_y + |W|^2 / (2 C n)
squared  ridge regression: min |y - W f - b|^2 + a |W|^2
hinge    the support vector machine (Cortes and Vapnik 1995, eq. 29): for each class against the rest, with y = +-1,
         min mean max(0, 1 - y (w f + b)) + |w|^2 / (2 C n), by averaged stochastic gradient steps (Shalev-Shwartz et
         al. 2007). Its margins become probabilities by p_k = softmax(a m + b)_k, with a and b from rows that the
         margins were not fitted on (Platt 1999; with two classes it is his sigmoid).

A softmax of scaled margins is linear in the features, so all three leave one map. Shapes: n rows, p features,
K classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Codes, Floats
from anew.core.learner import Arrays
from anew.core.seeds import stream

Features = npt.NDArray[np.floating[Any]]  # (n, p)
WIDE = 0.03  # C of the hinge loss: AUC on adult .896; 0.1 gave .892, 1 .887
FOLDS = 5  # parts of the rows; margins of each come from a machine fitted on the others
MANY = 5_000  # rows from which one such part is enough
Machine = Callable[[Any, npt.NDArray[np.bool_]], tuple[Floats, float]]  # features, one side -> weights (p,) and bias


@dataclass(frozen=True)
class Head:
    """y = W f + b: W (m, p), b (m,). `classes` (m,) are the codes that the outputs stand for; none for a number."""

    weights: Floats
    bias: Floats
    classes: Codes

    def __call__(self, features: Features) -> Floats:
        return np.asarray(features @ self.weights.T + self.bias)

    def chances(self, features: Features, size: int) -> Floats:
        """(n, size) probabilities of the codes, those never seen 0; or (n,) values where size is 0."""
        return self.of_logits(self(features), size)

    def of_logits(self, logits: Floats, size: int) -> Floats:
        """The same of what the map gave.  (n, m)"""
        if not size:
            return np.asarray(logits[:, 0])
        chance = np.exp(logits - logits.max(1, keepdims=True))
        out = np.zeros((len(logits), size))
        out[:, self.classes] = chance / chance.sum(1, keepdims=True)
        return out

    def arrays(self) -> Arrays:
        return {"weights": self.weights, "bias": self.bias, "classes": self.classes}

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Head:
        return cls(arrays["weights"], arrays["bias"], arrays["classes"])


def by_log(features: Features, classes: Codes, seed: int, strength: float = 1.0) -> Head:
    """`strength` is C, the inverse of the penalty on the weights."""
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged after many steps is still the best of its kind
        fitted = LogisticRegression(C=strength, max_iter=300, random_state=seed).fit(features, classes)
    weights, bias = np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)
    if len(fitted.classes_) == 2:  # the two-class form gives one log-odds: write it as two logits
        weights, bias = np.vstack([0 * weights, weights]), np.concatenate([0 * bias, bias])
    return Head(weights, bias, fitted.classes_.astype(np.int32))


def by_squares(features: Features, values: Floats, seed: int, penalty: float = 1.0) -> Head:
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=penalty, random_state=seed).fit(features, values)
    return Head(np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_), np.zeros(0, np.int32))


def by_hinge(features: Features, classes: Codes, seed: int, strength: float = 1.0) -> Head:
    """Averaged stochastic gradient steps on the hinge loss."""

    def machine(x: Any, side: npt.NDArray[np.bool_]) -> tuple[Floats, float]:
        from sklearn.linear_model import SGDClassifier

        fitted = SGDClassifier(
            loss="hinge",
            alpha=1 / (strength * len(side)),
            average=True,
            max_iter=max(20, 200_000 // len(side)),
            tol=1e-4,
            random_state=seed,
        ).fit(x, side)
        return fitted.coef_[0], float(fitted.intercept_[0])

    return by_margins(features, classes, seed, machine)


def by_margins(features: Any, classes: Codes, seed: int, machine: Machine) -> Head:
    """The machines on all rows, their margins scaled by what machines on some of them were worth on the others."""
    known = np.unique(classes)
    margins, rows = margins_elsewhere(features, classes, known, seed, machine)
    (scale,), shift = calibration([margins], np.searchsorted(known, classes[rows]))
    whole = machines(features, classes, known, machine)
    return Head(scale * whole.weights, scale * whole.bias + shift, whole.classes)


def machines(features: Any, classes: Codes, known: Codes, machine: Machine) -> Head:
    """One against the rest: a class that is not among these rows has the margin -1 everywhere."""
    weights, bias = np.zeros((len(known), features.shape[1])), np.full(len(known), -1.0)
    for k, code in enumerate(known):
        if len(known) == 2 and k == 1:
            weights[1], bias[1] = -weights[0], -bias[0]
        elif 0 < (side := classes == code).sum() < len(side):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # not converged after many steps is still the best of its kind
                weights[k], bias[k] = machine(features, side)
    return Head(weights, bias, known.astype(np.int32))


def margins_elsewhere(
    features: Any, classes: Codes, known: Codes, seed: int, machine: Machine
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Margins (r, K) of rows (r,) from machines that did not see them: all rows, or a fifth of many."""
    parts = parts_elsewhere(len(classes), seed)
    margins = []
    for part in parts:
        rest = np.setdiff1d(np.arange(len(classes)), part)
        margins.append(machines(features[rest], classes[rest], known, machine)(features[part]))
    return np.concatenate(margins), np.concatenate(parts)


def parts_elsewhere(n: int, seed: int) -> list[npt.NDArray[np.intp]]:
    """FOLDS parts of the rows, or one of many rows: each is asked what was learned from the others."""
    parts = np.array_split(np.argsort(stream("calibration", seed).random(n)), FOLDS)
    return parts[:1] if n > MANY else parts


def calibration(
    margins: Sequence[Floats], codes: npt.NDArray[np.intp], usual: Sequence[float] | None = None
) -> tuple[Floats, Floats]:
    """(a (P,), b (K,)) of softmax(sum_p a_p m_p + b), the likeliest for the codes (r,) of rows with margins (r, K).

    A weight of one row's worth on b keeps a class that these rows lack where it was (Platt's smoothed targets do as
    much for two classes); a is positive, so a larger margin is never less probable. Where the rows do
    not tell, it is the `usual` one, or 1.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax, softmax

    told = np.stack(margins)
    hot = np.eye(told.shape[2])[codes]
    middle = np.concatenate([np.log(usual or [1.0] * len(told)), np.zeros(told.shape[2])])

    def loss(at: Floats) -> tuple[float, Floats]:
        scale, shift = np.exp(at[: len(told)]), at[len(told) :]
        logits = np.tensordot(scale, told, 1) + shift
        off = softmax(logits, 1) - hot
        away = at - middle
        slope = np.concatenate([scale * (off * told).sum((1, 2)), off.sum(0)]) + away
        return float(-(hot * log_softmax(logits, 1)).sum() + (away @ away) / 2), slope

    best = minimize(loss, middle, jac=True, method="L-BFGS-B").x
    return np.exp(best[: len(told)]), best[len(told) :]
