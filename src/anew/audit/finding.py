"""A finding: one number, its interval, the best and the worst that could be expected, and what that means in words.

The verdict never looks at the number alone. It asks how far the number stands on the way from the *ceiling* (fresh
real rows in the place of the synthetic ones) to the *floor* (a baseline that is bad at this), and whether the rows
were enough to tell. An audit asks dozens of questions, so a verdict needs three standard errors although the
intervals that are shown are those of 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from anew.audit.statistics import Z95, Estimate

Better = Literal["higher", "lower", "nearer"]
Verdict = Literal["good", "fair", "poor", "told"]

CAUTION = 3.0 / Z95  # how much wider than the shown interval the evidence must be
UNTOLD = 0.5  # if the rows cannot exclude half the way to the floor, they are too few to praise anything
ASIDE = "texts aside"  # ends the name of a finding that reads no text of a record that has some
TOO_FEW = "There are too few rows to tell."


@dataclass(frozen=True)
class Finding:
    """`value` in [low, high]; `ceiling` of fresh real rows; `floor` of the baseline; None where there is none.

    `words` is a sentence for a person without statistics. `unit` is how the number is shown ("share", "auc",
    "seconds", ...); `details` are the parts it is made of (columns, attacks), for tables and plots.
    """

    measure: str
    name: str
    value: float
    low: float
    high: float
    ceiling: float | None
    floor: float | None
    better: Better
    verdict: Verdict
    words: str
    unit: str = ""
    details: Mapping[str, float] = field(default_factory=dict)
    about: Literal["rows", "model"] = "rows"  # what is given away: the rows alone, or the model as well


@dataclass(frozen=True)
class Scale:
    """Which shares of the way from ceiling to floor still count as good, and from where on as poor."""

    good: float
    poor: float


LIKENESS = Scale(good=0.05, poor=1 / 3)  # a twentieth of the way to nonsense is still good
SAFETY = Scale(good=0.0, poor=0.1)  # about people: any leak that can be shown is named, a tenth is a fault
BREACH = Scale(good=0.0, poor=0.02)  # about single people recognised: hardly any is too many
HINT = Scale(good=0.0, poor=1 / 3)  # about people, but a symptom and not an attack


def worse(value: float, ceiling: float, better: Better) -> float:
    """How much worse than the ceiling, in the unit of the number; negative where it is better."""
    if better == "nearer":
        return abs(value - ceiling)
    return value - ceiling if better == "lower" else ceiling - value


def judge(value: Estimate, ceiling: Estimate, floor: float, better: Better, scale: Scale = LIKENESS) -> Verdict:
    """good, fair or poor by the way from ceiling to floor that is certain; told when the rows are too few."""
    loss = worse(value.value, ceiling.value, better)
    span = max(worse(floor, ceiling.value, better), 1e-12)
    doubt = CAUTION * float(np.hypot(value.half, ceiling.half))
    certain, possible = (loss - doubt) / span, (loss + doubt) / span
    if not np.isfinite(certain):
        return "told"
    if certain > scale.poor:
        return "poor"
    if certain > scale.good:
        return "fair"
    return "good" if possible <= UNTOLD or loss + doubt <= 0.005 else "told"


def finding(
    measure: str,
    name: str,
    value: Estimate,
    words: str,
    *,
    ceiling: Estimate | None = None,
    floor: float | None = None,
    better: Better = "lower",
    scale: Scale = LIKENESS,
    verdict: Verdict | None = None,
    unit: str = "share",
    details: Mapping[str, float] | None = None,
) -> Finding:
    """A finding whose verdict is judged where there are a ceiling and a floor, and `told` where not."""
    if verdict is None:
        judged = ceiling is not None and floor is not None
        verdict = judge(value, ceiling, floor, better, scale) if judged else "told"  # type: ignore[arg-type]
        if judged and verdict == "told":
            words = f"{words} {TOO_FEW}"
    return Finding(
        measure,
        name,
        value.value,
        value.low,
        value.high,
        None if ceiling is None else ceiling.value,
        floor,
        better,
        verdict,
        words,
        unit,
        dict(details or {}),
    )
