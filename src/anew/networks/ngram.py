"""Interpolated modified Kneser-Ney: the n-gram model, by counting alone (Chen and Goodman 1999, eqs. 27-30).

p(w | h) = max(c(h w) - D(c), 0) / c(h) + gamma(h) p(w | h'), with h' one token shorter, discounts D_1, D_2, D_3+ from
the counts of counts, and for all but the longest order as c the number of tokens that were seen before h w. Below the
single tokens everything is as likely.

An n-gram is one number, its tokens as digits, so that what follows a context stands side by side in a sorted list.
Shapes: N tokens, U n-grams of an order, B contexts, K vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats
from anew.core.learner import Arrays, Config
from anew.core.network import Counter
from anew.core.ragged import Ints, Ragged

ORDER = 6


class _Order(NamedTuple):
    """The n-grams of one length, sorted (U,), their counts (U,), and the discounts D_0 = 0, D_1, D_2, D_3+."""

    keys: Ints
    counts: npt.NDArray[np.uint32]
    discounts: Floats


class Ngram(Counter):
    """Counts of up to `order` tokens."""

    def __init__(self, size: int, order: int = ORDER) -> None:
        self.size = size
        self.order = min(order, int(62 / np.log2(max(size, 2))))  # an n-gram fits into a number
        self.orders: list[_Order] = []

    def count(self, x: Ragged) -> None:
        """From all sequences: none is read across its ends."""
        tokens, starts = x.tokens.astype(np.int64), np.repeat(x.ends[:-1], x.lengths)
        place = np.arange(len(tokens)) - starts  # within the sequence
        keys, counts = self._windows(tokens, place)
        found = [_Order(keys, counts, _discounts(counts))]
        for n in range(self.order - 1, 0, -1):
            begins, often = np.unique(self._whole(tokens, place, n), return_counts=True)  # nothing stands before these
            shorter = np.concatenate([found[-1].keys % self.size**n, begins])
            weight = np.concatenate([np.ones(len(found[-1].keys), np.int64), often])
            keys, where = np.unique(shorter, return_inverse=True)
            counts = np.bincount(where, weight).astype(np.uint32)
            found.append(_Order(keys, counts, _discounts(counts)))
        self.orders = found[::-1]

    def _windows(self, tokens: Ints, place: Ints) -> tuple[Ints, npt.NDArray[np.uint32]]:
        keys, counts = np.unique(self._key(tokens, self.order)[place >= self.order - 1], return_counts=True)
        return keys, counts.astype(np.uint32)

    def _whole(self, tokens: Ints, place: Ints, n: int) -> Ints:
        """The n-grams with which sequences begin."""
        return np.asarray(self._key(tokens, n)[place == n - 1])

    def _key(self, tokens: Ints, n: int) -> Ints:
        """(N,) the n-gram that ends at each token; wrong where fewer stand before."""
        key = tokens.copy()
        for back in range(1, n):
            key[back:] += tokens[:-back] * self.size**back
        return key

    # ---------------------------------------------------------------- answers

    def log_prob(self, tokens: Ints, place: Ints) -> tuple[Floats, Ints]:
        """(N,) nats of each token given those before it in its sequence, where it has the place (N,), and how many
        tokens of context were seen before."""
        p, seen = np.full(len(tokens), 1 / self.size), np.zeros(len(tokens), np.int64)
        for n, order in enumerate(self.orders, 1):
            if not len(order.keys):  # every text was shorter
                break
            able = place >= n - 1
            keys = self._key(tokens, n)
            at = np.searchsorted(order.keys, keys)
            hit = order.keys[np.minimum(at, len(order.keys) - 1)] == keys
            counts = np.where(hit, order.counts[np.minimum(at, len(order.keys) - 1)], 0).astype(np.int64)
            total, left = self._context(order, keys // self.size)
            able &= total > 0
            kept = np.maximum(counts - order.discounts[np.minimum(counts, 3)], 0)
            p = np.where(able, (kept + left * p) / np.maximum(total, 1), p)
            seen = np.where(able, n - 1, seen)
        return np.log(np.maximum(p, 1e-300)), seen

    def _context(self, order: _Order, contexts: Ints) -> tuple[Floats, Floats]:
        """Of contexts (M,): the count of all that follows, and what the discounts leave of it."""
        low, high = (np.searchsorted(order.keys, (contexts + more) * self.size) for more in (0, 1))
        sums = np.concatenate([[0.0], np.cumsum(order.counts, dtype=np.float64)])
        cuts = np.concatenate([[0.0], np.cumsum(order.discounts[np.minimum(order.counts, 3)])])
        return sums[high] - sums[low], cuts[high] - cuts[low]

    def chances(self, before: Ints) -> tuple[Floats, Ints]:
        """(B, K) of the next token after tokens (B, T), and how many of them were seen as a context."""
        rows, length = before.shape
        p, seen = np.full((rows, self.size), 1 / self.size), np.zeros(rows, np.int64)
        for n, order in enumerate(self.orders, 1):
            if length < n - 1:
                break
            context = np.zeros(rows, np.int64)
            for token in before[:, length - (n - 1) :].T:
                context = context * self.size + token
            low, high = (np.searchsorted(order.keys, (context + more) * self.size) for more in (0, 1))
            many = high - low
            row = np.repeat(np.arange(rows), many)
            at = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
            counts, discounts = order.counts[at].astype(np.float64), order.discounts[np.minimum(order.counts[at], 3)]
            total, left = np.bincount(row, counts, rows), np.bincount(row, discounts, rows)
            known = total > 0
            p[known] *= (left / np.maximum(total, 1))[known, None]
            p[row, order.keys[at] % self.size] += (counts - discounts) / total[row]
            seen[known] = n - 1
        return p, seen

    # ---------------------------------------------------------------- state

    def state(self) -> tuple[Config, Arrays]:
        arrays: Arrays = {}
        for n, order in enumerate(self.orders, 1):
            small = order.counts.astype(np.uint16) if order.counts.max(initial=0) < 2**16 else order.counts
            arrays |= {f"{n}.keys": order.keys, f"{n}.counts": small, f"{n}.discounts": order.discounts}
        return {"order": self.order}, arrays

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.order = config["order"]
        self.orders = [
            _Order(arrays[f"{n}.keys"], arrays[f"{n}.counts"].astype(np.uint32), arrays[f"{n}.discounts"])
            for n in range(1, self.order + 1)
        ]


def _discounts(counts: npt.NDArray[np.uint32]) -> Floats:
    """(4,): 0, D_1, D_2, D_3+ (Chen and Goodman 1999, eq. 26); a half where a count of counts is none."""
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(np.float64)
    if (n[1:5] == 0).any():
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = n[1] / (n[1] + 2 * n[2])
    found = [0.0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))]
    return np.asarray(np.clip(found, 0.0, [0.0, 1.0, 2.0, 3.0]))
