"""Can a machine tell synthetic text from real text that it has never seen? A linear machine over bags of n-grams.

AUC, synthetic against held-out texts, every text judged by a machine that did not learn from it (Lopez-Paz & Oquab
2017). Ceiling: training texts in the synthetic ones' place; floor: words drawn one by one.
"""

from __future__ import annotations

from anew.audit.corpus import Corpus
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.linear import tell_apart
from anew.audit.of_texts import SPARED, OfTexts, told


class TextDetectable(OfTexts):
    question = "Can a machine tell synthetic text from real text?"
    chapter = "likeness"
    order = 34
    weight = 7

    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        size = corpus.size
        few = min(size, SPARED, len(corpus.texts("marginals")))
        value, best, loose = (
            tell_apart(corpus.pair(name, n), evidence.seed)
            for name, n in (("synthetic", size), ("train", size), ("marginals", few))
        )
        return [
            finding(
                self.name,
                self.titled(evidence, corpus, "telling synthetic from fresh text"),
                value,
                f"Shown one real and one synthetic text, a linear machine that reads words and runs of letters points "
                f"at the synthetic one {100 * value.value:.0f} times in 100, and at a real training text "
                f"{100 * best.value:.0f}. Guessing is 50; words drawn one by one would give "
                f"{100 * loose.value:.0f}.{told(corpus)}",
                ceiling=best,
                floor=max(loose.value, best.value + 0.1),
                unit="auc",
                details={"fresh real texts": best.value, "words drawn one by one": loose.value},
            )
        ]
