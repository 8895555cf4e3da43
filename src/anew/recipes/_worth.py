"""Do synthetic scans help a classifier? Real, real and copies, real and synthetic, synthetic alone, and the verdict.

n scans, K classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from anew.api import Model, fit
from anew.audit.report import Report
from anew.audit.statistics import Estimate, mean_auc
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.core.errors import AnewWarning
from anew.core.schema import Field
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.plan import PREDICTING, seconds_of
from anew.recipes._scans import pixels_of
from anew.recipes._scarce import verdict
from anew.recipes._scores import over_splits
from anew.recipes._shown import panel

REAL, COPIES, MADE, ALONE = "real scans", "real scans and copies", "real and synthetic scans", "synthetic scans"
WAYS = (REAL, COPIES, MADE, ALONE)
AUC, BALANCED = "area under the curve", "balanced accuracy"
MEASURES = (AUC, BALANCED)
SHOWN = 12  # scans a line


def created(model: Model, rows: int, seed: int) -> pl.DataFrame:
    """Synthetic scans, the labels in their proportions."""
    return pl.concat(list(model.stream(rows, seed=seed)))


@dataclass(frozen=True)
class Trial:
    """One split: scans learned from, scans held out; every classifier trains equally long."""

    learned: Dataset
    held: pl.DataFrame
    target: str
    time: float | str | None
    seed: int

    def scores(self, made: pl.DataFrame) -> dict[str, dict[str, float]]:
        """Each measure of each way on the held-out scans."""
        real = self.learned.frame
        rows = stream("copies", self.seed).integers(0, len(real), len(made))
        ways = {
            REAL: real,
            COPIES: pl.concat([real, real[rows]]),
            MADE: pl.concat([real, made.select(real.columns)]),
            ALONE: made.select(real.columns),
        }
        return {way: self._score(frame) for way, frame in ways.items()}

    def _score(self, frame: pl.DataFrame) -> dict[str, float]:
        seconds = seconds_of(self.time)
        model = fit(
            replace(self.learned, frame=frame, rows=len(frame)),
            learn=self.target,
            objective="cross_entropy",
            network="conv",
            time=None if seconds is None else seconds / PREDICTING,
            seed=self.seed,
        )
        known = {str(name): k for k, name in enumerate(model.classes)}
        truth = np.array([known.get(word, -1) for word in self.held[self.target].cast(pl.String)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnewWarning)  # a class that was never made counts as never found
            chance = model.predict_proba(self.held.drop(self.target))
        right = chance.argmax(1) == truth
        each = [right[truth == k].mean() for k in np.unique(truth)]
        return {AUC: mean_auc(truth, chance), BALANCED: float(np.mean(each))}


# ---------------------------------------------------------------- the story


def story_of(
    picture: Field,
    target: str,
    trial: Trial,
    trials: Sequence[Mapping[str, Mapping[str, float]]],
    made: pl.DataFrame,
    audit: Report,
    plan: str,
    seed: int,
) -> Story:
    """The page: real and synthetic scans by label, every way with its interval, the verdict, the audit."""
    tested = len(trial.held) / len(trial.learned.frame)

    def over(way: str, name: str, less: str | None = None) -> Estimate:
        values: Floats = np.array([one[way][name] - (one[less][name] if less else 0.0) for one in trials])
        return over_splits(values, tested)

    scores = {name: {way: over(way, name).clipped() for way in WAYS} for name in MEASURES}
    gains = {name: {way: over(MADE, name, way) for way in (REAL, COPIES)} for name in MEASURES}
    answer, why = verdict(gains[AUC])
    said = {"helps": "Synthetic scans help", "does not help": "Synthetic scans do not help"}
    head = said.get(answer, "It cannot be told whether synthetic scans help")
    return Story(
        title=f"Synthetic scans with {target}",
        headline=f"{head} to tell {target}: {why}.",
        lead=[
            (
                f"{len(trial.learned.frame):,} real scans were learned from; {len(made):,} synthetic ones, or as many "
                f"copies of real ones, were added, on each of {len(trials)} splits. The same CNN then learned from "
                f"each, equally long, and was asked about {len(trial.held):,} real scans that nothing has seen."
            ),
            "Copies are the control: what they gain comes of the count alone. Intervals allow for overlapping splits.",
        ],
        tiles=_tiles(scores[AUC], gains[AUC]),
        sections=[_sheets(picture, target, trial.learned.frame, made), *_tables(scores, gains), _safety(audit)],
        figures={
            "verdict": answer,
            "scores": _plain(scores),
            "gains": _plain(gains),
            "splits": list(trials),
            "audit": audit.verdict,
        },
        facts={"plan of the generator": plan, "added": len(made), "splits": len(trials), "seed": seed},
    )


def _tiles(scores: Mapping[str, Estimate], gains: Mapping[str, Estimate]) -> list[Tile]:
    return [
        Tile(f"{AUC}, real and synthetic", f"{scores[MADE].value:.3f}", "1 is perfect"),
        Tile("gained over real scans only", f"{gains[REAL].value:+.3f}", _ends(gains[REAL])),
        Tile("gained over copies of them", f"{gains[COPIES].value:+.3f}", _ends(gains[COPIES])),
        Tile("learned from synthetic ones alone", f"{scores[ALONE].value:.3f}", f"real: {scores[REAL].value:.3f}"),
    ]


def _sheets(picture: Field, target: str, real: pl.DataFrame, made: pl.DataFrame) -> Section:
    """Real and synthetic scans, a line a class."""
    known = real[target].cast(pl.String).value_counts().sort(["count", target], descending=[True, False])
    panels = []
    for label in known[target].to_list()[:6]:
        sides = [frame.filter(pl.col(target).cast(pl.String) == label)[:SHOWN] for frame in (real, made)]
        across = min(map(len, sides))
        if across:
            pixels = np.concatenate([pixels_of(side[:across], picture) for side in sides])
            panels.append(panel(f"{target} = {label}", pixels, across, ["real", "synthetic"]))
    return Section("Real and synthetic", "Drawn by chance, none chosen.", panels=panels)


def _tables(scores: Mapping[str, Mapping[str, Estimate]], gains: Mapping[str, Mapping[str, Estimate]]) -> list[Section]:
    return [
        Section(
            f"Do they help? {name[:1].upper()}{name[1:]}",
            "Mean over the splits; further right is better. The table says what synthetic scans gain over each way.",
            [(way, one.low, one.value, one.high) for way, one in scores[name].items()],
            [
                {"real and synthetic scans less": way, "gain": f"{one.value:+.3f}", "95 % interval": _ends(one)}
                for way, one in gains[name].items()
            ],
        )
        for name in MEASURES
    ]


def _safety(audit: Report) -> Section:
    rows = [{"finding": f.name, "verdict": f.verdict, "in words": f.words} for f in audit.concerns[:8]]
    return Section("Are they like real scans, and safe?", f"{audit.verdict} All of it: audit.html.", rows=rows)


def _ends(one: Estimate) -> str:
    return f"{one.low:+.3f} to {one.high:+.3f}"


def _plain(found: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Any]:
    return {name: {way: vars(one) for way, one in ways.items()} for name, ways in found.items()}
