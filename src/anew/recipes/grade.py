"""Short answers graded as a teacher graded others: a score, what was said to the nearest graded answer, or a refusal.

A score is a proposal. It is judged by how well it agrees with people on answers that nothing learned from, beside what
the n-grams of an answer and its length alone would give.
"""

from __future__ import annotations

from pathlib import Path

from anew.core.schema import Schema
from anew.fitting import Tell, quiet
from anew.recipes._answers import Grades, answers_of, measured, story_of
from anew.recipes._grading import Grader
from anew.recipes._outcome import saved
from anew.recipes._refusing import Refusals


def grade(
    data: object = None,
    answer: str | None = None,
    score: str | None = None,
    *,
    question: str | None = None,
    reference: str | None = None,
    feedback: str | None = None,
    test: object = None,
    new: object = None,
    longest: int | None = None,
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Grades:
    """Grade short answers: a score, feedback from the nearest graded answers, refusals, and agreement with people.

    Columns that are not named are found by their names; `question`, `reference` (the key) and `feedback` may be absent.
    `test` are graded answers to judge by, else a fifth is held out; `new` are answers to grade. `longest` is the
    most characters of an answer that is graded, half as much again as the longest graded one if left out.
    """
    tell = progress or quiet
    table = answers_of(data, answer, score, question, reference, feedback, schema)
    learned, held = table.parted(test, seed)
    tell("Learning to grade", 0.1)
    grader = Grader(table.asked(learned), table.scores(learned), seed)
    tell("Learning what to refuse", 0.6)
    refusals = Refusals(table.asked(learned), seed, longest)
    judged = measured(table, grader, refusals, learned, held, seed)
    done = Grades(
        story_of(table, judged, learned, seed), source=table, grader=grader, refusals=refusals, learned=learned
    )
    return saved(done.with_new(held, new), out)
