"""Reviews read by a model: how well, how sure, and the page about it.

n reviews, K classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from anew.api import Model
from anew.audit.decided import decided
from anew.audit.statistics import Estimate, mean_auc, proportion
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.core.errors import AnewWarning, DataError
from anew.core.schema import Schema
from anew.data.dataset import Dataset
from anew.recipes._aspects import Aspects
from anew.recipes._drift import Change
from anew.recipes._scores import Truth, calibration, paired
from anew.recipes._tables import class_of, column, opened

_WORDS = "positive pos good up yes true 1 praise happy like liked recommended gut positiv"
PRAISING = frozenset(_WORDS.split())
MOST = 5_000  # reviews that MiniLM reads: it takes a minute and a half
SHOWN = 8
NOT = (
    "It reads words, not people: irony, and praise of something else, it takes at their word.",
    "Its classes are those of the labels it learned from; where those are wrong it learns what is wrong.",
    "A share of reviews read as praise is off by its errors: compare it with itself, not with counts made by hand.",
    "What is praised are words that stand beside praise more often than chance would have it; no word is a cause.",
)


def reviews_of(
    data: object, text: str | None, schema: Schema | str | Path | None, ignore: str | Sequence[str]
) -> tuple[Dataset, str]:
    """The data, or the example, and its column of texts: the one named, or the longest."""
    table = opened(data, "reviews", schema, ignore)
    texts = [field.name for field in table.schema if field.kind == "text"]
    if text is None and not texts:
        kinds = {field.name: field.kind for field in table.schema}
        raise DataError("No column holds texts", found=kinds, do="Name it: --option text=COLUMN")
    lengths = {name: table.frame[name].cast(pl.String).str.len_chars().mean() or 0 for name in texts}
    found = column(table, text) if text else max(texts, key=lambda name: float(str(lengths[name])))
    if found not in texts:
        raise DataError(f"The column {found!r} holds no texts", found=table.schema[found].kind, do="Name one that does")
    return table, found


def positive_class(table: Dataset, target: str, label: object) -> str:
    """The class that praises: the one named, or that is called so; the last in order where none is."""
    if label is not None:
        return class_of(table, target, label)
    known = table.frame[target].drop_nulls().cast(pl.String).unique().sort().to_list()
    return next((str(word) for word in known if word.lower() in PRAISING), str(known[-1]))


def network_for(table: Dataset) -> tuple[str, ...]:
    """What reads the reviews, the best last: with MiniLM where it is installed and there are not too many."""
    from anew.core.minilm import installed

    return ("linear", "sentences") if installed() and table.rows <= MOST else ("linear",)


@dataclass(frozen=True)
class Read:
    """A model and what it says of reviews that it did not learn from: chances (n, K); the codes (n,) that are true."""

    model: Model
    target: str
    text: str
    label: str
    chance: Floats
    truth: Any
    held: pl.DataFrame

    @classmethod
    def of(cls, model: Model, target: str, text: str, label: str, held: pl.DataFrame) -> Read:
        known = held.filter(pl.col(target).is_not_null())
        codes = {str(name): k for k, name in enumerate(model.classes)}
        truth = np.array([codes.get(word, -1) for word in known[target].cast(pl.String)], np.intp)
        return cls(model, target, text, label, _asked(model, known.select(text)), truth, known)

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.model.classes]

    @property
    def correct(self) -> Truth:
        return np.asarray(self.chance.argmax(1) == self.truth)

    @property
    def praises(self) -> Truth:
        return np.asarray(self.truth == self.names.index(self.label))

    def praise(self, rows: pl.DataFrame) -> Floats:
        """How likely each review praises.  (n,)"""
        return _asked(self.model, rows.select(self.text))[:, self.names.index(self.label)]

    def right(self, rows: pl.DataFrame) -> Estimate:
        """The share of reviews read rightly, of those that have a label."""
        known = rows.filter(pl.col(self.target).is_not_null())
        said = np.array(self.names)[_asked(self.model, known.select(self.text)).argmax(1)]
        return proportion(float((said == known[self.target].cast(pl.String).to_numpy()).sum()), len(known))

    def answers(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Reviews with the class that is read in them, and how sure that is."""
        chance = _asked(self.model, rows.select(self.text))
        said = pl.Series("read as", [self.names[k] for k in chance.argmax(1)], pl.String)
        shown = [name for name in (self.text, self.target) if name in rows.columns]
        return rows.select(shown).with_columns(said, probability=pl.Series(chance.max(1).round(4)))


def _asked(model: Model, rows: pl.DataFrame) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnewWarning)
        return np.asarray(model.predict_proba(rows), np.float64)


# ---------------------------------------------------------------- the story


def story_of(read: Mapping[str, Read], learned: pl.DataFrame, said: Aspects, change: Change, seed: int) -> Story:
    """How well, what decided, what is praised, what changed, and what all that is not."""
    from anew.recipes._reading import calibration_error

    best, n = list(read.values())[-1], len(learned)
    usual = learned[best.target].drop_nulls().cast(pl.String).mode().sort()[0]
    guess = proportion(float((np.array([best.names.index(usual)]) == best.truth).sum()), len(best.truth))
    right = {name: proportion(float(one.correct.sum()), len(one.truth)) for name, one in read.items()}
    always = np.asarray(best.truth == best.names.index(usual))
    more = paired(_mean, np.ones(len(always), bool), best.correct.astype(float), always.astype(float), seed)
    off = calibration_error(best.chance, best.truth, seed)
    score = list(right.values())[-1]
    return Story(
        title=f"What {n + len(best.truth):,} reviews say: {best.target}",
        headline=_headline(score, more, said, change),
        lead=[
            f"{n:,} reviews were learned from; {len(best.truth):,} others say how well.",
            f"Always saying “{usual}” is right in {guess.value:.0%} of them.",
        ],
        tiles=_tiles(score, more, off, best),
        sections=[
            _how_well({f"always “{usual}”": guess, **right}, more),
            _calibrated(best),
            _decided(next(iter(read.values()))),
            *(_talked(said, verdict) for verdict in ("praised", "complained of")),
            *([_changed(change)] if change else []),
            Section("What this is not", "", rows=[{"limit": line} for line in NOT]),
        ],
        figures={
            "accuracy": {name: vars(one) for name, one in right.items()},
            "always the same": vars(guess),
            "gained": vars(more),
            "auc": mean_auc(best.truth, best.chance),
            "calibration_error": vars(off),
            "positive": best.label,
            "praised": said.of("praised").to_dicts(),
            "complained of": said.of("complained of").to_dicts(),
            "drift": {**change.figures, "words": change.words.to_dicts()} if change else None,
        },
        facts={"plan": str(best.model.plan), "learned from": n, "held out": len(best.truth), "seed": seed},
    )


def _mean(_: Truth, right: Floats) -> float:
    return float(right.mean())


def _headline(score: Estimate, more: Estimate, said: Aspects, change: Change) -> str:
    if more.low <= 0:
        return "The words of these reviews do not tell their class better than always saying the same."
    head = f"{score.value:.0%} of the reviews are read rightly"
    bad, good = (said.of(verdict)["word"].to_list() for verdict in ("complained of", "praised"))
    head += f"; most complained of: {', '.join(bad[:3])}" if bad else ""
    head += f"; most praised: {', '.join(good[:3])}" if good else ""
    if not change:
        return f"{head}."
    by = change.figures["changed by"]
    moved = "more praise than before" if by["low"] > 0 else "less praise than before" if by["high"] < 0 else ""
    return f"{head}; {moved or 'no change in praise can be told'}."


def _tiles(score: Estimate, more: Estimate, off: Estimate, best: Read) -> list[Tile]:
    return [
        Tile("of the reviews are read rightly", f"{score.value:.1%}", f"95 %: {score.low:.1%} to {score.high:.1%}"),
        Tile("more than always saying the same", f"{more.value:+.1%}", f"95 %: {more.low:+.1%} to {more.high:+.1%}"),
        Tile("between stated and true probability", f"{off.value:.3f}", "calibration error; 0 is best"),
        Tile("area under the curve", f"{mean_auc(best.truth, best.chance):.3f}", "1 is perfect, 0.5 a guess"),
    ]


def _how_well(right: Mapping[str, Estimate], more: Estimate) -> Section:
    lead = "Share of held-out reviews that are read rightly. linear: n-grams alone; sentences: with MiniLM beside them."
    rows = [{"reader": name, "right": f"{one.value:.1%}", "95 %": f"{one.low:.1%} to {one.high:.1%}"}
            for name, one in right.items()]  # fmt: skip
    return Section("How well it reads", lead, [(k, one.low, one.value, one.high) for k, one in right.items()], rows)


def _calibrated(best: Read) -> Section:
    chance = best.chance[:, best.names.index(best.label)]
    lead = f"Held-out reviews in five groups by the probability of {best.label!r} that was stated, and what came."
    return Section("Are the probabilities to be believed?", lead, rows=calibration(best.praises, chance))


def _decided(read: Read) -> Section:
    """Some reviews that were read wrongly, then some that were read rightly."""
    order = np.argsort(read.correct, kind="stable")
    rows = np.concatenate([order[: SHOWN // 2], order[-SHOWN // 2 :]])[:SHOWN]
    frame = read.held.select(read.text)[np.unique(rows)]
    chance, truth = read.chance[np.unique(rows)], read.held[read.target].cast(pl.String)[np.unique(rows)]
    titles = [f"{read.names[p.argmax()]} ({p.max():.0%}), is {right}" for p, right in zip(chance, truth, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnewWarning)
        words = read.model.explain(frame)
    lead = "Held-out reviews, wrongly and rightly read, by n-grams: green words spoke for the answer, red ones against."
    return Section("The words that decided", lead, texts=decided(frame, words, titles))


def _talked(said: Aspects, verdict: str) -> Section:
    lead = (
        f"{said.praised:.0%} of all reviews praise. A word is listed when the share of those that it stands in differs "
        "from that by more than chance, for all words looked at together."
    )
    rows = [
        {"word": row["word"], "reviews": row["reviews"], "of them praise": f"{row['share']:.0%}",
         "interval": f"{row['low']:.0%} to {row['high']:.0%}"}
        for row in said.of(verdict).iter_rows(named=True)
    ]  # fmt: skip
    return Section(f"What is {verdict}", lead if rows else "Nothing that chance would not explain.", rows=rows)


def _changed(change: Change) -> Section:
    told, by = change.figures["told apart"], change.figures["changed by"]
    share = change.figures["share read as praise"]
    lead = (
        f"{share['before']['value']:.0%} of the earlier reviews are read as praise, {share['after']['value']:.0%} "
        f"of the later ones: {by['value']:+.1%} ({by['low']:+.1%} to {by['high']:+.1%}). A machine tells later "
        f"from earlier ones by their words with an area under the curve of {told['value']:.2f} ({told['low']:.2f} to "
        f"{told['high']:.2f}; 0.5 is a guess)."
    )
    right = change.figures.get("right")
    if right:
        lead += f" It reads {right['after']['value']:.0%} of the later reviews rightly."
    return Section("What has changed", lead, rows=change.words.to_dicts())
