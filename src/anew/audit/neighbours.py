"""Exact nearest neighbours by blocks of matrix products: the fastest way at these sizes, with no index to build.

A (n, D) queries, B (m, D) rows searched, k neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.audit.encode import Singles

BLOCK_CELLS = 8_000_000  # distances held at once: 32 MB


@dataclass(frozen=True)
class Nearest:
    """`distance` and `row` of the k nearest, nearest first: (n, k) each."""

    distance: Singles
    row: npt.NDArray[np.intp]


def nearest(a: Singles, b: Singles, k: int = 1, *, itself: bool = False) -> Nearest:
    """The k rows of b that are nearest to each row of a; with `itself`, a is b and a row is not its own neighbour."""
    k = min(k, len(b) - itself)
    centre = b.mean(0)
    a, b = a - centre, b - centre
    squares = np.einsum("ij,ij->i", b, b)
    rows = np.empty((len(a), k), np.intp)
    step = max(BLOCK_CELLS // max(len(b), 1), 16)
    for start in range(0, len(a), step):
        part = a[start : start + step]
        gap = squares - 2 * part @ b.T  # (block, m), the distance but for a constant a row
        if itself:
            gap[np.arange(len(part)), np.arange(start, start + len(part))] = np.inf
        rows[start : start + step] = np.argpartition(gap, k - 1, axis=1)[:, :k] if k > 1 else gap.argmin(1)[:, None]
    return _sorted(a, b, rows)


def _sorted(a: Singles, b: Singles, rows: npt.NDArray[np.intp]) -> Nearest:
    """Distances measured again by differences: products of single precision lose the zero of an exact copy."""
    distance = np.empty(rows.shape, np.float32)
    for j in range(rows.shape[1]):
        apart = a - b[rows[:, j]]
        distance[:, j] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    order = np.argsort(distance, axis=1, kind="stable")
    return Nearest(np.take_along_axis(distance, order, 1), np.take_along_axis(rows, order, 1))
