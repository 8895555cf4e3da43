"""Do the columns go together as they should? Every pair of columns, compared with the training rows.

Distance of a pair: half the difference of Pearson's correlations for two ordered columns; total variation of the
joint table where a category takes part, numbers cut into ten equal widths (`Column Pair Trends` as the papers with
SDMetrics <= 0.1x computed it; `trend_err_all` of ../shared/bench). Ceiling: fresh rows; floor: independent columns.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from anew.audit.compare import Cut, Ints, codes, correlation, cut_widths, joint_distance
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate
from anew.core.columns import Floats
from anew.core.schema import NOMINAL, ORDERED

PARTS = 8  # disjoint parts of the rows whose differences give the interval
PART_REAL = 6000  # training rows the parts are compared with: their spread is wanted, not their mean
MOST = 60  # columns; beyond these a seeded draw of them stands for all


class Pairs(Measure):
    question = "Do the columns go together as they should?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL
    order = 20

    def measure(self, evidence: Evidence) -> list[Finding]:
        width = len(evidence.columns)
        if width < 2:
            return []
        chosen = np.sort(evidence.rng(2).permutation(width)[:MOST])
        cuts = [cut_widths(evidence.columns[i]) for i in chosen]
        judge = _Pairs(cuts, evidence.matrix("train")[:, chosen])
        small = _Pairs(cuts, evidence.take("train", PART_REAL)[:, chosen])
        rows = {
            name: evidence.take(name, evidence.fresh_size)[:, chosen]
            for name in ("synthetic", "holdout", *evidence.quoted)
        }
        found = {name: judge.distances(taken) for name, taken in rows.items()}
        value, best = (self._estimate(found[name], small, rows[name]) for name in ("synthetic", "holdout"))
        lost = found["synthetic"] - found["holdout"]
        order = np.argsort(-lost)[:10]
        details = {
            **{f"all pairs, {name}": float(found[name].mean()) for name in evidence.quoted},
            **{judge.label(int(p)): float(found["synthetic"][p]) for p in order},
        }
        return [
            finding(
                self.name,
                "average difference of a pair of columns",
                value,
                f"Pairs of columns differ from the real ones by {100 * value.value:.1f} in 100; two real samples of "
                f"this size by {100 * best.value:.1f}, and columns that ignore each other by "
                f"{100 * found['marginals'].mean():.1f}. Furthest off: {judge.label(int(order[0]))}.",
                ceiling=best,
                floor=float(found["marginals"].mean()),
                details=details,
            )
        ]

    @staticmethod
    def _estimate(distances: Floats, small: _Pairs, rows: Floats) -> Estimate:
        """The mean over pairs; its interval from the spread over disjoint parts, whose error shrinks as 1/sqrt(n)."""
        parts = [small.distances(rows[part::PARTS], most=60).mean() for part in range(PARTS)] if len(rows) > 40 else []
        error = float(np.std(parts, ddof=1) / np.sqrt(PARTS)) if parts else 0.5 / np.sqrt(len(rows))
        return Estimate.around(float(distances.mean()), error).clipped()


class _Pairs:
    """All pairs of the chosen columns, with the real side held ready."""

    def __init__(self, cuts: list[Cut], train: Floats) -> None:
        self.cuts = cuts
        self.ordered = [cut.column.ordered for cut in cuts]
        self.pairs = list(combinations(range(len(cuts)), 2))
        self.real: list[Ints] = codes(cuts, train)
        self.correlation = correlation(train)

    def label(self, pair: int) -> str:
        i, j = self.pairs[pair]
        return f"{self.cuts[i].column.name} and {self.cuts[j].column.name}"

    def distances(self, matrix: Floats, most: int | None = None) -> Floats:
        """One number a pair, or for evenly chosen `most` of them; two undefined correlations are equal.  (pairs,)"""
        fake, found = codes(self.cuts, matrix), correlation(matrix)
        pairs = self.pairs if most is None else self.pairs[:: max(len(self.pairs) // most, 1)]
        return np.array([self._one(i, j, fake, found) for i, j in pairs])

    def _one(self, i: int, j: int, fake: list[Ints], found: Floats) -> float:
        if self.ordered[i] and self.ordered[j]:
            gap = abs(self.correlation[i, j] - found[i, j]) / 2
            return float(gap) if np.isfinite(gap) else float(np.isnan(found[i, j]) and self.correlation[i, j] == 1)
        size = self.cuts[j].size
        return joint_distance((self.real[i], self.real[j]), (fake[i], fake[j]), size)
