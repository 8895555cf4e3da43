"""A diagnosis from scans: a calibrated CNN beside logistic regression, judged on scans that nothing learned from.

The threshold is chosen on a part of the scans to learn from that neither model saw, and the probabilities are compared
with what came. What that makes is a measurement on one collection of scans, and no medical device.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anew.api import fit
from anew.core.errors import UsageError
from anew.core.schema import Schema
from anew.fitting import Tell
from anew.recipes._drawn import scans as drawn
from anew.recipes._outcome import Outcome, saved
from anew.recipes._reading import Reading, check_both, story_of
from anew.recipes._scans import apart, opened_pictures, parted, picture_of, positive_of, some
from anew.recipes._tables import target_of


def diagnose(
    data: object = None,
    target: str | None = None,
    *,
    positive: object = None,
    sensitivity: float = 0.95,
    test: object = None,
    group: str | None = None,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """A disease from scans by a calibrated CNN, with sensitivity and specificity, and what it is not.

    `sensitivity` is the share of the ill that the threshold must find among scans set aside for choosing it. `test` is
    data to test on, else a fifth is held out; `group` names the column of the patient, so that none is on both sides.
    """
    if not 0 < sensitivity <= 1:
        raise UsageError("The sensitivity is a share above 0 and at most 1", found=sensitivity, do="Such as 0.95")
    table = opened_pictures(data, drawn, schema, ignore)
    picture, target = picture_of(table), target_of(table, target, "diagnosis")
    label = positive_of(table, target, positive)
    parts = parted(table, picture, target, test=test, group=group, seed=seed)
    learned, chosen = apart(parts.learned, target, group, seed + 1)
    check_both(chosen, parts.held, target, label)
    learned, read = some(learned, [picture.name, target]), {}
    for network in ("conv", "linear"):
        model = fit(
            learned,
            learn=target,
            objective="cross_entropy",
            network=network,
            time=time,
            seed=seed,
            progress=progress,
        )
        read[network] = Reading.of(model, picture, target, label, chosen, parts.held, sensitivity)
    return saved(Outcome(story_of(read, parts, group, seed), read["conv"].model), out)
