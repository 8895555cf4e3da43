"""The distribution function of a mixture of histograms, and its inverse: what the Rosenblatt transform needs.

For rows whose column follows p = 1/T sum_t p_h(t), with the histograms' shrinkage as in `_histograms.py`,

    F(c) = (1 - e) p(cells < c) + e M(c),    u = F(c) + v (F(c + 1) - F(c)),

where c is a row's cell, v its place in the cell (the middle of an atom, a level or missing) and M the marginal. The e
of a millionth gives every cell of the grid a width that double precision can hold, so that u -> (c, v) undoes it
(Rosenblatt 1952; for atoms the middle of the jump, as in mid-distribution functions: Parzen 1997).

Shapes: n rows, T trees, K cells with missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats
from anew.networks._histograms import View

Index = npt.NDArray[np.intp]

FLOOR = 1e-6  # e
RIM = (
    1e-6  # the share of a cell's ranks that stays free at either end, so that rounding leaves no value in another cell
)


@dataclass(frozen=True)
class Mixture:
    """The distribution of one column for n rows: the mean over trees of the histograms seen through `view`."""

    view: View
    leaves: Index  # (n, T), -1 the marginal

    def below(self, cell: Index) -> Floats:
        """F (n,) at the lower end of each row's cell."""
        n, trees = self.leaves.shape
        own = below(self.view, self.leaves.ravel(), np.repeat(cell, trees)).reshape(n, trees).mean(1)
        return np.asarray((1 - FLOOR) * own + FLOOR * self.view.below[cell])

    def place(self, cell: Index, inside: Floats) -> Floats:
        """u (n,) of a place in [0, 1] inside a cell."""
        low = self.below(cell)
        return np.asarray(low + (RIM + (1 - 2 * RIM) * inside) * (self.below(cell + 1) - low))

    def find(self, u: Floats) -> tuple[Index, Floats]:
        """The inverse: cells (n,) by bisection, and the place inside each."""
        low, high = np.zeros(len(u), np.intp), np.full(len(u), len(self.view.below) - 1)
        while (high - low > 1).any():
            middle = (low + high) // 2
            left = self.below(middle) > u
            low, high = np.where(left, low, middle), np.where(left, middle, high)
        start = self.below(low)
        share = (u - start) / np.maximum(self.below(low + 1) - start, 1e-300)
        return low, np.clip((share - RIM) / (1 - 2 * RIM), 0.0, np.nextafter(1.0, 0.0))


def below(view: View, h: Index, cell: Index) -> Floats:
    """p_h(cells < c, in the part that the view shows) (n,) for histograms and cells of n rows."""
    histograms, p = view.histograms, view.below[cell]
    for at in reversed(histograms.levels(h)):
        n = histograms.total[at]
        p = np.where(at >= 0, (_rows_below(view, at, cell) + histograms.shrink * p) / (n + histograms.shrink), p)
    return p


def _rows_below(view: View, h: Index, cell: Index) -> Floats:
    """How many rows of each histogram lie in cells below c.  (n,)"""
    e = view.histograms.entry(h, cell)
    own = (e >= view.histograms.start[h]) & (h >= 0)
    span = view.below[view.high[e]] - view.below[view.low[e]]
    part = np.clip((view.below[cell] - view.below[view.low[e]]) / np.maximum(span, 1e-300), 0.0, 1.0)
    rows = view.rows[e] - view.base[h] + part * (view.rows[e + 1] - view.rows[e])
    return np.where(own, rows, 0.0)
