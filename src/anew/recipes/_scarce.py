"""Ways to help a scarce class, each judged by the same trees on the same held-out rows; the verdict over the splits.

n rows, d columns; m added rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from anew.audit.encode import Encoder
from anew.audit.forests import boosted, one_thread, readable
from anew.audit.statistics import Estimate
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.core.errors import DataError
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.recipes._scores import Truth, average_precision, over_splits, recall_at

REAL, WEIGHTS, COPIES, BETWEEN, MADE = (
    "real rows only",
    "class weights",
    "copies of scarce rows",
    "points between neighbours",
    "synthetic rows",
)
WAYS = (REAL, WEIGHTS, COPIES, BETWEEN, MADE)
MEASURES: dict[str, Callable[[Truth, Floats], float]] = {
    "average precision": average_precision,
    "recall at precision 0.5": lambda truth, score: recall_at(truth, score, 0.5),
}
NEIGHBOURS = 5
FEWEST = 5  # rows of the class in either part
MATTERS = 0.01  # of average precision


def made_scarce(learned: Dataset, target: str, label: str, keep: int | None, seed: int) -> Dataset:
    """The rows with at most `keep` of the class, drawn at random."""
    scarce = (learned.frame[target].cast(pl.String) == label).fill_null(False).to_numpy()
    rows = np.flatnonzero(scarce)
    wanted = len(rows) if keep is None else min(keep, len(rows))
    if wanted < FEWEST:
        raise DataError(f"The class {label!r} has too few rows to learn from", found=wanted, do=f"It needs {FEWEST}")
    kept = ~scarce
    kept[stream("scarce", seed).permutation(rows)[:wanted]] = True
    frame = learned.frame.filter(pl.Series(kept))
    return replace(learned, frame=frame, rows=len(frame))


@dataclass(frozen=True)
class Trial:
    """One split: rows learned from and rows held out, and how many rows of the class are added."""

    learned: Dataset
    held: pl.DataFrame
    target: str
    label: str
    add: int | None
    seed: int

    @cached_property
    def scarce(self) -> Truth:
        return (self.learned.frame[self.target].cast(pl.String) == self.label).fill_null(False).to_numpy()

    @property
    def added(self) -> int:
        """As many as make the class as frequent as all others together, if nothing was said."""
        return self.add or max(len(self.scarce) - 2 * int(self.scarce.sum()), 1)

    @property
    def value(self) -> object:
        """The class in the column's own type."""
        return self.learned.frame[self.target].filter(pl.Series(self.scarce))[0]

    def scores(self, made: pl.DataFrame) -> dict[str, dict[str, float]]:
        """Each measure of each way on the held-out rows; `made` are synthetic rows of the class."""
        truth = (self.held[self.target].cast(pl.String) == self.label).to_numpy()
        if not FEWEST <= truth.sum() <= len(truth) - FEWEST:
            raise DataError(f"The class {self.label!r} has too few held-out rows", found=int(truth.sum()))
        schema = self.learned.schema.select([name for name in self.learned.schema.names if name != self.target])
        encoder = Encoder(self.learned.frame, schema, self.seed)
        real, new, asked = (encoder.matrix(frame) for frame in (self.learned.frame, made, self.held))
        few, rng = real[self.scarce], stream("copies", self.seed)
        more = {
            REAL: few[:0],
            COPIES: few[rng.integers(0, len(few), self.added)],
            BETWEEN: between(encoder, few, self.added, rng),
            MADE: new,
        }
        share = self.scarce.mean()
        weight = np.where(self.scarce, 0.5 / share, 0.5 / (1 - share))
        chance = {way: self._learn(encoder, real, extra, asked) for way, extra in more.items()}
        chance[WEIGHTS] = self._learn(encoder, real, few[:0], asked, weight)
        return {way: {name: f(truth, chance[way]) for name, f in MEASURES.items()} for way in WAYS}

    def _learn(
        self, encoder: Encoder, real: Floats, extra: Floats, asked: Floats, weight: Floats | None = None
    ) -> Floats:
        """The probability (held-out rows,) of the class by trees that learned from `real` and `extra`."""
        rows, categorical = readable(encoder.columns, np.concatenate([real, extra]))
        labels = np.concatenate([self.scarce, np.ones(len(extra), bool)])
        with one_thread():
            model = boosted("classifier", categorical, rows, labels, self.seed, weight)
            return np.asarray(model.predict_proba(readable(encoder.columns, asked)[0])[:, 1])


def between(encoder: Encoder, few: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Points on the lines from rows of the class to one of their nearest neighbours; levels of either end.  (m, d)"""
    place = encoder.embed(few, "rank")
    away = ((place[:, None, :] - place[None, :, :]) ** 2).sum(2)
    np.fill_diagonal(away, np.inf)
    near = np.argsort(away, 1)[:, : min(NEIGHBOURS, len(few) - 1)]
    first = rng.integers(0, len(few), count)
    second = near[first, rng.integers(0, near.shape[1], count)]
    step = rng.random((count, 1))
    mixed = few[first] + step * (few[second] - few[first])
    either = np.where(step < 0.5, few[first], few[second])
    whole = [i for i, column in enumerate(encoder.columns) if not column.ordered]
    mixed[:, whole] = either[:, whole]
    return np.asarray(np.where(np.isnan(mixed), either, mixed))


# ---------------------------------------------------------------- the verdict


def verdict(gains: Mapping[str, Estimate]) -> tuple[str, str]:
    """`gains` of synthetic rows over each other way: helps, does not help, or cannot tell; and why."""
    worst = min(gains, key=lambda way: gains[way].low)
    if gains[worst].low > 0:
        return "helps", "they beat every other way of the table with an interval that excludes zero"
    beaten = min(gains, key=lambda way: gains[way].high)
    if gains[beaten].high < MATTERS:
        return "does not help", f"they gain less than {MATTERS:g} over “{beaten}”, with the interval's whole width"
    return "cannot tell", f"the interval of the gain over “{worst}” holds both a loss and a gain that matter"


def story_of(
    what: str, trial: Trial, trials: Sequence[Mapping[str, Mapping[str, float]]], plan: str, seed: int
) -> Story:
    """The page: every way with its interval, the gains of synthetic rows, the verdict in plain words."""
    tested = len(trial.held) / len(trial.learned.frame)

    def over(way: str, name: str, less: str | None = None) -> Estimate:
        values = np.array([one[way][name] - (one[less][name] if less else 0.0) for one in trials])
        return over_splits(values, tested)

    first = next(iter(MEASURES))
    scores = {name: {way: over(way, name) for way in WAYS} for name in MEASURES}
    gains = {name: {way: over(MADE, name, way) for way in WAYS if way != MADE} for name in MEASURES}
    answer, why = verdict(gains[first])
    said = {"helps": "Synthetic rows help", "does not help": "Synthetic rows do not help"}
    head = said.get(answer, "It cannot be told whether synthetic rows help")
    best = max(WAYS, key=lambda way: scores[first][way].value)
    return Story(
        title=f"Does synthetic data help the scarce class {what}?",
        headline=f"{head} to find {what}: {why}.",
        lead=[
            (
                f"{int(trial.scarce.sum()):,} of {len(trial.scarce):,} rows learned from are of the class; copies, "
                f"interpolation and the model each added {trial.added:,} rows of it, on each of {len(trials)} splits."
            ),
            (
                f"Boosted trees then rank real rows that nothing has seen, {_share(trial)} of them of the class. "
                "Intervals allow for the overlap of the splits (Nadeau and Bengio 2003)."
            ),
        ],
        tiles=[
            Tile("average precision with synthetic rows", f"{scores[first][MADE].value:.3f}", "1 is perfect"),
            Tile("with real rows only", f"{scores[first][REAL].value:.3f}", "what there is to beat"),
            Tile("gained over copies of the rows", f"{gains[first][COPIES].value:+.3f}", _ends(gains[first][COPIES])),
            Tile("is the best of the five", best, "by its mean, which may be luck"),
        ],
        sections=[
            Section(
                name[:1].upper() + name[1:],
                "Mean over the splits; further right is better. The table says what synthetic rows gain over each way.",
                [(way, one.low, one.value, one.high) for way, one in scores[name].items()],
                [
                    {"synthetic rows less": way, "gain": f"{one.value:+.3f}", "95 % interval": _ends(one)}
                    for way, one in gains[name].items()
                ],
            )
            for name in MEASURES
        ],
        figures={"verdict": answer, "scores": _plain(scores), "gains": _plain(gains), "splits": list(trials)},
        facts={"plan of the generator": plan, "rows added": trial.added, "splits": len(trials), "seed": seed},
    )


def _share(trial: Trial) -> str:
    share = float((trial.held[trial.target].cast(pl.String) == trial.label).to_numpy().mean())
    return f"{share:.1%}"


def _ends(one: Estimate) -> str:
    return f"{one.low:+.3f} to {one.high:+.3f}"


def _plain(found: Mapping[str, Mapping[str, Estimate]]) -> dict[str, Any]:
    return {name: {way: vars(one) for way, one in ways.items()} for name, ways in found.items()}
