"""Rows of a table that is too large to learn from whole: a stratified sample, the same for the same seed.

The rows are ordered by the target, ties in random order, and picked at equal distances: whatever the target is (words,
numbers, dates), its distribution is kept to within one row a stratum. Without a target the sample is uniform.
"""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt
import polars as pl

MOST = 500_000
LEAST = 10_000
SHARE = 0.05  # of the free memory, for the rows
CELL = 32  # bytes of a cell, words included
PICTURES = 0.25  # of the free memory, for pictures


def default_rows(columns: int, picture: int = 0) -> int:
    """How many rows to learn from: half a million, fewer where many columns or large pictures meet little memory.

    `picture` is how many bytes the pictures of one row may take.
    """
    fit = int(free_memory() * SHARE / (CELL * max(columns, 1)))
    many = max(min(MOST, fit), LEAST)
    return max(min(many, int(free_memory() * PICTURES / picture)), 1) if picture else many


def free_memory() -> int:
    """Bytes; 4 GiB where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 4 * 2**30


def stratified(target: pl.Series | None, rows: int, many: int, seed: int) -> npt.NDArray[np.int64]:
    """`many` row numbers out of `rows`, ascending."""
    rng = np.random.default_rng(seed)
    place = rng.random(rows)  # within the stratum
    if target is not None:
        place += _strata(target)
    order = np.argsort(place)
    picked = ((np.arange(many) + rng.random()) * (rows / many)).astype(np.int64)
    return np.sort(order[picked]).astype(np.int64)


def _strata(target: pl.Series) -> npt.NDArray[np.float64]:
    """A whole number a distinct value, in the order of the values where they are numbers; 0 for missing."""
    if target.dtype == pl.String:
        numbers = target.cast(pl.Float64, strict=False)
        words = numbers.null_count() > target.null_count()
        target = target.cast(pl.Categorical).to_physical() if words else numbers
    return target.rank("dense").cast(pl.Float64).fill_null(0.0).to_numpy()
