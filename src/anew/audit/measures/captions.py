"""Does each picture show what its text says? A scorer finds the right caption among ten.

The scorer learns from real training pairs only: ridge regression from the features of a picture (the audit's own, and
ImageNet's where they are there) to its caption's words (TF-IDF). A picture is a hit when its own caption is the most
like what the scorer expects, among nine others of the same sample. Ceiling: held-out pairs; floor: captions that have
nothing to do with their pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from anew.audit.album import SOME, Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.of_pictures import OfPictures
from anew.audit.statistics import proportion
from anew.core.columns import Bools, Floats

AMONG = 10
WORDS = 4000
FEWEST = 40  # pairs
RIDGE = 300.0


class Captions(OfPictures):
    question = "Does each picture show what its text says?"
    chapter = "likeness"
    order = 8
    weight = 3
    reads = True

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        texts = [field.name for field in evidence.schema if field.kind == "text"]
        return [found for text in texts for found in self._one(evidence, album, text)]

    def _one(self, evidence: Evidence, album: Album, text: str) -> list[Finding]:
        pairs = {name: Pairs.of(evidence, album, name, text) for name in ("train", "holdout", "synthetic")}
        if min(len(found.words) for found in pairs.values()) < FEWEST:
            return []
        scorer = Scorer(pairs["train"])
        hits = {name: scorer.hits(pairs[name], evidence.rng(45)) for name in ("holdout", "synthetic")}
        made, real = (proportion(hits[name].sum(), len(hits[name])) for name in ("synthetic", "holdout"))
        loose = evidence.rng(46).permutation(np.array(pairs["synthetic"].words, dtype=object)).tolist()
        floor = float(scorer.hits(replace(pairs["synthetic"], words=loose), evidence.rng(45)).mean())
        return [
            finding(
                self.name,
                self.titled(evidence, album, f"{text} found among {AMONG} by its picture"),
                made,
                f"A scorer that learned from real pairs finds the right {text} among {AMONG} for "
                f"{100 * made.value:.1f} of 100 synthetic pictures and for {100 * real.value:.1f} of 100 fresh real "
                f"ones. Guessing is {100 / AMONG:.0f}.",
                ceiling=real,
                floor=min(floor, real.value - 0.01),
                better="higher",
            )
        ]


@dataclass(frozen=True)
class Pairs:
    """Features of pictures (n, D) and their texts (n), where both are there."""

    features: Floats
    words: list[str]

    @classmethod
    def of(cls, evidence: Evidence, album: Album, name: str, text: str) -> Pairs:
        rows = album.numbers(name, SOME)
        cells = evidence.frame(name)[text].gather(rows)
        parts = [album.features(name, SOME), album.columns(name, rows)[1]]
        if album.has_imagenet:
            parts.append(album.imagenet(name))
        return cls(np.hstack(parts)[cells.is_not_null().to_numpy()], cells.drop_nulls().to_list())


class Scorer:
    """From pictures to words, by ridge regression on training pairs."""

    def __init__(self, pairs: Pairs) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import Ridge

        self.words = TfidfVectorizer(sublinear_tf=True, max_features=WORDS)
        vectors = self.words.fit_transform(pairs.words).toarray()
        self.mean, self.centre = vectors.mean(0), pairs.features.mean(0)
        self.spread = pairs.features.std(0) + 1e-9
        self.ridge = Ridge(RIDGE).fit(self._scaled(pairs), vectors - self.mean)

    def _scaled(self, pairs: Pairs) -> Floats:
        return np.asarray((pairs.features - self.centre) / self.spread)

    def hits(self, pairs: Pairs, rng: np.random.Generator) -> Bools:
        """Whether the own text is liked better than nine others, those that are equal to it left out.  (n,)"""
        vectors = self.words.transform(pairs.words).toarray() - self.mean
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        liked = self.ridge.predict(self._scaled(pairs)) @ vectors.T  # (n, n)
        n = len(liked)
        others = (np.arange(n)[:, None] + rng.integers(1, n, (n, AMONG - 1))) % n
        _, which = np.unique(pairs.words, return_inverse=True)
        rivals = np.where(which[others] == which[:, None], -np.inf, np.take_along_axis(liked, others, 1))
        return np.asarray(liked.diagonal() > rivals.max(1))
