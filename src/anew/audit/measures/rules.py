"""Do the rows obey the rules of the schema? One finding a rule: the share of rows that obey it.

Synthetic rows are drawn under the rules, so anything below all of them is a fault, whatever the training rows do. The
same share of training rows and of fresh rows stands beside it: fresh rows may well show combinations that are new.
"""

from __future__ import annotations

from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate, proportion
from anew.core.schema import KINDS
from anew.data.obeying import Share, shares


class Rules(Measure):
    question = "Are the rules obeyed?"
    chapter = "likeness"
    kinds = frozenset(KINDS)
    needs = 1
    order = 6

    def measure(self, evidence: Evidence) -> list[Finding]:
        schema = evidence.schema
        found = {name: shares(schema.rules, schema, evidence.frame(name)) for name in ("synthetic", "train", "holdout")}
        return [_finding(self.name, *rule) for rule in zip(*found.values(), strict=True)]


def _finding(measure: str, made: Share, train: Share, fresh: Share) -> Finding:
    return finding(
        measure,
        made.rule,
        proportion(made.kept, made.rows),
        f"{made.kept:,} of {made.rows:,} synthetic rows obey it; of the training rows {100 * train.value:.2f} in 100 "
        f"do, of fresh ones {100 * fresh.value:.2f}.",
        ceiling=Estimate.exactly(1.0),
        floor=0.0,
        better="higher",
        verdict="good" if made.kept == made.rows else "poor",
        details={"training rows": train.value, "fresh rows": fresh.value},
    )
