"""A measure of texts: asked of each column of texts that has enough of them in every sample."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from anew.audit.corpus import LOOKED, TEXTS, Corpus
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate
from anew.core.columns import Floats

FEWEST = 20  # texts a side
SPARED = 1000  # texts a side that are compared with a baseline, whose distance needs no precision


class OfTexts(Measure):
    kinds = TEXTS
    needs = FEWEST

    def measure(self, evidence: Evidence) -> list[Finding]:
        corpora = [corpus for corpus in evidence.corpora if size_of(corpus) >= FEWEST]
        return [found for corpus in corpora for found in self.look(evidence, corpus)]

    @abstractmethod
    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        """The findings about one column of texts."""

    @staticmethod
    def titled(evidence: Evidence, corpus: Corpus, title: str) -> str:
        """The name of a finding; with the column's, where there are several of texts."""
        return f"{title} ({corpus.name})" if len(evidence.corpora) > 1 else title


def told(corpus: Corpus) -> str:
    """What is to be known of the real texts of a comparison."""
    if not corpus.shifted:
        return ""
    return " Held-out texts are of another kind than training texts: halves of the training texts stand for real text."


def size_of(corpus: Corpus) -> int:
    """How many texts a side a comparison can use."""
    return min(len(corpus.numbers(name, LOOKED)) for name in ("train", "holdout", "synthetic"))


def ratio(parts: Floats, wholes: Floats) -> Estimate:
    """The sum of the parts over the sum of the wholes, of texts drawn at random (Cochran 1977, s. 6.3).  (n,), (n,)"""
    value = float(parts.sum() / max(wholes.sum(), 1e-12))
    error = np.std(parts - value * wholes, ddof=1) / (max(float(wholes.mean()), 1e-12) * np.sqrt(len(parts)))
    return Estimate.around(value, float(error))
