"""A linear map of standardised numbers, one-hot levels and, where there are texts, their bags of n-grams.

Logistic regression, a linear support vector machine or ridge regression: which one the loss says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.learner import Arrays, Config
from anew.core.network import Additive
from anew.networks._features import Standard, dense
from anew.networks._heads import WIDE, Head, by_hinge, by_log, by_squares
from anew.networks._worded import beside, classes_of_words, shares, values_of_words


class Linear(Additive):
    """y = W f(x) + b; classes by the softmax of it. Fitted by scikit-learn, kept as plain arrays."""

    losses = frozenset({"log", "hinge", "squared"})
    texts = True

    def fit_classes(
        self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int, loss: str = "log"
    ) -> None:
        features, self.size = self._features(cells, space), size
        if cells.bags is not None:
            both = beside(features, cells.bags)
            self.head = classes_of_words(both, features.shape[1], classes, seed, loss)
        else:
            self.head = by_hinge(features, classes, seed, WIDE) if loss == "hinge" else by_log(features, classes, seed)

    def fit_values(self, cells: Cells, space: Columns, values: Floats, seed: int) -> None:
        features, self.size = self._features(cells, space), 0
        if cells.bags is not None:
            self.head = values_of_words(beside(features, cells.bags), values, seed)
        else:
            self.head = by_squares(features, values, seed)

    def _features(self, cells: Cells, space: Columns) -> Floats:
        features = dense(cells, space)
        self.standard = Standard.of(features)
        return self.standard(features)

    def __call__(self, cells: Cells, space: Columns) -> Floats:
        features = self.standard(dense(cells, space))
        return self.head.chances(features if cells.bags is None else beside(features, cells.bags), self.size)

    def shares(self, cells: Cells, space: Columns) -> Any:
        """Integrated gradients of the answer over the bags; the columns stay as they are."""
        return shares(self.head, self.standard(dense(cells, space)), cells.bags, self.size)

    def state(self) -> tuple[Config, Arrays]:
        return {"size": self.size}, self.head.arrays() | self.standard.arrays()

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.size = int(config["size"])
        self.head, self.standard = Head.restored(arrays), Standard.restored(arrays)
