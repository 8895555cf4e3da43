"""Does it speak of the same things as often? The area under the divergence frontier of two samples of texts.

After MAUVE (Pillutla et al. 2021, eq. 1-3): the features of both samples are cut into k groups by k-means; P and Q are
the shares of held-out and of synthetic texts in each. For the mixtures R = a P + (1 - a) Q the points (exp(-c KL(Q|R)),
exp(-c KL(P|R))) make a curve, and the number is the area below it: 1 for equal shares, near 0 for none in common.
Features: the main directions of bags of n-grams of both samples, and MiniLM's where it is installed. These are not
MAUVE's, so neither is the number. Ceiling: training texts in the synthetic ones' place; floor: words drawn one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from anew.audit.corpus import MEANT, Corpus
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.of_texts import SPARED, OfTexts, told
from anew.audit.statistics import Estimate
from anew.core.columns import Floats
from anew.core.seeds import stream

SCALE = 5.0  # c
EACH = 10  # texts a side for each group
MIXTURES = np.linspace(0, 1, 27)[1:-1]  # a
DIRECTIONS = 48
DRAWS = 20  # of the rows, for the standard error
LEAST = 0.1  # what there is to lose even where words drawn one by one look much like real text


class Divergence(OfTexts):
    question = "Does it speak of the same things as often?"
    chapter = "likeness"
    order = 36
    weight = 6

    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        size = corpus.size

        def bags(name: str, few: int) -> Floats:
            return directions(corpus.pair(name, few), evidence.seed)

        found = [self._one(evidence, corpus, "bags of n-grams", bags, size)]
        if corpus.has_meanings:

            def meant(name: str, few: int) -> Floats:
                return np.concatenate([corpus.meanings(sample)[:few] for sample in ("fresh", name)])

            found.append(self._one(evidence, corpus, "meanings by MiniLM", meant, min(size, MEANT)))
        return found

    def _one(
        self, evidence: Evidence, corpus: Corpus, what: str, pooled: Callable[[str, int], Floats], size: int
    ) -> Finding:
        few = min(size, SPARED, len(corpus.texts("marginals")))
        value, best, loose = (
            overlap(pooled(name, n), evidence.seed)
            for name, n in (("synthetic", size), ("train", size), ("marginals", few))
        )
        return finding(
            self.name,
            self.titled(evidence, corpus, f"overlap of topics, {what}"),
            value,
            f"In {what}, {size:,} synthetic texts cover the same ground as fresh real ones to {100 * value.value:.1f} "
            f"of 100; as many real training texts to {100 * best.value:.1f}, words drawn one by one to "
            f"{100 * loose.value:.1f}.{told(corpus)}",
            ceiling=best,
            floor=min(loose.value, best.value - LEAST),
            better="higher",
        )


def directions(bags: Any, seed: int) -> Floats:
    """The main directions of bags (n, V), each row of length 1.  (n, D)"""
    from sklearn.decomposition import TruncatedSVD

    few = min(bags.shape) <= DIRECTIONS
    rows = bags.toarray() if few else TruncatedSVD(DIRECTIONS, n_iter=2, random_state=seed).fit_transform(bags)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float64)


def overlap(pooled: Floats, seed: int) -> Estimate:
    """Of the features of two equally large samples, one under the other.  (2 n, D)"""
    from sklearn.cluster import KMeans

    n = len(pooled) // 2
    k = min(max(round(n / EACH), 2), len(np.unique(pooled.round(9), axis=0)))
    group = KMeans(k, n_init=1, max_iter=50, random_state=seed).fit_predict(pooled).reshape(2, n)

    def area(p: Any, q: Any) -> float:
        return frontier(np.bincount(p, minlength=k) / n, np.bincount(q, minlength=k) / n)

    rng = stream("divergence", seed)
    drawn = [area(*(side[rng.integers(0, n, n)] for side in group)) for _ in range(DRAWS)]
    return Estimate.around(area(*group), float(np.std(drawn, ddof=1))).clipped()


def frontier(p: Floats, q: Floats) -> float:
    """The area under the frontier of two distributions.  (k,), (k,)"""
    points = [
        (np.exp(-SCALE * _divergence(q, mixed)), np.exp(-SCALE * _divergence(p, mixed)))
        for mixed in (a * p + (1 - a) * q for a in MIXTURES)
    ]
    x, y = np.array(sorted([(0.0, 1.0), *points, (1.0, 0.0)], key=lambda point: (point[0], -point[1]))).T
    return float(np.trapezoid(y, x))


def _divergence(p: Floats, r: Floats) -> float:
    """Kullback and Leibler's, in nats; r is nowhere 0 where p is not."""
    there = p > 0
    return float((p[there] * np.log(p[there] / r[there])).sum())
