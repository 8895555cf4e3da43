"""Are the values possible? A synthetic cell outside the training range or levels, or blank where none ever was.

Share of rows with at least one such cell (`invalid_share` of ../shared/bench). Fresh rows also reach beyond the
training rows now and then, which is the ceiling; the floor is a table in which every row is wrong.
"""

from __future__ import annotations

import numpy as np

from anew.audit.encode import Column
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import proportion
from anew.core.columns import Bools, Floats
from anew.core.schema import NOMINAL, ORDERED


class Validity(Measure):
    question = "Are the values possible ones?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL
    order = 15

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.columns:
            return []
        bad = {name: invalid(evidence, evidence.matrix(name)) for name in ("synthetic", "holdout")}
        value, best = (proportion(bad[name].any(1).sum(), len(bad[name])) for name in ("synthetic", "holdout"))
        share = bad["synthetic"].mean(0)
        worst = int(np.argmax(share))
        where = f" Most often in {evidence.columns[worst].name}." if share[worst] > 0 else ""
        return [
            finding(
                self.name,
                "rows with an impossible value",
                value,
                f"{100 * value.value:.2f} of 100 synthetic rows hold a value outside what the training rows show; "
                f"{100 * best.value:.2f} of fresh real rows do.{where}",
                ceiling=best,
                floor=1.0,
                details={c.name: float(s) for c, s in zip(evidence.columns, share, strict=True)},
            )
        ]


def invalid(evidence: Evidence, rows: Floats) -> Bools:
    """(n, d): outside the range or levels of training, blank in a column that never is, or finer than its decimals."""
    train = evidence.matrix("train")
    return np.column_stack([_invalid(column, train[:, i], rows[:, i]) for i, column in enumerate(evidence.columns)])


def _invalid(column: Column, train: Floats, values: Floats) -> Bools:
    blank = np.isnan(values) & (not np.isnan(train).any())
    if not column.ordered:
        return np.asarray(blank | (values >= len(column.levels)))
    if not len(column.values):
        return np.asarray(~np.isnan(values))
    slack = 1e-9 * max(abs(column.values[0]), abs(column.values[-1]), 1.0)
    outside = (values < column.values[0] - slack) | (values > column.values[-1] + slack)
    broken = (values % 1 != 0) & ~np.isnan(values) if column.field.kind == "integer" else np.zeros(len(values), bool)
    return np.asarray(blank | outside | broken)
