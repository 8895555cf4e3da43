"""A linear map of standardised numbers and one-hot levels: logistic regression for classes, ridge for numbers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.learner import Arrays, Config
from anew.core.network import Predictor
from anew.networks._features import dense


class Linear(Predictor):
    """y = W f(x) + b; classes by the softmax of it. Fitted by scikit-learn, kept as two arrays."""

    def fit_classes(self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int) -> None:
        from sklearn.linear_model import LogisticRegression

        features = self._standardise(dense(cells, space))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converged after many steps is still the best of its kind
            fitted = LogisticRegression(C=1.0, max_iter=300, random_state=seed).fit(features, classes)
        self.classes = fitted.classes_.astype(np.int64)
        weights, bias = np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)
        if len(self.classes) == 2:  # the two-class form gives one log-odds: write it as two logits
            weights, bias = np.vstack([0 * weights, weights]), np.concatenate([0 * bias, bias])
        self.weights, self.bias, self.size = weights, bias, size

    def fit_values(self, cells: Cells, space: Columns, values: Floats, seed: int) -> None:
        from sklearn.linear_model import Ridge

        fitted = Ridge(alpha=1.0, random_state=seed).fit(self._standardise(dense(cells, space)), values)
        self.classes, self.size = np.zeros(0, np.int64), 0
        self.weights, self.bias = np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)

    def _standardise(self, features: Floats) -> Floats:
        self.mean, self.scale = features.mean(0), np.maximum(features.std(0), 1e-3)
        return np.asarray((features - self.mean) / self.scale)

    def __call__(self, cells: Cells, space: Columns) -> Floats:
        logits = (dense(cells, space) - self.mean) / self.scale @ self.weights.T + self.bias
        if not self.size:
            return np.asarray(logits[:, 0])
        chance = np.exp(logits - logits.max(1, keepdims=True))
        out = np.zeros((len(cells), self.size))
        out[:, self.classes] = chance / chance.sum(1, keepdims=True)
        return out

    def state(self) -> tuple[Config, Arrays]:
        arrays = {"weights": self.weights, "bias": self.bias, "mean": self.mean, "scale": self.scale}
        return {"size": self.size}, {**arrays, "classes": self.classes}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.size = int(config["size"])
        self.weights, self.bias = arrays["weights"], arrays["bias"]
        self.mean, self.scale, self.classes = arrays["mean"], arrays["scale"], arrays["classes"]
