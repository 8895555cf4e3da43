"""Which answers are not graded: nothing, too long, gibberish, words in no order, the question given back.

Each rule is a number that real answers hardly ever fall below. It is measured on graded answers against the others of
them (fold by fold), and the threshold is the quantile that refuses so few of those as MOST says.

order      mean over neighbouring words of log p(b | a) / p(b), a and b being words or, where they are rare, their
           endings: how much likelier words are where they stand than anywhere (pointwise mutual information), with
           p(b | a) = (n_ab + STRENGTH p(b)) / (n_a + STRENGTH)
spelling   mean log-probability of its letters, each given the two before; the threshold lies half-way to random letters
own words  the share of its words that are not the question's, or of its pairs, whichever is more

Shapes: n answers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from anew.core.columns import Floats
from anew.core.seeds import stream
from anew.recipes._grading import Asked, Codes, words_of

MOST = {"spelling": 0.002, "order": 0.015, "own words": 0.004}  # of real answers that a rule may refuse
FOLDS = 5
LONGER = 1.5  # times the longest graded answer
BEFORE = 2  # letters that the next is expected from
FREQUENT, ENDING = 300, 3  # words that count as themselves; letters of the others that count
STRENGTH = 5.0
FEW = 4  # words below which nothing is said of their order
RANDOM = 200  # words of random letters
WORD = re.compile(r"\w+")
SAID = {
    "spelling": "its letters do not make words of the language of the graded answers",
    "order": "its words stand in no order that the graded answers know",
    "own words": "it gives the question back",
}


class Language:
    """How words and letters follow each other in some texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.frequent = {w for w, _ in Counter(w.lower() for t in texts for w in WORD.findall(t)).most_common(FREQUENT)}
        self.pairs, self.first, self.second = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
        self.runs, self.openings = Counter[str](), Counter[str]()
        for text in texts:
            found = self._classes(text)
            self.pairs.update(pairwise(found))
            self.first.update(found[:-1])
            self.second.update(found[1:])
            spaced = _spaced(text)
            self.runs.update(spaced[i : i + BEFORE + 1] for i in range(len(spaced) - BEFORE))
            self.openings.update(spaced[i : i + BEFORE] for i in range(len(spaced) - BEFORE))
        self.words, self.signs = self.second.total(), len({sign for run in self.runs for sign in run}) + 1

    def _classes(self, text: str) -> list[str]:
        """Frequent words as they are, others by their endings, numbers and names apart, between two ends."""
        return ["^", *(self._class(word) for word in WORD.findall(text)), "$"]

    def _class(self, word: str) -> str:
        low = word.lower()
        kind = "A" if word[0].isupper() else "0" if word[0].isdigit() else "a"
        return low if low in self.frequent else f"{kind}~{low[-ENDING:]}"

    def order(self, text: str) -> float:
        found = self._classes(text)
        return float(np.mean([self._likelier(a, b) for a, b in pairwise(found)])) if len(found) > FEW else np.inf

    def _likelier(self, a: str, b: str) -> float:
        anywhere = (self.second[b] + 0.5) / (self.words + 0.5 * (len(self.second) + 1))
        here = (self.pairs[a, b] + STRENGTH * anywhere) / (self.first[a] + STRENGTH)
        return float(np.log(here / anywhere))

    def spelling(self, text: str) -> float:
        spaced = _spaced(text)
        places = range(len(spaced) - BEFORE)
        many = [self.runs[spaced[i : i + BEFORE + 1]] + 1 for i in places]
        of = [self.openings[spaced[i : i + BEFORE]] + self.signs for i in places]
        return float(np.mean(np.log(many) - np.log(of))) if many else 0.0

    def random(self, seed: int) -> float:
        """The spelling of random letters."""
        rng, letters = stream("letters", seed), list("abcdefghijklmnopqrstuvwxyz")
        words = ("".join(rng.choice(letters, rng.integers(3, 10))) for _ in range(RANDOM))
        return self.spelling(" ".join(words))


def _spaced(text: str) -> str:
    return f"  {' '.join(text.lower().split())} "


def _own(answer: str, question: str) -> float:
    words, asked = set(words_of(answer)), set(words_of(question))
    pairs, asked_pairs = set(pairwise(words_of(answer))), set(pairwise(words_of(question)))
    return max(len(words - asked) / max(len(words), 1), len(pairs - asked_pairs) / max(len(pairs), 1))


def _numbers(language: Language, asked: Asked) -> dict[str, Floats]:
    rows = list(zip(asked.answers, asked.questions, strict=True))
    return {
        "spelling": np.array([language.spelling(answer) for answer, _ in rows]),
        "order": np.array([language.order(answer) for answer, _ in rows]),
        "own words": np.array([_own(answer, question) for answer, question in rows]),
    }


class Refusals:
    """Learned from graded answers; says of others why they are not graded, or nothing.

    `least[True]` is what answers to questions that were asked before are held to; to new ones, what answers to
    questions left out are.
    """

    def __init__(self, asked: Asked, seed: int, longest: int | None = None) -> None:
        beside = sorted({*asked.questions, *asked.keys})
        self.language = Language([*asked.answers, *beside])
        self.known, random = set(asked.codes.tolist()), self.language.random(seed)
        rows = np.array_split(stream("refusals", seed).permutation(len(asked)), FOLDS)
        each = np.array_split(np.unique(asked.codes), FOLDS)
        whole = [np.flatnonzero(np.isin(asked.codes, some)) for some in each] if len(self.known) >= FOLDS else rows
        self.least = {before: _least(asked, parts, beside, random) for before, parts in ((True, rows), (False, whole))}
        self.longest = longest or int(LONGER * max(map(len, asked.answers), default=0))

    def __call__(self, asked: Asked) -> list[str]:
        """A reason for each answer, empty where it is graded."""
        numbers = _numbers(self.language, asked)
        return [
            self._why(answer, {name: float(of[i]) for name, of in numbers.items()}, int(asked.codes[i]) in self.known)
            for i, answer in enumerate(asked.answers)
        ]

    def _why(self, answer: str, numbers: Mapping[str, float], before: bool) -> str:
        if not words_of(answer):
            return "it has no word"
        if len(answer) > self.longest:
            return f"it is too long: {len(answer):,} characters, of {self.longest:,} at most"
        return next((SAID[name] for name, number in numbers.items() if number < self.least[before][name]), "")


def _least(asked: Asked, parts: Sequence[Codes], beside: Sequence[str], random: float) -> dict[str, float]:
    """The thresholds, from answers whose own part of the graded ones was left out."""
    told: dict[str, Floats] = {name: np.zeros(len(asked)) for name in SAID}
    for part in parts:
        rest = np.setdiff1d(np.arange(len(asked)), part)
        language = Language([*(asked.answers[i] for i in rest), *beside])
        for name, numbers in _numbers(language, asked.take(part)).items():
            told[name][part] = numbers
    least = {name: float(np.quantile(told[name], most, method="lower")) for name, most in MOST.items()}
    return {**least, "spelling": (least["spelling"] + random) / 2}
