"""A forest for one column: p(x_j | x_<j) = 1/T sum_t p_leaf_t(x_j), leaf_t the leaf of tree t that x_<j falls in.

Each tree is grown by CART on a part of the rows (Breiman et al. 1984; sequential synthesis by CART: Reiter 2005). The
other rows then decide, by their likelihood, where small nodes stop (pruning by a test set, Breiman et al. 1984,
section 3.4.1): a split of few rows that only repeats them is undone, one that a dependence makes is kept. Nodes of many
rows always split, because a weak effect of many columns cannot be seen node by node. All rows then fill the leaves. A
draw uses one tree at random, so that a forest averages its trees' errors (Breiman 2001; as densities: Watson et al.
2023, adversarial random forests).

Shapes: n rows, d features, K cells with missing, N nodes, H histograms.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import MISSING, OUTSIDE, Allowed, Cells, Codes, Columns, Floats, Grid
from anew.core.learner import Arrays, Config
from anew.core.network import Network
from anew.core.release import Release
from anew.networks._cdf import Mixture
from anew.networks._features import ordinal
from anew.networks._growing import Growth, Index, Matrix, Task, aim_of, member, orders_of
from anew.networks._histograms import Histograms, View, allowed_mass, marginal, merge, none
from anew.networks._packed import Packed, join


class Trees(Network):
    """The solver of one column's conditional distribution, given the columns before it."""

    solved = True

    def __init__(self, **options: Any) -> None:
        self.growth = Growth(**options)
        self.orders: list[Floats | None] = []
        self.packed: Packed | None = None

    # ---------------------------------------------------------------- fit

    def fit(
        self,
        before: Cells,
        features: Columns,
        grid: Grid,
        codes: Codes,
        positions: Floats,
        name: str,
        release: Release,
        rng: np.random.Generator,
    ) -> None:
        """Learns the column (n,) of that grid given the cells before it (n, d)."""
        self._begin(grid, features)
        cells = grid.size + (grid.missing > 0)
        if not len(features) or cells < 2 or len(codes) < 2 * self.growth.least(len(codes)):
            return  # the marginal says all there is to say
        aim = aim_of(before, grid, codes, positions)
        self.orders = orders_of(before, features, codes, aim)
        cell = np.maximum(codes, MISSING).astype(np.intp) + 1
        task = Task(ordinal(before, self.orders), aim, cell, self.mass, grid.ordered, self.growth)
        self._finish(*self._members(task, rng))
        release.leaves(name, self.histograms.count.astype(np.float64))

    def _begin(self, grid: Grid, features: Columns) -> None:
        self.grid, self.width, self.mass = grid, len(features), marginal(grid)
        self.orders, self.packed = [], None
        self.histograms = none(self.growth.shrink)
        self.free = View(self.histograms, self.mass, self.mass)

    def _finish(self, packed: Packed, histograms: Histograms) -> None:
        self.packed, self.histograms = packed, histograms
        self.free = View(histograms, self.mass, self.mass)

    def _members(self, task: Task, rng: np.random.Generator) -> tuple[Packed, Histograms]:
        """All columns or some at a split? One tree of each kind says which: a hard dependence needs its column."""
        g, share = self.growth, self.growth.features
        whole, nats = member(task, 1.0, rng)
        kept = [whole]
        if g.trees > 1:
            some, other = member(task, share, rng)
            kept, share = ([whole], 1.0) if nats > other + g.hard else ([whole, some], share)
        kept += [member(task, share, rng)[0] for _ in range(g.trees - len(kept))]
        histograms, shift = merge([h for _, h in kept])
        return join([tree.shifted(by) for (tree, _), by in zip(kept, shift, strict=True)], self.width + 1), histograms

    # ---------------------------------------------------------------- use

    def draw(self, before: Cells, rng: np.random.Generator) -> tuple[Codes, Floats]:
        """Codes and positions (n,) of the column for rows whose earlier columns are known."""
        h = np.full(len(before), -1, np.intp)
        if self.packed is not None:
            x = self._matrix(before)
            x[:, -1] = rng.integers(self.packed.trees, size=len(x))
            h = self.packed(x).astype(np.intp)
        return self._place(*self.free.draw(h, rng))

    def log_prob(self, before: Cells, codes: Codes) -> Floats:
        """log p of the cells (n,) given earlier columns; -inf where no cell holds the value."""
        cell = np.maximum(codes.astype(np.intp) + 1, 0)
        p = np.zeros(len(codes))
        leaves = self._leaves(before)
        for h in leaves:
            p += self.histograms.probability(h, cell, self.mass)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.where(codes >= -1, p / len(leaves), 0.0)))

    def draw_where(self, before: Cells, rule: Allowed, rng: np.random.Generator) -> tuple[Codes, Floats, Floats]:
        """Codes and positions drawn from the allowed part, and its probability (n,) for each row."""
        part = View(self.histograms, self.mass, allowed_mass(self.grid, rule))
        leaves = np.stack(self._leaves(before), 1)
        chance = np.append(part.mixed, 0.0)[np.where(leaves < 0, len(part.mixed) - 1, leaves)]
        total = chance.sum(1)
        pick = (np.cumsum(chance, 1) < (rng.random(len(total)) * total)[:, None]).sum(1)
        h = leaves[np.arange(len(leaves)), np.minimum(pick, leaves.shape[1] - 1)]
        codes = (part.draw(h, rng)[0] - 1).astype(np.int32)
        return codes, rule.place(codes, rng), total / leaves.shape[1]

    # ---------------------------------------------------------------- one hidden tree for each row

    def draw_existing(self, before: Cells, rng: np.random.Generator) -> tuple[Codes, Floats, Floats]:
        """Codes and positions (n,) drawn given that the value exists, and the chance that it does in a random tree."""
        h = self._random_leaves(before, 1, rng)[0]
        view = self._existing if self.grid.size and self.grid.missing else self.free
        chance = view.mixed[np.where(h < 0, len(view.mixed) - 1, h)]
        return *self._place(*view.draw(h, rng)), chance

    def chance(self, before: Cells, codes: Codes, trees: int, rng: np.random.Generator) -> Floats:
        """p (n,) of the cells under a few random trees for each row: right on average."""
        found = self._random_leaves(before, trees, rng)
        cell = np.maximum(codes.astype(np.intp) + 1, 0)
        return np.asarray(sum(self.histograms.probability(h, cell, self.mass) for h in found) / len(found))

    def _random_leaves(self, before: Cells, trees: int, rng: np.random.Generator) -> list[Index]:
        """The histograms (n,) of so many different trees for each row."""
        if self.packed is None or trees >= self.packed.trees:
            return self._leaves(before)
        x, most, found = self._matrix(before), self.packed.trees, []
        first = rng.integers(most, size=len(x))
        for t in range(trees):
            x[:, -1] = (first + t * most // trees) % most
            found.append(self.packed(x).astype(np.intp))
        return found

    @cached_property
    def _existing(self) -> View:
        return View(self.histograms, self.mass, np.append(0.0, self.mass[1:]))

    # ---------------------------------------------------------------- the distribution function

    def ranks(self, before: Cells, codes: Codes, positions: Floats) -> Floats:
        """u (n,) in [0, 1]: where each value lies in its conditional distribution. What no cell holds is placed by its
        position, or in the middle where it has none."""
        known = (codes != OUTSIDE) | ~np.isnan(positions)
        if not self.grid.size:
            return np.full(len(codes), 0.5)
        cell = np.where(codes == MISSING, -1, np.clip(np.floor(np.nan_to_num(positions)), 0, self.grid.size - 1))
        cell = cell.astype(np.intp)
        atom = (cell < 0) | (self.grid.values_in[np.maximum(cell, 0)] == 1)
        inside = np.where(atom, 0.5, np.nan_to_num(positions) - cell)
        u = self._mixture(before).place(cell + 1, np.clip(inside, 0.0, 1.0))
        return np.where(known, u, 0.5)

    def at_ranks(self, before: Cells, u: Floats) -> tuple[Codes, Floats]:
        """The inverse of `ranks`: codes and positions (n,)."""
        return self._place(*self._mixture(before).find(u))

    def _mixture(self, before: Cells) -> Mixture:
        return Mixture(self.free, np.stack(self._leaves(before), 1))

    def _leaves(self, before: Cells) -> list[Index]:
        """The histogram (n,) of each tree for each row."""
        if self.packed is None:
            return [np.full(len(before), -1, np.intp)]
        x, found = self._matrix(before), []
        for t in range(self.packed.trees):
            x[:, -1] = t
            found.append(self.packed(x).astype(np.intp))
        return found

    def _matrix(self, before: Cells) -> Matrix:
        """(n, d + 1): features, and room for the tree's number."""
        return np.concatenate([ordinal(before, self.orders), np.zeros((len(before), 1), np.float32)], 1)

    def _place(self, cell: Index, inside: Floats) -> tuple[Codes, Floats]:
        """A representable value in each cell: the middle of its share of the cell."""
        codes = (cell - 1).astype(np.int32)
        if not self.grid.size:
            return codes, np.full(len(codes), np.nan)
        many = self.grid.values_in[np.maximum(codes, 0)]
        finite = np.where(np.isinf(many), 1.0, many)
        inside = np.where(np.isinf(many), inside, (np.floor(inside * finite) + 0.5) / finite)
        return codes, np.where(codes >= 0, codes + inside, np.nan)

    # ---------------------------------------------------------------- state

    def state(self) -> tuple[Config, Arrays]:
        orders = {f"order.{i}": order for i, order in enumerate(self.orders) if order is not None}
        if self.packed is None:
            return {"trees": 0, "shrink": self.growth.shrink}, {}
        config = {"trees": self.packed.trees, "shrink": self.growth.shrink}
        return config, {**self.packed.state(), **self.histograms.state(), **orders}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]], grid: Grid, features: Columns) -> None:
        self._begin(grid, features)
        if config["trees"]:
            self.orders = [arrays.get(f"order.{i}") for i in range(len(features))]
            self._finish(
                Packed.of(arrays, self.width + 1, int(config["trees"])), Histograms.of(arrays, float(config["shrink"]))
            )
