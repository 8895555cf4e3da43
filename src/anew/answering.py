"""The discriminative side of a model: what it answers about its target, how sure it is, and what decided."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.audit.decided import decided, page_of
from anew.core.columns import Floats
from anew.core.errors import CapabilityError, DataError
from anew.core.schema import Schema
from anew.data.dataset import Dataset
from anew.data.restore import restored
from anew.deciding import explaining, words_that_decided
from anew.joint import Joint, candidate_cells
from anew.plan import Plan
from anew.unseen import loose, note_unseen

if TYPE_CHECKING:
    from anew.audit.story import Story

PAGE = 50  # rows whose texts are shown


class Answering(ABC):
    """The verbs of a model that has a target; the model brings its joint, schema and plan."""

    schema: Schema
    plan: Plan

    @property
    @abstractmethod
    def joint(self) -> Joint:
        """The factors, predicting ones among them."""

    @property
    def classes(self) -> list[Any]:
        """The values of the target, in the order of the columns of `predict_proba`."""
        return list(self._labels())

    def predict(self, data: object, method: str | None = None) -> npt.NDArray[Any]:
        """(n,) the likeliest class, or the expected number, of the target.

        `method` is one of the predictors, by its network (`boosted`), its objective (`hinge`) or both (`hinge:kernel`);
        the best on held-out rows if left out. `joint` is Bayes' rule on the generative model.
        """
        answer = self._answer(data, method)
        if answer.ndim == 1:
            return answer
        labels = self._labels().to_numpy()
        return np.asarray(labels[answer.argmax(1)]) if self._classifies() else answer @ labels.astype(np.float64)

    def predict_proba(self, data: object, method: str | None = None) -> Floats:
        """(n, K) probabilities of `classes`."""
        if not self._classifies():
            raise CapabilityError(
                f"{self._target()!r} is predicted as a number, which has no classes", do="Use predict()"
            )
        return self._answer(data, method)

    def _answer(self, data: object, method: str | None) -> Floats:
        frame = self._asked(data, method)
        if method != "joint":
            return self.joint.predict(frame, method)
        if self._target() not in frame.columns:
            frame = frame.with_columns(pl.lit(None).cast(pl.Null).alias(self._target()))
        return self.joint.posterior(frame, self._target())

    def _asked(self, data: object, method: str | None) -> pl.DataFrame:
        """Rows to predict for. Beside pictures they need only what the predictor reads."""
        if not self.joint.record.parts or method == "joint":
            return self._read(data, lacking=self._target())
        frame = self._partly(data).frame
        needed = self.joint.predictor(method).plan.given
        if lacking := [name for name in needed if name not in frame.columns]:
            raise DataError(
                f"{self._target()!r} is predicted from columns that the data lacks", found=lacking, do="Bring them"
            )
        note_unseen(self.joint, self.schema, frame)
        return frame

    def explain(self, data: object, method: str | None = None) -> pl.DataFrame:
        """Which words decided: a line for each word of each text, with its share in what was answered for its row.

        The shares of a row add up to log p(answer | row) - log p(answer | row without its texts), in nats; of a number,
        to what the texts add to it. Linear predictors of texts can: `linear`, `hinge`.
        """
        return words_that_decided(self.joint, self._asked(data, method), method)

    def explained(self, data: object, method: str | None = None) -> Story:
        """The same as a page: the first rows with their words marked, and the words of the largest shares."""
        frame = self._asked(data, method)[:PAGE]
        method = method or explaining(self.joint, None).plan.method
        words = words_that_decided(self.joint, frame, method)
        answer = self.joint.predict(frame, method)
        labels = self._labels().to_list()
        said = (
            [f"{labels[row.argmax()]} ({row.max():.0%})" for row in answer]
            if self._classifies()
            else [f"{value:.4g}" for value in answer]
        )
        return page_of(self._target(), decided(frame, words, said), method)

    def _target(self) -> str:
        if self.plan.target is None:
            raise CapabilityError("This model has no target", do="Fit again with predict=COLUMN")
        return self.plan.target

    def _classifies(self) -> bool:
        return bool(self.plan.predict) and self.plan.predict[0].classifies

    def _labels(self) -> pl.Series:
        """The target's cells as values of its own dtype."""
        name = self._target()
        grid = self.joint.codec.grids[name]
        cells = np.arange(grid.size) if self._classifies() else candidate_cells(grid.counts)
        middle = np.asarray(cells + 0.5, np.float64)
        column = self.joint.codec.decode_column(self.schema[name], cells.astype(np.int32), middle)
        return restored(column.to_frame(), self.schema)[name] if self._classifies() else column

    def _read(self, data: object, lacking: str | None = None) -> pl.DataFrame:
        frame = Dataset.open(data, like=loose(self.schema), target=lacking).frame
        note_unseen(self.joint, self.schema, frame)
        return frame

    def _partly(self, data: object) -> Dataset:
        """Rows that may lack columns, but have none that the model does not know."""
        try:
            return Dataset.open(data, like=self.schema, partly=True)
        except DataError:  # whole numbers of the training may be fractions here; if that is not why, it says so
            return Dataset.open(data, like=loose(self.schema), partly=True)
