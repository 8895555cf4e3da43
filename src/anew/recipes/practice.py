"""Practice questions from a topic or a passage: four choices, one right, and a key that says which answers are checked.

A network learns the questions of a bank after their subject and form; the form holds while it writes. From a passage a
span is left out, so that the answer is known to stand there.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from anew.api import fit
from anew.core.seeds import stream
from anew.fitting import Tell
from anew.recipes._bank import alike, opened, parted, shares, subject_of
from anew.recipes._cloze import cloze
from anew.recipes._outcome import Outcome, saved
from anew.recipes._quiz import Sheet, drawn, form_of, table_of
from anew.recipes._quiz_marks import QuizMarks
from anew.recipes._quiz_story import MADE, REAL, story_of
from anew.recipes._said import questions
from anew.recipes._texts import asked as asked_for


def practice(
    data: object = None,
    subject: str | None = None,
    *,
    passage: str | None = None,
    form: str | None = None,
    n: int = 10,
    tested: int = 140,
    question: str | None = None,
    choices: str | None = None,
    answer: str | None = None,
    category: str | None = None,
    temperature: float = 0.7,
    top_p: float = 0.95,
    guidance: float | None = None,
    mix: int = 1,
    width: int | None = None,
    context: int | None = None,
    out: str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Practice questions on a subject or a passage: four choices, one right, a key, none from the bank.

    `data` is a bank: columns of questions, choices (a list, or a text with | between them), answers and subjects.
    `passage` is a text, or the path of one; `form` is "four choices" or "true or false". `tested` new questions over
    all subjects say how good they are. `width` and `context` are of the network; `mix=0` leaves the counts of n-grams
    out of the model.
    """
    bank = opened(
        questions() if data is None else data,
        {"question": question, "choices": choices, "answer": answer, "subject": category},
    )
    learned, held = parted(bank, seed)
    if passage is not None:
        text = Path(passage).read_text(encoding="utf-8") if len(passage) < 200 and Path(passage).is_file() else passage
        sheet = cloze(text, n, [one.choices[one.key] for one in bank], stream("cloze", seed))
        made = [one.mixed(stream("choices", seed, i)) for i, one in enumerate(sheet)]
        story = story_of("the passage", made, {}, {}, {"seed": seed})
        return saved(Outcome(story, None, {"questions": pl.DataFrame([one.row() for one in made])}), out)
    subjects, shape = subject_of(bank, subject), form_of(form)
    sized = asked_for(width=width, context=context, mix=mix, time=time)
    model = fit(table_of(learned), learn="item", given=["subject", "form"], seed=seed, progress=progress, **sized)
    how = {"temperature": temperature, "top_p": top_p, **asked_for(guidance=guidance)}
    marks, new, trial = QuizMarks(learned, held, seed), Sheet(bank), Sheet(bank)
    made = [one for word, many in shares(subjects, n) for one in drawn(model, new, word, shape, many, how, seed)]
    asked = [one for word, f, many in alike(held, tested) for one in drawn(model, trial, word, f, many, how, seed + 1)]
    scores = {REAL: marks.of(held), MADE: marks.of(asked)} if asked else {}
    facts = {"plan": str(model.plan), "seed": seed}
    made = marks.placed(made)
    story = story_of(subject or "all subjects", made, new.left, scores, facts)
    return saved(Outcome(story, model, {"questions": pl.DataFrame([one.row() for one in made])}), out)
