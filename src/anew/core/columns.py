"""`Columns`: the space of solvers. Each column is a *released grid* of cells; a row is one cell index a column.

A cell is an atom (one value that many rows share) or a bin (an interval that holds several rows). A position is
`code + fraction`, the place inside the cell; so a column of numbers is the continuous variable `position` with a
piecewise-linear map to its values, and everything that a solver keeps about data is counts of cells.

Shapes: n rows, d columns, K cells of one column. No torch here: solvers start fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

MISSING = -1
OUTSIDE = -2  # a value or level to which the grid gives no cell: probability zero


@dataclass(frozen=True)
class Grid:
    """The cells of one column, in order; `lower == upper` makes a cell an atom.

    `step` is the distance between representable values (1 for integers, 0.01 for two decimals, 0 for continuous):
    a bin [lower, upper] with step holds `(upper - lower) / step + 1` values, both ends included.
    Nominal columns (`ordered=False`) have one atom a level. `counts` are the released training counts of the cells,
    and `missing` that of missing cells.
    """

    lower: Floats  # (K,)
    upper: Floats  # (K,)
    counts: Floats  # (K,)
    missing: float = 0.0
    ordered: bool = True
    step: float = 0.0

    @property
    def size(self) -> int:
        return len(self.lower)

    @property
    def values_in(self) -> Floats:
        """How many representable values each cell holds; infinite for a continuous bin.  (K,)"""
        width = self.upper - self.lower
        if self.step > 0:
            return np.round(width / self.step) + 1.0
        return np.where(width > 0, np.inf, 1.0)

    @property
    def log_base(self) -> Floats:
        """log of the mass (or, in a continuous bin, the density) of one value given its cell.  (K,)"""
        many = self.values_in
        width = np.where(np.isinf(many), self.upper - self.lower, 1.0)
        return -np.where(np.isinf(many), np.log(width), np.log(np.where(np.isinf(many), 1.0, many)))

    def encode(self, values: Floats) -> tuple[Codes, Floats]:
        """Values (n,) with NaN for missing -> codes (n,) and positions (n,). What no cell holds is OUTSIDE.

        The position of a value outside is that of the nearest cell, so that it still orders; missing is NaN.
        """
        missing = np.isnan(values)
        safe = np.where(missing, self.lower[0] if self.size else 0.0, values)
        if self.size == 0:
            return np.where(missing, MISSING, OUTSIDE).astype(np.int32), np.full(len(values), np.nan)
        slack = self.step * 0.25 if self.step > 0 else 0.0
        cell = np.minimum(np.searchsorted(self.upper, safe - slack, side="left"), self.size - 1)
        held = (safe >= self.lower[cell] - slack) & (safe <= self.upper[cell] + slack)
        fraction = self._fraction(cell, np.clip(safe, self.lower[cell], self.upper[cell]))
        codes = np.where(missing, MISSING, np.where(held, cell, OUTSIDE)).astype(np.int32)
        return codes, np.where(missing, np.nan, cell + fraction)

    def _fraction(self, cell: npt.NDArray[np.intp], values: Floats) -> Floats:
        width = self.upper[cell] - self.lower[cell]
        if self.step > 0:
            many = np.round(width / self.step) + 1.0
            return np.asarray((np.round((values - self.lower[cell]) / self.step) + 0.5) / many)
        inside = (values - self.lower[cell]) / np.where(width > 0, width, 1.0)
        return np.where(width > 0, np.minimum(inside, np.nextafter(1.0, 0.0)), 0.5)

    def ranks(self, positions: Floats) -> Floats:
        """The share of training rows below each position, (n,) in [0, 1]; that of the lowest cell where missing."""
        ends = np.concatenate([[0.0], np.cumsum(self.counts)])
        place = np.nan_to_num(positions)
        cell = np.clip(np.floor(place), 0, self.size - 1).astype(np.intp)
        return np.asarray((ends[cell] + (place - cell) * self.counts[cell]) / ends[-1])

    def decode(self, codes: Codes, positions: Floats) -> Floats:
        """The inverse of `encode`: values (n,), NaN where the code is missing."""
        if self.size == 0:
            return np.full(len(codes), np.nan)
        cell = np.maximum(codes, 0)
        fraction = np.where(codes >= 0, positions - cell, 0.0)
        low, width = self.lower[cell], self.upper[cell] - self.lower[cell]
        if self.step > 0:
            many = np.round(width / self.step) + 1.0
            offset = np.minimum(np.floor(fraction * many), many - 1.0) * self.step
        else:
            offset = fraction * width
        return np.where(codes >= 0, low + np.where(width > 0, offset, 0.0), np.nan)


@dataclass(frozen=True)
class Cells:
    """n rows in `Columns`: codes int32 (n, d) and positions float64 (n, d), NaN where missing.

    Both are kept column by column (Fortran order): solvers read and write whole columns. `bags` is what texts count of
    n-grams, a sparse matrix (n, V) that linear solvers read beside the columns; `meanings` (n, H) what they mean as a
    whole. Each is None where there are no texts, or nobody asked.
    """

    codes: Codes
    positions: Floats
    bags: Any = None
    meanings: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def width(self) -> int:
        return int(self.codes.shape[1])

    def take(self, rows: npt.NDArray[np.intp] | slice) -> Cells:
        bags, meanings = (part if part is None else part[rows] for part in (self.bags, self.meanings))
        return Cells(self.codes[rows], self.positions[rows], bags, meanings)

    def columns(self, which: Sequence[int] | slice) -> Cells:
        return Cells(self.codes[:, which], self.positions[:, which], self.bags, self.meanings)

    def nearest(self) -> Cells:
        """Values outside the grid at the nearest cell, and levels never seen as missing: what a learner can read."""
        beyond = (self.codes == OUTSIDE) & ~np.isnan(self.positions)
        codes = np.where(beyond, np.floor(np.nan_to_num(self.positions)), self.codes)
        inside = np.asfortranarray(np.maximum(codes, MISSING).astype(np.int32))
        return Cells(inside, self.positions, self.bags, self.meanings)

    @classmethod
    def empty(cls, n: int, d: int) -> Cells:
        """n rows that are missing everywhere, to be filled in place."""
        return cls(np.full((n, d), MISSING, np.int32, order="F"), np.full((n, d), np.nan, order="F"))

    @classmethod
    def stack(cls, blocks: Sequence[Cells]) -> Cells:
        bags, meanings = _joined([b.bags for b in blocks], "v"), _joined([b.meanings for b in blocks], "v")
        codes, positions = np.concatenate([b.codes for b in blocks]), np.concatenate([b.positions for b in blocks])
        return cls(codes, positions, bags, meanings)

    @classmethod
    def beside(cls, left: Cells, right: Cells) -> Cells:
        codes, positions = np.hstack([left.codes, right.codes]), np.hstack([left.positions, right.positions])
        bags, meanings = _joined([left.bags, right.bags], "h"), _joined([left.meanings, right.meanings], "h")
        return cls(codes, positions, bags, meanings)


def _joined(parts: Sequence[Any], way: str) -> Any:
    """Matrices, sparse or dense, on top of ("v") or beside ("h") each other, those that there are."""
    there = [part for part in parts if part is not None]
    if len(there) < 2:
        return there[0] if there else None
    if isinstance(there[0], np.ndarray):
        return (np.vstack if way == "v" else np.hstack)(there)
    from scipy import sparse

    return (sparse.vstack if way == "v" else sparse.hstack)(there, format="csr")


@dataclass(frozen=True)
class Columns:
    """The space: a grid and a name for each column. The first `given` columns are conditions, never learned."""

    grids: tuple[Grid, ...]
    names: tuple[str, ...]
    given: int = 0

    def __len__(self) -> int:
        return len(self.grids)

    @property
    def learned(self) -> range:
        return range(self.given, len(self.grids))

    def select(self, which: Sequence[int], given: int = 0) -> Columns:
        return replace(
            self, grids=tuple(self.grids[i] for i in which), names=tuple(self.names[i] for i in which), given=given
        )


@dataclass(frozen=True)
class Allowed:
    """The part of one column that a condition allows: pieces of cells, and whether missing is allowed.

    Piece p is the fraction interval [low[p], high[p]] of cell `cell[p]` and carries the share `share[p]` of the
    cell's probability. The equality with one value of a continuous bin has width zero; it carries share 1, and
    `density` says that the probability of the condition is then a density.
    """

    size: int  # K
    cell: npt.NDArray[np.intp]  # (P,), ascending
    low: Floats
    high: Floats
    share: Floats
    missing: bool = False
    density: bool = False
    mass: Floats = field(init=False)  # (K,) share of each cell's probability that is allowed

    def __post_init__(self) -> None:
        mass = np.bincount(self.cell, weights=self.share, minlength=self.size)
        object.__setattr__(self, "mass", np.minimum(mass, 1.0))

    @property
    def empty(self) -> bool:
        return not self.missing and not (self.mass > 0).any()

    def holds(self, codes: Codes, positions: Floats) -> Bools:
        """Which rows satisfy the condition.  (n,)"""
        inside = np.zeros(len(codes), bool)
        for cell, low, high in zip(self.cell, self.low, self.high, strict=True):
            fraction = positions - cell
            inside |= (codes == cell) & (fraction >= low - 1e-12) & (fraction <= high + 1e-12)
        return inside | (codes == MISSING) if self.missing else inside

    def place(self, codes: Codes, rng: np.random.Generator) -> Floats:
        """Positions (n,) drawn uniformly in the allowed pieces of cells already chosen; NaN for missing."""
        if not len(self.cell):
            return np.full(len(codes), np.nan)
        total = np.cumsum(self.share)
        first = np.searchsorted(self.cell, np.maximum(codes, 0), side="left")
        before = np.concatenate([[0.0], total])[first]
        want = before + rng.random(len(codes)) * self.mass[np.maximum(codes, 0)]
        last = np.searchsorted(self.cell, np.maximum(codes, 0), side="right") - 1
        piece = np.clip(np.searchsorted(total, want, side="right"), first, np.maximum(last, first))
        piece = np.minimum(piece, len(self.cell) - 1)
        inside = self.low[piece] + rng.random(len(codes)) * (self.high[piece] - self.low[piece])
        return np.where(codes >= 0, codes + inside, np.nan)
