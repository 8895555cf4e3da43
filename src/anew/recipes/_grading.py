"""A score for an answer: what its n-grams say, what the graded answers nearest to it got, what it shares with the key.

Three readings of an answer to a question, in this order (stacking: Wolpert 1992):
1. kernel ridge regression y = mean + k(x)' (K + lambda I)^-1 (y - mean) with k(a, b) = <bag_a, bag_b> (1 + [the same
   question]) + [the same question] / 2: n-grams mean the same everywhere, and something of their own to each question
   (Daume 2007, "Frustratingly easy domain adaptation", as a kernel);
2. the graded answers to the same question nearest to it, and what they got;
3. how many of the words, pairs and triples of the key stand in it and the other way round, the same of the question,
   and how long it is.
Boosted trees make one score of them. For the rows that they learn from, 1 and 2 come from answers of other folds.

Shapes: n answers to learn from, m asked about, V n-grams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.api import Model, fit
from anew.codecs._bags import Bags, tokens
from anew.core.columns import Floats
from anew.core.release import exact
from anew.core.seeds import stream

FOLDS = 5
PENALTY = 0.5  # lambda
NEAREST = 5  # graded answers that are looked at
SHARP = 10.0  # how much more the nearer of them count
FEWEST = 4  # questions from which it is learned what to do with one that nobody was asked before
LEFT_OUT = 12  # parts of the questions that are left out in turn
GRAMS = (1, 2, 3)  # words in a row that are compared with the key
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Asked:
    """Answers in words with the question and the key (or nothing) of each, and which question it is."""

    answers: list[str]
    questions: list[str]
    keys: list[str]
    codes: Codes

    def __len__(self) -> int:
        return len(self.answers)

    def take(self, rows: Codes) -> Asked:
        """Some of them."""
        answers, questions, keys = ([part[i] for i in rows] for part in (self.answers, self.questions, self.keys))
        return Asked(answers, questions, keys, self.codes[rows])


class Grader:
    """Fitted on graded answers; called with others it gives their scores as they come, unrounded."""

    def __init__(self, asked: Asked, scores: Floats, seed: int) -> None:
        self.asked, self.scores = asked, scores
        self.bags = Bags()
        self.bags.fit(asked.answers, "answer", exact())
        self.known = self.bags.bag(asked.answers)
        self.inside = self.likeness(asked)  # (n, n)
        self.trees = self._trees(seed)

    def likeness(self, asked: Asked) -> Floats:
        """<bag_a, bag_b> of answers and those graded, between 0 and 2.  (m, n)"""
        return np.asarray((self.bags.bag(asked.answers) @ self.known.T).toarray(), np.float64)

    def _trees(self, seed: int) -> dict[bool, Model]:
        """For questions that were asked before, and for those that were not: then whole questions are left out."""
        rows = stream("grading", seed).permutation(len(self.asked))
        ways = {True: np.array_split(rows, FOLDS)}
        different = stream("questions", seed).permutation(np.unique(self.asked.codes))
        if len(different) >= FEWEST:
            groups = np.array_split(different, min(LEFT_OUT, len(different)))
            ways[False] = [np.flatnonzero(np.isin(self.asked.codes, some)) for some in groups]
        return {before: self._grown(parts, seed) for before, parts in ways.items()}

    def _grown(self, parts: Sequence[Codes], seed: int) -> Model:
        told = np.zeros((len(self.asked), 1 + NEARBY))
        for part in parts:
            rest = np.setdiff1d(np.arange(len(self.asked)), part)
            told[part] = self._told(self.inside[np.ix_(part, rest)], rest, self.asked.codes[part])
        table = _table(told, self.asked).with_columns(score=self.scores)
        return fit(table, learn="score", objective="squared_error", network="boosted", seed=seed)

    def _told(self, likeness: Floats, rest: Codes, codes: Codes) -> Floats:
        """What the ridge and the nearest of the answers `rest` say of answers (m) so alike to them (m, r).  (m, 6)"""
        same = codes[:, None] == self.asked.codes[rest]
        inside = self.inside[np.ix_(rest, rest)], self.asked.codes[rest][:, None] == self.asked.codes[rest]
        ridge = _ridge(_kernel(*inside), self.scores[rest], _kernel(likeness, same))
        return np.hstack([ridge[:, None], _nearest(np.where(same, likeness, -1), self.scores[rest])])

    def __call__(self, asked: Asked) -> Floats:
        told = self._told(self.likeness(asked), np.arange(len(self.asked)), asked.codes)
        table, before = _table(told, asked), np.isin(asked.codes, self.asked.codes)
        out = np.zeros(len(asked))
        for known in np.unique(before):
            model = self.trees.get(bool(known), self.trees[True])
            out[before == known] = np.ravel(model.predict(table.filter(pl.Series(before == known))))
        return out

    def nearest(self, asked: Asked) -> Codes:
        """The graded answer to the same question that is most alike, -1 where nobody was asked that.  (m,)"""
        alike = np.where(asked.codes[:, None] == self.asked.codes, self.likeness(asked), -1)
        return np.where(alike.max(1) >= 0, alike.argmax(1), -1)


def _kernel(likeness: Floats, same: npt.NDArray[np.bool_]) -> Floats:
    return np.asarray(likeness * (1 + same) + same / 2)


def _ridge(inside: Floats, scores: Floats, across: Floats) -> Floats:
    weights = np.linalg.solve(inside + PENALTY * np.eye(len(scores)), scores - scores.mean())
    return np.asarray(scores.mean() + across @ weights)


NEARBY = 5


def _nearest(alike: Floats, scores: Floats) -> Floats:
    """Of the answers to the same question (alike >= 0): the scores of the nearest, how alike the nearest is, the mean,
    and how alike the nearest of the best and of the worst are.  (m, 5)"""
    out = np.full((len(alike), NEARBY), np.nan)
    best, worst = scores >= scores.max(), scores <= scores.min()
    for row, near in enumerate(alike):
        order = np.argsort(-near, kind="stable")[:NEAREST]
        order = order[near[order] >= 0]
        if len(order):
            weight = np.exp(SHARP * near[order])
            got = float(weight @ scores[order] / weight.sum())
            ends = (float(np.max(near[some], initial=0.0)) for some in (best, worst))
            out[row] = got, near[order[0]], scores[near >= 0].mean(), *ends
    return out


def _table(told: Floats, asked: Asked) -> pl.DataFrame:
    """One row an answer, for trees."""
    names = ["ridge", "nearby", "nearest", "usual", "nearest best", "nearest worst"]
    rows = zip(asked.answers, asked.keys, asked.questions, strict=True)
    shared = [[*_shared(a, key), *_shared(a, question), *_lengths(a, key)] for a, key, question in rows]
    more = [f"{of} {n} {way}" for of in ("key", "question") for n in GRAMS for way in ("of the answer", "of it")]
    more += ["letters", "words", "letters to key", "words to key"]
    numbers = np.hstack([told, np.array(shared).reshape(len(asked), -1)])
    return pl.DataFrame(numbers, schema=[*names, *more]).fill_nan(None)


def _shared(answer: str, other: str) -> list[float]:
    """For words, pairs and triples the share of either's that the other has too; both 0 where there is none."""
    out = []
    for n in GRAMS:
        a, b = grams_of(answer, n), grams_of(other, n)
        out += [len(a & b) / max(len(a), 1), len(a & b) / max(len(b), 1)]
    return out


def grams_of(text: str, n: int) -> set[tuple[str, ...]]:
    """The runs of n words of a text."""
    found = words_of(text)
    return set(zip(*(found[start:] for start in range(n)), strict=False))


def words_of(text: str) -> list[str]:
    """Its words, without marks."""
    return [token for token in tokens(text) if token[0].isalnum() or token[0] == "_"]


def _lengths(answer: str, key: str) -> list[float]:
    letters, words = len(answer), len(words_of(answer))
    return [float(np.log1p(letters)), float(np.log1p(words)), letters / max(len(key), 1),
            words / max(len(words_of(key)), 1)]  # fmt: skip


def agreement(truth: Floats, given: Floats, steps: Sequence[float] | Floats) -> float:
    """Quadratic weighted kappa over the steps of the scale (Cohen 1968): 1 - sum w o / sum w e, w_ij = (i - j)^2."""
    grid = np.asarray(steps, np.float64)
    codes: list[Any] = [np.abs(part[:, None] - grid).argmin(1) for part in (truth, given)]
    seen = np.zeros((len(grid), len(grid)))
    np.add.at(seen, tuple(codes), 1.0)
    weight = (grid[:, None] - grid) ** 2
    expected = np.outer(seen.sum(1), seen.sum(0)) / max(seen.sum(), 1.0)
    lost = float((weight * expected).sum())
    return 1.0 - float((weight * seen).sum()) / lost if lost > 0 else float("nan")
