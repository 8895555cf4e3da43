"""Can you learn from the texts? A linear machine trained on synthetic texts, tested on held-out real ones (TSTR).

Esteban et al. 2017; balanced accuracy of a label. Ceiling: the same machine after as many real texts; floor: chance.
Adding synthetic to real texts is held against the control that the literature asks for: the same real texts, each twice
(PMLR 318:954, 2026).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anew.audit.corpus import LOOKED, Corpus, bag_maker
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.labels import Ints
from anew.audit.linear import Linear
from anew.audit.of_texts import OfTexts
from anew.audit.statistics import Estimate, balanced_accuracy, bootstrap_error

FEWEST = 40  # texts with a known label
DRAWS = 60


class TextUtility(OfTexts):
    question = "Can you learn to predict from the texts?"
    chapter = "use"
    order = 52
    weight = 4

    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        if corpus.labels is None:
            return []
        known = {name: np.flatnonzero(corpus.classes(name) >= 0) for name in ("train", "synthetic", "holdout")}
        if min(map(len, known.values())) < FEWEST:
            return []
        lab = Lab(evidence, corpus, known)
        if lab.silent("train"):
            return []
        if lab.silent("synthetic"):
            return [self._nothing(evidence, corpus)]
        return [self._alone(evidence, corpus, lab), self._beside(evidence, corpus, lab)]

    def _nothing(self, evidence: Evidence, corpus: Corpus) -> Finding:
        assert corpus.labels is not None
        return finding(
            self.name,
            self._title(evidence, corpus),
            Estimate.exactly(float("nan")),
            f"The synthetic rows hold a single value of {corpus.labels.name}, so nothing can be learned from them.",
            verdict="told" if evidence.where else "poor",
            better="higher",
        )

    def _title(self, evidence: Evidence, corpus: Corpus) -> str:
        assert corpus.labels is not None
        return self.titled(evidence, corpus, f"reading {corpus.labels.name}, learned from synthetic texts")

    def _alone(self, evidence: Evidence, corpus: Corpus, lab: Lab) -> Finding:
        assert corpus.labels is not None
        made, real = (lab.score([name]) for name in ("synthetic", "train"))
        return finding(
            self.name,
            self._title(evidence, corpus),
            made,
            f"A linear machine that learned from {lab.size:,} synthetic texts reads {corpus.labels.name} rightly off "
            f"{100 * made.value:.1f} of 100 fresh real texts (mean over the labels); one that learned from as many "
            f"real texts off {100 * real.value:.1f}.",
            ceiling=real,
            floor=min(1 / len(corpus.labels.names), real.value - 0.01),
            better="higher",
        )

    def _beside(self, evidence: Evidence, corpus: Corpus, lab: Lab) -> Finding:
        """real + synthetic against real + real again: told, since either answer is a fact and not a fault."""
        gain = lab.gain(["train", "synthetic"], ["train", "train"])
        how = "help" if gain.low > 0 else "hurt" if gain.high < 0 else "neither help nor hurt noticeably"
        each = {
            what: lab.score(names).value
            for what, names in (
                ("real texts alone", ["train"]),
                ("real texts twice", ["train", "train"]),
                ("real and synthetic texts", ["train", "synthetic"]),
            )
        }
        shown = [f"{100 * value:.1f}" for value in each.values()]
        return finding(
            self.name,
            self.titled(evidence, corpus, "synthetic beside real texts, gain over duplicated real texts"),
            gain,
            f"Added to {lab.size:,} real texts, as many synthetic ones {how}: {shown[2]} of 100 are read rightly, "
            f"against {shown[1]} with the real texts twice and {shown[0]} with the real texts alone.",
            ceiling=Estimate.exactly(0.0),
            better="higher",
            details=each,
        )


class Lab:
    """Trains on texts of any samples, always tests on the same held-out ones; n-grams are those of both samples."""

    def __init__(self, evidence: Evidence, corpus: Corpus, known: dict[str, Ints]) -> None:
        self.evidence, self.corpus = evidence, corpus
        self.size = min(len(known["train"]), len(known["synthetic"]), LOOKED)
        chosen = {name: rows if name == "holdout" else rows[: self.size] for name, rows in known.items()}
        self.labels = {name: corpus.classes(name)[rows] for name, rows in chosen.items()}
        texts = {name: [corpus.texts(name)[i] for i in rows] for name, rows in chosen.items()}
        bags = bag_maker([*texts["train"], *texts["synthetic"]])
        self.bags = {name: bags(cells) for name, cells in texts.items()}
        self._guessed: dict[tuple[str, ...], Ints] = {}

    def silent(self, name: str) -> bool:
        """Whether there is a single label, so that nothing can be learned."""
        return len(np.unique(self.labels[name])) < 2

    def guesses(self, names: Sequence[str]) -> Ints:
        """What a machine that learned from the named samples reads off the held-out texts.  (n,)"""
        from scipy import sparse

        key = tuple(names)
        if key not in self._guessed:
            bags = sparse.vstack([self.bags[name] for name in names], format="csr")
            labels = np.concatenate([self.labels[name] for name in names])
            self._guessed[key] = Linear.fitted(bags, labels, self.evidence.seed).read(self.bags["holdout"])
        return self._guessed[key]

    def score(self, names: Sequence[str]) -> Estimate:
        return balanced_accuracy(self.labels["holdout"], self.guesses(names))

    def gain(self, a: Sequence[str], b: Sequence[str]) -> Estimate:
        """What the one reads better than the other, with the interval of the difference over the same texts."""
        truth, one, other = self.labels["holdout"], self.guesses(a), self.guesses(b)

        def difference(rows: Ints | slice) -> float:
            return balanced_accuracy(truth[rows], one[rows]).value - balanced_accuracy(truth[rows], other[rows]).value

        error = bootstrap_error(difference, len(truth), DRAWS, self.evidence.rng(66))
        return Estimate.around(difference(slice(None)), error)
