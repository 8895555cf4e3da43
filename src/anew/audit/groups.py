"""Groups of people (or of anything): columns of few levels, and the rate of the target in each.

A whole number of few values (0 and 1, a grade) groups as well as words do. Rows are those of the encoded matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anew.audit.encode import Column
from anew.audit.statistics import Estimate, proportion
from anew.core.columns import Floats

if TYPE_CHECKING:
    from anew.audit.evidence import Evidence

GROUPS = 8  # levels that still are groups
COLUMNS = 8


def classes_of(column: Column, most: int = GROUPS) -> Floats:
    """The encoded values of a column of words, or of a whole number of few values; else none.  (classes,)"""
    if not column.ordered:
        return np.arange(len(column.levels), dtype=np.float64)
    values = np.unique(column.values) if column.field.kind == "integer" else np.empty(0)
    return values if len(values) <= most else np.empty(0)


def class_name(column: Column, value: float) -> str:
    """An encoded value in words."""
    return f"{value:.0f}" if column.ordered else column.levels[int(value)]


@dataclass(frozen=True)
class Groups:
    """One grouping column and what is counted in it."""

    column: Column
    index: int
    levels: Floats  # (groups,) encoded values
    target: int
    positive: float | None  # the encoded value counted; None: the mean of an ordered target
    scale: float

    @property
    def names(self) -> list[str]:
        return [class_name(self.column, value) for value in self.levels]

    def values(self, matrix: Floats, group: int) -> Floats:
        """What is counted in one group: 0 and 1, or numbers in standard deviations.  (rows of the group,)"""
        y = matrix[matrix[:, self.index] == self.levels[group], self.target]
        y = y[~np.isnan(y)]
        return np.asarray(y / self.scale if self.positive is None else y == self.positive, dtype=np.float64)

    def rate(self, matrix: Floats, group: int, z: float) -> Estimate:
        """The rate (or mean) in one group with its interval; unknown (all of 0 to 1) where it is empty."""
        y = self.values(matrix, group)
        if self.positive is not None:
            return proportion(float(y.sum()), len(y), z) if len(y) else Estimate(0.5, 0.0, 1.0)
        return Estimate.around(float(y.mean()), float(y.std() / np.sqrt(len(y))), z) if len(y) else Estimate(0, -9, 9)

    def rates(self, matrix: Floats) -> Floats:
        """Rate of the target in each group, NaN for an empty one.  (groups,)"""
        found = [self.values(matrix, group) for group in range(len(self.levels))]
        return np.array([y.mean() if len(y) else np.nan for y in found])

    def shares(self, matrix: Floats) -> Floats:
        """Share of rows in each group.  (groups,)"""
        counts = np.array([(matrix[:, self.index] == value).sum() for value in self.levels])
        return np.asarray(counts / max(counts.sum(), 1))

    def gap(self, real: Floats, fake: Floats) -> float:
        """Weighted mean over groups of |rate - real rate|; a group that vanished counts with its whole real rate."""
        found = np.nan_to_num(self.rates(fake))
        return float(np.nansum(self.shares(real) * np.abs(found - self.rates(real))))

    def counted(self, target: Column) -> str:
        """What is compared, in words."""
        if self.positive is None:
            return f"mean of {target.name}"
        return f"share of {target.name} = {class_name(target, self.positive)}"


def groupings(evidence: Evidence) -> list[Groups]:
    """The grouping columns: two to eight levels, not the target; the fewest levels first."""
    target = evidence.target_index
    if target is None:
        return []
    positive = counted_level(evidence.columns[target])
    numbers = evidence.columns[target].values
    spread = float(numbers.std()) if len(numbers) else 0.0
    if positive is None and spread == 0:
        return []
    levels = {i: classes_of(column) for i, column in enumerate(evidence.columns) if i != target}
    few = sorted((i for i, found in levels.items() if 2 <= len(found) <= GROUPS), key=lambda i: len(levels[i]))
    return [Groups(evidence.columns[i], i, levels[i], target, positive, spread) for i in few[:COLUMNS]]


def counted_level(column: Column) -> float | None:
    """The level whose rate is compared: of words the second commonest, of two numbers the larger; else none."""
    classes = classes_of(column, 2)
    return float(classes[1]) if len(classes) >= 2 else None
