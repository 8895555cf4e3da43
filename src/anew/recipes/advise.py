"""Generative, discriminative, or neither? The goal in words, the table as it is, and, when asked to try, measurements.

A reason a person can follow stands behind every answer, and the answer names the command to run next.
"""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from anew.core.schema import Schema
from anew.data.dataset import Dataset
from anew.data.examples import example
from anew.fitting import Tell
from anew.recipes._advice import advice_of
from anew.recipes._evidence import evidence, story_of
from anew.recipes._goal import goal_of
from anew.recipes._outcome import Outcome, saved


def advise(
    data: object = None,
    goal: str = "",
    *,
    try_: bool = False,
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Generative, discriminative or neither, for a goal in plain words: with reasons, and what to run next.

    `try_` fits small models and measures: predictors beside the joint by Bayes' rule on held-out rows, how well
    synthetic rows can be told from real ones, copies, and the cost.
    """
    table = Dataset.open(example("patients") if data is None else data, schema)
    goal = goal or ("predict outcome" if data is None else "")
    asked = goal_of(goal, table.schema.names)
    named = quote(str(data)) if isinstance(data, str | Path) else "DATA"
    advice = advice_of(table, asked, named)
    tried = evidence(table, asked, time, seed, progress) if try_ and advice.answer != "neither" else None
    return saved(Outcome(story_of(asked, advice, tried)), out)
