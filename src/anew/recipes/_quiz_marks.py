"""What new questions are judged by, beside the bank's own: form, subject read back, likeness to the bank, difficulty.

Nothing says how hard a question is for people. What a classifier can say is how plainly a question belongs to its
subject: the surer it is beside the bank's own questions, the more usual the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anew.core.columns import Floats
from anew.recipes._quiz import Question, plain
from anew.recipes._texts import Judge, near

EASY, USUAL, HARD = "easy to place", "usual", "hard to place"


class QuizMarks:
    """Judges that learned from the bank's questions alone."""

    def __init__(self, bank: Sequence[Question], held: Sequence[Question], seed: int) -> None:
        self.bank, self.held = bank, held
        self.judge = Judge.of([one.text for one in bank], [one.subject for one in bank], seed)
        self.cuts = np.quantile(self._sure(held), [1 / 3, 2 / 3]) if held else np.zeros(2)

    def of(self, questions: Sequence[Question]) -> dict[str, float]:
        known = {plain(one.question) for one in self.bank}
        texts = [one.question for one in questions]
        return {
            "questions": float(len(questions)),
            "well formed": float(np.mean([one.well_formed for one in questions])),
            "subject": self.judge.right([q.text for q in questions], [q.subject for q in questions]).value,
            "in the bank": float(np.mean([plain(text) in known for text in texts])),
            "nearly in the bank": float(near([one.question for one in self.bank], texts).mean()),
        }

    def placed(self, questions: Sequence[Question]) -> list[Question]:
        """With a word on how plainly each belongs to its subject; of a passage nothing is said."""
        sure = self._sure(questions)
        names = [HARD, USUAL, EASY]
        return [
            replace(one, difficulty=names[int(np.searchsorted(self.cuts, s))])
            for one, s in zip(questions, sure, strict=True)
        ]

    def _sure(self, questions: Sequence[Question]) -> Floats:
        if not questions:
            return np.zeros(0)
        return self.judge.sure([one.text for one in questions], [one.subject for one in questions])
