"""Gradient-boosted trees by scikit-learn's histogram method (Friedman 2001; Ke et al. 2017), kept as plain arrays.

F(x) = b + sum_t leaf_t(x); classes by softmax (or by the sigmoid of one F, written as the two logits -F/2 and F/2),
numbers as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.learner import Arrays, Config
from anew.core.network import Predictor
from anew.networks._features import level_orders, ordinal
from anew.networks._packed import Packed

ROUNDS = 200
SMALL = 2_000  # rows under which leaves are small and the learning slower


class Boosted(Predictor):
    """The strongest predictor of most tables."""

    losses = frozenset({"log", "squared"})

    def fit_classes(
        self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int, loss: str = "log"
    ) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier

        self.orders = level_orders(cells, space, classes.astype(np.float64))
        model = HistGradientBoostingClassifier(**_settings(classes, seed))
        with _threads(len(classes)):
            model.fit(ordinal(cells, self.orders), classes)
        self.classes, self.size = model.classes_.astype(np.int64), size
        self._keep(model, cells.width)

    def fit_values(self, cells: Cells, space: Columns, values: Floats, seed: int) -> None:
        from sklearn.ensemble import HistGradientBoostingRegressor

        self.orders = level_orders(cells, space, values)
        model = HistGradientBoostingRegressor(**_settings(values, seed))
        with _threads(len(values)):
            model.fit(ordinal(cells, self.orders), values)
        self.classes, self.size = np.zeros(0, np.int64), 0
        self._keep(model, cells.width)

    def _keep(self, model: Any, width: int) -> None:
        """The fitted trees as arrays: node numbers run on from tree to tree."""
        grown = [[tree.nodes for tree in round_] for round_ in model._predictors]
        nodes = [tree for round_ in grown for tree in round_]
        self.outputs = len(grown[0]) if grown else 1
        self.width = width
        self.base = np.atleast_1d(np.asarray(model._baseline_prediction, np.float64).ravel())
        self.starts = np.concatenate([[0], np.cumsum([len(tree) for tree in nodes])]).astype(np.int64)
        whole = np.concatenate(nodes)
        leaf = whole["is_leaf"].astype(bool)
        self.feature = whole["feature_idx"].astype(np.int32)
        self.threshold = whole["num_threshold"].astype(np.float64)
        self.left = np.where(leaf, -1, whole["left"]).astype(np.int32)
        self.right = np.where(leaf, -1, whole["right"]).astype(np.int32)
        self.score = whole["value"].astype(np.float64)
        self.__dict__.pop("trees", None)

    @cached_property
    def trees(self) -> list[Packed]:
        parts = [slice(a, b) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]
        return [
            Packed(
                self.feature[p],
                self.threshold[p],
                self.left[p],
                self.right[p],
                np.arange(p.start, p.stop, dtype=np.int32),
                self.width,
            )
            for p in parts
        ]

    def raw(self, cells: Cells) -> Floats:
        """F(x), (n, outputs)."""
        x = ordinal(cells, self.orders)
        total = np.tile(self.base, (len(x), 1))
        for i, tree in enumerate(self.trees):
            total[:, i % self.outputs] += self.score[tree(x)]
        return total

    def __call__(self, cells: Cells, space: Columns) -> Floats:
        total = self.raw(cells)
        if not self.size:
            return np.asarray(total[:, 0])
        logits = np.concatenate([-total / 2, total / 2], 1) if total.shape[1] == 1 else total
        chance = np.exp(logits - logits.max(1, keepdims=True))
        out = np.zeros((len(cells), self.size))
        out[:, self.classes] = chance / chance.sum(1, keepdims=True)
        return out

    def state(self) -> tuple[Config, Arrays]:
        orders = {f"order.{i}": order for i, order in enumerate(self.orders) if order is not None}
        arrays = {
            "starts": self.starts,
            "feature": self.feature,
            "threshold": self.threshold,
            "left": self.left,
            "right": self.right,
            "score": self.score,
            "base": self.base,
            "classes": self.classes,
        }
        return {"size": self.size, "outputs": self.outputs, "width": self.width}, {**arrays, **orders}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.size, self.outputs, self.width = int(config["size"]), int(config["outputs"]), int(config["width"])
        self.orders = [arrays.get(f"order.{i}") for i in range(self.width)]
        for name in ("starts", "feature", "threshold", "left", "right", "score", "base", "classes"):
            setattr(self, name, arrays[name])
        self.__dict__.pop("trees", None)


def _threads(n: int) -> Any:
    """One thread for few rows: starting a team costs more than the work, and much more on a busy machine."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1 if n < SMALL else None, user_api="openmp")


def _settings(target: npt.NDArray[Any], seed: int) -> dict[str, Any]:
    """Early stopping on a tenth of the rows when there are enough; gentler trees when there are few."""
    small = len(target) < SMALL
    rare = np.issubdtype(target.dtype, np.integer) and np.unique(target, return_counts=True)[1].min() < 2
    return {
        "max_iter": 100 if small else ROUNDS,
        "learning_rate": 0.05 if small else 0.1,
        "random_state": seed,
        "max_leaf_nodes": 15 if small else 31,
        "min_samples_leaf": max(min(20, len(target) // 20), 1),
        "early_stopping": not small and not rare,
    }  # a class of one row cannot be split in two
