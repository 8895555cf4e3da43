"""Binary trees as plain arrays: saved without pickle, walked at the speed of scikit-learn's own loop.

Several trees make one: which of them a row is sent down is a last feature, the tree's number, on which the topmost
nodes split. So a draw from a random member of a forest is one walk.

Shapes: N nodes, n rows, d features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.learner import Arrays

Ints = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Packed:
    """Node i sends a row to `left[i]` when `x[feature[i]] <= threshold[i]`, else to `right[i]`; -1 marks a leaf.

    `value[i]` is the number of the leaf's content, whatever that is: a histogram here, a score in boosted trees.
    """

    feature: Ints  # (N,)
    threshold: npt.NDArray[np.float64]  # (N,)
    left: Ints  # (N,)
    right: Ints  # (N,)
    value: Ints  # (N,)
    width: int  # d, the tree's number included
    trees: int = 1

    @cached_property
    def _tree(self) -> Any:
        from sklearn.tree._tree import NODE_DTYPE, Tree

        nodes = np.zeros(len(self.left), NODE_DTYPE)
        nodes["left_child"], nodes["right_child"] = self.left, self.right
        nodes["feature"], nodes["threshold"] = self.feature, self.threshold
        nodes["n_node_samples"], nodes["weighted_n_node_samples"] = 1, 1.0
        tree = Tree(self.width, np.ones(1, np.intp), 1)
        values = np.zeros((len(nodes), 1, 1))
        tree.__setstate__({"max_depth": len(nodes), "node_count": len(nodes), "nodes": nodes, "values": values})
        return tree

    def __call__(self, x: Matrix) -> Ints:
        """Rows (n, d) -> the value of the leaf that each falls in (n,). Releases the interpreter's lock."""
        leaf: npt.NDArray[np.intp] = self._tree.apply(x)
        return self.value[leaf]

    def walk(self, x: Matrix) -> Ints:
        """The same in numpy, level by level: what `__call__` must equal."""
        node = np.zeros(len(x), np.int32)
        rows = np.flatnonzero(self.left[node] >= 0)
        while len(rows):
            at = node[rows]
            goes_left = x[rows, self.feature[at]] <= self.threshold[at]
            node[rows] = np.where(goes_left, self.left[at], self.right[at])
            rows = rows[self.left[node[rows]] >= 0]
        return self.value[node]

    def shifted(self, by: int) -> Packed:
        """The same tree whose leaves' values are raised by so much."""
        return replace(self, value=np.where(self.value >= 0, self.value + by, -1).astype(np.int32))

    def state(self) -> Arrays:
        return {
            "feature": self.feature,
            "threshold": self.threshold,
            "left": self.left,
            "right": self.right,
            "value": self.value,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]], width: int, trees: int) -> Packed:
        return cls(
            arrays["feature"], arrays["threshold"], arrays["left"], arrays["right"], arrays["value"], width, trees
        )


def join(members: Sequence[Packed], width: int) -> Packed:
    """One tree of several: a balanced top splits on the member's number, which is feature `width - 1`."""
    top = len(members) - 1
    starts = top + np.concatenate([[0], np.cumsum([len(m.left) for m in members])]).astype(np.int32)
    feature, left, right = np.full(top, width - 1, np.int32), np.empty(top, np.int32), np.empty(top, np.int32)
    threshold = np.empty(top)
    free = iter(range(top))

    def place(low: int, high: int) -> int:
        """The node under which members low..high hang."""
        if low == high:
            return int(starts[low])
        node, middle = next(free), (low + high) // 2
        threshold[node] = middle + 0.5
        left[node], right[node] = place(low, middle), place(middle + 1, high)
        return node

    place(0, top)

    def shifted(child: Ints, start: np.int32) -> Ints:
        return np.where(child >= 0, child + start, -1).astype(np.int32)

    return Packed(
        np.concatenate([feature, *(m.feature for m in members)]),
        np.concatenate([threshold, *(m.threshold for m in members)]),
        np.concatenate([left, *(shifted(m.left, s) for m, s in zip(members, starts, strict=False))]),
        np.concatenate([right, *(shifted(m.right, s) for m, s in zip(members, starts, strict=False))]),
        np.concatenate([np.full(top, -1, np.int32), *(m.value for m in members)]),
        width,
        len(members),
    )
