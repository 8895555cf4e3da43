"""A user's ratings of all items as one draw of a Gaussian: what is not rated follows from what is.

    e_u ~ N(B's_u, S),    r_ui = e_ui for the items i that u rated                                   (1)

S (I, I) is the covariance of items over users and s_u (P,) are the user's side features, the first of them 1. EM with
missing values (Dempster, Laird and Rubin 1977, section 4.1.3) finds B and S with the users' tastes integrated out: a
matrix factorisation of full rank in which no user's factors are fitted to a dozen ratings (Lawrence and Urtasun 2009;
compare the alternating least squares of Koren 2009). S is drawn to "all items alike" by n0 users' worth of an inverse
Wishart prior, and B to zero by a ridge: regression on what is known about a user (Agarwal and Chen 2009).

Shapes: U users, I items, P features, n ratings of one user (at most `MOST_RATED` count), k rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats

Ints = npt.NDArray[np.int64]
ROUNDS = 25
MOST_RATED = 200  # ratings of one user that count; a block of users is solved with n^3 operations each
BLOCK = 2_000_000  # numbers of the matrices of one block of users
RIDGE = 50.0  # ridge on the slopes, in users


@dataclass(frozen=True)
class Ratings:
    """One value a pair: users and items as codes, values about zero, features (U, P) with a first column of ones."""

    users: Ints
    items: Ints
    values: Floats
    features: Floats
    size: int  # I


@dataclass
class Tastes:
    """The fitted parameters: B (P, I), S (I, I) and the deviation of each user from B's_u, (U, I)."""

    slopes: Floats
    covariance: Floats
    deviations: Floats


def fit_tastes(ratings: Ratings, prior: float) -> Tastes:
    """EM for (1) with n0 = `prior`."""
    blocks = list(_blocks(ratings))
    rated = np.unique(ratings.users)
    features = ratings.features[rated]
    count, total = (np.bincount(ratings.items, w, ratings.size) for w in (None, ratings.values))
    slopes = np.zeros((features.shape[1], ratings.size))
    slopes[0] = total / (count + 5.0)
    spread = max(float(np.var(ratings.values - slopes[0][ratings.items])), 1e-9)
    covariance = spread * (0.7 * np.eye(ratings.size) + 0.3)
    ridge = np.diag([1e-6, *[RIDGE] * (features.shape[1] - 1)])
    inverse = np.linalg.inv(features.T @ features + ridge) @ features.T
    for _ in range(ROUNDS):
        pulls, known = _expect(ratings, blocks, slopes, covariance)
        tastes = features @ slopes + pulls[rated] @ covariance
        slopes = inverse @ tastes
        left = tastes - features @ slopes
        scatter = left.T @ left + len(rated) * covariance - covariance @ known @ covariance
        covariance = _shrunk(scatter, len(rated), prior)
    pulls, _ = _expect(ratings, blocks, slopes, covariance)
    return Tastes(slopes, covariance, pulls @ covariance)


def _shrunk(scatter: Floats, users: int, prior: float) -> Floats:
    """The covariance, drawn to one with a common variance and a common covariance by `prior` users."""
    size = len(scatter)
    variance = float(np.trace(scatter)) / size / users
    common = (float(scatter.sum()) / users - size * variance) / max(size * (size - 1), 1)
    target = np.full((size, size), common) + np.eye(size) * max(variance - common, 1e-9)
    shrunk = (scatter + prior * target) / (users + prior)
    return np.asarray((shrunk + shrunk.T) / 2 + 1e-9 * variance * np.eye(size))


def _expect(ratings: Ratings, blocks: list[Ints], slopes: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """(U, I) S_oo^-1 (r_o - B's_o) of each user in the places of its ratings, and the sum (I, I) of the S_oo^-1."""
    pulls, known = np.zeros((len(ratings.features), ratings.size)), np.zeros((ratings.size, ratings.size))
    for rows in blocks:  # (users of the block, n): places in the ratings, -1 where a user has fewer
        here, items, users = rows >= 0, ratings.items[rows], ratings.users[rows[:, 0]]
        both = here[:, :, None] & here[:, None, :]
        part = np.where(both, covariance[items[:, :, None], items[:, None, :]], np.eye(rows.shape[1]))
        inverse = np.where(both, np.linalg.inv(part), 0.0)
        expected = np.einsum("up,pun->un", ratings.features[users], slopes[:, items])
        left = np.where(here, ratings.values[rows] - expected, 0.0)
        np.add.at(pulls, (users[:, None], items), np.where(here, np.einsum("unm,um->un", inverse, left), 0.0))
        np.add.at(known, (items[:, :, None], items[:, None, :]), inverse)
    return pulls, known


def _blocks(ratings: Ratings) -> Iterator[Ints]:
    """Users with similar numbers of ratings together: (users, n) places of their ratings, filled up with -1."""
    order = np.argsort(ratings.users, kind="stable")
    starts = np.flatnonzero(np.diff(ratings.users[order], prepend=-1))
    counts = np.minimum(np.diff(starts, append=len(order)), MOST_RATED)
    waiting = np.argsort(counts, kind="stable")
    while len(waiting):
        many = max(int(BLOCK // counts[waiting[-1]] ** 2), 1)
        chosen, waiting = waiting[-many:], waiting[:-many]
        place = np.arange(counts[chosen].max())
        rows = order[np.minimum(starts[chosen][:, None] + place, len(order) - 1)]
        yield np.where(place < counts[chosen][:, None], rows, -1)
