"""Whether later reviews are unlike earlier ones: in what they praise, in their words, and in how well they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anew.api import fit
from anew.audit.statistics import Estimate, auc, difference, proportion, z_of_many
from anew.core.columns import Floats
from anew.core.errors import DataError
from anew.core.schema import Field, Schema
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.recipes._aspects import words_in
from anew.recipes._tables import column

if TYPE_CHECKING:
    from anew.recipes._reviews import Read

MOST = 2_000  # reviews a side that a machine tries to tell apart
LEAST = 20  # reviews a side
SHOWN = 12
SCHEMA = Schema(
    fields=(Field(name="text", kind="text", dtype="String"), Field(name="when", kind="category", dtype="String"))
)


@dataclass(frozen=True)
class Change:
    """What changed, in figures; nothing where there was nothing to compare."""

    figures: Mapping[str, Any] = field(default_factory=dict)
    words: pl.DataFrame = field(default_factory=pl.DataFrame)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.figures)


def sides_of(
    table: Dataset, newer: object, date: str | None, text: str
) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """Earlier and later reviews: by another file, or by the middle of a column."""
    if newer is not None:
        after = Dataset.open(newer).frame  # its other columns may be written otherwise
        if text not in after.columns:
            raise DataError(f"The newer reviews have no column {text!r}", found=after.columns, do="Name it the same")
        return table.frame, after.with_columns(pl.col(text).cast(pl.String))
    if date is None:
        return None, None
    times = table.frame[column(table, date)]
    rank = times.rank("ordinal")
    known = table.frame.filter(times.is_not_null())
    middle = rank.drop_nulls().sort()[len(known) // 2] if len(known) else 0
    return table.frame.filter(rank < middle), table.frame.filter(rank >= middle)


def drifted(read: Read, before: pl.DataFrame | None, after: pl.DataFrame | None, seed: int) -> Change:
    """The later reviews beside the earlier ones, all read by the same model."""
    if before is None or after is None:
        return Change()
    sides = {
        name: side.filter(pl.col(read.text).is_not_null()) for name, side in (("before", before), ("after", after))
    }
    if min(map(len, sides.values())) < LEAST:
        raise DataError(
            f"Drift needs {LEAST} reviews a side",
            found={name: len(side) for name, side in sides.items()},
            do="Bring more",
        )
    chance = {name: read.praise(side) for name, side in sides.items()}
    share = {name: proportion(float((p > 0.5).sum()), len(p)) for name, p in chance.items()}
    figures: dict[str, Any] = {
        "reviews": {name: len(side) for name, side in sides.items()},
        "share read as praise": {name: vars(one) for name, one in share.items()},
        "changed by": vars(difference(share["after"], share["before"])),
        "told apart": vars(_apart(sides, read.text, seed)),
        "sure": {name: float(np.maximum(p, 1 - p).mean()) for name, p in chance.items()},
    }
    if read.target in sides["after"].columns and sides["after"][read.target].null_count() < len(sides["after"]):
        figures["right"] = {name: vars(read.right(side)) for name, side in sides.items()}
    return Change(figures, _words(sides, chance, read.text), {"newer": read.answers(sides["after"])})


def _apart(sides: Mapping[str, pl.DataFrame], text: str, seed: int) -> Estimate:
    """How well a linear machine tells later reviews from earlier ones, both new to it: AUC, 0.5 is not at all."""
    rng = stream("drift", seed)
    some = {name: side.select(text)[rng.permutation(len(side))[:MOST]] for name, side in sides.items()}
    whole = pl.concat([side.select(pl.col(text).alias("text"), when=pl.lit(name)) for name, side in some.items()])
    whole = whole[rng.permutation(len(whole))]
    half = len(whole) // 2
    scores, truth = np.zeros(len(whole)), (whole["when"] == "after").to_numpy()
    for held in (slice(0, half), slice(half, None)):
        rest = whole[half:] if held.start == 0 else whole[:half]
        model = fit(rest, learn="when", objective="cross_entropy", network="linear", schema=SCHEMA)
        place = [str(name) for name in model.classes].index("after")
        scores[held] = np.asarray(model.predict_proba(whole[held].select("text")))[:, place]
    return auc(scores[truth], scores[~truth])


def _words(sides: Mapping[str, pl.DataFrame], chance: Mapping[str, Floats], text: str) -> pl.DataFrame:
    """What is talked about more or less than before, the surest first."""
    counts = {name: words_in(side[text].to_list(), (chance[name] > 0.5).tolist()) for name, side in sides.items()}
    known = sorted(set(counts["before"][0]) | set(counts["after"][0]))
    z, rows = z_of_many(len(known)), []
    for word in known:
        n = {name: counts[name][0].get(word, 0) for name in sides}
        share = {name: proportion(n[name], len(side), z) for name, side in sides.items()}
        less = difference(share["after"], share["before"])
        if less.low > 0 or less.high < 0:
            praise = {name: counts[name][1][word] / max(n[name], 1) for name in sides}
            rows.append(
                (word, n["before"], n["after"], "more" if less.value > 0 else "less", praise["after"], less.value)
            )
    names = ["word", "reviews before", "reviews after", "now", "share of praise after", "off"]
    table = pl.DataFrame(rows, schema=names, orient="row") if rows else pl.DataFrame(schema=dict.fromkeys(names))
    return table.sort(-pl.col("off").abs()).drop("off")[:SHOWN] if rows else table.drop("off")
