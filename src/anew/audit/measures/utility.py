"""Can you learn from it? Boosted trees trained on synthetic rows, tested on fresh real rows (TSTR).

Esteban et al. 2017. Score: area under the ROC curve (mean over classes) for levels, R2 for numbers; interval by
resampling the held-out rows. Ceiling: the same trees trained on as many real rows (TRTR); floor: on independent
columns. Adding synthetic to real rows is held against the honest control: the same real rows, each twice (after
PMLR 318:954, 2026).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from anew.audit.compare import Ints
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, Verdict, finding
from anew.audit.forests import boosted, one_thread, predictable, readable
from anew.audit.groups import classes_of
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate, bootstrap_error, mean_auc
from anew.core.columns import Floats
from anew.core.schema import NOMINAL, ORDERED

ROWS = 20_000
EACH = 6_000  # real rows in the question whether synthetic rows help beside real ones: they do where data are few
CLASSES = 12  # rarer classes are not asked for


class Utility(Measure):
    question = "Can you learn to predict from it?"
    chapter = "use"
    kinds = ORDERED | NOMINAL
    needs = 20
    order = 50
    weight = 7

    def measure(self, evidence: Evidence) -> list[Finding]:
        if evidence.target_index is None or len(evidence.columns) < 2:
            return []
        lab = Lab(evidence)
        size = min(len(evidence.train), len(evidence.synthetic), ROWS)
        scores = {name: lab.score(evidence.take(name, size)) for name in ("synthetic", "train", "marginals")}
        if scores["train"] is None or scores["synthetic"] is None or scores["marginals"] is None:
            return [self._nothing(evidence, scores["synthetic"] is None and scores["train"] is not None)]
        value, best = scores["synthetic"], scores["train"]
        return [
            finding(
                self.name,
                f"predicting {evidence.target}, learned from synthetic rows{evidence.aside}",
                value,
                f"Trees that learned from synthetic rows predict {evidence.target} of fresh real rows with "
                f"{lab.unit_words} {value.value:.3f}; trees that learned from real rows with {best.value:.3f}.",
                ceiling=best,
                floor=max(scores["marginals"].value, lab.blind),
                better="higher",
                unit=lab.unit,
            ),
            self._beside(evidence, lab),
        ]

    def _nothing(self, evidence: Evidence, collapsed: bool) -> Finding:
        verdict: Verdict = "poor" if collapsed else "told"
        words = (
            f"The synthetic rows hold a single value of {evidence.target}, so nothing can be learned from them."
            if collapsed
            else f"The column {evidence.target} has too few known values to learn from."
        )
        return finding(
            self.name,
            f"predicting {evidence.target}, learned from synthetic rows",
            Estimate.exactly(float("nan")),
            words,
            verdict=verdict,
            better="higher",
        )

    def _beside(self, evidence: Evidence, lab: Lab) -> Finding:
        """real + synthetic against real + real again: told, since either answer is a fact and not a fault."""
        each = min(len(evidence.train), len(evidence.synthetic), EACH)
        real, made = evidence.take("train", each), evidence.take("synthetic", each)
        alone, twice, both = (lab.predictions(np.vstack(rows)) for rows in ([real], [real, real], [real, made]))
        gain = lab.compare(both, twice)
        how = "help" if gain.low > 0 else "hurt" if gain.high < 0 else "neither help nor hurt noticeably"
        details = {
            "real rows alone": lab.value(alone),
            "real rows twice": lab.value(twice),
            "real and synthetic rows": lab.value(both),
        }
        return finding(
            self.name,
            "synthetic beside real rows, gain over duplicated real rows",
            gain,
            f"Added to {each:,} real rows, as many synthetic rows {how}: {details['real and synthetic rows']:.3f}, "
            f"against {details['real rows twice']:.3f} with the real rows twice and {details['real rows alone']:.3f} "
            f"with the real rows alone.",
            ceiling=Estimate.exactly(0.0),
            better="higher",
            unit=lab.unit,
            details=details,
        )


class Lab:
    """Trains on any rows, always tests on the same held-out rows whose target is known."""

    def __init__(self, evidence: Evidence) -> None:
        assert evidence.target_index is not None
        self.evidence, self.target = evidence, evidence.target_index
        self.column = evidence.columns[self.target]
        self.classes = classes_of(self.column, 2)
        self.values = not len(self.classes)  # a number is predicted by its value, unless it has only two
        self.columns = [c for i, c in enumerate(evidence.columns) if i != self.target]
        tested = evidence.take("holdout", ROWS)
        self.inputs, self.truth = self._known(tested)
        self.unit = "r2" if self.values else "auc"
        self.unit_words = "an R2 of" if self.values else "an area under the curve of"
        self.blind = 0.0 if self.values else 0.5

    def _known(self, rows: Floats) -> tuple[Floats, Floats]:
        """Inputs and target of the rows whose target is known; classes by number, the rare ones together."""
        rows = rows[~np.isnan(rows[:, self.target])]
        inputs, labels = np.delete(rows, self.target, axis=1), rows[:, self.target]
        return inputs, labels if self.values else np.minimum(np.searchsorted(self.classes, labels), CLASSES)

    def predictions(self, rows: Floats) -> Floats | None:
        """(held-out rows, classes) probabilities or (held-out rows, 1) values; None when there is nothing to learn."""
        inputs, labels = self._known(rows)
        if len(labels) < 10 or not predictable(labels) or not len(self.truth):
            return None
        seen, categorical = readable(self.columns, inputs)
        asked, _ = readable(self.columns, self.inputs)
        with one_thread():
            if self.values:
                model = boosted("regressor", categorical, seen, labels, self.evidence.seed)
                return np.asarray(model.predict(asked))[:, None]
            if np.unique(labels, return_counts=True)[1].min() < 2:  # a class of one row cannot be split for validation
                once = np.flatnonzero(np.bincount(labels.astype(int)) == 1)
                seen, labels = seen[~np.isin(labels, once)], labels[~np.isin(labels, once)]
            if not predictable(labels):
                return None
            model = boosted("classifier", categorical, seen, labels, self.evidence.seed)
            out = np.zeros((len(asked), CLASSES + 1))
            out[:, model.classes_.astype(int)] = model.predict_proba(asked)
            return out

    def value(self, predicted: Floats | None, drawn: Ints | slice = slice(None)) -> float:
        """The score of predictions on (a redraw of) the held-out rows."""
        if predicted is None:
            return float("nan")
        truth, guess = self.truth[drawn], predicted[drawn]
        if self.values:
            return float(1 - ((truth - guess[:, 0]) ** 2).sum() / max(((truth - truth.mean()) ** 2).sum(), 1e-300))
        return mean_auc(truth, guess)

    def score(self, rows: Floats) -> Estimate | None:
        predicted = self.predictions(rows)
        return (
            None
            if predicted is None
            else self._estimate(lambda drawn: self.value(predicted, drawn), self.value(predicted))
        )

    def compare(self, a: Floats | None, b: Floats | None) -> Estimate:
        """value(a) - value(b), with the interval of the difference over the same rows."""
        if a is None or b is None:
            return Estimate(float("nan"), float("nan"), float("nan"))
        return self._estimate(lambda drawn: self.value(a, drawn) - self.value(b, drawn), self.value(a) - self.value(b))

    def _estimate(self, statistic: Callable[..., float], value: float) -> Estimate:
        error = bootstrap_error(statistic, len(self.truth), 40, self.evidence.rng(8))
        return Estimate.around(value, error)
