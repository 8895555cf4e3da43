"""Distances between two samples, column by column and pair by pair, over cells that the training rows define.

n training rows, m candidate rows, d columns, K cells of a column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.audit.encode import Column, level_codes
from anew.audit.statistics import Estimate
from anew.core.columns import Floats

Ints = npt.NDArray[np.intp]
CELLS = 256  # quantiles at which two distribution functions are compared
BINS = 10  # equal widths over the training range, as the pair measure of the literature cuts numbers


@dataclass(frozen=True)
class Cut:
    """How one column is cut into cells 0..size-1; `missing` is the last of them."""

    column: Column
    edges: Floats  # ordered: cell i holds values in (edges[i-1], edges[i]]
    size: int

    @property
    def missing(self) -> int:
        return self.size - 1

    def codes(self, values: Floats) -> Ints:
        if not self.column.ordered:
            return level_codes(values, len(self.column.levels))
        inside = np.searchsorted(self.edges, values, side="left")
        return np.where(np.isnan(values), self.missing, inside).astype(np.intp)


def cut_quantiles(column: Column, cells: int = CELLS) -> Cut:
    """Cells of equal training counts, an atom keeping its own; levels as they are."""
    edges = np.unique(np.quantile(column.values, np.linspace(0, 1, cells + 1))) if len(column.values) else np.empty(0)
    return _cut(column, edges)


def cut_widths(column: Column, bins: int = BINS) -> Cut:
    """Cells of equal width over the training range; levels as they are."""
    if not len(column.values):
        return _cut(column, np.empty(0))
    return _cut(column, np.linspace(column.values[0], column.values[-1], bins + 1)[1:-1])


def _cut(column: Column, edges: Floats) -> Cut:
    return Cut(column, edges, len(edges) + 2 if column.ordered else len(column.levels) + 2)


def codes(cuts: list[Cut], matrix: Floats) -> list[Ints]:
    """Each column of (n, d) in the cells of its cut."""
    return [cut.codes(matrix[:, i]) for i, cut in enumerate(cuts)]


def column_distance(cut: Cut, real: Ints, fake: Ints) -> float:
    """Kolmogorov-Smirnov's distance of the present values of an ordered column; total variation of levels.

    Both are in [0, 1], 0 best; 1 minus their mean over columns is the `Column Shapes` of sdmetrics.
    """
    p, q = np.bincount(real, minlength=cut.size), np.bincount(fake, minlength=cut.size)
    if not cut.column.ordered:
        return float(np.abs(p / max(p.sum(), 1) - q / max(q.sum(), 1)).sum() / 2)
    p, q = p[:-1], q[:-1]
    if not p.sum() or not q.sum():
        return float(bool(p.sum()) != bool(q.sum()))
    return float(np.abs(np.cumsum(p) / p.sum() - np.cumsum(q) / q.sum()).max())


def column_distances(
    cuts: list[Cut], real: list[Ints], fake: list[Ints], times: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Estimate]:
    """Distance of each column (d,), its standard error (d,), and the mean over columns with its interval."""
    value = np.array([column_distance(c, r, f) for c, r, f in zip(cuts, real, fake, strict=True)])
    drawn = np.empty((times, len(cuts)))
    for b in range(times):
        rows = rng.integers(0, len(fake[0]), len(fake[0]))
        drawn[b] = [column_distance(c, r, f[rows]) for c, r, f in zip(cuts, real, fake, strict=True)]
    error = drawn.std(0, ddof=1)
    return value, error, Estimate.around(float(value.mean()), float(drawn.mean(1).std(ddof=1))).clipped()


def correlation(matrix: Floats) -> Floats:
    """Pearson's correlation of each pair over the rows where both are known; NaN where it is not defined.  (d, d)"""
    known = ~np.isnan(matrix)
    filled = np.where(known, matrix - np.nanmean(np.where(known.any(0), matrix, 0.0), axis=0), 0.0)
    weight = known.astype(np.float64)
    n = weight.T @ weight
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_a = (filled.T @ weight) / n  # mean of a over the rows where b is known
        mean_b = mean_a.T
        covariance = (filled.T @ filled) / n - mean_a * mean_b
        spread = (filled**2).T @ weight / n - mean_a**2
        return np.asarray(np.clip(covariance / np.sqrt(spread * spread.T), -1, 1))


def joint_distance(real: tuple[Ints, Ints], fake: tuple[Ints, Ints], size: int) -> float:
    """Total variation between two joint tables of a pair; only cells that occur are ever held.

    Without sorting when the table is small; sorted keys when its cells would outnumber the rows many times.
    """
    a, b = real[0] * size + real[1], fake[0] * size + fake[1]
    cells = int(max(a.max(), b.max())) + 1
    if cells > 20 * (len(a) + len(b)):
        kept, inverse = np.unique(np.concatenate([a, b]), return_inverse=True)
        a, b, cells = inverse[: len(a)], inverse[len(a) :], len(kept)
    return float(np.abs(np.bincount(a, minlength=cells) / len(a) - np.bincount(b, minlength=cells) / len(b)).sum() / 2)


def association(codes: list[Ints], sizes: list[int]) -> Floats:
    """Cramer's V of each pair, corrected for its bias (Bergsma 2013): 0 unrelated, 1 one decides the other.  (d, d)"""
    out = np.eye(len(codes))
    for i in range(len(codes)):
        for j in range(i):
            out[i, j] = out[j, i] = cramers_v(codes[i], codes[j], sizes[i], sizes[j])
    return out


def cramers_v(a: Ints, b: Ints, size_a: int, size_b: int) -> float:
    table = np.bincount(a * size_b + b, minlength=size_a * size_b).reshape(size_a, size_b).astype(np.float64)
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    n, (r, k) = table.sum(), table.shape
    if min(r, k) < 2 or n < 3:
        return 0.0
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / n
    phi = max(float(((table - expected) ** 2 / expected).sum()) / n - (r - 1) * (k - 1) / (n - 1), 0.0)
    corrected = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return float(min(np.sqrt(phi / max(corrected, 1e-9)), 1.0))
