"""Are the rules of the data kept? Rules that (nearly) every training row obeys: one column decides another, one
number is never above another.

A rule is looked for in the training rows alone (a tail number has one carrier; a start is not after its end) and
counts when all but 0.5 % of rows obey it. The number is the share of broken rules among rows they speak about.
Ceiling: fresh rows; floor: independent columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anew.audit.compare import Cut, Ints, codes, cut_quantiles
from anew.audit.encode import Column
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate
from anew.core.columns import Bools, Floats
from anew.core.schema import NOMINAL, ORDERED

OBEYED = 0.995
MOST = 30  # columns looked at
VALUES = 2000  # distinct values of a number that may decide something
FEW = 100  # distinct values of a number that may be decided


@dataclass(frozen=True)
class Rule:
    """`broken` of rows in words and in numbers: 1 broken, 0 kept, NaN where the rule says nothing.  (n,)"""

    words: str
    decides: tuple[int, int, Ints] | None  # column a decides column b: code of b for each code of a, -1 unknown
    below: tuple[int, int] | None  # column a is never above column b

    def broken(self, cells: list[Ints], matrix: Floats) -> Floats:
        if self.below:
            a, b = matrix[:, self.below[0]], matrix[:, self.below[1]]
            return np.where(np.isnan(a) | np.isnan(b), np.nan, a > b)
        assert self.decides is not None
        a_index, b_index, expected = self.decides
        said = expected[cells[a_index]]
        return np.where(said < 0, np.nan, cells[b_index] != said)


class Dependencies(Measure):
    question = "Are the rules that every real row obeys kept?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL
    order = 26

    def measure(self, evidence: Evidence) -> list[Finding]:
        columns = evidence.columns[:MOST]
        cuts = [cut_quantiles(column, 4 * VALUES) for column in columns]
        train = evidence.matrix("train")
        rules = find_rules(columns, cuts, train)
        size = evidence.fresh_size
        broken = {
            name: self._broken(rules, cuts, evidence.take(name, size)) for name in ("synthetic", "holdout", "marginals")
        }
        # A rule is a rule only if fresh rows keep it too; and one that chance keeps shows nothing.
        real = [
            i for i in range(len(rules)) if broken["holdout"][i].value <= 0.05 and broken["marginals"][i].value > 0.02
        ]
        if not real:
            return []
        worst = max(real, key=lambda i: broken["synthetic"][i].value - broken["holdout"][i].value)
        mean = {name: _mean([broken[name][i] for i in real]) for name in broken}
        return [
            finding(
                self.name,
                f"{len(real)} rules, how often broken",
                mean["synthetic"],
                f"{len(real)} rules hold in the real rows; they are broken {100 * mean['synthetic'].value:.2f} "
                f"times in 100 (fresh real rows: {100 * mean['holdout'].value:.2f}). Most often: "
                f"{rules[worst].words} ({100 * broken['synthetic'][worst].value:.1f}).",
                ceiling=mean["holdout"],
                floor=mean["marginals"].value,
                details={rules[i].words: broken["synthetic"][i].value for i in real[:40]},
            )
        ]

    @staticmethod
    def _broken(rules: list[Rule], cuts: list[Cut], matrix: Floats) -> list[Estimate]:
        cells = codes(cuts, matrix[:, : len(cuts)])
        return [_share(rule.broken(cells, matrix)) for rule in rules]


def find_rules(columns: tuple[Column, ...], cuts: list[Cut], train: Floats) -> list[Rule]:
    """All rules that the training rows obey."""
    cells = codes(cuts, train[:, : len(columns)])
    pairs = [(i, j) for i in range(len(columns)) for j in range(len(columns)) if i != j]
    decided = [_decides(columns, cells, cuts, i, j) for i, j in pairs]
    below = [_below(columns, train, i, j) for i, j in pairs if columns[i].ordered and columns[j].ordered]
    return [rule for rule in decided + below if rule]


def _decides(columns: tuple[Column, ...], cells: list[Ints], cuts: list[Cut], i: int, j: int) -> Rule | None:
    """Whether column i decides column j: each value of i that occurs repeatedly goes with one value of j."""
    if not (_atomic(cuts[i], VALUES) and _atomic(cuts[j], FEW if columns[j].ordered else VALUES)):
        return None
    a, b, size = cells[i], cells[j], cuts[j].size
    pair, count = np.unique(a * size + b, return_counts=True)
    key, level = pair // size, pair % size
    total = np.bincount(key, weights=count, minlength=cuts[i].size)
    best = np.zeros(cuts[i].size)
    np.maximum.at(best, key, count)
    asked = total >= 3  # a value that occurs once or twice decides nothing
    if total[asked].sum() < len(a) / 2 or np.bincount(b).max() / len(b) > 0.98:
        return None
    if best[asked].sum() / total[asked].sum() < OBEYED:
        return None
    expected = np.full(cuts[i].size, -1, np.intp)
    top = count == best[key]
    expected[key[top]] = level[top]
    expected[~asked] = -1
    return Rule(f"{columns[i].name} decides {columns[j].name}", (i, j, expected), None)


def _atomic(cut: Cut, most: int) -> bool:
    """Whether each cell of a column is one value, and there are not too many."""
    return not cut.column.ordered or len(np.unique(cut.column.values)) <= min(len(cut.edges), most)


def _below(columns: tuple[Column, ...], train: Floats, i: int, j: int) -> Rule | None:
    a, b = train[:, i], train[:, j]
    known: Bools = ~np.isnan(a) & ~np.isnan(b)
    if known.sum() < 20 or (a[known] <= b[known]).mean() < OBEYED:
        return None
    return Rule(f"{columns[i].name} is never above {columns[j].name}", None, (i, j))


def _share(broken: Floats) -> Estimate:
    said = broken[~np.isnan(broken)]
    if not len(said):
        return Estimate(0.0, 0.0, 1.0)
    return Estimate.around(float(said.mean()), float(said.std() / np.sqrt(len(said))) + 0.5 / len(said)).clipped()


def _mean(parts: list[Estimate]) -> Estimate:
    """The mean over rules; the rules share rows, so their intervals are not made narrower."""
    return Estimate(*(float(np.mean([getattr(part, which) for part in parts])) for which in ("value", "low", "high")))
