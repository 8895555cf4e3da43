"""Are groups treated as in the real data? The rate (or mean) of the target in each group, synthetic against real.

For each column of few levels: the mean over its groups, weighted by their real size, of the absolute difference
between the synthetic and the real rate of the target (numbers: in standard deviations). Ceiling: fresh rows; floor:
independent columns, where every group has the same rate. Nothing here says that the real rates are just.
"""

from __future__ import annotations

import numpy as np

from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.groups import Groups, groupings
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate, bootstrap_error, difference, z_of_many
from anew.core.columns import Floats
from anew.core.schema import NOMINAL, ORDERED

ROWS = 20_000
FEWEST = 20  # real rows that make a group
LEAST = 0.1  # a group that is like all others still has this far to fall


class Fairness(Measure):
    question = "Are groups of people shown as they are?"
    chapter = "use"
    kinds = NOMINAL | ORDERED
    needs = 20
    order = 90

    def measure(self, evidence: Evidence) -> list[Finding]:
        found = groupings(evidence)
        return [*self._furthest(evidence, found), *(self._one(evidence, groups) for groups in found)]

    def _furthest(self, evidence: Evidence, found: list[Groups]) -> list[Finding]:
        """The single group whose rate is furthest off beyond doubt; a mean over groups would hide a small one."""
        real, fake, fresh, loose = (evidence.matrix(name) for name in ("train", "synthetic", "holdout", "marginals"))
        cases = [
            (groups, i)
            for groups in found
            for i in range(len(groups.levels))
            if len(groups.values(real, i)) >= FEWEST and len(groups.values(fake, i))
        ]
        if not cases:
            return []
        z = z_of_many(len(cases))
        gaps = [difference(groups.rate(fake, i, z), groups.rate(real, i, z)) for groups, i in cases]
        worst = max(range(len(cases)), key=lambda k: max(gaps[k].low, -gaps[k].high))
        groups, i = cases[worst]
        gap, truth, made = gaps[worst], groups.rate(real, i, z), groups.rate(fake, i, z)
        off = difference(groups.rate(fresh, i, z), truth)
        counted, scale = groups.counted(evidence.columns[groups.target]), 1.0 if groups.positive is None else 100.0
        return [
            finding(
                self.name,
                f"the group that is shown most wrongly ({groups.column.name} = {groups.names[i]})",
                Estimate(abs(gap.value), abs(gap.value) - gap.half, abs(gap.value) + gap.half),
                f"Of {len(cases)} groups this one is furthest off: the {counted} is "
                f"{_shown(made.value, groups, scale)} in the synthetic rows and "
                f"{_shown(truth.value, groups, scale)} in the real ones.",
                ceiling=Estimate(abs(off.value), abs(off.value) - off.half, abs(off.value) + off.half),
                floor=max(abs(groups.rate(loose, i, z).value - truth.value), LEAST),
                unit="share" if groups.positive is not None else "deviations",
            )
        ]

    def _one(self, evidence: Evidence, groups: Groups) -> Finding:
        size = min(evidence.fresh_size, ROWS)
        real = evidence.matrix("train")
        value, best = (self._gap(evidence, groups, evidence.take(name, size)) for name in ("synthetic", "holdout"))
        floor = groups.gap(real, evidence.take("marginals", size))
        counted = groups.counted(evidence.columns[groups.target])
        rates, fake = groups.rates(real), groups.rates(evidence.take("synthetic", size))
        i = int(np.nanargmax(np.abs(np.nan_to_num(fake) - rates) * groups.shares(real)))
        scale = 1.0 if groups.positive is None else 100.0
        return finding(
            self.name,
            f"{counted}, by {groups.column.name}",
            value,
            f"For {groups.column.name} = {groups.names[i]} the {counted} is "
            f"{_shown(fake[i], groups, scale)} in the synthetic rows and {_shown(rates[i], groups, scale)} in the real "
            f"ones; that is the largest difference.",
            ceiling=best,
            floor=floor,
            unit="share" if groups.positive is not None else "deviations",
            details={level: float(v) for level, v in zip(groups.names, np.nan_to_num(fake), strict=True)},
        )

    @staticmethod
    def _gap(evidence: Evidence, groups: Groups, rows: Floats) -> Estimate:
        real = evidence.matrix("train")
        error = bootstrap_error(lambda drawn: groups.gap(real, rows[drawn]), len(rows), 25, evidence.rng(9))
        value = groups.gap(real, rows)
        return Estimate(value, max(value - 1.96 * error, 0.0), value + 1.96 * error)


def _shown(rate: float, groups: Groups, scale: float) -> str:
    if np.isnan(rate):
        return "unknown (no such row)"
    return f"{rate * groups.scale:.3g}" if groups.positive is None else f"{scale * rate:.1f} %"
