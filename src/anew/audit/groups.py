"""Groups of people (or of anything): columns of few levels, and the rate of the target in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anew.audit.encode import Column
from anew.audit.evidence import Evidence
from anew.audit.statistics import Estimate, proportion
from anew.core.columns import Floats

GROUPS = 8  # levels that still are groups
COLUMNS = 8


@dataclass(frozen=True)
class Groups:
    """One grouping column and what is counted in it."""

    column: Column
    index: int
    target: int
    positive: float | None  # the level counted; None: the mean of an ordered target
    scale: float

    def rates(self, matrix: Floats) -> Floats:
        """Rate of the target in each group, NaN for an empty one.  (groups,)"""
        known = ~np.isnan(matrix[:, self.target]) & ~np.isnan(matrix[:, self.index])
        group = np.minimum(matrix[known, self.index], len(self.column.levels)).astype(int)
        y = matrix[known, self.target]
        y = y / self.scale if self.positive is None else (y == self.positive).astype(np.float64)
        size = len(self.column.levels) + 1
        with np.errstate(invalid="ignore"):
            means: Floats = np.bincount(group, y, size) / np.bincount(group, minlength=size)
        return means[:-1]

    def _values(self, matrix: Floats, group: int) -> Floats:
        """What is counted in one group: 0 and 1, or numbers in standard deviations."""
        y = matrix[matrix[:, self.index] == group, self.target]
        y = y[~np.isnan(y)]
        return np.asarray(y / self.scale if self.positive is None else y == self.positive, dtype=np.float64)

    def count(self, matrix: Floats, group: int) -> int:
        """Rows of a group whose target is known."""
        return len(self._values(matrix, group))

    def rate(self, matrix: Floats, group: int, z: float) -> Estimate:
        """The rate (or mean) in one group with its interval; unknown (all of 0 to 1) where it is empty."""
        y = self._values(matrix, group)
        if self.positive is not None:
            return proportion(float(y.sum()), len(y), z) if len(y) else Estimate(0.5, 0.0, 1.0)
        return Estimate.around(float(y.mean()), float(y.std() / np.sqrt(len(y))), z) if len(y) else Estimate(0, -9, 9)

    def counted(self, target: Column) -> str:
        """What is compared, in words."""
        if self.positive is None:
            return f"mean of {target.name}"
        return f"share of {target.name} = {target.levels[int(self.positive)]}"

    def shares(self, matrix: Floats) -> Floats:
        """Share of rows in each group.  (groups,)"""
        size, known = len(self.column.levels), matrix[~np.isnan(matrix[:, self.index]), self.index]
        counts = np.bincount(np.minimum(known, size).astype(int), minlength=size + 1)[:-1]
        return np.asarray(counts / max(counts.sum(), 1))

    def gap(self, real: Floats, fake: Floats) -> float:
        """Weighted mean over groups of |rate - real rate|; a group that vanished counts with its whole real rate."""
        truth, weight = self.rates(real), self.shares(real)
        found = np.nan_to_num(self.rates(fake))
        return float(np.nansum(weight * np.abs(found - truth)))


def groupings(evidence: Evidence) -> list[Groups]:
    """The grouping columns: nominal, two to eight levels, not the target; the fewest levels first."""
    target = evidence.target_index
    if target is None:
        return []
    column = evidence.columns[target]
    positive = None if column.ordered else _counted(column)
    spread = (float(np.std(column.values)) if len(column.values) else 0.0) if column.ordered else 1.0
    few = [i for i, c in enumerate(evidence.columns) if i != target and not c.ordered and 2 <= len(c.levels) <= GROUPS]
    few.sort(key=lambda i: len(evidence.columns[i].levels))
    if (positive is None and not column.ordered) or spread == 0:
        return []
    return [Groups(evidence.columns[i], i, target, positive, spread) for i in few[:COLUMNS]]


def _counted(column: Column) -> float | None:
    """The level whose rate is compared: the rarer of two, else the second commonest."""
    return 1.0 if len(column.levels) >= 2 else None
