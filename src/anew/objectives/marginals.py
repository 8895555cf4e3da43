"""Independent columns: p(x) = prod_j p(x_j). The baseline that knows every marginal and no dependence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import MISSING, Allowed, Bools, Cells, Codes, Floats, Grid
from anew.core.errors import ConditionError
from anew.core.learner import Arrays, Completes, Conditions, Config, Drawn, Encodes, Samples, Scores, Solved
from anew.core.release import Release
from anew.objectives._ranks import from_scores, scores


class Marginals(Solved, Samples[Cells], Scores[Cells], Conditions[Cells], Completes[Cells], Encodes[Cells]):
    """Counts of cells, column by column; the grids hold them already."""

    aliases = ("independent",)
    reads = ("Columns",)
    minimises = "each column's own negative log-likelihood"

    def solve(self, cells: Cells, release: Release) -> None:
        """Nothing to compute: the codec released the counts of every cell."""

    def sample(self, n: int, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        return self._draw(n, {}, rng)

    def _draw(self, n: int, where: Mapping[int, Allowed], rng: np.random.Generator) -> Cells:
        out = Cells.empty(n, len(self.space.learned))
        for i, j in enumerate(self.space.learned):
            grid, rule = self.space.grids[j], where.get(j)
            chance = probabilities(grid, rule)
            codes = rng.choice(len(chance), n, p=chance / chance.sum()).astype(np.int32)
            codes[codes == grid.size] = MISSING
            out.codes[:, i] = codes
            out.positions[:, i] = place(codes, rng) if rule is None else rule.place(codes, rng)
        return out

    def log_prob(self, x: Cells, given: Cells | None = None) -> Floats:
        total = np.zeros(len(x))
        for i, j in enumerate(self.space.learned):
            grid, codes = self.space.grids[j], x.codes[:, i]
            table = np.append(probabilities(grid, None), 0.0)  # the last entry serves OUTSIDE
            with np.errstate(divide="ignore"):
                total += np.log(table[np.where(codes >= 0, codes, np.where(codes == MISSING, grid.size, -1))])
            total += np.append(grid.log_base, 0.0)[np.maximum(codes, -1)]
        return total

    def sample_where(
        self, n: int, where: Mapping[int, Allowed], rng: np.random.Generator, given: Cells | None = None
    ) -> Drawn[Cells]:
        """Independent columns make a condition exact: each conditioned column is drawn from its allowed part."""
        chance = float(np.prod([probabilities(self.space.grids[j], rule).sum() for j, rule in where.items()]))
        if chance <= 0:
            raise ConditionError("The condition has probability zero under the model")
        return Drawn(self._draw(n, where, rng), chance, float(n), any(rule.density for rule in where.values()))

    def complete(self, x: Cells, known: Bools, rng: np.random.Generator, given: Cells | None = None) -> Cells:
        """What is known tells nothing about the rest: the unknown cells are drawn each from its own column."""
        free = self._draw(len(x), {}, rng)
        return Cells(np.where(known, x.codes, free.codes), np.where(known, x.positions, free.positions))

    def encode(self, x: Cells, given: Cells | None = None) -> Floats:
        """The normal score of each cell's rank, missing lowest; an atom stands in the middle of its ranks."""
        grids = [self.space.grids[j] for j in self.space.learned]
        return np.stack([scores(grid, x.codes[:, i], x.positions[:, i]) for i, grid in enumerate(grids)], 1)

    def decode(self, z: Floats, given: Cells | None = None) -> Cells:
        out = Cells.empty(len(z), len(self.space.learned))
        for i, j in enumerate(self.space.learned):
            out.codes[:, i], out.positions[:, i] = from_scores(self.space.grids[j], z[:, i])
        return out

    def state(self) -> tuple[Config, Arrays]:
        return {}, {}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """The grids are the model."""


def probabilities(grid: Grid, rule: Allowed | None) -> Floats:
    """Mass of each cell and, last, of missing (K + 1,); under a rule only of what it allows, not renormalised."""
    mass = np.append(grid.counts, grid.missing)
    mass = mass / max(mass.sum(), 1.0)
    return np.asarray(mass if rule is None else mass * np.append(rule.mass, float(rule.missing)), np.float64)


def place(codes: Codes, rng: np.random.Generator) -> Floats:
    """A uniform position in each chosen cell; NaN for missing.  (n,)"""
    return np.where(codes >= 0, codes + rng.random(len(codes)), np.nan)
