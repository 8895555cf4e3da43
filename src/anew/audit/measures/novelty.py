"""Was training text copied? Verbatim runs, n-grams that training text has, and near duplicates.

A run is what stands word for word in one training text (runs.py); everything is held against fresh real text, which
repeats real text by quotation, boilerplate and chance. A run counts as long when it is MARGIN characters longer than
95 of 100 real texts' longest, LONG at most. The longest of all is a fault when it is half as long again, and MARGIN
characters more, than any real text's longest run in other real texts, those of training among each other included;
where real texts repeat each other at length now and then, only when so many are beyond it that this is no luck. Near
duplicates share at least half of their different windows of SHINGLE characters (Jaccard's index; Broder 1997).
Ceiling: held-out text; floor: training texts drawn again.
"""

from __future__ import annotations

import numpy as np

from anew.audit.corpus import Corpus
from anew.audit.evidence import Evidence
from anew.audit.finding import BREACH, HINT, Finding, Verdict, finding
from anew.audit.near import SHINGLE, alike
from anew.audit.of_texts import OfTexts, ratio
from anew.audit.passages import MARGIN, usual
from anew.audit.runs import Runs
from anew.audit.statistics import Estimate, proportion

WINDOW = 13  # characters
HALF = 0.5  # of the windows in common makes a near duplicate
BEYOND = 1.5  # times the longest natural run
LUCK = 0.00135  # three standard errors
ENOUGH = 400  # real texts without which nobody knows how long a natural run can be


class Novelty(OfTexts):
    question = "Was training text copied?"
    chapter = "safety"
    order = 62
    weight = 8

    def look(self, evidence: Evidence, corpus: Corpus) -> list[Finding]:
        return [
            self._long(evidence, corpus),
            self._longest(evidence, corpus),
            self._seen(evidence, corpus),
            self._near(evidence, corpus),
        ]

    def _long(self, evidence: Evidence, corpus: Corpus) -> Finding:
        least = usual(corpus)
        value, natural = (_share(corpus.runs(name).longest >= least) for name in ("synthetic", "holdout"))
        again = float(np.mean([len(text) >= least for text in corpus.known[0]]))
        return finding(
            self.name,
            self.titled(evidence, corpus, "texts with a long copied span"),
            value,
            f"{100 * value.value:.2f} of 100 synthetic texts hold a run of {least} characters or more that stands word "
            f"for word in a training text; of fresh real texts {100 * natural.value:.2f} do.",
            ceiling=natural,
            floor=max(again, natural.value + 0.01),
            scale=BREACH,
        )

    def _longest(self, evidence: Evidence, corpus: Corpus) -> Finding:
        made, held, among = (corpus.runs(name) for name in ("synthetic", "holdout", "natural"))
        real = np.concatenate([held.longest, among.longest])
        value, natural = int(made.longest.max()), int(real.max())
        bound = max(BEYOND * natural, natural + MARGIN)
        beyond = int((made.longest > bound).sum())
        chance = (made.texts / (made.texts + len(real))) ** beyond  # that the longest of all are synthetic by luck
        sure = beyond and (chance < LUCK or not (real >= usual(corpus)).any())
        verdict: Verdict = "poor" if sure else "told" if beyond or len(real) < ENOUGH else "good"
        said = [f"{run.length.mean():.1f}" for run in (made, held)]
        return finding(
            self.name,
            self.titled(evidence, corpus, "longest copied span, in characters"),
            Estimate.exactly(value),
            f"The longest run of a synthetic text that stands word for word in a training text has {value:,} "
            f"characters; the longest that real texts share with other real texts has {natural:,}, and up to "
            f"{bound:,.0f} is allowed. From a character on, {said[0]} are found in training text on average, of fresh "
            f"real text {said[1]}.",
            ceiling=Estimate.exactly(natural),
            floor=float(max(*map(len, corpus.known[0]), natural + 1)),
            verdict="told" if len(real) < ENOUGH else verdict,
            unit="characters",
        )

    def _seen(self, evidence: Evidence, corpus: Corpus) -> Finding:
        value, natural = (_seen(corpus.runs(name)) for name in ("synthetic", "holdout"))
        return finding(
            self.name,
            self.titled(evidence, corpus, f"windows of {WINDOW} characters that training text has"),
            value,
            f"{100 * value.value:.1f} of 100 windows of {WINDOW} characters of synthetic text stand in training text; "
            f"of fresh real text {100 * natural.value:.1f}.",
            ceiling=natural,
            floor=1.0,
            scale=HINT,
        )

    def _near(self, evidence: Evidence, corpus: Corpus) -> Finding:
        made, real = corpus.texts("synthetic"), corpus.texts("holdout")
        near = alike(corpus.known[0], [*made, *real]) >= HALF
        value, natural = _share(near[: len(made)]), _share(near[len(made) :])
        return finding(
            self.name,
            self.titled(evidence, corpus, "near duplicates of a training text"),
            value,
            f"{100 * value.value:.2f} of 100 synthetic texts share at least half of their windows of {SHINGLE} "
            f"characters with one training text; of fresh real texts {100 * natural.value:.2f} do.",
            ceiling=natural,
            floor=1.0,
            scale=BREACH,
        )


def _share(flags: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Estimate:
    return proportion(float(flags.sum()), len(flags))


def _seen(found: Runs) -> Estimate:
    hits, windows = found.seen(WINDOW)
    return ratio(hits.astype(np.float64), windows.astype(np.float64)).clipped()
