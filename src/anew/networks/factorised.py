"""Users, items and what is known about them: a number predicted from two categories of many levels.

    y = a'x + b_i'x + z_u . w_i

x are the centred features of the row (side columns; 1 first), a is a ridge regression shared by all items, b_i its
change for item i (only for what is the same in all rows of a user), and z_u . w_i the user's deviation at item i,
learned from what the user rated: the leading k eigenvectors w of the covariance of items, and the user's coordinates z
in them (`_tastes`: a Gaussian over items, by EM). The user is the category with the most levels, the item the next. A
level never seen has z = 0: its side columns speak.

How far covariances are drawn together is chosen on a tenth of the rows that is kept aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Cells, Codes, Columns, Floats
from anew.core.errors import CapabilityError
from anew.core.learner import Arrays, Config
from anew.core.network import Predictor
from anew.core.seeds import stream
from anew.networks._features import dense
from anew.networks._tastes import Ratings, fit_tastes

RANK = 64  # eigenvectors kept
MOST_ITEMS = 1000  # with a coordinate each; rarer ones share the last
ROOM = 20_000_000  # users times items: numbers of the matrices of EM
PRIORS = (3.0, 10.0, 40.0, 160.0)  # users' worth of "all items alike"
USUAL = 40.0
FEW = 50  # ratings below which an item's own range is not known
ENOUGH = 200  # rows from which the prior is chosen by trial
KEPT = ("low", "high", "mean", "constant", "common", "slopes", "users", "items")


class Factorised(Predictor):
    """Latent tastes: two categories of many levels, such as users and items, and side columns of any kind."""

    losses = frozenset({"squared"})

    def fit_classes(
        self, cells: Cells, space: Columns, classes: Codes, size: int, seed: int, loss: str = "log"
    ) -> None:
        raise CapabilityError("factorised predicts numbers, not classes", do="Use linear or boosted for classes")

    def fit_values(self, cells: Cells, space: Columns, values: Floats, seed: int) -> None:
        self.pair = _pair(space)
        self.most = _most(space, self.pair)
        self.mean = np.zeros(0)
        x, (users, items) = self._features(cells, space), self._codes(cells, space)
        self.low, self.high = _ranges(items, values)
        ridge = np.diag([1e-6, *[1.0] * (x.shape[1] - 1)])
        self.common = np.linalg.solve(x.T @ x + ridge, x.T @ values)  # (P,)
        self.constant = _constant(x, users)
        left, x = values - x @ self.common, x * self.constant
        self.prior = _chosen(users, items, x, left, seed) if len(left) >= ENOUGH else USUAL
        tastes = fit_tastes(_ratings(users, items, x, left), self.prior)
        w = np.linalg.eigh(tastes.covariance)[1][:, ::-1][:, :RANK]
        self.slopes = tastes.slopes  # (P, I)
        self.users, self.items = (tastes.deviations @ w).astype(np.float32), w.astype(np.float32)  # (U, k), (I, k)

    def __call__(self, cells: Cells, space: Columns) -> Floats:
        x, (users, items) = self._features(cells, space), self._codes(cells, space)
        here = items < len(self.items)
        item = np.where(here, items, 0)
        known = here & (users < len(self.users))
        own = np.einsum("nk,nk->n", self.users[np.where(known, users, 0)], self.items[item], dtype=np.float64)
        change = np.einsum("np,pn->n", x * self.constant, self.slopes[:, item])
        guess = x @ self.common + np.where(here, change, 0.0) + np.where(known, own, 0.0)
        low, high = np.where(here, self.low[item], self.low.min()), np.where(here, self.high[item], self.high.max())
        return np.asarray(np.clip(guess, low, high))

    def _features(self, cells: Cells, space: Columns) -> Floats:
        """(n, P): ones, then the centred side columns; the two categories are not among them."""
        side = [j for j in range(len(space)) if j not in self.pair]
        raw = dense(cells.columns(side), space.select(side))
        if not len(self.mean):
            self.mean = raw.mean(0)
        return np.concatenate([np.ones((len(raw), 1)), raw - self.mean], 1)

    def _codes(self, cells: Cells, space: Columns) -> tuple[Codes, Codes]:
        """Users and items (n,); a missing or unknown level is one past the last."""
        codes = [np.zeros(len(cells), np.int32), np.zeros(len(cells), np.int32)]
        for which, j in enumerate(self.pair):
            code, size = cells.codes[:, j], space.grids[j].size
            size = min(size, self.most) if which else size
            codes[which] = np.where(code < 0, size, np.minimum(code, size - 1)).astype(np.int32)
        return codes[0], codes[1]

    def state(self) -> tuple[Config, Arrays]:
        return {"pair": list(self.pair), "most": self.most, "prior": self.prior}, {
            name: np.asarray(getattr(self, name)) for name in KEPT
        }

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.pair, self.most, self.prior = tuple(config["pair"]), int(config["most"]), float(config["prior"])
        for name in KEPT:
            setattr(self, name, arrays[name])


def _pair(space: Columns) -> tuple[int, ...]:
    """The category with the most levels and the next one; fewer where there are fewer."""
    nominal = [j for j, grid in enumerate(space.grids) if not grid.ordered and grid.size > 1]
    return tuple(sorted(nominal, key=lambda j: (-space.grids[j].size, j))[:2])


def _most(space: Columns, pair: tuple[int, ...]) -> int:
    """How many items have a coordinate, so that users times items have room."""
    users = space.grids[pair[0]].size if pair else 1
    return max(min(MOST_ITEMS, ROOM // max(users, 1)), 1)


def _ranges(items: Codes, values: Floats) -> tuple[Floats, Floats]:
    """The least and the greatest value of each item (I,); of all items for those with few."""
    size = int(items.max()) + 1
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, items, values)
    np.maximum.at(high, items, values)
    few = np.bincount(items, minlength=size) < FEW
    return np.where(few, values.min(), low), np.where(few, values.max(), high)


def _constant(x: Floats, users: Codes) -> Floats:
    """1 for features (P,) that are the same in all rows of a user, nearly always; else 0."""
    count = np.maximum(np.bincount(users), 1)
    means = np.stack([np.bincount(users, column) / count for column in x.T], 1)
    return np.asarray((np.mean(np.abs(x - means[users]) > 1e-6, 0) < 0.01).astype(np.float64))


def _chosen(users: Codes, items: Codes, x: Floats, y: Floats, seed: int) -> float:
    """The prior with the least squared error on a tenth of the rows."""
    held = stream("prior", seed).random(len(y)) < 0.1
    if not held.any() or held.all():
        return USUAL
    seen = _ratings(users[~held], items[~held], x[~held], y[~held], int(users.max()) + 1, int(items.max()) + 1)

    def error(prior: float) -> float:
        one = fit_tastes(seen, prior)
        guess = (x[held] * one.slopes[:, items[held]].T).sum(1) + one.deviations[users[held], items[held]]
        return float(np.mean((y[held] - guess) ** 2))

    return min(PRIORS, key=error)


def _ratings(
    users: Codes, items: Codes, x: Floats, y: Floats, many_users: int | None = None, many_items: int | None = None
) -> Ratings:
    """One value a pair of user and item (their mean), and the mean features of each user."""
    u, i = many_users or int(users.max()) + 1, many_items or int(items.max()) + 1
    pair, at = np.unique(users.astype(np.int64) * i + items, return_inverse=True)
    value = np.bincount(at, y) / np.bincount(at)
    count = np.maximum(np.bincount(users, minlength=u), 1)
    features = np.stack([np.bincount(users, column, u) / count for column in x.T], 1)
    return Ratings(pair // i, pair % i, value, features, i)
