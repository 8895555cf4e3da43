"""What did it cost? Seconds, CPU seconds, memory and operations as they were counted; told, not judged."""

from __future__ import annotations

from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate
from anew.core.schema import KINDS

UNITS = {
    "seconds": "seconds",
    "bytes": "bytes",
    "memory": "bytes",
    "flops": "operations",
    "rows": "rows",
    "operations": "operations",
}


class Cost(Measure):
    question = "What did it cost?"
    chapter = "cost"
    kinds = frozenset(KINDS)
    needs = 0
    order = 120

    def measure(self, evidence: Evidence) -> list[Finding]:
        return [self._one(name, float(amount)) for name, amount in (evidence.cost or {}).items()]

    def _one(self, name: str, amount: float) -> Finding:
        unit = next((unit for word, unit in UNITS.items() if word in name.lower()), "")
        label = name.replace("_", " ")
        return finding(self.name, label, Estimate.exactly(amount), f"Measured on this machine: {label}.", unit=unit)
