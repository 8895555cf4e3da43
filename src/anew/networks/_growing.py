"""How one tree of a forest is grown, pruned by rows that it did not grow on, and filled with histograms.

Shapes: n rows, d features, K cells with missing, N nodes in preorder, H histograms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Bools, Cells, Codes, Columns, Floats, Grid
from anew.networks._features import level_orders, ordinal
from anew.networks._histograms import Histograms, collect, cumulative, of_rows
from anew.networks._packed import Packed

Ints = npt.NDArray[np.int32]
Index = npt.NDArray[np.intp]
Matrix = npt.NDArray[np.float32]

FEW = 50  # a category of more levels is split by what its levels mean, not by its levels
FLAG = 0.15  # weight of the flag of a copy beside the position, which would else be forgotten
FEWEST = 3  # columns that a split may choose from, when there are so many


@dataclass(frozen=True)
class Growth:
    """How a forest is grown. Found by experiments on four tables: docs/log.md."""

    trees: int = 16
    leaf: float = 0.25  # a leaf has at least so many times the cube root of all rows, and five
    settled: float = 8.0  # a node of at least so many times the cube root of all rows always splits
    features: float = 0.5  # share of the columns that a split may choose from
    held: float = 0.3  # share of the rows that decide where small nodes stop
    joined: float = 2.0  # rows of one entry of a leaf's histogram of an ordered column
    shrink: float = 0.1  # a: weight, in rows, of what a histogram is shrunk to
    doubt: float = 3.0  # the same while pruning
    slack: float = 1.0  # nats of the held-out rows by which a split may lose and still stay
    step: float = 8.0  # a histogram is shrunk to the nearest ancestor of so many times its rows
    copies: int = 3  # columns of which a number may be a copy
    tight: float = 1.0  # nats that the columns before say about a number, from which smaller nodes always split
    fine: float = 0.1  # so many times `settled`
    hard: float = 0.005  # nats by which one tree of all columns must beat one of some, for a forest of such trees

    def least(self, n: int) -> int:
        """The least rows of a leaf in a table of n rows."""
        return max(5, round(self.leaf * float(np.cbrt(n))))


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


@dataclass(frozen=True)
class Aim:
    """What CART splits for: classes (n,) or numbers (n,) or (n, m); `rank` (n,) orders the levels of the features."""

    of: npt.NDArray[Any]
    classes: bool
    rank: Floats


@dataclass(frozen=True)
class Task:
    """What all trees of a column share: features, aim, cells (missing is 0) and the column's marginal (K,).

    Cells from `ends` on repeat another column, see `_copies`. `settled`: one of the features alone says the column.
    """

    x: Matrix
    aim: Aim
    cell: Index
    mass: Floats
    ordered: bool
    growth: Growth
    ends: int
    settled: bool = False

    @property
    def joined(self) -> float:
        return self.growth.joined if self.ordered else 1.0


def aim_of(before: Cells, grid: Grid, codes: Codes, positions: Floats, copied: Index) -> Aim:
    """Positions of an ordered column (beside flags of missing and of what is copied from another column, -1 for none),
    the classes of a nominal one, or their meaning."""
    gone = (codes < 0).astype(np.float64)
    if grid.ordered:
        place = np.where(codes >= 0, positions, np.nan) / max(grid.size, 1)
        place = np.nan_to_num(place, nan=float(np.nanmean(place)) if gone.min() == 0 else 0.0)
        flags = [gone] * bool(gone.any()) + [
            (copied == s).astype(np.float64) * FLAG for s in range(int(copied.max()) + 1)
        ]
        return Aim(np.stack([place, *flags], 1) if flags else place, False, place + gone)
    if grid.size <= FEW:
        return Aim(codes, True, codes.astype(np.float64))  # levels are numbered by frequency
    meaning = _meaning(before, codes, grid.size)
    return Aim(meaning, False, meaning[:, 0])


def orders_of(before: Cells, features: Columns, codes: Codes, aim: Aim) -> tuple[list[Floats | None], bool]:
    """The rank (K,) of a feature's cells where not their own order but the column to come says which lie together.

    So for every nominal feature, and for an ordered one of which the column is a function: minutes of a time of day.
    Whether there is such a feature is the second answer.
    """
    plain = [] if aim.classes else level_orders(before, features, aim.rank)
    orders: list[Floats | None] = []
    settled = False
    for j, grid in enumerate(features.grids):
        cells = before.codes[:, j]
        if _is_function(cells, codes, grid.size):
            settled = True
            orders.append(_mean_order(cells, grid.size, aim.rank))
        elif aim.classes and not grid.ordered:
            orders.append(_principal_order(cells, grid.size, aim.of))
        else:
            orders.append(None if aim.classes else plain[j])
    return orders, settled


def _mean_order(cells: Codes, size: int, rank: Floats) -> Floats:
    """Cells of one value of the column to come lie together: the order of their plain means."""
    held = cells >= 0
    total = np.bincount(cells[held], weights=rank[held], minlength=size)
    mean = total / np.maximum(np.bincount(cells[held], minlength=size), 1)
    return np.argsort(np.argsort(mean, kind="stable"), kind="stable").astype(np.float64)


def _is_function(cells: Codes, codes: Codes, size: int, share: float = 0.99) -> bool:
    """Whether nearly all rows of a cell have one and the same code, and that says more than the commonest code does."""
    n = len(codes)
    if not 2 < size <= n / 5:
        return False
    pair = collect(cells.astype(np.intp) + 2, codes.astype(np.intp) + 2, int(codes.max()) + 3)
    best = np.zeros(size + 2)
    np.maximum.at(best, pair[0], pair[2])
    commonest = np.bincount(codes + 2).max()
    return bool(best.sum() >= share * n and n - commonest > 10 * (n - best.sum()))


def _principal_order(codes: Codes, size: int, classes: npt.NDArray[Any]) -> Floats:
    """Levels in the order of the first principal component of their class shares (Coppersmith, Hong and Hosking 1999).

    Rare levels are shrunk towards the shares of all rows by five rows.
    """
    kinds = int(classes.max(initial=-1)) + 2
    pair = np.maximum(codes, -1).astype(np.int64) * kinds + classes + 1
    table = np.bincount(pair[codes >= 0], minlength=size * kinds).reshape(size, kinds)
    count = table.sum(1)
    off = (table - count[:, None] * (table.sum(0) / max(count.sum(), 1))) / (count[:, None] + 5.0)
    _, _, axes = np.linalg.svd(off * np.sqrt(count)[:, None], full_matrices=False)
    place = off @ axes[0]
    return np.argsort(np.argsort(place, kind="stable"), kind="stable").astype(np.float64)


def _meaning(before: Cells, codes: Codes, size: int, dims: int = 3) -> Floats:
    """A category of many levels as a few numbers: the principal components of what the other columns are on average
    for each level, (n, dims). Levels of few rows are shrunk to the mean of all by five rows."""
    x = ordinal(before, [None] * before.width).astype(np.float64)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-9)
    level = np.maximum(codes, -1).astype(np.intp) + 1
    count = np.bincount(level, minlength=size + 1)
    mean = np.stack([np.bincount(level, weights=x[:, j], minlength=size + 1) for j in range(x.shape[1])], 1)
    mean = mean / (count + 5.0)[:, None]
    _, _, axes = np.linalg.svd(mean * np.sqrt(count)[:, None], full_matrices=False)
    return np.asarray((mean @ axes[:dims].T)[level])


def member(task: Task, share: float, rng: np.random.Generator) -> tuple[tuple[Packed, Histograms], float]:
    """A pruned tree with its histograms, and the mean log-likelihood of the rows that it did not grow on."""
    n, g = len(task.x), task.growth
    out, grew = np.split(rng.permutation(n), [int(g.held * n)])
    tree = _cart(task.x[grew], task.aim.of[grew], task.aim.classes, share, g.least(n), int(rng.integers(2**31)))
    grown, leaf = Grown.of(tree), tree.apply(task.x)
    stop, nats = _prune(task, grown, leaf, grew, out)
    return _fill(task, grown, stop, grown.stops(stop)[leaf]), nats


def _cart(x: Matrix, aim: npt.NDArray[Any], classes: bool, share: float, leaf: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    some = max(int(np.ceil(share * x.shape[1])), min(x.shape[1], FEWEST))
    more = {"criterion": "log_loss"} if classes else {}
    return kind(min_samples_leaf=leaf, max_features=some, **more, random_state=seed).fit(x, aim).tree_


# -------------------------------------------------------------------- pruning


def _prune(task: Task, grown: Grown, leaf: Index, grew: Index, out: Index) -> tuple[Bools, float]:
    """Where to stop (N,): a small node splits only if that raises the likelihood of the rows held out."""
    g = task.growth
    rows = grown.sums(leaf[grew])
    small = (rows < g.settled * np.cbrt(len(leaf)) * (1 - g.held)) | (grown.left < 0)
    nats = _node_nats(task, grown, leaf, grew, out, small)
    best, stop = nats.copy(), grown.left < 0
    for level in range(int(grown.depth.max(initial=0)), -1, -1):
        inner = np.flatnonzero((grown.depth == level) & small & (grown.left >= 0))
        split = best[grown.left[inner]] + best[grown.right[inner]]
        better = split > nats[inner] - g.slack
        best[inner] = np.where(better, split, nats[inner])
        stop[inner] = ~better
    tops = small & ((grown.parent < 0) | ~small[grown.parent])
    return stop, float(best[tops].sum() / max(len(out), 1))


def _node_nats(task: Task, grown: Grown, leaf: Index, grew: Index, out: Index, small: Bools) -> Floats:
    """The log-likelihood (N,) that each small node gives to the held-out rows in it, were it a leaf.

    From the top of the small nodes down, the estimate of a node is shrunk to that of the node above by `doubt` rows.
    """
    below, doubt = cumulative(task.mass), task.growth.doubt
    total, p, above = np.zeros(len(small)), task.mass[task.cell[out]], np.full(len(small), -1)
    for at in _paths(grown, small):
        here, there = at[leaf[grew]] != above[leaf[grew]], at[leaf[out]] != above[leaf[out]]
        grew, out, p = grew[here], out[there], p[there]  # rows whose path goes on
        own = of_rows(at[leaf[grew]], task.cell[grew], len(small), task.joined, doubt, len(below), task.ends)
        node = at[leaf[out]]
        p = (own.inside(node, task.cell[out], task.mass, below) + doubt * p) / (own.total[node] + doubt)
        total += np.bincount(node, weights=np.log(np.maximum(p, 1e-300)), minlength=len(small))
        above = at
    return total


def _paths(grown: Grown, small: Bools) -> list[Index]:
    """For each leaf the first small node on its way from the root, the second, ...; once passed, the leaf.  (N,)"""
    place = np.zeros(len(small), np.int32)  # how many small nodes lie above
    for level in range(1, int(grown.depth.max(initial=0)) + 1):
        at = np.flatnonzero(grown.depth == level)
        above = grown.parent[at]
        place[at] = np.where(small[above], place[above] + 1, 0)
    paths, at = [], np.arange(len(small))
    for k in range(int(place.max(initial=0)), -1, -1):
        at = np.where(place[at] > k, grown.parent[at], at)
        paths.append(at)
    return paths[::-1]


# -------------------------------------------------------------------- filling


def _fill(task: Task, grown: Grown, stop: Bools, leaf: Index) -> tuple[Packed, Histograms]:
    """The tree cut at its stopping nodes, and the histograms of its leaves and of what they are shrunk to."""
    g = task.growth
    alive = grown.stops(stop) == np.arange(len(stop))
    up = _rungs(grown, grown.sums(leaf), g.step)
    wanted = _closed(alive & stop, up)
    number = np.append(np.cumsum(wanted) - 1, -1).astype(np.int32)
    owners, cells, at, cell = [], [], leaf, task.cell
    while len(at):  # every row counts in its leaf and in all that this is shrunk to
        owners.append(number[at].astype(np.intp))
        cells.append(cell)
        at = up[at]
        at, cell = at[at >= 0], cell[at >= 0]
    made = of_rows(
        np.concatenate(owners),
        np.concatenate(cells),
        int(wanted.sum()),
        task.joined,
        g.shrink,
        len(task.mass) + 1,
        task.ends,
    )
    return _cut(grown, alive, stop, number), replace(made, up=number[up[wanted]])


def _closed(wanted: Bools, up: Index) -> Bools:
    """Nodes, with all that they are shrunk to.  (N,)"""
    wanted = wanted.copy()
    frontier = np.flatnonzero(wanted)
    while len(frontier):
        frontier = np.unique(up[frontier])
        frontier = frontier[frontier >= 0]
        frontier = frontier[~wanted[frontier]]
        wanted[frontier] = True
    return wanted


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
    """The living nodes, renumbered in the same order; a leaf's value is the number of its histogram."""
    new = np.append(np.cumsum(alive) - 1, -1).astype(np.int32)
    inner = ~stop[alive]
    left, right = (np.where(inner, new[side[alive]], -1).astype(np.int32) for side in (grown.left, grown.right))
    value = np.where(inner, -1, number[:-1][alive]).astype(np.int32)
    feature = np.where(inner, grown.feature[alive], 0).astype(np.int32)
    return Packed(feature, np.where(inner, grown.threshold[alive], 0.0), left, right, value, 0)
