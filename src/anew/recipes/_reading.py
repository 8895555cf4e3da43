"""What a model reads off held-out scans, and the story of it. n scans, K classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.api import Model
from anew.audit import saliency
from anew.audit.saliency import looked_at, warmed
from anew.audit.statistics import Estimate, auc, bootstrap_error, proportion
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.core.errors import DataError
from anew.core.schema import Field
from anew.core.seeds import stream
from anew.recipes._scans import Parts, pixels_of
from anew.recipes._scores import Truth, calibration, paired
from anew.recipes._shown import as_colour, panel

BINS = 15  # of the calibration error
SHOWN = 8  # scans of each kind
LINES = ("scan", "mattered")
NAMES = {"conv": "CNN", "linear": "logistic regression"}
NOT = (
    "It is no medical device and was not tested as one: no patient was followed, no physician compared.",
    "The scans are of one source. Those of another hospital, machine or age differ, and so will the figures.",
    "The share of the ill is that of this collection; in practice the disease is rarer, and more alarms are false.",
    "A model reads what goes along with the label, which may be the machine, the ward or a tag instead of the disease.",
    "The labels are taken as they are: what was labelled wrongly was learned and counted as such.",
)


@dataclass(frozen=True)
class Reading:
    """One model on the held-out scans: `chance` (n, K) of the classes; `cut` is the threshold for `label`."""

    model: Model
    picture: Field
    target: str
    label: str
    held: pl.DataFrame
    chance: Floats
    cut: float
    aimed: float
    chosen: int

    @classmethod
    def of(
        cls,
        model: Model,
        picture: Field,
        target: str,
        label: str,
        chosen: pl.DataFrame,
        held: pl.DataFrame,
        aimed: float,
    ) -> Reading:
        """The threshold is the highest that finds the share `aimed` of the ill among the scans `chosen`."""
        asked = [picture.name]
        at = [str(c) for c in model.classes].index(label)
        ill = (chosen[target].cast(pl.String) == label).to_numpy()
        scores = model.predict_proba(chosen.select(asked))[ill, at]
        cut = float(np.quantile(scores, 1 - aimed, method="lower"))
        chance = model.predict_proba(held.select(asked))
        return cls(model, picture, target, label, held, chance, cut, aimed, len(chosen))

    @property
    def classes(self) -> list[str]:
        return [str(c) for c in self.model.classes]

    @cached_property
    def answers(self) -> npt.NDArray[np.intp]:
        """The place of the true class of each scan among `classes`, -1 where the model knows none such."""
        known = {name: k for k, name in enumerate(self.classes)}
        return np.array([known.get(word, -1) for word in self.held[self.target].cast(pl.String)])

    @property
    def truth(self) -> Truth:
        return np.asarray(self.answers == self.classes.index(self.label))

    @property
    def score(self) -> Floats:
        return np.asarray(self.chance[:, self.classes.index(self.label)])

    @property
    def called(self) -> Truth:
        return np.asarray(self.score >= self.cut)

    def figures(self, seed: int) -> dict[str, Any]:
        ill, called = self.truth, self.called
        right = self.chance.argmax(1) == self.answers
        each = [right[self.answers == k].mean() for k in np.unique(self.answers)]
        return {
            "auc": vars(auc(self.score[ill], self.score[~ill])),
            "sensitivity": vars(proportion(float((called & ill).sum()), int(ill.sum()))),
            "specificity": vars(proportion(float((~called & ~ill).sum()), int((~ill).sum()))),
            "threshold": self.cut,
            "balanced accuracy": float(np.mean(each)),
            "calibration error": vars(calibration_error(self.chance, self.answers, seed)),
        }


def check_both(chosen: pl.DataFrame, held: pl.DataFrame, target: str, label: str) -> None:
    """The ill are among the scans that choose the threshold, and ill and others among those that are tested."""
    first, second = ((part[target].cast(pl.String) == label).to_numpy() for part in (chosen, held))
    if not (first.any() and second.any() and not second.all()):
        raise DataError(
            f"The scans set aside lack {target} = {label}, or have nothing else",
            found={"to choose the threshold": int(first.sum()), "to test": int(second.sum()), "in all": len(second)},
            do="Bring more scans",
        )


def calibration_error(chance: Floats, answers: npt.NDArray[np.intp], seed: int = 0) -> Estimate:
    """How far the stated probability of the likeliest class is from how often it is right (Naeini et al. 2015).

    Expected over BINS bins of equal width; the interval is the bootstrap's.
    """
    stated, right = chance.max(1), chance.argmax(1) == answers
    bins = np.minimum((stated * BINS).astype(int), BINS - 1)

    def error(rows: npt.NDArray[Any]) -> float:
        gap = np.bincount(bins[rows], right[rows] - stated[rows], BINS)
        return float(np.abs(gap).sum() / len(rows))

    spread = bootstrap_error(error, len(stated), 200, stream("calibration", seed))
    return Estimate.around(error(np.arange(len(stated))), spread).clipped()


# ---------------------------------------------------------------- the story


def story_of(read: Mapping[str, Reading], parts: Parts, group: str | None, seed: int) -> Story:
    """The page: how well, at which threshold, whether the probabilities hold, what was looked at, what it is not."""
    best = read["conv"]
    what = f"{best.target} = {best.label}"
    scores = {name: one.figures(seed) for name, one in read.items()}
    more = paired(_auc, best.truth, best.score, read["linear"].score, seed)
    cnn = scores["conv"]
    return Story(
        title=f"A diagnosis from scans: {what}",
        headline=(
            f"The CNN finds {cnn['sensitivity']['value']:.0%} of the ill ({what}) and lets "
            f"{cnn['specificity']['value']:.0%} of the others go, on {len(parts.held):,} scans it never saw; "
            f"it is {_beside(more)} logistic regression."
        ),
        lead=[
            (
                f"{len(parts.learned.frame) - best.chosen:,} scans were learned from and {best.chosen:,} more chose "
                f"the threshold: the highest that finds {best.aimed:.0%} of the ill among them. {_aside(parts, group)}"
            ),
            "This is a measurement on one collection of scans. It is no medical device; the last section says why.",
        ],
        tiles=_tiles(cnn, more),
        sections=[_diagnosis(scores), _confusion(best), _calibrated(best, cnn), *_looked(best), _not(parts)],
        figures={"positive": what, **scores, "auc_gained": vars(more), "twins": parts.twins},
        facts={"CNN": str(best.model.plan), "logistic regression": str(read["linear"].model.plan), "seed": seed},
    )


def _auc(truth: Truth, score: Floats) -> float:
    return auc(score[truth], score[~truth]).value


def _beside(more: Estimate) -> str:
    return "better than" if more.low > 0 else "worse than" if more.high < 0 else "not told apart from"


def _aside(parts: Parts, group: str | None) -> str:
    twins = (
        f"{parts.twins:,} test scans that are identical to a scan to learn from were left out." if parts.twins else ""
    )
    who = (
        f"No {group} is on both sides."
        if group
        else "Whose scans they are is not known: a patient may be on both sides."
    )
    return f"{who} {twins}".strip()


def _tiles(cnn: Mapping[str, Any], more: Estimate) -> list[Tile]:
    def ends(part: Mapping[str, float]) -> str:
        return f"95 %: {part['low']:.3f} to {part['high']:.3f}"

    return [
        Tile("area under the curve of the CNN", f"{cnn['auc']['value']:.3f}", ends(cnn["auc"])),
        Tile("more than logistic regression", f"{more.value:+.3f}", f"95 %: {more.low:+.3f} to {more.high:+.3f}"),
        Tile("of the ill are found", f"{cnn['sensitivity']['value']:.0%}", ends(cnn["sensitivity"])),
        Tile("of the others are let go", f"{cnn['specificity']['value']:.0%}", ends(cnn["specificity"])),
        Tile("calibration error", f"{cnn['calibration error']['value']:.3f}", "0 is best; 15 bins"),
    ]


def _diagnosis(scores: Mapping[str, Any]) -> Section:
    def said(part: Mapping[str, float]) -> str:
        return f"{part['value']:.3f} ({part['low']:.3f} to {part['high']:.3f})"

    return Section(
        "Diagnosis",
        "Area under the curve: how often a scan of the ill scores above one of the others. Each model has a threshold "
        "of its own, chosen on scans that neither learned from.",
        [(NAMES[name], one["auc"]["low"], one["auc"]["value"], one["auc"]["high"]) for name, one in scores.items()],
        [
            {"model": NAMES[name], "area under the curve": said(one["auc"]), "threshold": f"{one['threshold']:.3f}",
             "sensitivity": said(one["sensitivity"]), "specificity": said(one["specificity"]),
             "balanced accuracy": round(one["balanced accuracy"], 3),
             "calibration error": said(one["calibration error"])}
            for name, one in scores.items()
        ],
    )  # fmt: skip


def _confusion(one: Reading) -> Section:
    """What was found and missed, with pictures of both."""
    ill, called = one.truth, one.called
    kinds = {
        "found": ill & called,
        "missed": ill & ~called,
        "false alarm": ~ill & called,
        "let go": ~ill & ~called,
    }
    pixels, panels = as_colour(pixels_of(one.held, one.picture)), []
    for name, part in kinds.items():
        if part.any():
            first = np.flatnonzero(part)[np.argsort(-abs(one.score[part] - one.cut), kind="stable")][:SHOWN]
            panels.append(panel(f"{name} ({int(part.sum()):,})", pixels[first], SHOWN))
    rows = [{"scans": name, "count": int(part.sum()), "of all": f"{part.mean():.1%}"} for name, part in kinds.items()]
    return Section(
        "What was found and what was missed", "Of each kind, those the CNN was surest of.", rows=rows, panels=panels
    )


def _calibrated(one: Reading, cnn: Mapping[str, Any]) -> Section:
    error = cnn["calibration error"]
    return Section(
        "Are the probabilities to be believed?",
        f"Scans in ten groups by the probability that the CNN states, and what came. The calibration error in {BINS} "
        f"bins is {error['value']:.3f} ({error['low']:.3f} to {error['high']:.3f}). The temperature of its "
        "probabilities was set on scans held out of the training, never on these.",
        rows=calibration(one.truth, one.score, 10),
    )


def _looked(one: Reading) -> list[Section]:
    """Where the CNN looks, on scans of the ill that it found."""
    first = np.flatnonzero(one.truth & (one.chance.argmax(1) == one.classes.index(one.label)))[:SHOWN]
    if not len(first):
        return []
    rows = one.held[first].select(one.picture.name)
    loss, _ = looked_at(rows, one.picture, saliency.Reading(one.model.predict_proba, one.classes))
    plain = as_colour(pixels_of(rows, one.picture))
    both = np.concatenate([plain, warmed(plain, loss)])
    lead = (
        "Above, scans of the ill that were found; below, warm where the probability falls most when a square about "
        "that place is hidden (Zeiler and Fergus 2014). That shows what the model reads, not where the disease is."
    )
    return [Section("Where does it look?", lead, panels=[panel("Scans and what mattered", both, len(first), LINES)])]


def _not(parts: Parts) -> Section:
    rows = [{"limits": line} for line in NOT]
    if len(parts.held) < 200:
        rows.append({"limits": f"Only {len(parts.held):,} scans were tested: read the intervals, not the numbers."})
    return Section("What this is not", "Read this before anything is done with it.", rows=rows)
