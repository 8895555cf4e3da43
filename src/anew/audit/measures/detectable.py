"""Can a machine tell synthetic rows from real ones it has never seen? The one number about fidelity to trust.

AUC of boosted trees, synthetic against held-out rows: copying the training rows does not help here, and any wrong
dependency between any number of columns hurts. Ceiling: training rows in the synthetic ones' place (real against
real); floor: independent columns.
"""

from __future__ import annotations

from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.forests import tell_apart
from anew.audit.measure import Measure
from anew.core.schema import NOMINAL, ORDERED

FLOOR_ROWS = 3000


class Detectable(Measure):
    question = "Can a machine tell synthetic rows from real ones?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL
    needs = 20
    order = 30
    weight = 9

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.columns:
            return []
        size, columns, seed = evidence.fresh_size, evidence.columns, evidence.seed
        fresh = evidence.take("holdout", size)
        value = tell_apart(columns, fresh, evidence.take("synthetic", size), seed)
        best = tell_apart(columns, fresh, evidence.take("train", size), seed)
        few = min(size, FLOOR_ROWS)
        quoted = {name: tell_apart(columns, fresh[:few], evidence.take(name, few), seed) for name in evidence.quoted}
        floor = quoted["marginals"]
        details = {"fresh real rows": best.value, **{name: area.value for name, area in quoted.items()}}
        return [
            finding(
                self.name,
                "telling synthetic from fresh rows",
                value,
                f"Shown one real and one synthetic row, boosted trees point at the synthetic one "
                f"{100 * value.value:.0f} times in 100. Guessing is 50; "
                f"independent columns would give {100 * floor.value:.0f}.",
                ceiling=best,
                floor=floor.value,
                better="lower",
                unit="auc",
                details=details,
            )
        ]
