"""The view `Mixed` of scalar columns: real numbers that are standard normal, and tokens for all that is not.

A column of numbers is a mixture: spikes (values that many rows share, such as 0 of a gain or 40 of weekly hours), and
the rest. Its token says which spike it is, that it lies between, or that it is missing; its real number is the normal
score of its rank in the rest, z = Phi^-1((rest below + fraction x rest in the cell) / rest), and is present only there.
So no continuous density has to pile up on a point. A scale of few values is all spikes, a smooth column has none.

A category is a token, or several digits when it has more than DIGIT levels; missing is one more level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from anew.codecs._digits import digits_of, from_digits, shares_of, to_digits
from anew.core.columns import MISSING, Bools, Cells, Codes, Floats, Grid
from anew.core.schema import Field

if TYPE_CHECKING:
    from anew.core.batch import Encoded
    from anew.core.space import Mixed

SHARE = 0.05  # an atom is a spike while it holds this share of the rows that no spike holds yet
MOST = 64  # spikes of one column
Ints = npt.NDArray[np.int64]


def spikes(grid: Grid) -> Ints:
    """The cells that are tokens of their own, ascending."""
    if not grid.ordered:
        return np.zeros(0, np.int64)
    atoms = np.flatnonzero(grid.lower == grid.upper)
    heavy = atoms[np.argsort(-grid.counts[atoms], kind="stable")]
    left = grid.counts.sum() - np.concatenate([[0.0], np.cumsum(grid.counts[heavy])])[:-1]
    enough = grid.counts[heavy] >= SHARE * np.maximum(left, 1e-12)
    return np.sort(heavy[: min(int(np.argmin(np.append(enough, False))), MOST)])


@dataclass(frozen=True)
class _Number:
    """One ordered column: its spikes, the rest as a grid in which spikes count nothing, and its levels."""

    grid: Grid
    spikes: Ints

    @property
    def rest(self) -> Grid:
        counts = self.grid.counts.copy()
        counts[self.spikes] = 0.0
        return replace(self.grid, counts=counts)

    @property
    def between(self) -> bool:
        """Whether there is a rest: else the column has a token only."""
        return len(self.spikes) < self.grid.size

    @property
    def levels(self) -> int:
        """between, the spikes, missing: those that occur.  One level needs no token."""
        return int(self.between) + len(self.spikes) + (self.grid.missing > 0)

    @property
    def rows(self) -> Floats:
        """How many rows each level has (levels,)."""
        between = [self.rest.counts.sum()] * self.between
        return np.array([*between, *self.grid.counts[self.spikes], *[self.grid.missing] * (self.grid.missing > 0)])

    def encode(self, codes: Codes, positions: Floats) -> tuple[Floats, Bools, Floats]:
        """The real number (n,), where it is present, and the token (n,)."""
        level = np.zeros(len(codes), np.int64)
        if len(self.spikes):
            place = np.minimum(np.searchsorted(self.spikes, codes), len(self.spikes) - 1)
            level = np.where(self.spikes[place] == codes, place + self.between, 0)
        level = np.where(codes == MISSING, self.levels - 1, level)
        here = (level == 0) & (codes != MISSING) if self.between else np.zeros(len(codes), bool)
        z = _normal_scores(self.rest, codes, positions) if self.between else np.zeros(len(codes))
        return np.where(here, z, 0.0), here, level.astype(np.float64)

    def decode(self, z: Floats, level: Ints) -> tuple[Codes, Floats]:
        if self.between:
            codes, positions = _from_scores(self.rest, z)
        else:
            codes, positions = np.full(len(z), MISSING, np.int32), np.full(len(z), np.nan)
        if len(self.spikes):
            at = self.spikes[np.clip(level - self.between, 0, len(self.spikes) - 1)]
            spike = (level >= self.between) & (level < self.between + len(self.spikes))
            codes, positions = np.where(spike, at, codes), np.where(spike, at + 0.5, positions)
        gone = (level == self.levels - 1) & (self.grid.missing > 0)
        return np.where(gone, MISSING, codes).astype(np.int32), np.where(gone, np.nan, positions)


class MixedView:
    """Cells of some fields as data of `Mixed`: the real numbers, the tokens of numbers, the tokens of categories."""

    def __init__(self, fields: Sequence[Field], grids: Mapping[str, Grid]) -> None:
        self.numbers = {j: _Number(grids[f.name], spikes(grids[f.name])) for j, f in enumerate(fields) if f.ordered}
        self.digits = {
            j: digits_of(grids[f.name].size + (grids[f.name].missing > 0))
            for j, f in enumerate(fields)
            if not f.ordered
        }
        self.grids = [grids[f.name] for f in fields]
        self.sizes: list[int] = []
        self.shares: list[float] = []  # of each token of each size, side by side
        self.places: list[list[int]] = [[] for _ in fields]  # the positions of the data that a field takes
        reals = [j for j, number in self.numbers.items() if number.between]
        for place, j in enumerate(reals):
            self.places[j].append(place)
        self.reals = len(reals)
        for j, number in self.numbers.items():
            self._token(j, (number.levels,) if number.levels > 1 else (), number.rows)
        for j, sizes in self.digits.items():
            grid = self.grids[j]
            self._token(j, sizes, np.append(grid.counts, [grid.missing] * (grid.missing > 0)))

    def _token(self, j: int, sizes: tuple[int, ...], rows: Floats) -> None:
        self.shares += shares_of(rows, sizes).tolist() if sizes else []
        self.places[j] += [self.reals + len(self.sizes) + i for i in range(len(sizes))]
        self.sizes += sizes

    @property
    def space(self) -> Mixed:
        from anew.core.space import Mixed

        return Mixed(self.reals, tuple(self.sizes), tuple(self.shares))

    def mask(self, known: Bools) -> Bools:
        """Which fields are known (n, fields) -> which positions of the data are (n, *data)."""
        out = np.zeros((len(known), self.reals + len(self.sizes)), bool)
        for j, places in enumerate(self.places):
            out[:, places] = known[:, j : j + 1]
        return out

    def existing(self, x: Encoded, mask: Bools, wanted: Bools) -> None:
        """Says in place, of numbers that are to be drawn as existing (n, fields), that they lie between: a known token.

        Where a column has spikes its token does not tell, and where it has no token there is nothing to tell.
        """
        for j, number in self.numbers.items():
            if number.between and number.levels > 1 and not len(number.spikes):
                rows, place = np.flatnonzero(wanted[:, j]), self.places[j][-1]
                x.x[rows, place] = 0.0
                mask[rows, place] = True

    def encode(self, cells: Cells) -> Encoded:
        import torch

        from anew.core.batch import Encoded

        x = np.zeros((len(cells), self.reals + len(self.sizes)))
        here = np.ones(x.shape, bool)
        for j, number in self.numbers.items():
            z, present, level = number.encode(cells.codes[:, j], cells.positions[:, j])
            columns = [(z, present)] * number.between + [(level, np.ones(len(x), bool))] * (number.levels > 1)
            for place, (value, known) in zip(self.places[j], columns, strict=True):
                x[:, place], here[:, place] = value, known
        for j, sizes in self.digits.items():
            grid, codes = self.grids[j], cells.codes[:, j].astype(np.int64)
            level = np.where(codes >= 0, codes, grid.size if grid.missing > 0 else 0)
            x[:, self.places[j]] = np.stack(to_digits(level, sizes), 1)
        return Encoded(torch.from_numpy(x).float(), torch.from_numpy(here))

    def decode(self, x: Encoded) -> Cells:
        values = x.x.double().cpu().numpy()
        cells = Cells.empty(len(values), len(self.grids))
        for j, number in self.numbers.items():
            z = values[:, self.places[j][0]] if number.between else np.zeros(len(values))
            token = values[:, self.places[j][-1]] if number.levels > 1 else np.zeros(len(values))
            level = np.clip(np.round(token), 0, max(number.levels - 1, 0)).astype(np.int64)
            cells.codes[:, j], cells.positions[:, j] = number.decode(z, level)
        for j, sizes in self.digits.items():
            grid = self.grids[j]
            level = from_digits(values[:, self.places[j]], sizes)
            gone = (level >= grid.size) & (grid.missing > 0)
            codes = np.minimum(level, max(grid.size - 1, 0))
            cells.codes[:, j] = np.where(gone, MISSING, codes)
            cells.positions[:, j] = np.where(gone, np.nan, codes + 0.5)
        return cells


# -------------------------------------------------------------------- normal scores


def _normal_scores(grid: Grid, codes: Codes, positions: Floats) -> Floats:
    """z (n,) of the rank of each position; 0 where missing."""
    from scipy.special import ndtri

    margin = 0.005 / max(float(grid.counts.sum()), 1.0)  # the outermost value stays finite
    return np.asarray(np.where(codes == MISSING, 0.0, ndtri(np.clip(grid.ranks(positions), margin, 1 - margin))))


def _from_scores(grid: Grid, z: Floats) -> tuple[Codes, Floats]:
    from scipy.special import ndtr

    held = np.flatnonzero(grid.counts > 0)  # a spike is no place in the rest
    ends = np.concatenate([[0.0], np.cumsum(grid.counts[held])])
    rank = np.clip(ndtr(z), 0.0, 1.0) * ends[-1]
    cell = np.clip(np.searchsorted(ends, rank, side="right") - 1, 0, len(held) - 1)
    fraction = np.clip((rank - ends[cell]) / np.maximum(grid.counts[held][cell], 1e-12), 0.0, np.nextafter(1.0, 0.0))
    return held[cell].astype(np.int32), held[cell] + fraction
