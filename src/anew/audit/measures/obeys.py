"""Is the condition obeyed? Only asked when the rows were drawn under one (`--where`).

The condition is a function from a frame to booleans, or whatever `core.where` reads: a value, any of a list, an
interval `(low, high)` with None for an open end. Ceiling: all rows; floor: the real rows
that meet it by themselves.
"""

from __future__ import annotations

from anew.audit.conditions import meets
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate, proportion
from anew.core.schema import KINDS


class Obeys(Measure):
    question = "Is the condition obeyed?"
    chapter = "likeness"
    kinds = frozenset(KINDS)
    needs = 1
    order = 5

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.where:
            return []
        met = meets(evidence.synthetic, evidence.where)
        value = proportion(met.sum(), len(met))
        return [
            finding(
                self.name,
                "rows that meet the condition",
                value,
                f"{met.sum():,} of {len(met):,} synthetic rows meet the condition; of the real rows "
                f"{100 * evidence.natural:.2f} in 100 do.",
                ceiling=Estimate.exactly(1.0),
                floor=evidence.natural,
                better="higher",
                verdict="good" if met.all() else "poor",
            )
        ]
