"""What reviews say: a calibrated class for each, the words that decided, what is praised and complained of, drift.

p(class | text) by a linear model of n-grams, with MiniLM's reading of the whole beside it where that is installed;
judged on reviews that nothing learned from. What is talked about are words that often follow an article.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anew.api import fit
from anew.core.schema import Schema
from anew.fitting import Tell
from anew.job import hold_out
from anew.recipes._aspects import aspects
from anew.recipes._drift import drifted, sides_of
from anew.recipes._outcome import Outcome, saved
from anew.recipes._reviews import Read, network_for, positive_class, reviews_of, story_of
from anew.recipes._tables import target_of


def sentiment(
    data: object = None,
    target: str | None = None,
    text: str | None = None,
    *,
    positive: object = None,
    newer: object = None,
    date: str | None = None,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Classify customer reviews, with the words that decided, what is praised or complained of, and what has changed.

    `positive` is the class that praises. `newer` are later reviews, labelled or not, to compare with; or `date` names
    a column, whose later half of the reviews is compared with the earlier.
    """
    table, text = reviews_of(data, text, schema, ignore)
    target = target_of(table, target, "class of a review")
    label = positive_class(table, target, positive)
    learned, held = hold_out(table, target, seed)
    read = {}
    for network in network_for(learned):
        model = fit(
            learned,
            learn=target,
            given=text,
            objective="cross_entropy",
            network=network,
            seed=seed,
            progress=progress,
        )
        read[network] = Read.of(model, target, text, label, held)
    best = list(read.values())[-1]
    said = aspects(table.frame, text, target, label)
    change = drifted(best, *sides_of(table, newer, date, text), seed=seed)
    story = story_of(read, learned.frame, said, change, seed)
    tables = {"aspects": said.table, "held_out": best.answers(held)}
    return saved(Outcome(story, best.model, {**tables, **change.tables}), out)
