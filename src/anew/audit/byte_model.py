"""A judge of texts: how many bits a byte of them costs under an n-gram model that the audit fits for itself.

Interpolated modified Kneser-Ney (Kneser & Ney 1995; Chen & Goodman 1999, eq. 21-23) over bytes:
p(w | h) = max(c(h w) - D(c), 0) / c(h) + gamma(h) p(w | h'), h' being h without its first byte, gamma(h) what the
discounts D of the gram's count leave over. Counts of the longest grams are how often they stand in the text, those of
shorter ones how many different bytes stand before them. The end of a text is a byte as well.

An n-gram is its bytes as one number, so counting is sorting. Shapes: N bytes, G different grams of a length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats

Words = npt.NDArray[np.uint64]
ORDER = 6  # bytes of the longest grams
LETTERS = 256.0  # bytes, one of them the end
END = 0xFF  # UTF-8 never uses it
PAD = bytes([END])


@dataclass(frozen=True)
class _Level:
    """Grams of one length: `gain` of each is its share of p, `rest` what its context leaves to shorter ones."""

    grams: Words  # (G,) sorted
    gain: Floats  # (G,)
    contexts: Words  # sorted
    rest: Floats

    def blend(self, asked: Words, shorter: Floats) -> Floats:
        """p of sorted grams, given that of the same without their first byte."""
        at = np.minimum(np.searchsorted(self.grams, asked), len(self.grams) - 1)
        gain = np.where(self.grams[at] == asked, self.gain[at], 0.0)
        before = asked >> np.uint64(8)
        at = np.minimum(np.searchsorted(self.contexts, before), len(self.contexts) - 1)
        rest = np.where(self.contexts[at] == before, self.rest[at], 1.0)
        return np.asarray(gain + rest * shorter)


class ByteModel:
    """Fitted to texts; they must not all be empty."""

    def __init__(self, texts: Sequence[str]) -> None:
        grams, counts = np.unique(_grams(texts)[0], return_counts=True)
        self.levels: list[_Level] = []
        for length in range(ORDER, 0, -1):
            self.levels.append(_level(grams, counts.astype(np.float64)))
            grams, counts = np.unique(grams & _mask(length - 1), return_counts=True)
        self.levels.reverse()

    def bits(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Bits and bytes (with the end) of each text.  (n,), (n,)"""
        grams, owner = _grams(texts)
        cost = -np.log2(self.chances(grams))
        sizes = np.bincount(owner, minlength=len(texts)).astype(np.float64)
        return np.asarray(np.bincount(owner, cost, len(texts)), np.float64), sizes

    def chances(self, grams: Words) -> Floats:
        """p of the last byte of each gram of ORDER bytes, given the others.  (N,), (N,)"""
        asked, where = np.unique(grams, return_inverse=True)
        chance = np.full(len(asked), 1 / LETTERS)
        for length, level in enumerate(self.levels, 1):
            some, back = np.unique(asked & _mask(length), return_inverse=True)
            lower = np.empty(len(some))
            lower[back] = chance  # equal for all grams that end alike
            chance = level.blend(some, lower)[back]
        return np.asarray(chance[where])


def _level(grams: Words, counts: Floats) -> _Level:
    discount = _discounts(counts)[np.minimum(counts, 3).astype(int)]
    contexts, first = np.unique(grams >> np.uint64(8), return_index=True)
    total = np.add.reduceat(counts, first)
    sizes = np.diff(np.append(first, len(grams)))
    return _Level(
        grams, (counts - discount) / np.repeat(total, sizes), contexts, np.add.reduceat(discount, first) / total
    )


def _discounts(counts: Floats) -> Floats:
    """D by count: 0 (none), 1, 2, 3 and more (Chen & Goodman 1999, eq. 26).  (4,)"""
    n = [float((counts == k).sum()) for k in range(1, 5)]
    y = n[0] / max(n[0] + 2 * n[1], 1)
    raw = [k - (k + 1) * y * n[k] / n[k - 1] if n[k - 1] else 0.5 for k in range(1, 4)]
    return np.array([0.0, *(min(max(d, 0.1), 0.95 * k) for k, d in enumerate(raw, 1))])


def _mask(length: int) -> np.uint64:
    return np.uint64((1 << (8 * length)) - 1)


def _grams(texts: Sequence[str]) -> tuple[Words, npt.NDArray[np.int64]]:
    """The gram that ends at each byte of each text, and at its end; the text of each.  (N,), (N,)"""
    lead = PAD * (ORDER - 1)
    parts = [text.encode("utf-8", "surrogatepass") + PAD for text in texts]
    sizes = np.array([len(part) for part in parts], np.int64)
    signs = np.frombuffer(b"".join(lead + part for part in parts), np.uint8).astype(np.uint64)
    grams = np.zeros(len(signs), np.uint64)
    for back in range(ORDER):
        grams[back:] |= signs[: len(signs) - back] << np.uint64(8 * back)
    owner = np.repeat(np.arange(len(texts)), sizes)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    starts = np.cumsum(sizes + len(lead)) - sizes
    return grams[starts[owner] + within], owner
