"""Can a machine tell synthetic rows from real ones it has never seen? The one number about fidelity to trust.

AUC of boosted trees, synthetic against held-out rows: copying the training rows does not help here, and any wrong
dependency between any number of columns hurts. Ceiling: training rows in the synthetic ones' place (real against
real); floor: independent columns. Of a picture the trees read its features (see `album`).
"""

from __future__ import annotations

from anew.audit.album import PICTURES
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.forests import tell_apart
from anew.audit.measure import Measure
from anew.core.schema import NOMINAL, ORDERED

FLOOR_ROWS = 3000


class Detectable(Measure):
    question = "Can a machine tell synthetic rows from real ones?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL | PICTURES
    needs = 20
    order = 30
    weight = 9
    reads = True

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.comparable:
            return []
        size, seed = evidence.fresh_size, evidence.seed
        columns, fresh = evidence.read("holdout", size)
        value = tell_apart(columns, fresh, evidence.read("synthetic", size)[1], seed)
        best = tell_apart(columns, fresh, evidence.read("train", size)[1], seed)
        few = min(size, FLOOR_ROWS)
        quoted = {name: tell_apart(columns, fresh[:few], evidence.read(name, few)[1], seed) for name in evidence.quoted}
        floor = quoted["marginals"]
        details = {"fresh real rows": best.value, **{name: area.value for name, area in quoted.items()}}
        return [
            finding(
                self.name,
                f"telling synthetic from fresh rows{evidence.aside}",
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
