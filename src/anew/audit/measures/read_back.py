"""Does each text say what its row says? An independent classifier, trained on real rows, reads the label back.

Balanced accuracy (mean over labels of the share read rightly) of a linear machine over bags of n-grams on synthetic
texts, as a share of its balanced accuracy on held-out texts: the machine's own mistakes are no fault of the generator.
The label is the column of a condition, else the target, else the first column of few levels. Ceiling: 1; floor: labels
guessed by their frequency.
"""

from __future__ import annotations

import numpy as np

from anew.audit.corpus import READ, Corpus, bag_maker
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.labels import Ints
from anew.audit.linear import Linear
from anew.audit.of_texts import FEWEST, OfTexts
from anew.audit.statistics import Estimate, balanced_accuracy

LEARNED = 3_000_000  # characters of training texts to learn from
MOST = 6000  # training texts
CLEAR = 0.02  # what real texts must tell beyond chance, for anything to be read back


class ReadBack(OfTexts):
    question = "Does each text say what its row says?"
    chapter = "likeness"
    order = 6
    weight = 5

    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        if corpus.labels is None:
            return []
        truth = {name: corpus.classes(name) for name in ("synthetic", "holdout")}
        if min((classes >= 0).sum() for classes in truth.values()) < FEWEST:
            return []
        guess = self._guesses(evidence, corpus)
        if guess is None:
            return []
        made, real = (balanced_accuracy(truth[name], guess[name]) for name in ("synthetic", "holdout"))
        chance = _chance(corpus, truth["synthetic"])
        label = corpus.labels.name
        told = (
            f"A linear machine that learned {label} from real texts reads it rightly off {100 * made.value:.1f} of 100 "
            f"synthetic texts and {100 * real.value:.1f} of 100 fresh real ones (mean over the labels); texts that "
            f"say nothing of it would give {100 * chance:.1f}."
        )
        title = self.titled(evidence, corpus, f"{label} read back from the text")
        if real.low <= chance + CLEAR:
            words = f"{told} Real texts do not say enough of {label} to judge by."
            return [finding(self.name, title, Estimate.exactly(float("nan")), words, verdict="told")]
        error = np.hypot(made.half, made.value / real.value * real.half) / real.value / 1.96
        return [
            finding(
                self.name,
                title,
                Estimate.around(made.value / real.value, float(error)),
                told,
                ceiling=Estimate.exactly(1.0),
                floor=min(chance / real.value, 0.95),
                better="higher",
                details=_each(corpus, truth["synthetic"], guess["synthetic"]),
            )
        ]

    @staticmethod
    def _guesses(evidence: Evidence, corpus: Corpus) -> dict[str, Ints] | None:
        """What a machine reads off the texts of each sample; None where training has a single label."""
        assert corpus.labels is not None
        texts, rows = corpus.training(LEARNED)
        classes = corpus.labels.of(corpus.learned[rows])
        known = np.flatnonzero(classes >= 0)
        known = evidence.rng(65).permutation(known)[:MOST]
        if len(np.unique(classes[known])) < 2:
            return None
        some = [texts[i][:READ] for i in known]
        bags = bag_maker(some)
        machine = Linear.fitted(bags(some), classes[known], evidence.seed)
        return {name: machine.read(bags(corpus.texts(name))) for name in ("synthetic", "holdout")}


def _chance(corpus: Corpus, truth: Ints) -> float:
    """What guessing by the frequency of the labels in training gets, on average over the labels that are asked."""
    assert corpus.labels is not None
    classes = corpus.labels.of(corpus.learned)
    share = np.bincount(classes[classes >= 0], minlength=len(corpus.labels.names)) / max((classes >= 0).sum(), 1)
    return float(share[np.unique(truth[truth >= 0])].mean())


def _each(corpus: Corpus, truth: Ints, guess: Ints) -> dict[str, float]:
    assert corpus.labels is not None
    asked = [k for k in range(len(corpus.labels.names)) if (truth == k).any()]
    return {corpus.labels.names[k]: float((guess[truth == k] == k).mean()) for k in asked[:40]}
