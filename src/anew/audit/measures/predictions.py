"""How well is the target predicted? The joint model asked for it, beside models that only predict.

`evidence.predictions` maps the name of a way to predict to its score on the held-out rows (a number, a
`(value, low, high)`, or a mapping with those names). Told: the reader compares the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping

from anew.audit.evidence import Evidence, Scored
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate
from anew.core.schema import NOMINAL, ORDERED


class Predictions(Measure):
    question = "How well is the target predicted?"
    chapter = "use"
    kinds = ORDERED | NOMINAL
    needs = 1
    order = 55

    def measure(self, evidence: Evidence) -> list[Finding]:
        scores = {name: estimate_of(scored) for name, scored in (evidence.predictions or {}).items()}
        if not scores:
            return []
        best = max(scores, key=lambda name: scores[name].value)
        return [self._one(name, score, best, scores[best], evidence) for name, score in scores.items()]

    def _one(self, name: str, score: Estimate, best: str, top: Estimate, evidence: Evidence) -> Finding:
        if name == best:
            words = f"The best of the ways tried to predict {evidence.target or 'the target'}."
        elif score.high >= top.low:
            words = f"Not clearly worse than {best}: the intervals overlap."
        else:
            words = f"Clearly worse than {best}."
        return finding(self.name, name, score, words, better="higher", unit="score")


def estimate_of(scored: Scored) -> Estimate:
    """A score in any of the accepted forms."""
    if isinstance(scored, Mapping):
        value = float(scored["value"])
        return Estimate(value, float(scored.get("low", value)), float(scored.get("high", value)))
    if isinstance(scored, tuple):
        return Estimate(*map(float, scored))
    return Estimate.exactly(float(scored))
