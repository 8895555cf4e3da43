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
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Allowed, Cells, Codes, Columns, Floats, Grid
from anew.core.learner import Arrays, Config
from anew.core.network import Network
from anew.core.release import Release
from anew.networks._features import level_orders, ordinal
from anew.networks._histograms import Histograms, View, allowed_mass, collect, group, marginal
from anew.networks._packed import Packed, join

Ints = npt.NDArray[np.int32]
Index = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float32]

FEW = 50  # a category of more levels is split by what its levels mean, not by its levels


@dataclass(frozen=True)
class Growth:
    """How a forest is grown. Found by experiments on four tables: docs/log.md."""

    trees: int = 8
    leaf: int = 8  # least rows of a leaf
    settled: int = 100  # a node of at least so many rows always splits
    features: float = 0.7  # share of the columns that a split may choose from
    held: float = 0.3  # share of the rows that decide where small nodes stop
    joined: float = 3.0  # rows of one entry of a leaf's histogram of an ordered column
    shrink: float = 0.1  # a: weight, in rows, of what a histogram is shrunk to
    doubt: float = 3.0  # the same while pruning
    slack: float = 0.0  # nats of the held-out rows by which a split may lose and still stay
    step: float = 8.0  # a histogram is shrunk to the nearest ancestor of so many times its rows
    hard: float = 0.01  # nats by which one tree of all columns must beat one of some, for a forest of such trees


@dataclass(frozen=True)
class Grown:
    """One tree in preorder: children (-1 in leaves), parents, and which nodes stop."""

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    parent: Ints
    depth: Ints

    @classmethod
    def of(cls, tree: Any) -> Grown:
        left, right = tree.children_left.astype(np.int32), tree.children_right.astype(np.int32)
        inner = np.flatnonzero(left >= 0)
        parent = np.full(len(left), -1, np.int32)
        parent[left[inner]] = parent[right[inner]] = inner
        depth, at = np.zeros(len(left), np.int32), inner[:1]
        level = 0
        while len(at):
            depth[at] = level
            level, at = level + 1, np.concatenate([left[at], right[at]])
            depth[at] = level
            at = at[left[at] >= 0]
        return cls(tree.feature.astype(np.int32), tree.threshold.astype(np.float64), left, right, parent, depth)

    def sums(self, leaf: Index) -> Floats:
        """How many of the rows, given by their leaves, pass through each node.  (N,)"""
        total = np.bincount(leaf, minlength=len(self.left)).astype(np.float64)
        for level in range(int(self.depth.max(initial=0)), 0, -1):
            at = np.flatnonzero(self.depth == level)
            total += np.bincount(self.parent[at], weights=total[at], minlength=len(total))
        return total

    def stops(self, stop: Bools) -> Index:
        """For each node the topmost stopping node above it, or itself.  (N,)"""
        to = np.arange(len(self.left))
        for level in range(1, int(self.depth.max(initial=0)) + 1):
            at = np.flatnonzero(self.depth == level)
            above = to[self.parent[at]]
            to[at] = np.where(stop[above], above, at)
        return to


class Trees(Network):
    """The solver of one column's conditional distribution, given the columns before it."""

    solved = True

    def __init__(self, **options: Any) -> None:
        self.growth = Growth(**options)
        self.orders: list[Floats | None] = []
        self.packed: Packed | None = None

    # ---------------------------------------------------------------- fit

    def fit(self, before: Cells, features: Columns, grid: Grid, codes: Codes, positions: Floats, name: str,
            release: Release, rng: np.random.Generator) -> None:
        """Learns the column (n,) of that grid given the cells before it (n, d)."""
        self._begin(grid, features)
        if not len(features) or grid.size + (grid.missing > 0) < 2 or len(codes) < 2 * self.growth.leaf:
            return
        target = _target(before, grid, codes, positions)
        self.orders = level_orders(before, features, target.rank)
        self._grow(ordinal(before, self.orders), target, codes.astype(np.intp) + 1, rng)
        release.leaves(name, self.histograms.count.astype(np.float64))

    def _begin(self, grid: Grid, features: Columns) -> None:
        self.grid, self.width = grid, len(features)
        self.mass = marginal(grid)
        nothing = np.zeros(0, np.int32)
        self.orders, self.packed = [], None
        self.histograms = Histograms(np.zeros(1, np.int32), nothing, nothing, nothing, nothing, self.growth.shrink)
        self.free = View(self.histograms, self.mass, self.mass)

    def _grow(self, x: Matrix, target: _Target, cell: Index, rng: np.random.Generator) -> None:
        g = self.growth
        joined = g.joined if self.grid.ordered else 1.0
        kept: list[tuple[Packed, Histograms]] = []
        nats = []
        shares = [1.0, g.features] if g.trees > 1 else [1.0]
        for share in shares:
            one = _member(x, target, cell, self.mass, share, joined, g, rng)
            kept.append(one[0])
            nats.append(one[1])
        if len(nats) > 1 and nats[0] > nats[1] + g.hard:
            kept, share = kept[:1], 1.0
        while len(kept) < g.trees:
            kept.append(_member(x, target, cell, self.mass, share, joined, g, rng)[0])
        self._pack(kept)

    def _pack(self, members: list[tuple[Packed, Histograms]]) -> None:
        offset = np.concatenate([[0], np.cumsum([len(h) for _, h in members])]).astype(np.int32)
        entry = np.concatenate([[0], np.cumsum([len(h.low) for _, h in members])]).astype(np.int32)
        shifted = [Packed(p.feature, p.threshold, p.left, p.right, np.where(p.value >= 0, p.value + o, -1), p.width)
                   for (p, _), o in zip(members, offset, strict=False)]
        self.packed = join(shifted, self.width + 1)
        parts = [h for _, h in members]
        self.histograms = Histograms(
            np.concatenate([*(h.start[:-1] + o for h, o in zip(parts, entry, strict=False)), entry[-1:]]),
            np.concatenate([h.low for h in parts]), np.concatenate([h.high for h in parts]),
            np.concatenate([h.count for h in parts]),
            np.concatenate([np.where(h.up >= 0, h.up + o, -1) for h, o in zip(parts, offset, strict=False)]),
            self.growth.shrink)
        self.free = View(self.histograms, self.mass, self.mass)

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
            self.packed = Packed.of(arrays, self.width + 1, int(config["trees"]))
            self.histograms = Histograms.of(arrays, float(config["shrink"]))
            self.free = View(self.histograms, self.mass, self.mass)


# -------------------------------------------------------------------- what a tree aims at


@dataclass(frozen=True)
class _Target:
    """`rank` (n,) orders the levels of the features; `aim` (n,) classes or (n, m) numbers are what CART splits for."""

    rank: Floats
    aim: npt.NDArray[Any]
    classes: bool


def _target(before: Cells, grid: Grid, codes: Codes, positions: Floats) -> _Target:
    if grid.ordered:
        place = np.where(codes >= 0, positions, np.nan) / max(grid.size, 1)
        rank = np.nan_to_num(place, nan=float(np.nanmean(place)) if (codes >= 0).any() else 0.0)
        spikes = _spikes(grid, codes)
        return _Target(rank, np.stack([rank, *spikes], 1) if spikes else rank, False)
    if grid.size <= FEW:  # levels are numbered by frequency
        return _Target(codes.astype(np.float64), codes, True)
    meaning = _meaning(before, codes, grid.size)
    return _Target(meaning[:, 0], meaning, False)


def _spikes(grid: Grid, codes: Codes, most: int = 2, share: float = 0.05) -> list[Floats]:
    """Flags (n,) of the heaviest cells, missing among them: a mean alone does not see a spike grow."""
    mass = marginal(grid)
    heavy = np.argsort(-mass, kind="stable")[:most] - 1
    return [(codes == cell).astype(np.float64) for cell in heavy if share < mass[cell + 1] < 1.0]


def _meaning(before: Cells, codes: Codes, size: int, dims: int = 3) -> Floats:
    """A category of many levels as a few numbers: the principal components of what the other columns are on average
    for each level, (n, dims). Levels of few rows are shrunk to the mean of all by five rows."""
    x = ordinal(before, [None] * before.width).astype(np.float64)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-9)
    level = codes.astype(np.intp) + 1
    count = np.bincount(level, minlength=size + 1)
    mean = np.stack([np.bincount(level, weights=x[:, j], minlength=size + 1) for j in range(x.shape[1])], 1)
    mean = mean / (count + 5.0)[:, None]
    root = np.sqrt(count)[:, None]
    _, _, axes = np.linalg.svd(mean * root, full_matrices=False)
    return np.asarray((mean @ axes[:dims].T)[level])


# -------------------------------------------------------------------- one tree


def _member(x: Matrix, target: _Target, cell: Index, mass: Floats, share: float, joined: float, g: Growth,
            rng: np.random.Generator) -> tuple[tuple[Packed, Histograms], float]:
    """A pruned tree with its histograms, and the mean log-likelihood of the rows that it did not grow on."""
    n = len(x)
    order = rng.permutation(n)
    out, grew = np.split(order, [int(g.held * n)])
    tree = _cart(x[grew], target.aim[grew], target.classes, share, g.leaf, int(rng.integers(2**31)))
    grown, leaf = Grown.of(tree), tree.apply(x)
    stop, nats = _prune(grown, leaf, cell, grew, out, mass, joined, g)
    to = grown.stops(stop)
    return _fill(grown, stop, to[leaf], cell, joined, g), nats


def _cart(x: Matrix, aim: npt.NDArray[Any], classes: bool, share: float, leaf: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    return kind(min_samples_leaf=leaf, max_features=share, random_state=seed).fit(x, aim, check_input=False).tree_


def _prune(grown: Grown, leaf: Index, cell: Index, grew: Index, out: Index, mass: Floats, joined: float,
           g: Growth) -> tuple[Bools, float]:
    """Where to stop (N,): a small node splits only if that raises the likelihood of the rows held out."""
    rows = grown.sums(leaf[grew])
    small = rows < max(g.settled * (1 - g.held), 2 * g.leaf)
    small[0] = True if len(rows) == 1 else small[0]
    nats, best = _node_nats(grown, leaf, cell, grew, out, mass, joined, small, g), np.zeros(len(rows))
    stop = grown.left < 0
    for level in range(int(grown.depth.max(initial=0)), -1, -1):
        at = np.flatnonzero((grown.depth == level) & small)
        inner = at[grown.left[at] >= 0]
        split = best[grown.left[inner]] + best[grown.right[inner]]
        best[at] = nats[at]
        better = split > nats[inner] - g.slack
        best[inner] = np.where(better, split, nats[inner])
        stop[inner] = ~better
    tops = small & ~small[np.maximum(grown.parent, 0)] | (small & (grown.parent < 0))
    return stop, float(best[tops].sum() / max(len(out), 1))


def _node_nats(grown: Grown, leaf: Index, cell: Index, grew: Index, out: Index, mass: Floats, joined: float,
               small: Bools, g: Growth) -> Floats:
    """The log-likelihood (N,) that each small node gives to the held-out rows in it, were it a leaf."""
    path = _paths(grown, small)  # (levels, N)
    total = np.zeros(len(small))
    p = mass[cell[out]]
    here, there, last = grew, out, None
    for nodes in path:
        at_in, at_out = nodes[leaf[here]], nodes[leaf[there]]
        if last is not None:  # rows whose path goes on
            deeper_in, deeper_out = at_in != last[leaf[here]], at_out != last[leaf[there]]
            here, there, p = here[deeper_in], there[deeper_out], p[deeper_out]
            at_in, at_out = at_in[deeper_in], at_out[deeper_out]
        held = _histograms(at_in, cell[here], joined, g.doubt, len(mass), len(small))
        n = held.total[at_out]
        below = np.concatenate([[0.0], np.cumsum(mass)])
        p = (held._rows(at_out, cell[there], mass, below) + g.doubt * p) / (n + g.doubt)
        total += np.bincount(at_out, weights=np.log(np.maximum(p, 1e-300)), minlength=len(small))
        last = nodes
    return total


def _paths(grown: Grown, small: Bools) -> list[Index]:
    """For each node, the small node at the first, second, ... place on its way from the top (itself when passed)."""
    place = np.zeros(len(small), np.int32)  # how many small nodes lie above
    for level in range(1, int(grown.depth.max(initial=0)) + 1):
        at = np.flatnonzero(grown.depth == level)
        above = grown.parent[at]
        place[at] = np.where(small[above], place[above] + 1, 0)
    levels, at = [], np.arange(len(small))
    for k in range(int(place[small].max(initial=0)), -1, -1):
        at = np.where(place[at] > k, grown.parent[at], at)
        levels.append(at)
    return levels[::-1]


def _histograms(owner: Index, cell: Index, joined: float, shrink: float, width: int, size: int) -> Histograms:
    """Histograms of rows (n,): which histogram each row is of, and its cell."""
    owner, low, count = collect(owner, cell, width)
    high = low + 1
    if joined > 1:
        owner, low, high, count = group(owner, low, count, joined)
    start = np.searchsorted(owner, np.arange(size + 1)).astype(np.int32)
    return Histograms(start, low.astype(np.int32), high.astype(np.int32), count.astype(np.int32),
                      np.full(size, -1, np.int32), shrink)


def _fill(grown: Grown, stop: Bools, leaf: Index, cell: Index, joined: float, g: Growth) -> tuple[Packed, Histograms]:
    """The tree cut at its stopping nodes, and the histograms of its leaves and of what they are shrunk to."""
    rows = grown.sums(leaf)
    alive = grown.stops(stop) == np.arange(len(stop))
    up = _rungs(grown, rows, g.step)
    wanted = alive & stop
    frontier = np.flatnonzero(wanted)
    while len(frontier):
        frontier = np.unique(up[frontier])
        frontier = frontier[(frontier >= 0) & ~wanted[np.maximum(frontier, 0)]]
        wanted[frontier] = True
    number = np.append(np.cumsum(wanted) - 1, -1).astype(np.int32)
    owners, cells, at, of = [], [], leaf, cell
    while len(at):
        owners.append(number[at])
        cells.append(of)
        at, of = up[at], of[up[at] >= 0]
        at = at[at >= 0]
    made = _histograms(np.concatenate(owners).astype(np.int64), np.concatenate(cells), joined, g.shrink,
                       int(cell.max()) + 1, int(wanted.sum()))
    shrunk = Histograms(made.start, made.low, made.high, made.count, number[up[wanted]], g.shrink)
    return _cut(grown, alive, stop, number), shrunk


def _rungs(grown: Grown, rows: Floats, step: float) -> Index:
    """For each node its nearest ancestor of at least `step` times its rows, -1 if there is none.  (N,)"""
    up = grown.parent.astype(np.intp)
    todo = np.flatnonzero(up >= 0)
    while len(todo):
        todo = todo[rows[up[todo]] < step * rows[todo]]
        up[todo] = grown.parent[up[todo]]
        todo = todo[up[todo] >= 0]
    return up


def _cut(grown: Grown, alive: Bools, stop: Bools, number: Ints) -> Packed:
    """The living nodes, renumbered in the same order."""
    new = np.append(np.cumsum(alive) - 1, -1).astype(np.int32)
    inner = ~stop[alive]
    left, right = (np.where(inner, new[side[alive]], -1).astype(np.int32) for side in (grown.left, grown.right))
    value = np.where(inner, -1, number[:-1][alive]).astype(np.int32)
    feature = np.where(inner, grown.feature[alive], 0).astype(np.int32)
    return Packed(feature, np.where(inner, grown.threshold[alive], 0.0), left, right, value, 0)
