"""Particles that fill the unknown cells of rows: draws from p(unknown | known) under a chain of conditionals.

Each row has P particles, rows in the making. Column after column, a known cell keeps its value and multiplies the
weights of the row's particles by p(x_j | x_<j); an unknown cell is drawn from p(x_j | x_<j, x_j exists), and the chance
that it exists multiplies the weights, since to exist is part of what is known (sequential importance sampling: Liu and
Chen 1998). A row whose effective sample size falls below P / 2 resamples its particles (systematic: Kitagawa 1996), and
at its last cell that weighs one of them is chosen. Before its first unknown cell and after its last one that weighs, a
row needs a single particle.

Both a draw and a weight use one random tree of a forest for each particle, or a few: the tree is one more hidden
variable of the particle, and the mean over trees is what the forest means (random weights that are right on average:
Andrieu and Roberts 2009; Fearnhead et al. 2008).

Shapes: n rows, d columns, N particles of all rows, sorted by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import OUTSIDE, Bools, Cells, Floats
from anew.networks.trees import Trees

Index = npt.NDArray[np.intp]

SIZE, MOST = 64, 256  # P, and of rows whose particles collapse
LEAST = 4.0  # effective particles, below which a row has collapsed
TREES = 2  # that weigh a particle
ROOM = 1 << 18  # particles at once


@dataclass(frozen=True)
class Filled:
    """Whole rows, and for each the least effective sample size (n,) that its particles had; P if all were alike."""

    x: Cells
    effective: Floats


def fill(rows: Cells, known: Bools, given: int, factors: Sequence[Trees], rng: np.random.Generator) -> Filled:
    """Rows (n, d) whose cells that are not `known` are drawn; the first `given` columns are known and not modelled.

    Rows whose particles collapse, because what is known fits few of them, are filled again with four times as many.
    """
    filled, size = _blocks(rows, known, given, factors, SIZE, rng), SIZE
    while size < MOST and (poor := np.flatnonzero(filled.effective < LEAST)).size:
        size *= 4
        again = _blocks(rows.take(poor), known[poor], given, factors, size, rng)
        filled.x.codes[poor], filled.x.positions[poor] = again.x.codes, again.x.positions
        filled.effective[poor] = again.effective
    return filled


def _blocks(
    rows: Cells, known: Bools, given: int, factors: Sequence[Trees], size: int, rng: np.random.Generator
) -> Filled:
    gaps = np.array([False] * given + [factor.grid.missing > 0 for factor in factors])
    parts, step = [], max(ROOM // size, 1)
    for start in range(0, max(len(rows), 1), step):
        block = slice(start, start + step)
        state = Particles(rows.take(block), known[block], gaps, size)
        for j, factor in enumerate(factors, start=given):
            state.advance(j, factor, TREES, rng)
        parts.append(Filled(state.rows, state.effective))
    return Filled(Cells.stack([p.x for p in parts]), np.concatenate([p.effective for p in parts]))


class Particles:
    """The particles of a block of rows; `owner` says whose each is."""

    def __init__(self, rows: Cells, known: Bools, gaps: Bools, size: int) -> None:
        """`gaps` (d,): which columns may be missing."""
        self.rows, self.known, self.size = rows, known, size
        self.owner = np.arange(len(rows))
        self.log_weight = np.zeros(len(rows))
        self.effective = np.full(len(rows), float(size))
        hidden = ~known
        width = known.shape[1]
        self.first = np.where(hidden.any(1), hidden.argmax(1), width)  # the first unknown cell, d if there is none
        tells = (known | gaps)[:, ::-1]
        self.last = np.where(tells.any(1), width - 1 - tells.argmax(1), -1)  # the last cell that weighs particles, -1

    def advance(self, j: int, factor: Trees, trees: int, rng: np.random.Generator) -> None:
        """Column j: rows whose first unknown cell it is get their particles, cells are drawn or weighed."""
        self._spread(j)
        hidden = ~self.known[self.owner, j]
        self._draw(j, np.flatnonzero(hidden), factor, rng)
        weighed = ~hidden & (self.first[self.owner] < j)
        self._weigh(j, np.flatnonzero(weighed), factor, trees, rng)
        self._resample(rng)
        self._settle(j, rng)

    def _keep(self, which: Index) -> None:
        self.rows, self.owner, self.log_weight = self.rows.take(which), self.owner[which], self.log_weight[which]

    def _spread(self, j: int) -> None:
        """P copies of each row whose first unknown cell this is and that has one to come that weighs."""
        copies = np.where((self.first == j) & (self.last > j), self.size, 1)[self.owner]
        if (copies > 1).any():
            self._keep(np.repeat(np.arange(len(self.owner)), copies))

    def _draw(self, j: int, at: Index, factor: Trees, rng: np.random.Generator) -> None:
        if len(at):
            codes, positions, chance = factor.draw_existing(factor.sees(self.rows, j).take(at), rng)
            self.rows.codes[at, j], self.rows.positions[at, j] = codes, positions
            self.log_weight[at] += _log(chance)

    def _weigh(self, j: int, at: Index, factor: Trees, trees: int, rng: np.random.Generator) -> None:
        """A known value that has no cell says nothing; nor does one that is impossible for all particles of its row."""
        at = at[self.rows.codes[at, j] != OUTSIDE]
        if not len(at):
            return
        codes, positions = self.rows.codes[at, j], self.rows.positions[at, j]
        nats = _log(factor.chance(factor.sees(self.rows, j).take(at), codes, positions, trees, rng))
        trial = self.log_weight.copy()
        trial[at] += nats
        alive = np.zeros(len(self.known), bool)
        alive[self.owner[np.isfinite(trial)]] = True
        self.log_weight = np.where(alive[self.owner], trial, self.log_weight)

    def _weights(self) -> tuple[Floats, Floats]:
        """Weights (N,) that sum to 1 in each row, and the effective sample sizes (n,)."""
        n = len(self.known)
        top = np.full(n, -np.inf)
        np.maximum.at(top, self.owner, self.log_weight)
        weight = np.exp(self.log_weight - top[self.owner])
        weight /= np.bincount(self.owner, weights=weight, minlength=n)[self.owner]
        return weight, 1.0 / np.bincount(self.owner, weights=weight**2, minlength=n)

    def _resample(self, rng: np.random.Generator) -> None:
        many = np.bincount(self.owner, minlength=len(self.known))
        if many.max(initial=0) < 2:
            return
        weight, effective = self._weights()
        self.effective = np.where(many > 1, np.minimum(self.effective, effective), self.effective)
        poor = (many > 1) & (effective < self.size / 2)
        if poor.any():
            at = np.flatnonzero(poor[self.owner])
            chosen = np.arange(len(self.owner))
            chosen[at] = at[systematic(weight[at], self.size, rng)]
            self.log_weight[at] = 0.0
            self.rows = self.rows.take(chosen)

    def _settle(self, j: int, rng: np.random.Generator) -> None:
        """Rows without a cell to come that weighs keep one particle, chosen by weight."""
        done = (self.last <= j)[self.owner] & (self.first < self.last)[self.owner]
        if not done.any() or len(self.owner) == len(self.known):
            return
        race = self.log_weight - np.log(rng.standard_exponential(len(self.owner)))  # the first arrival wins by weight
        order = np.lexsort((-race, self.owner))
        winner = order[np.flatnonzero(np.diff(self.owner[order], prepend=-1))]
        keep = ~done
        keep[winner] = True
        self._keep(np.flatnonzero(keep))
        self.log_weight = np.where((self.last <= j)[self.owner], 0.0, self.log_weight)


def systematic(weight: Floats, size: int, rng: np.random.Generator) -> Index:
    """For groups of `size` weights (m * size,), each summing to 1: indices, each chosen size w times up to one."""
    groups = len(weight) // size
    total = np.cumsum(weight.reshape(groups, size), 1)
    total = total / total[:, -1:] + np.arange(groups)[:, None]
    at = (rng.random((groups, 1)) + np.arange(size)) / size + np.arange(groups)[:, None]
    return np.minimum(np.searchsorted(total.ravel(), at.ravel(), side="right"), len(weight) - 1)


def _log(p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p))
