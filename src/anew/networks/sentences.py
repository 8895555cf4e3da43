"""Two linear machines: one of columns and n-grams, as `linear`, and one of what MiniLM reads in a text as a whole.

logits = a_1 m_1 + a_2 m_2 + b, the margins m scaled by what either machine was worth on rows that it was not fitted on
(stacking: Wolpert 1992). With few labels n-grams hardly repeat and meanings tell nearly all; with many the n-grams know
better, and the two err in different rows. Numbers: the same sum of two ridge regressions.

Shapes: n rows, p columns, V n-grams, H numbers of a meaning, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.learner import Arrays, Config
from anew.core.network import Predictor
from anew.networks._features import Standard, dense
from anew.networks._heads import (
    WIDE,
    Head,
    by_hinge,
    by_log,
    by_squares,
    calibration,
    machines,
    margins_elsewhere,
    parts_elsewhere,
)
from anew.networks._worded import beside, machine, values_of_words

STRENGTH = 0.01  # C of the machine of meanings: 64 labels of movie_sentences .666; 0.003 gave .660, 0.03 .666
ENOUGH = 1_000  # texts from which n-grams are believed as much: 64 labels .6535 without it
PENALTY = 30.0  # of the squares of its ridge


class Sentences(Predictor):
    """Linear in the columns, the n-grams and the meanings of texts; where there is no text, in the columns."""

    losses = frozenset({"log", "hinge", "squared"})
    texts = True
    views = ("Meaning",)

    def fit_classes(
        self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int, loss: str = "log"
    ) -> None:
        parts, self.size, known = self._start(cells, space), size, np.unique(classes)
        if cells.bags is None:
            by = by_hinge if loss == "hinge" else by_log
            self.heads = [by(parts[0], classes, seed, WIDE if loss == "hinge" else 1.0)]
            return
        ways = [partial(machine, columns=self.columns, loss=loss, seed=seed), partial(_meant, seed=seed)][: len(parts)]
        told = [margins_elsewhere(x, classes, known, seed, way) for x, way in zip(parts, ways, strict=True)]
        rows = told[0][1]
        usual = [min(len(classes) / ENOUGH, 1.0), 1.0][: len(parts)]
        scales, shift = calibration([margins for margins, _ in told], np.searchsorted(known, classes[rows]), usual)
        whole = [machines(x, classes, known, way) for x, way in zip(parts, ways, strict=True)]
        self.heads = [Head(a * h.weights, a * h.bias, h.classes) for a, h in zip(scales, whole, strict=True)]
        self.heads[0] = Head(self.heads[0].weights, self.heads[0].bias + shift, known.astype(np.int32))

    def fit_values(self, cells: Cells, space: Columns, values: Floats, seed: int) -> None:
        parts, self.size = self._start(cells, space), 0
        if cells.bags is None:
            self.heads = [by_squares(parts[0], values, seed)]
            return
        ways = [values_of_words, _meant_values][: len(parts)]
        groups, told, truth = parts_elsewhere(len(values), seed), [], []
        for group in groups:
            rest = np.setdiff1d(np.arange(len(values)), group)
            heads = [way(x[rest], values[rest], seed) for x, way in zip(parts, ways, strict=True)]
            told.append(np.column_stack([head(x[group])[:, 0] for head, x in zip(heads, parts, strict=True)]))
            truth.append(values[group])
        scales, shift = _worth(np.concatenate(told), np.concatenate(truth))
        whole = [way(x, values, seed) for x, way in zip(parts, ways, strict=True)]
        self.heads = [Head(a * h.weights, a * h.bias, h.classes) for a, h in zip(scales, whole, strict=True)]
        self.heads[0] = Head(self.heads[0].weights, self.heads[0].bias + shift, self.heads[0].classes)

    def _start(self, cells: Cells, space: Columns) -> list[Any]:
        if cells.bags is not None and cells.meanings is None:
            from anew.core.minilm import folder

            folder()  # which says what is missing
        features = dense(cells, space)
        self.standard, self.columns = Standard.of(features), features.shape[1]
        self.middle, self.unit = np.zeros(0), 1.0
        if cells.meanings is not None:
            self.middle = cells.meanings.mean(0, dtype=np.float64)
            self.unit = float(np.std(cells.meanings - self.middle)) or 1.0
        return self._parts(cells, space)

    def _parts(self, cells: Cells, space: Columns) -> list[Any]:
        """Columns and n-grams (n, p + V), sparse, and meanings (n, H) where there are texts."""
        features = self.standard(dense(cells, space))
        first = features if cells.bags is None else beside(features, cells.bags)
        return [first] if cells.meanings is None else [first, (cells.meanings - self.middle) / self.unit]

    def __call__(self, cells: Cells, space: Columns) -> Floats:
        logits = sum(head(x) for head, x in zip(self.heads, self._parts(cells, space), strict=True))
        return self.heads[0].of_logits(np.asarray(logits), self.size)

    def state(self) -> tuple[Config, Arrays]:
        heads = {f"{i}.{name}": part for i, head in enumerate(self.heads) for name, part in head.arrays().items()}
        config = {"size": self.size, "unit": self.unit, "heads": len(self.heads)}
        return config, heads | self.standard.arrays() | {"middle_of_meanings": self.middle}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.size, self.unit = int(config["size"]), float(config["unit"])
        self.standard, self.middle = Standard.restored(arrays), arrays["middle_of_meanings"]
        self.heads = [
            Head.restored({name: arrays[f"{i}.{name}"] for name in ("weights", "bias", "classes")})
            for i in range(config["heads"])
        ]


def _meant(x: Floats, side: npt.NDArray[np.bool_], *, seed: int) -> tuple[Floats, float]:
    """One class against the rest, by logistic regression on meanings."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=STRENGTH, max_iter=300, random_state=seed).fit(x, side)
    return fitted.coef_[0], float(fitted.intercept_[0])


def _meant_values(x: Floats, values: Floats, seed: int) -> Head:
    from sklearn.linear_model import Ridge

    fitted = Ridge(alpha=PENALTY, random_state=seed).fit(x, values)
    return Head(np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_), np.zeros(0, np.int32))


def _worth(told: Floats, truth: Floats) -> tuple[Floats, float]:
    """Weights that are not negative, and a shift, with the least squared error of the sum."""
    from scipy.optimize import nnls

    middle, target = told.mean(0), truth.mean()
    scales: Floats = nnls(told - middle, truth - target)[0]
    return scales, float(target - middle @ scales)
