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
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import MISSING, OUTSIDE, Allowed, Cells, Codes, Columns, Floats, Grid
from anew.core.learner import Arrays, Config
from anew.core.network import Network
from anew.core.release import Release
from anew.networks._cdf import Mixture
from anew.networks._copies import Copies, copies_of, same
from anew.networks._features import ordinal
from anew.networks._growing import Growth, Index, Matrix, Task, aim_of, member, orders_of
from anew.networks._histograms import Histograms, View, allowed_mass, marginal, merge, none
from anew.networks._packed import Packed, join

AGAIN = 8  # times that a copy of a missing value is drawn again


class Trees(Network):
    """The solver of one column's conditional distribution, given the columns before it."""

    solved = True

    def __init__(self, **options: Any) -> None:
        self.growth = Growth(**options)
        self.parents: list[int] | None = None  # the earlier columns that it is learned from; None: all
        self.orders: list[Floats | None] = []
        self.packed: Packed | None = None

    def sees(self, rows: Cells, j: int) -> Cells:
        """Of rows (n, d) the columns before column j that this solver of column j is learned from."""
        return rows.columns(slice(0, j) if self.parents is None else self.parents)

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
        cell, copied = self._cells(before, features, codes, positions, name, release)
        aim = aim_of(before, grid, codes, positions, copied)
        self.orders, settled = orders_of(before, features, codes, aim)
        x, ends = ordinal(before, self.orders), grid.size + 1
        task = Task(x, aim, cell, self.mass, grid.ordered, self.growth, ends, settled)
        self._finish(*self._members(task, rng))
        release.leaves(name, self.histograms.count.astype(np.float64))

    def _cells(
        self, before: Cells, features: Columns, codes: Codes, positions: Floats, name: str, release: Release
    ) -> tuple[Index, Index]:
        """The cell of each row (n,), missing first and copies of other columns last, and the source of copies or -1."""
        cell = np.maximum(codes, MISSING).astype(np.intp) + 1
        self.copies = copies_of(before, features, self.grid, codes, positions, self.growth.copies)
        if not len(self.copies):
            return cell, np.full(len(codes), -1, np.intp)
        copied = self.copies.which(before, codes, positions)
        cell = np.where(copied >= 0, self.grid.size + 1 + copied, cell)
        counts = release.counts(name, cell.astype(np.int32), self.grid.size + 1 + len(self.copies))
        self.mass = counts / counts.sum()
        return cell, copied

    def _begin(self, grid: Grid, features: Columns) -> None:
        self.grid, self.width, self.mass = grid, len(features), marginal(grid)
        self.orders, self.packed, self.copies = [], None, Copies((), (), grid)
        self.histograms = none(self.growth.shrink)
        self.free = View(self.histograms, self.mass, self.mass)

    def _finish(self, packed: Packed, histograms: Histograms) -> None:
        self.packed, self.histograms = packed, histograms
        self.free = View(histograms, self.mass, self.mass)

    @cached_property
    def _plain(self) -> View:
        """The column without copies of others."""
        return self._seen(0, self.grid.size + 1)

    @cached_property
    def _plain_existing(self) -> View:
        return self._seen(1, self.grid.size + 1)

    @cached_property
    def _existing(self) -> View:
        return self._seen(1, len(self.mass))

    def _seen(self, low: int, high: int) -> View:
        """The cells from low to high alone."""
        part = np.zeros_like(self.mass)
        part[low:high] = self.mass[low:high]
        return View(self.histograms, self.mass, part)

    def _members(self, task: Task, rng: np.random.Generator) -> tuple[Packed, Histograms]:
        """All columns or some at a split? One tree of each kind says which: a hard dependence needs its column."""
        g, share = self.growth, self.growth.features
        whole, nats = member(task, 1.0, rng)
        gain = nats - float(np.log(np.maximum(task.mass[task.cell], 1e-300)).mean())
        if task.ordered and gain > g.tight:  # the column before says nearly where it is: small nodes know more
            task = replace(task, growth=replace(g, settled=g.settled * g.fine))
            whole, nats = member(task, 1.0, rng)
        kept = [whole]
        if g.trees > 1:
            some, other = member(task, share, rng)
            every = task.settled or nats > other + g.hard
            kept, share = ([whole], 1.0) if every else ([whole, some], share)
        kept += [member(task, share, rng)[0] for _ in range(g.trees - len(kept))]
        histograms, shift = merge([h for _, h in kept])
        return join([tree.shifted(by) for (tree, _), by in zip(kept, shift, strict=True)], self.width + 1), histograms

    # ---------------------------------------------------------------- use

    def draw(self, before: Cells, rng: np.random.Generator) -> tuple[Codes, Floats]:
        """Codes and positions (n,) of the column for rows whose earlier columns are known."""
        h = np.full(len(before), -1, np.intp)
        if self.packed is not None:
            tree = rng.integers(self.packed.trees, size=len(before), dtype=np.uint16)
            order = np.argsort(tree, kind="stable")  # rows of one tree together: it then stays in the cache
            x = self._matrix(before)[order]
            x[:, -1] = tree[order]
            h[order] = self.packed(x)
        return self._draw(before, h, self.free, rng)

    def _draw(self, before: Cells, h: Index, view: View, rng: np.random.Generator) -> tuple[Codes, Floats]:
        """From the histograms (n,), seen through a view; a copy of what cannot be copied is drawn again."""
        cell, inside = view.draw(h, rng)
        if not len(self.copies):
            return self._place(cell, inside)
        there, ends = self.copies.values(before), self.grid.size + 1
        plain = self._plain if view is self.free else self._plain_existing
        empty = np.stack([codes < 0 for codes, _ in there], 1)
        for attempt in range(AGAIN + 1):
            redo = np.flatnonzero(cell >= ends)
            redo = redo[empty[redo, cell[redo] - ends]]
            if not len(redo):
                break
            last = attempt == AGAIN
            cell[redo], inside[redo] = (plain if last else view).draw(h[redo] * (not last) - last, rng)
        return self._valued(cell, inside, there)

    def _valued(self, cell: Index, inside: Floats, there: list[tuple[Codes, Floats]]) -> tuple[Codes, Floats]:
        """Codes and positions (n,) of cells; that of a copy is its source's."""
        ends = self.grid.size + 1
        codes, positions = self._place(np.minimum(cell, ends - 1), inside)
        for s, (own, place) in enumerate(there):
            rows = cell == ends + s
            codes[rows], positions[rows] = own[rows], place[rows]
        return codes, positions

    def log_prob(self, before: Cells, codes: Codes, positions: Floats | None = None) -> Floats:
        """log p of the cells (n,) given earlier columns; -inf where no cell holds the value.

        A value that repeats another column's is likelier than its cell says: `positions` (n,) tell it.
        """
        p = self._mean(self._leaves(before), before, codes, positions)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.where(codes >= MISSING, p, 0.0)))

    def _mean(self, leaves: list[Index], before: Cells, codes: Codes, positions: Floats | None) -> Floats:
        """The mean over histograms, one of each tree, of the probability of the cells.  (n,)"""
        cell = np.maximum(codes.astype(np.intp) + 1, 0)
        equal, empty = self._repeats(before, codes, positions)
        total = np.zeros(len(codes))
        for h in leaves:
            p, lost = self.histograms.probability(h, cell, self.mass), np.zeros(len(codes))
            for s in range(len(self.copies)):
                copy = self.histograms.probability(h, np.full(len(h), self.grid.size + 1 + s), self.mass)
                p, lost = p + copy * equal[s], lost + copy * empty[s]
            total += p / np.maximum(1.0 - lost, 1e-9)
        return total / len(leaves)

    def _repeats(self, before: Cells, codes: Codes, positions: Floats | None) -> tuple[list[Floats], list[Floats]]:
        """For each source, how many cells' worth of values a copied value is in this row (0: another value), and
        whether there is nothing to copy.  (n,)"""
        if not len(self.copies):
            return [], []
        place = np.asarray(codes + 0.5, np.float64) if positions is None else positions
        worth = np.append(self.grid.values_in, 0.0)[np.maximum(codes, -1)]
        there = self.copies.values(before)
        return [np.where(same(codes, place, *t), worth, 0.0) for t in there], [(t[0] < 0).astype(float) for t in there]

    def draw_where(self, before: Cells, rule: Allowed, rng: np.random.Generator) -> tuple[Codes, Floats, Floats]:
        """Codes and positions drawn from the allowed part, and its probability (n,) for each row."""
        ends = self.grid.size + 1
        ordinary = np.append(allowed_mass(self.grid, rule), np.zeros(len(self.copies)))
        if len(self.copies):
            ordinary[:ends] *= self.mass[:ends] / np.maximum(marginal(self.grid), 1e-300)
        part = View(self.histograms, self.mass, ordinary)
        leaves = np.stack(self._leaves(before), 1)
        chance = np.append(part.mixed, 0.0)[np.where(leaves < 0, len(part.mixed) - 1, leaves)]
        options = [chance]
        there = self.copies.values(before) if len(self.copies) else []
        lost = np.zeros(chance.shape)
        for s, (own, place) in enumerate(there):
            at = np.full(len(own), ends + s)
            copy = np.stack([self.histograms.probability(h, at, self.mass) for h in leaves.T], 1)
            options.append(copy * (rule.holds(own, place) & (own >= 0))[:, None])
            lost += copy * (own < 0)[:, None]
        weight = np.concatenate([option / np.maximum(1.0 - lost, 1e-9) for option in options], 1)
        total = weight.sum(1)
        pick = (np.cumsum(weight, 1) < (rng.random(len(total)) * total)[:, None]).sum(1)
        pick = np.minimum(pick, weight.shape[1] - 1)
        source, tree = pick // leaves.shape[1] - 1, pick % leaves.shape[1]
        h = leaves[np.arange(len(leaves)), tree]
        codes = (part.draw(h, rng)[0] - 1).astype(np.int32)
        positions = rule.place(codes, rng)
        for s, (own, place) in enumerate(there):
            codes[source == s], positions[source == s] = own[source == s], place[source == s]
        return codes, positions, total / leaves.shape[1]

    # ---------------------------------------------------------------- one hidden tree for each row

    def draw_existing(self, before: Cells, rng: np.random.Generator) -> tuple[Codes, Floats, Floats]:
        """Codes and positions (n,) drawn given that the value exists, and the chance that it does in a random tree."""
        h = self._random_leaves(before, 1, rng)[0]
        view = self._existing if self.grid.size and self.grid.missing else self.free
        chance = view.mixed[np.where(h < 0, len(view.mixed) - 1, h)]
        return *self._draw(before, h, view, rng), chance

    def chance(self, before: Cells, codes: Codes, positions: Floats, trees: int, rng: np.random.Generator) -> Floats:
        """p (n,) of the cells under a few random trees for each row: right on average."""
        return self._mean(self._random_leaves(before, trees, rng), before, codes, positions)

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
        place, inside = cell + 1, np.clip(inside, 0.0, 1.0)
        if len(self.copies):  # they come after all cells of the grid
            copied = self.copies.which(before, codes, positions)
            place = np.where(copied >= 0, self.grid.size + 1 + copied, place)
            inside = np.where(copied >= 0, 0.5, inside)
        return np.where(known, self._mixture(before).place(place, inside), 0.5)

    def at_ranks(self, before: Cells, u: Floats) -> tuple[Codes, Floats]:
        """The inverse of `ranks`: codes and positions (n,)."""
        mixture, ends = self._mixture(before), self.grid.size + 1
        cell, inside = mixture.find(u)
        if not len(self.copies):
            return self._place(cell, inside)
        there = self.copies.values(before)
        empty = np.stack([codes < 0 for codes, _ in there], 1)
        lost = (cell >= ends) & empty[np.arange(len(cell)), np.maximum(cell - ends, 0)]
        if lost.any():  # nothing there to copy: the same rank among the cells of the grid
            other = mixture.find(u * mixture.below(np.full(len(u), ends)))
            cell, inside = np.where(lost, other[0], cell), np.where(lost, other[1], inside)
        return self._valued(cell, inside, there)

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
        return ordinal(before, self.orders, spare=1)

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
            return {"trees": 0, "shrink": self.growth.shrink, "copies": []}, {}
        config = {"trees": self.packed.trees, "shrink": self.growth.shrink, "copies": list(self.copies.of)}
        mass = {"mass": self.mass} if len(self.copies) else {}
        return config, {**self.packed.state(), **self.histograms.state(), **orders, **mass}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]], grid: Grid, features: Columns) -> None:
        self._begin(grid, features)
        if config["trees"]:
            sources = tuple(config["copies"])
            self.copies = Copies(sources, tuple(features.grids[i] for i in sources), grid)
            self.mass = arrays["mass"] if sources else self.mass
            self.orders = [arrays.get(f"order.{i}") for i in range(len(features))]
            self._finish(
                Packed.of(arrays, self.width + 1, int(config["trees"])), Histograms.of(arrays, float(config["shrink"]))
            )
