"""Does synthetic data help a scarce class? The honest comparison, on real rows that nothing has seen.

The same boosted trees learn from: the real rows; the real rows with class weights; with copies of the scarce rows; with
points between neighbours (SMOTE, Chawla et al. 2002); with synthetic rows of the class, drawn under the condition. The
last three add the same number of rows, so that only what is added differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anew.api import fit
from anew.core.errors import UsageError
from anew.core.schema import Schema
from anew.fitting import Tell, quiet
from anew.job import hold_out
from anew.recipes._outcome import Outcome, saved
from anew.recipes._scarce import Trial, made_scarce, story_of
from anew.recipes._tables import class_of, opened, target_of


def augment(
    data: object = None,
    target: str | None = None,
    label: object = None,
    *,
    keep: int | None = None,
    add: int | None = None,
    splits: int = 5,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Does synthetic data help a scarce class? Measured against weights, copies and interpolation, with a verdict.

    `keep` makes the class as scarce as so many rows to learn from; `add` is how many rows of it are added, by default
    as many as make the classes even; `splits` times over.
    """
    if splits < 2:
        raise UsageError("An interval needs at least 2 splits", found=splits)
    table = opened(data, "patients", schema, ignore)
    target = target_of(table, target, "class")
    label = class_of(table, target, label)
    trials = []
    for number in range(splits):
        (progress or quiet)(f"Split {number + 1} of {splits}", number / splits)
        learned, held = hold_out(table, target, seed + number)
        learned = made_scarce(learned, target, label, keep, seed + number)
        trial = Trial(learned, held.filter(pl.col(target).is_not_null()), target, label, add, seed + number)
        model = fit(learned, time=time, seed=seed + number)
        made = pl.concat(list(model.stream(trial.added, where={target: trial.value}, seed=seed + number)))
        trials.append(trial.scores(made))
    story = story_of(f"{target} = {label}", trial, trials, str(model.plan), seed)
    return saved(Outcome(story, model, {"synthetic": made}), out)
