"""Which parts of a text stand word for word in others: the longest verbatim run from every place, by a suffix array.

The known and the asked texts are written one after another and all their suffixes sorted: first by eight bytes at once,
then, where that left ties, by the ranks of what follows, each time twice as far (Manber & Myers 1993). The longest run
from a place that stands in a known text is the longer of those that it shares with the nearest known suffix before it
and after it in that order. The end of a known and of an asked text are bytes that no text holds and that differ, so no
run leaves a text. Lengths are in characters.

Shapes: N bytes of all texts, p places of the asked ones (one at each character).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import Bools

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
KNOWN_END, ASKED_END = b"\xff", b"\xfe"  # bytes that UTF-8 never uses
AT_ONCE = 8  # bytes that are compared as one number


@dataclass(frozen=True)
class Runs:
    """`length` of the longest run from each place, in characters, and the `source` byte of the known texts where it
    stands (-1: nowhere); `owner` is the asked text of each place.  (p,) each"""

    length: Ints
    source: Ints
    owner: Ints
    texts: int

    @property
    def longest(self) -> Ints:
        """Of each asked text.  (texts,)"""
        out = np.zeros(self.texts, np.int64)
        np.maximum.at(out, self.owner, self.length)
        return out

    def part(self, first: int, last: int) -> Runs:
        """Those of the asked texts first..last-1."""
        here = slice(*np.searchsorted(self.owner, [first, last]))
        return Runs(self.length[here], self.source[here], self.owner[here] - first, last - first)

    def best(self, text: int) -> tuple[int, int, int]:
        """The character where the longest run of a text begins, its length, and where in the known texts it stands."""
        length = self.of(text)
        if not len(length):
            return 0, 0, -1
        at = int(np.argmax(length))
        return at, int(length[at]), int(self.source[np.searchsorted(self.owner, text) + at])

    def of(self, text: int) -> Ints:
        """The length of the run from each character of a text."""
        return self.length[slice(*np.searchsorted(self.owner, [text, text + 1]))]

    def seen(self, size: int) -> tuple[Ints, Ints]:
        """How many of each text's windows of `size` characters stand in a known text, and how many it has.

        (texts,), (texts,)
        """
        places = np.bincount(self.owner, minlength=self.texts)
        hits = np.bincount(self.owner, self.length >= size, self.texts)
        return hits.astype(np.int64), np.maximum(places - size + 1, 0)


def written(texts: Sequence[str], end: bytes) -> bytes:
    """All of them, each with an end."""
    return b"".join(part for text in texts for part in (text.encode("utf-8", "surrogatepass"), end))


def runs(known: Sequence[str], asked: Sequence[str], own: Ints | None = None) -> Runs:
    """The runs of the asked texts that stand in the known ones; not in the known text `own` of each (-1: in any)."""
    head, tail = written(known, KNOWN_END), written(asked, ASKED_END)
    signs = np.frombuffer(head + tail, np.uint8)
    eight = eights(signs)
    order = suffix_order(eight)
    here = order < len(head)
    place = np.empty(len(order), np.int64)  # of each suffix: how many known ones come before it
    place[order] = np.cumsum(here) - here
    suffixes = order[here]
    starts = np.flatnonzero(_begins(signs) & (signs < ASKED_END[0]) & (np.arange(len(signs)) >= len(head)))
    ends = np.flatnonzero(signs == ASKED_END[0])
    owner = np.searchsorted(ends, starts)
    before, after = place[starts] - 1, place[starts]
    if own is not None:
        before, after = _elsewhere(suffixes, np.flatnonzero(signs == KNOWN_END[0]), own[owner], before, after)
    sides = [_shared(eight, starts, suffixes, side) for side in (before, after)]
    first = sides[0][0] >= sides[1][0]
    length, source = (np.where(first, one, other) for one, other in zip(*sides, strict=True))
    return Runs(_characters(signs, starts, length), source, owner, len(asked))


def eights(signs: Bytes) -> Words:
    """The eight bytes from each place on as one number, zeros after the end.  (N,)"""
    padded = np.concatenate([signs, np.zeros(AT_ONCE, np.uint8)]).astype(np.uint64)
    out = np.zeros(len(signs), np.uint64)
    for k in range(AT_ONCE):
        out = (out << np.uint64(8)) | padded[k : k + len(signs)]
    return out


def suffix_order(eight: Words) -> Ints:
    """The places in the order of the suffixes that begin there.  (N,)"""
    n, step = len(eight), AT_ONCE
    order = np.argsort(eight, kind="stable")
    new = _changes(eight[order])  # where a group of equal suffixes begins
    rank = np.full(n + 1, -1, np.int64)
    rank[order] = np.maximum.accumulate(np.where(new, np.arange(n), 0))
    while step < n:
        tied = np.flatnonzero(~(new & np.append(new[1:], True)))
        if not len(tied):
            break
        own = order[tied]
        keys = rank[own], rank[np.minimum(own + step, n)]
        sort = np.lexsort(keys[::-1])
        order[tied] = own[sort]
        new[tied] = _changes(keys[0][sort]) | _changes(keys[1][sort])
        rank[order[tied]] = np.maximum.accumulate(np.where(new[tied], tied, 0))
        step *= 2
    return order


def _changes(values: npt.NDArray[np.int64] | Words) -> Bools:
    """Where a value differs from the one before it; the first does."""
    out = np.ones(len(values), bool)
    out[1:] = values[1:] != values[:-1]
    return out


def _begins(signs: Bytes) -> Bools:
    """Whether a byte begins a character.  (N,)"""
    return np.asarray((signs & 0xC0) != 0x80)


def _elsewhere(suffixes: Ints, ends: Ints, own: Ints, before: Ints, after: Ints) -> tuple[Ints, Ints]:
    """The nearest known suffixes that do not lie in the text `own`.  (p,), (p,)"""
    text = np.searchsorted(ends, suffixes)
    new = _changes(text)
    first = np.maximum.accumulate(np.where(new, np.arange(len(text)), 0))
    starts = np.append(np.flatnonzero(new), len(text))
    last = starts[np.searchsorted(starts, np.arange(len(text)), "right")]  # one past the end of the group
    low, high = np.clip(before, 0, len(text) - 1), np.clip(after, 0, len(text) - 1)
    before = np.where((before >= 0) & (text[low] == own), first[low] - 1, before)
    return before, np.where((after < len(text)) & (text[high] == own), last[high], after)


def _shared(eight: Words, starts: Ints, suffixes: Ints, side: Ints) -> tuple[Ints, Ints]:
    """Bytes that the suffixes at `starts` share with the known suffix of number `side`, and where.  (p,), (p,)"""
    there = (side >= 0) & (side < len(suffixes))
    source = np.where(there, suffixes[np.clip(side, 0, len(suffixes) - 1)], -1)
    length, open_ = np.zeros(len(starts), np.int64), np.flatnonzero(there)
    while len(open_):
        reach = length[open_]
        differ = eight[starts[open_] + reach] ^ eight[source[open_] + reach]
        length[open_] += sum((differ >> np.uint64(8 * k)) == 0 for k in range(AT_ONCE))
        open_ = open_[differ == 0]
    return length, np.where(length > 0, source, -1)


def _characters(signs: Bytes, starts: Ints, length: Ints) -> Ints:
    """Whole characters of runs of bytes.  (p,)"""
    begins = _begins(signs)
    before = np.append(0, np.cumsum(begins))
    cut = (length > 0) & ~begins[starts + length]  # the run ends within a character
    return np.asarray(before[starts + length] - before[starts] - cut, np.int64)
