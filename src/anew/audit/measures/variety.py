"""Is it as varied, as long and as readable as real text? Each figure beside the same for as much fresh real text.

distinct-n: different n-grams as a share of all (Li et al. 2016), in parts of equally many words. self-BLEU: how much of
a text stands in the others (Zhu et al. 2018). Lengths and readability: the Kolmogorov-Smirnov distance of the
characters and words a text, the letters a word and the words a sentence. Known words: the share of words that occur in
training text. Ceiling: held-out text, or for distances training text in the synthetic text's place; floor: text that
says one thing again and again, distances of 1, words with their letters shuffled.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from anew.audit.corpus import MOST, Corpus
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.of_texts import OfTexts, ratio, size_of
from anew.audit.phrases import Phrases, self_bleu, traits, words
from anew.audit.statistics import Estimate, bootstrap_error, difference, proportion, z_of_many
from anew.core.columns import Floats

PARTS = 8  # of the words, for the standard error
DRAWS = 30
CLOSE = 500  # texts that are compared with each other


class Variety(OfTexts):
    question = "Is it as varied, as long and as readable as real text?"
    chapter = "likeness"
    order = 42
    weight = 3

    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        size = size_of(corpus)
        phrases = {name: Phrases.of(corpus.texts(name, size)) for name in ("synthetic", "holdout")}
        most = min(len(found.word) for found in phrases.values())
        distinct = [self._distinct(evidence, corpus, phrases, n, most // PARTS) for n in (1, 2, 3) if most >= 4 * PARTS]
        return [
            *distinct,
            self._self_bleu(evidence, corpus, size),
            self._lengths(evidence, corpus, size),
            self._known(evidence, corpus),
            *self._blank(evidence, corpus),
        ]

    def _distinct(self, evidence: Evidence, corpus: Corpus, phrases: dict[str, Phrases], n: int, size: int) -> Finding:
        value, best = (_mean(phrases[name].distinct(n, PARTS, size)) for name in ("synthetic", "holdout"))
        what = ("words", "pairs of words", "triples of words")[n - 1]
        return finding(
            self.name,
            self.titled(evidence, corpus, f"distinct-{n}"),
            value,
            f"Of the {what} in {size:,} words of synthetic text, {100 * value.value:.1f} in 100 are different ones; of "
            f"fresh real text {100 * best.value:.1f}.",
            ceiling=best,
            floor=0.0,
            better="nearer",
        )

    def _self_bleu(self, evidence: Evidence, corpus: Corpus, size: int) -> Finding:
        value, best = (
            _mean(self_bleu(Phrases.of(corpus.texts(name, min(size, CLOSE))))) for name in ("synthetic", "holdout")
        )
        return finding(
            self.name,
            self.titled(evidence, corpus, "self-BLEU"),
            value,
            f"Compared with {min(size, CLOSE) - 1:,} others of its kind a synthetic text has a BLEU of "
            f"{value.value:.3f}, a fresh real one {best.value:.3f}; 1 would be saying the same again.",
            ceiling=best,
            floor=1.0,
            better="nearer",
            unit="score",
        )

    def _lengths(self, evidence: Evidence, corpus: Corpus, size: int) -> Finding:
        """The trait that stands furthest out is judged, with an interval that holds for all."""
        each = {name: traits(corpus.texts(name, size)) for name in ("synthetic", "holdout", "train")}
        z, rng = z_of_many(len(each["holdout"])), evidence.rng(62)
        found = {
            what: [_apart(each[name][what], fresh, z, rng) for name in ("synthetic", "train")]
            for what, fresh in each["holdout"].items()
        }
        worst = max(found, key=lambda what: difference(*found[what]).low)
        value, best = found[worst]
        means = [float(each[name][worst].mean()) for name in ("synthetic", "holdout")]
        return finding(
            self.name,
            self.titled(evidence, corpus, "lengths and readability"),
            value,
            f"Of lengths and readability, {worst} differ most: {means[0]:.1f} on average against {means[1]:.1f} in "
            f"fresh real text, and {100 * value.value:.1f} of 100 texts would have to change "
            f"({100 * best.value:.1f} between two real samples).",
            ceiling=best,
            floor=1.0,
            details={what: pair[0].value for what, pair in found.items()},
        )

    def _known(self, evidence: Evidence, corpus: Corpus) -> Finding:
        dictionary = {word for text in corpus.training(MOST)[0] for word in words(text)}
        value, best = (_valid(corpus.texts(name), dictionary) for name in ("synthetic", "holdout"))
        floor = _valid(_scrambled(corpus.texts("holdout", CLOSE), evidence.rng(63)), dictionary).value
        return finding(
            self.name,
            self.titled(evidence, corpus, "known words"),
            value,
            f"{100 * value.value:.1f} of 100 words of synthetic text occur in training text; of fresh real text "
            f"{100 * best.value:.1f}, of words with shuffled letters {100 * floor:.1f}.",
            ceiling=best,
            floor=min(floor, best.value - 0.01),
            better="higher",
        )

    def _blank(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        """Only asked where some texts are blank."""
        cells = {name: evidence.frame(name)[corpus.name] for name in ("synthetic", "holdout")}
        gone = {name: int((s.fill_null("").str.strip_chars().str.len_chars() == 0).sum()) for name, s in cells.items()}
        if not any(gone.values()):
            return []
        value, best = (proportion(gone[name], len(cells[name])) for name in ("synthetic", "holdout"))
        return [
            finding(
                self.name,
                self.titled(evidence, corpus, "blank texts"),
                value,
                f"{100 * value.value:.1f} of 100 synthetic texts are blank; of fresh real ones {100 * best.value:.1f}.",
                ceiling=best,
                floor=1.0 if value.value >= best.value else 0.0,
                better="nearer",
            )
        ]


def _mean(values: Floats) -> Estimate:
    return Estimate.around(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _apart(a: Floats, b: Floats, z: float, rng: np.random.Generator) -> Estimate:
    """Kolmogorov and Smirnov's distance."""
    places = np.unique(np.concatenate([a, b]))

    def distance(x: Floats, y: Floats) -> float:
        below = [np.searchsorted(np.sort(side), places, "right") / len(side) for side in (x, y)]
        return float(np.abs(below[0] - below[1]).max())

    return Estimate.around(distance(a, b), bootstrap_error(lambda rows: distance(a[rows], b), len(a), DRAWS, rng), z)


def _valid(texts: list[str], dictionary: set[str]) -> Estimate:
    found = [words(text) for text in texts]
    known = np.array([sum(word in dictionary for word in cell) for cell in found], np.float64)
    return ratio(known, np.array([len(cell) for cell in found], np.float64)).clipped()


def _scrambled(texts: list[str], rng: np.random.Generator) -> list[str]:
    """The letters of all words of a text in another order, words as long as before."""
    out = []
    for text in texts:
        cells = words(text)
        letters = rng.permutation(list("".join(cells))).tolist() if cells else []
        ends = np.cumsum([0, *map(len, cells)])
        out.append(" ".join("".join(letters[a:b]) for a, b in pairwise(ends)))
    return out
