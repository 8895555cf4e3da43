"""Bags of n-grams: which words, pairs of words and short runs of letters stand in a text, and how telling each is.

Words and pairs of words, and runs of 2 to 6 letters that lie within a word (its ends included), are two blocks. In each
an n-gram g that stands f times counts (1 + log f) (1 + log((1 + N) / (1 + n_g))), n_g of the N texts having it, and the
block has length 1 (tf-idf: Salton & Buckley 1988). An n-gram is known by a hash of its letters, and only those that two
texts have are kept: no text can be read off a bag.

Shapes: n texts, V n-grams.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.learner import Arrays
from anew.core.release import Release

LETTERS = range(2, 7)  # lengths of runs of letters
LEAST = 2  # texts that an n-gram must stand in
MOST = 400_000  # n-grams of a block
SEEN = 50_000  # texts from which n-grams are taken
BLOCK = 4_096  # texts at once
TOKEN = re.compile(r"\w+|[^\w\s]+", re.UNICODE)
_MIX = np.uint64(0x9E3779B97F4A7C15)

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
Found = tuple[Rows, Hashes]  # the text of each n-gram, and its hash


class Bags:
    """The n-grams of both blocks with what each counts; `bag(texts)` is sparse, (n, V)."""

    def __init__(self) -> None:
        self.known: list[Hashes] = []  # sorted, of words and of letters
        self.telling: list[npt.NDArray[np.float64]] = []

    @property
    def width(self) -> int:
        return sum(map(len, self.known))

    def fit(self, texts: Sequence[str], name: str, release: Release) -> None:
        """The n-grams that stand in at least LEAST of the texts, the most frequent of them."""
        some = texts[:: max(len(texts) // SEEN, 1)]
        for block, grams in enumerate((words, letters)):
            held, count = _spread([_each_once(grams(part)) for part in _blocks(some)])
            order = np.argsort(-count[often := np.flatnonzero(count >= LEAST)], kind="stable")[:MOST]
            kept = np.sort(often[order])
            hashes = [f"{gram:016x}" for gram in held[kept]]
            released = set(release.levels(f"{name}: n-grams {block}", hashes, count[kept]))
            kept = kept[[word in released for word in hashes]]
            spread = release.moments(f"{name}: texts of each n-gram {block}", count[kept].astype(np.float64))
            self.known.append(held[kept])
            self.telling.append(1 + np.log((1 + len(some)) / (1 + spread)))

    def bag(self, texts: Sequence[str]) -> Any:
        """(n, V) float32, a `scipy.sparse.csr_matrix`."""
        from scipy import sparse

        blocks = [
            sparse.vstack(
                [self._block(_each_once(grams(part)), len(part), i) for part in _blocks(texts)]
                or [_none(self.known[i])]
            )
            for i, grams in enumerate((words, letters))
        ]
        return sparse.hstack(blocks, format="csr")

    def _block(self, found: tuple[Rows, Hashes, Rows], n: int, block: int) -> Any:
        from scipy import sparse

        rows, grams, times = found
        known, telling = self.known[block], self.telling[block]
        place = np.minimum(np.searchsorted(known, grams), max(len(known) - 1, 0))
        here = known[place] == grams if len(known) else np.zeros(len(grams), bool)
        rows, place, counts = rows[here], place[here], (1 + np.log(times[here])) * telling[place[here]]
        length = np.sqrt(np.bincount(rows, counts**2, minlength=n))
        values = (counts / np.maximum(length, 1e-12)[rows]).astype(np.float32)
        return sparse.csr_matrix((values, (rows, place)), shape=(n, len(known)))

    def arrays(self) -> Arrays:
        both = zip(self.known, self.telling, strict=True)
        return {
            f"bags.{i}.{name}": part
            for i, parts in enumerate(both)
            for name, part in zip(("known", "telling"), parts, strict=True)
        }

    @classmethod
    def restored(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Bags | None:
        """The saved bags, if there are any."""
        if "bags.0.known" not in arrays:
            return None
        bags = cls()
        bags.known = [arrays[f"bags.{i}.known"] for i in range(2)]
        bags.telling = [arrays[f"bags.{i}.telling"] for i in range(2)]
        return bags


# ---------------------------------------------------------------- n-grams


def tokens(text: str) -> list[str]:
    """Words and marks, in lower case."""
    return TOKEN.findall(text.lower())


def words(texts: Sequence[str]) -> Found:
    """Every word and every pair of words that follow each other."""
    cells = [np.array([hash_of(word) for word in tokens(text)], np.uint64) for text in texts]
    pairs = [pairs_of(cell) for cell in cells]
    both = [np.concatenate(part) for part in zip(cells, pairs, strict=True)]
    rows = np.repeat(np.arange(len(texts)), [len(part) for part in both])
    return rows, np.concatenate(both) if both else np.zeros(0, np.uint64)


def letters(texts: Sequence[str]) -> Found:
    """Every run of letters within a word, a space standing for each of its ends."""
    spaced = [f" {' '.join(text.lower().split())} " for text in texts]
    owner = np.repeat(np.arange(len(texts)), [len(text) for text in spaced])
    rows, grams = [], []
    for length, starts, hashes in runs("".join(spaced)):
        real = owner[starts] == owner[starts + length - 1]
        rows.append(owner[starts[real]])
        grams.append(hashes[real])
    return np.concatenate(rows or [np.zeros(0, np.int64)]), np.concatenate(grams or [np.zeros(0, np.uint64)])


def runs(text: str) -> Iterator[tuple[int, Rows, Hashes]]:
    """For each length the runs of letters of that length that have blanks nowhere but at their ends: where they start,
    and their hashes."""
    signs = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    blank = np.concatenate([[0], np.cumsum(signs == ord(" "))])  # blanks before each place
    running = signs + np.uint64(1)
    for length in range(1, LETTERS.stop):
        starts = len(signs) - length + 1
        if length > 1:
            running = (running[:starts] * _MIX) ^ (signs[length - 1 :] + np.uint64(1))
        if length in LETTERS and starts > 0:
            inside = blank[length - 1 : length - 1 + starts] - blank[1 : 1 + starts] == 0
            yield length, np.flatnonzero(inside), (running[inside] * _MIX) ^ np.uint64(length)


def pairs_of(words: Hashes) -> Hashes:
    """Each word with the next."""
    return (words[:-1] * _MIX) ^ words[1:]


@lru_cache(maxsize=1_000_000)
def hash_of(word: str) -> int:
    """64 bits that are the same in every process."""
    code = word.encode("utf-8", "surrogatepass")
    return zlib.crc32(code) << 32 | zlib.crc32(code, 0x5BD1E995)


def _each_once(found: Found) -> tuple[Rows, Hashes, Rows]:
    """Each n-gram of each text once, with how often it stands there."""
    rows, grams = found
    order = np.lexsort((grams, rows))
    rows, grams = rows[order], grams[order]
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]) | (grams[1:] != grams[:-1])
    first = np.flatnonzero(new)
    return rows[first], grams[first], np.diff(np.append(first, len(rows)))


def _spread(blocks: Iterable[tuple[Rows, Hashes, Rows]]) -> tuple[Hashes, Rows]:
    """All n-grams, sorted, and in how many texts each stands."""
    found = [grams for _, grams, _ in blocks]
    held, count = np.unique(np.concatenate(found or [np.zeros(0, np.uint64)]), return_counts=True)
    return held, count


def _blocks(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + BLOCK] for start in range(0, len(texts), BLOCK)]


def _none(known: Hashes) -> Any:
    from scipy import sparse

    return sparse.csr_matrix((0, len(known)), dtype=np.float32)
