"""Evidence for advice: small models of both kinds on a part of the table, measured on rows held out."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

from anew.api import fit
from anew.audit.finding import Finding
from anew.audit.story import Section, Story, Tile
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.fitting import Tell
from anew.job import hold_out
from anew.recipes._advice import Advice
from anew.recipes._goal import Goal

ROWS = 4_000
MEASURES = ("predictions", "detectable", "copies", "utility")
HEADLINES = {
    "generative": "Use a generative model",
    "discriminative": "Use a discriminative model",
    "both": "Use both: a generative model for the rows, a discriminative one for the question",
    "neither": "Use neither kind of model",
}


@dataclass(frozen=True)
class Tried:
    """What was found on held-out rows, on how many, and in how many seconds."""

    findings: tuple[Finding, ...]
    rows: int
    held: int
    seconds: float


def evidence(table: Dataset, goal: Goal, time: float | str | None, seed: int, progress: Tell | None) -> Tried:
    """Fits both kinds to at most ROWS rows and measures them on a fifth that was held out."""
    if len(table.frame) > ROWS:
        rows = stream("tried", seed).permutation(len(table.frame))[:ROWS]
        table = replace(table, frame=table.frame[rows], rows=ROWS)
    learned, held = hold_out(table, goal.column, seed)
    model = fit(learned, predict=goal.column, time=time, seed=seed, progress=progress)
    report = model.audit(learned.frame, held, seed=seed, measures=MEASURES, progress=progress)
    cost = model.provenance["cost"]
    return Tried(report.findings, len(learned.frame), len(held), float(cost["seconds"]))


def story_of(goal: Goal, advice: Advice, tried: Tried | None) -> Story:
    """The answer, its reasons, the evidence if there is any, and what to run."""
    reasons = [{"about": reason.about, "reason": reason.says} for reason in advice.reasons]
    sections = [
        Section("Why", "What was looked at, and what follows from it.", rows=reasons),
        Section("What to run next", "In this order.", rows=[{"command": command} for command in advice.commands]),
    ]
    if tried is not None:
        sections.insert(1, _measured(tried))
    return Story(
        title=f"Advice for “{goal.words}”",
        headline=f"{HEADLINES[advice.answer]}.",
        lead=[advice.reasons[0].says],
        tiles=_tiles(tried),
        sections=sections,
        figures={
            "answer": advice.answer,
            "goal": asdict(goal),
            "reasons": reasons,
            "commands": list(advice.commands),
            "evidence": None if tried is None else asdict(tried),
        },
        facts={"goal": goal.words, "purposes": list(goal.purposes), "column": goal.column},
    )


def _measured(tried: Tried) -> Section:
    return Section(
        "What was measured",
        f"Both kinds, fitted to {tried.rows:,} rows in {tried.seconds:.1f} s, measured on {tried.held:,} others.",
        [(f.name, f.low, f.value, f.high) for f in tried.findings if f.measure == "predictions"],
        [
            {"measured": f.name, "value": round(f.value, 3), "in words": f.words}
            for f in tried.findings
            if math.isfinite(f.value)
        ],
    )


def _tiles(tried: Tried | None) -> list[Tile]:
    if tried is None:
        return []
    shown = [f for f in tried.findings if f.measure == "predictions" or f.name.startswith("telling")]
    return [Tile(f.name, f"{f.value:.3f}", f"95 %: {f.low:.3f} to {f.high:.3f}") for f in shown]
