"""Words of texts as numbers, and what can be counted of them: distinct n-grams, how much texts repeat each other.

n texts, w words in all, G different n-grams.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import Bools, Floats

Ints = npt.NDArray[np.int64]
WORD = re.compile(r"\w+", re.UNICODE)
END = re.compile(r"[.!?…。！？।؟]+")  # of a sentence
BLEU = 4  # words of the longest phrases
SMOOTH = 0.1  # counts for no phrase in common, as method 1 of Chen & Cherry 2014


def words(text: str) -> list[str]:
    """In lower case, without marks."""
    return WORD.findall(text.lower())


@dataclass(frozen=True)
class Phrases:
    """The words of some texts, each word a number, and whose text it is.  (w,), (w,)"""

    word: Ints
    owner: Ints
    texts: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> Phrases:
        known: dict[str, int] = {}
        cells = [[known.setdefault(word, len(known)) for word in words(text)] for text in texts]
        sizes = [len(cell) for cell in cells]
        flat = np.array([code for cell in cells for code in cell], np.int64)
        return cls(flat, np.repeat(np.arange(len(texts)), sizes), len(texts))

    def grams(self, n: int) -> tuple[Ints, Ints]:
        """The n-gram that begins at each word, as a number, and its text; none runs from one text into the next."""
        code = self.word
        for k in range(1, n):
            rest = self.word[k:]
            _, code = np.unique(code[: len(rest)] * (rest.max(initial=0) + 1) + rest, return_inverse=True)
        size = max(len(self.word) - n + 1, 0)
        inside = self.owner[:size] == self.owner[n - 1 :][:size]
        return np.asarray(code[:size][inside], np.int64), self.owner[:size][inside]

    def part(self, first: int, last: int) -> Phrases:
        """Words first..last-1."""
        return Phrases(self.word[first:last], self.owner[first:last], self.texts)

    def distinct(self, n: int, parts: int, size: int) -> Floats:
        """Different n-grams as a share of all, in `parts` parts of `size` words each: it falls with their number."""
        shares = []
        for k in range(parts):
            grams = self.part(k * size, (k + 1) * size).grams(n)[0]
            shares.append(len(np.unique(grams)) / max(len(grams), 1))
        return np.array(shares)


def self_bleu(phrases: Phrases) -> Floats:
    """BLEU of each text with all others as its references (Zhu et al. 2018; Papineni et al. 2002, eq. 1-3).

    Texts of fewer than BLEU words are judged by what they have; one without a word is left out.  (at most n,)
    """
    logs, orders = np.zeros(phrases.texts), np.zeros(phrases.texts)
    for n in range(1, BLEU + 1):
        clipped, total = _clipped(*phrases.grams(n), phrases.texts)
        there = total > 0
        logs[there] += np.log(np.maximum(clipped[there], SMOOTH) / total[there])
        orders += there
    length = np.bincount(phrases.owner, minlength=phrases.texts)
    some = orders > 0
    return np.asarray(np.exp(logs[some] / orders[some] + np.minimum(0, 1 - _nearest(length)[some] / length[some])))


def _clipped(grams: Ints, owner: Ints, texts: int) -> tuple[Floats, Floats]:
    """n-grams of each text that occur in another one, at most as often as there, and all of its n-grams.  (n,), (n,)"""
    size = max(texts, 1)
    keys, count = np.unique(grams * size + owner, return_counts=True)
    gram, text = keys // size, keys % size
    order = np.lexsort((count, gram))
    last = _ends(gram[order])
    top = np.zeros(int(gram.max(initial=-1)) + 1, np.int64)
    second, whose = top.copy(), top.copy() - 1
    top[gram[order][last]], whose[gram[order][last]] = count[order][last], text[order][last]
    before = np.append(False, ~last[:-1] & last[1:])  # has a rival: the entry before the last of its group
    at = np.flatnonzero(before)
    second[gram[order][at]] = count[order][at - 1]
    other = np.where(whose[gram] == text, second[gram], top[gram])
    clipped = np.bincount(text, np.minimum(count, other), texts)
    return np.asarray(clipped, np.float64), np.bincount(owner, minlength=texts).astype(np.float64)


def _ends(values: Ints) -> Bools:
    """Where a run of equal values ends."""
    out = np.ones(len(values), bool)
    out[:-1] = values[1:] != values[:-1]
    return out


def _nearest(length: Ints) -> Floats:
    """The length nearest to that of each text among the others.  (n,)"""
    order = np.argsort(length, kind="stable")
    here = length[order].astype(np.float64)
    gap = np.diff(here, prepend=-np.inf, append=np.inf)
    out = np.empty(len(length))
    below, above = np.append(np.nan, here[:-1]), np.append(here[1:], np.nan)
    out[order] = np.where(gap[:-1] <= gap[1:], below, above) if len(length) > 1 else here
    return out


def traits(texts: Sequence[str]) -> dict[str, Floats]:
    """Lengths, and what the readability indices of every language are made of.  name -> (n,)"""
    found = [words(text) for text in texts]
    count = np.array([len(cell) for cell in found], np.float64)
    letters = np.array([sum(map(len, cell)) for cell in found], np.float64)
    sentences = np.array([max(len(END.findall(text)), 1) for text in texts], np.float64)
    return {
        "characters": np.array([len(text) for text in texts], np.float64),
        "words": count,
        "letters a word": letters / np.maximum(count, 1),
        "words a sentence": count / sentences,
    }
