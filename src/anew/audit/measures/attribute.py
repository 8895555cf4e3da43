"""Does it give away secrets? Whoever knows all about a person but one column looks the person up in the synthetic rows.

The attacker takes the column's value from the nearest synthetic row (nearest by the other columns). Guessing right
because the data have structure is no leak: the leak is how much better the guess is for training rows than for fresh
rows (the "inference risk" against a control set of Giomi et al. 2022). Fresh rows give 0; training rows handed out
as they are give the floor. Numbers count as guessed within 2.5 % of the ranks.
"""

from __future__ import annotations

import numpy as np

from anew.audit.encode import Column, Singles
from anew.audit.evidence import Evidence
from anew.audit.finding import SAFETY, Finding, finding
from anew.audit.measure import Measure
from anew.audit.neighbours import nearest
from anew.audit.statistics import Estimate, difference, proportion, z_of_many
from anew.core.columns import Bools, Floats
from anew.core.schema import NOMINAL, ORDERED

ROWS = 4000  # people looked up, a side
KNOWN = 12_000  # synthetic rows they are looked up in
MOST = 6  # secret columns tried: the target first, then those whose values are most spread
CLOSE = 0.025


class Attribute(Measure):
    question = "Can a secret value of a person be guessed from it?"
    chapter = "safety"
    kinds = ORDERED | NOMINAL
    needs = 20
    order = 80
    weight = 6

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.columns or len(evidence.compared) < 2:
            return []
        secrets = _secrets(evidence)
        z = z_of_many(len(secrets))
        leaks = {i: self._leak(evidence, i, "synthetic", z) for i in secrets}
        names = {i: evidence.columns[i].name for i in secrets}
        worst = max(secrets, key=lambda i: leaks[i][0].value)
        leak, member, other = leaks[worst]
        floor = self._leak(evidence, worst, "bootstrap", z)[0].value
        return [
            finding(
                self.name,
                f"advantage on people in the data{evidence.aside}",
                leak,
                f"Knowing the rest of a row, {names[worst]} is guessed right for {100 * member:.1f} of 100 people in "
                f"the data and for {100 * other:.1f} of 100 people who are not. The difference is what leaks; "
                f"{len(secrets)} columns were tried.",
                ceiling=Estimate.exactly(0.0),
                floor=max(floor, 0.02),
                unit="share",
                scale=SAFETY,
                details={names[i]: leaks[i][0].value for i in secrets},
            )
        ]

    @staticmethod
    def _leak(evidence: Evidence, secret: int, name: str, z: float) -> tuple[Estimate, float, float]:
        """Success on training rows minus success on held-out rows, and both."""
        size = min(len(evidence.train), len(evidence.holdout), ROWS)
        held, answers = evidence.embedded(name, KNOWN), evidence.take(name, KNOWN)[:, secret]
        rates = []
        for people in ("train", "holdout"):
            row = nearest(
                _without(evidence, evidence.embedded(people, size), secret), _without(evidence, held, secret)
            ).row[:, 0]
            right = _right(evidence.columns[secret], evidence.take(people, size)[:, secret], answers[row])
            rates.append(proportion(right.sum(), len(right), z))
        return difference(rates[0], rates[1]), rates[0].value, rates[1].value


def _secrets(evidence: Evidence) -> list[int]:
    """The target, then the columns that a guess of the commonest value gets wrong most often."""
    train = evidence.take("train", 4000)
    hard = np.array([1 - _commonest(train[:, i]) for i in range(len(evidence.columns))])
    order = [int(i) for i in np.argsort(-hard, kind="stable") if hard[i] > 0.02]
    if evidence.target_index is not None:
        order = [evidence.target_index, *(i for i in order if i != evidence.target_index)]
    return order[:MOST] or [0]


def _commonest(values: Floats) -> float:
    _, counts = np.unique(values, return_counts=True)
    return float(counts.max() / len(values))


def _without(evidence: Evidence, rows: Singles, secret: int) -> Singles:
    return np.delete(rows, evidence.encoder.slices[secret], axis=1)


def _right(column: Column, truth: Floats, guess: Floats) -> Bools:
    """Whether each guess counts as right; blank is guessed by blank.  (n,)"""
    both_blank = np.isnan(truth) & np.isnan(guess)
    if not column.ordered:
        return np.asarray((truth == guess) | both_blank)
    place = [np.searchsorted(column.values, values) / max(len(column.values), 1) for values in (truth, guess)]
    return np.asarray(((np.abs(place[0] - place[1]) <= CLOSE) & ~np.isnan(truth) & ~np.isnan(guess)) | both_blank)
