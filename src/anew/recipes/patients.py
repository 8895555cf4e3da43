"""Synthetic patients and a diagnosis model from one table.

Both are learned from the same rows. The question is whether the synthetic patients can stand in for the real ones: the
same diagnosis model is trained on either, and both are asked about real patients that neither has seen (TSTR, Esteban
et al. 2017).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anew.api import fit
from anew.core.errors import AnewWarning
from anew.core.schema import Schema
from anew.data.dataset import Dataset
from anew.fitting import Tell
from anew.job import hold_out
from anew.recipes._diagnosis import diagnosis
from anew.recipes._outcome import Outcome, saved
from anew.recipes._tables import class_of, opened, target_of


def patients(
    data: object = None,
    target: str | None = None,
    *,
    positive: object = None,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Synthetic patients and a diagnosis model from one table: can the synthetic ones stand in for the real?"""
    table = opened(data, "patients", schema, ignore)
    target = target_of(table, target, "diagnosis")
    learned, held = hold_out(table, target, seed)
    held = held.filter(pl.col(target).is_not_null())
    model = fit(learned, predict=target, time=time, seed=seed, progress=progress)
    made = pl.concat(list(model.stream(len(learned.frame), seed=seed)))
    audit = model.audit(learned.frame, held, made, seed=seed, progress=progress)
    network = model.plan.predict[0].network
    rows = Dataset(made, learned.schema, learned.origin, len(made))
    twin = fit(rows, learn=target, objective="cross_entropy", network=network, seed=seed)
    label = class_of(learned, target, positive)
    truth = (held[target].cast(pl.String) == label).to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnewWarning)  # a level that no made row has is unknown to the twin: that counts
        chance = {
            name: one.predict_proba(held)[:, [str(c).lower() for c in one.classes].index(label.lower())]
            for name, one in (("real", model), ("synthetic", twin))
        }
    ill = float((learned.frame[target].cast(pl.String) == label).to_numpy().mean())
    facts = {"plan": str(model.plan), "held-out patients": len(held), "seed": seed, "left out": ignore or "nothing"}
    story = diagnosis(f"{target} = {label}", str(network), truth, chance, ill, len(made), audit, facts, seed)
    return saved(Outcome(story, model, {"synthetic": made}, audit), out)
