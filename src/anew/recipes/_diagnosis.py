"""The story of a diagnosis model learned from real and from synthetic patients, judged on held-out real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from anew.audit.report import Report
from anew.audit.statistics import Estimate, auc, proportion
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.recipes._scores import Truth, calibration, paired

CLOSE = 0.05  # an area under the curve that differs by less is as good


def diagnosis(
    what: str,
    network: str,
    truth: Truth,
    chance: Mapping[str, Floats],
    ill: float,
    drawn: int,
    audit: Report,
    facts: Mapping[str, Any],
    seed: int,
) -> Story:
    """`chance` holds the probabilities (n,) of `what` by the rows learned from; `ill` is its share among those."""
    scores = {name: _scores(truth, p, ill) for name, p in chance.items()}
    less = paired(_auc, truth, chance["real"], chance["synthetic"], seed)
    return Story(
        title=f"Synthetic patients and a diagnosis of {what}",
        headline=_headline(less, what),
        lead=[
            f"As many synthetic patients ({drawn:,}) were drawn as real ones were learned from.",
            (
                f"The same diagnosis model ({network}, by cross-entropy) was trained on either and asked about "
                f"{len(truth):,} real patients that nothing learned from, {int(truth.sum())} of them ill: {what}."
            ),
        ],
        tiles=_tiles(scores, less),
        sections=[_section(scores, ill), _calibrated(truth, chance["real"]), _safety(audit)],
        figures={
            "model": network,
            "positive": what,
            "threshold": ill,
            **scores,
            "auc_lost": vars(less),
            "audit": audit.verdict,
        },
        facts=facts,
    )


def _auc(truth: Truth, chance: Floats) -> float:
    return auc(chance[truth], chance[~truth]).value


def _scores(truth: Truth, chance: Floats, cut: float) -> dict[str, Any]:
    """The area under the curve; sensitivity and specificity when called positive above `cut`; the Brier score."""
    called = chance > cut
    return {
        "auc": vars(auc(chance[truth], chance[~truth])),
        "sensitivity": vars(proportion(float((called & truth).sum()), int(truth.sum()))),
        "specificity": vars(proportion(float((~called & ~truth).sum()), int((~truth).sum()))),
        "brier": float(np.mean((chance - truth) ** 2)),
    }


def _headline(less: Estimate, what: str) -> str:
    if less.low > 0:
        return f"A diagnosis of {what} learned from synthetic patients is weaker than from real ones."
    if less.high < CLOSE:
        return f"A diagnosis of {what} learned from synthetic patients is as good as from real ones, within {CLOSE}."
    return f"Too few patients were held out to tell whether synthetic ones teach {what} as well as real ones."


def _tiles(scores: Mapping[str, Any], less: Estimate) -> list[Tile]:
    real, made = scores["real"], scores["synthetic"]
    return [
        Tile("area under the curve of the diagnosis model", f"{real['auc']['value']:.3f}", "1 is perfect, 0.5 a guess"),
        Tile(
            "the same learned from synthetic patients", f"{made['auc']['value']:.3f}", "from real ones is the ceiling"
        ),
        Tile("lost by it", f"{less.value:+.3f}", f"95 %: {less.low:+.3f} to {less.high:+.3f}"),
        Tile("of the ill are found", f"{real['sensitivity']['value']:.0%}", "sensitivity, trained on real patients"),
        Tile("of the healthy are let go", f"{real['specificity']['value']:.0%}", "specificity, trained on real ones"),
    ]


def _section(scores: Mapping[str, Any], cut: float) -> Section:
    def said(part: Any) -> str:
        return f"{part['value']:.2f} ({part['low']:.2f} to {part['high']:.2f})"

    return Section(
        "Diagnosis",
        f"Area under the curve on real patients that nothing learned from. A patient is called ill from {cut:.2f} on, "
        "the share of the ill among the patients learned from: a threshold that nobody tuned.",
        [(f"learned from {k} patients", *_ends(v["auc"])) for k, v in scores.items()],
        [
            {"learned from": f"{name} patients", "area under the curve": said(v["auc"]),
             "sensitivity": said(v["sensitivity"]), "specificity": said(v["specificity"]),
             "Brier score": round(v["brier"], 3)}
            for name, v in scores.items()
        ],
    )  # fmt: skip


def _ends(part: Any) -> tuple[float, float, float]:
    return part["low"], part["value"], part["high"]


def _calibrated(truth: Truth, chance: Floats) -> Section:
    lead = "Patients in five groups by the probability that the model (learned from real ones) states, and what came."
    return Section("Are the probabilities to be believed?", lead, rows=calibration(truth, chance))


def _safety(audit: Report) -> Section:
    rows = [{"finding": f.name, "verdict": f.verdict, "in words": f.words} for f in audit.concerns[:8]]
    return Section(
        "Are the synthetic patients like real ones, and safe?", f"{audit.verdict} All of it: audit.html.", rows=rows
    )
