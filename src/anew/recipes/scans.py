"""Synthetic scans with their labels, and whether they help: the control that such a claim needs.

A classifier learns from the real scans; from those and as many of them again (copies, the control); from those and as
many synthetic ones; from synthetic ones alone. Each is tested on real scans that nothing has seen, split after split.
A better likeness does not show that synthetic scans help: they must beat the copies (PMLR 318:954, 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anew.api import fit
from anew.core.errors import UsageError
from anew.core.schema import Schema
from anew.data.restore import restored
from anew.fitting import Tell, quiet
from anew.recipes._drawn import scans as drawn
from anew.recipes._outcome import Outcome, saved
from anew.recipes._scans import fewer, opened_pictures, parted, picture_of, some
from anew.recipes._tables import target_of
from anew.recipes._worth import Trial, created, story_of


def scans(
    data: object = None,
    target: str | None = None,
    *,
    keep: int | None = None,
    add: int | None = None,
    splits: int = 3,
    test: object = None,
    group: str | None = None,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Synthetic scans with labels, and whether they help a classifier more than copies of the real ones do.

    `keep` makes the scans to learn from as few as that; `add` is how many are added, as many as there are if left out;
    `splits` times over. `test` is data to test on; `group` names the column of the patient.
    """
    if splits < 2:
        raise UsageError("An interval needs at least 2 splits", found=splits)
    table = opened_pictures(data, drawn, schema, ignore)
    picture, target = picture_of(table), target_of(table, target, "class")
    trials = []
    for number in range(splits):
        (progress or quiet)(f"Split {number + 1} of {splits}", number / splits)
        parts = parted(table, picture, target, test=test, group=group, seed=seed + number)
        learned = fewer(some(parts.learned, [picture.name, target]), keep, seed + number)
        model = fit(learned, time=time, seed=seed + number)
        trial = Trial(learned, parts.held.select(learned.schema.names), target, time, seed + number)
        made = created(model, add or len(learned.frame), seed + number)
        trials.append(trial.scores(made))
    audit = model.audit(learned.frame, trial.held, made, seed=seed, progress=progress)
    story = story_of(picture, target, trial, trials, made, audit, str(model.plan), seed)
    shown = restored(made, model.schema)
    return saved(Outcome(story, model, {"synthetic": shown}, audit), out)
