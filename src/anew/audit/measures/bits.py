"""Is it written as real text is? Bits per byte under an independent n-gram model, in both directions.

Forwards: the model is fitted on real training text and reads synthetic text. More bits than fresh real text costs are
nonsense, fewer are platitudes, repetition or copies. Backwards: it is fitted on synthetic text and reads fresh real
text, so what the synthetic text never says costs bits. Ceiling: held-out text, and a model fitted on as many bytes of
real training text; floor: the words of held-out text in any order, and a model of words drawn one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from anew.audit.baselines import mixed
from anew.audit.byte_model import ByteModel
from anew.audit.corpus import MOST, Corpus
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.of_texts import OfTexts, ratio, told

LEAST = 0.1  # bits that there are to lose even where words drawn one by one look much like real text


class Bits(OfTexts):
    question = "Is it written as real text is?"
    chapter = "likeness"
    order = 35
    weight = 3

    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        return [self._forwards(evidence, corpus), self._backwards(evidence, corpus)]

    def _forwards(self, evidence: Evidence, corpus: Corpus) -> Finding:
        model = ByteModel(corpus.beside("train") if corpus.shifted else corpus.training(MOST)[0])
        fresh = corpus.fresh()
        stirred = mixed(fresh, evidence.rng(68))
        value, best, loose = (ratio(*model.bits(texts)) for texts in (corpus.texts("synthetic"), fresh, stirred))
        how = "easier" if value.value < best.value else "harder"
        return finding(
            self.name,
            self.titled(evidence, corpus, "bits a byte, read by a model of real text"),
            value,
            f"An n-gram model that learned from real training text needs {value.value:.3f} bits for a byte of "
            f"synthetic text and {best.value:.3f} for one of fresh real text: the synthetic text is {how} to guess. "
            f"Fresh real words in any order would need {loose.value:.3f}.{told(corpus)}",
            ceiling=best,
            floor=max(loose.value, best.value + LEAST),
            better="nearer",
            unit="bits",
        )

    def _backwards(self, evidence: Evidence, corpus: Corpus) -> Finding:
        samples = {name: corpus.beside(name) for name in ("synthetic", "train", "marginals")}
        size = min(sum(map(len, texts)) for texts in samples.values())
        fresh = corpus.fresh()
        value, best, loose = (ratio(*ByteModel(_cut(texts, size)).bits(fresh)) for texts in samples.values())
        return finding(
            self.name,
            self.titled(evidence, corpus, "bits a byte of real text, read by a model of synthetic text"),
            value,
            f"An n-gram model that learned from synthetic text needs {value.value:.3f} bits for a byte of fresh real "
            f"text; one that learned from as much real text {best.value:.3f}, and one that learned from words drawn "
            f"one by one {loose.value:.3f}.{told(corpus)}",
            ceiling=best,
            floor=max(loose.value, best.value + LEAST),
            unit="bits",
        )


def _cut(texts: Sequence[str], size: int) -> list[str]:
    """The first texts, `size` characters of them in all."""
    out: list[str] = []
    for text in texts:
        out.append(text[:size])
        size -= len(text)
        if size <= 0:
            break
    return out
