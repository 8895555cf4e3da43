"""What new scenes are judged by, beside scenes that were held out, and the page of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from anew.audit.byte_model import ByteModel
from anew.audit.story import Section, Story, Tile
from anew.recipes._texts import COPIED, longest_runs

HELD = 0.1  # of the scenes, at the end of the text
NEW, REAL = "new scenes", "scenes held out"
SPEAKER = re.compile(r"(?m)^([^\n:]{1,40}):$")
LINES = {
    "bits": "bits a byte under an n-gram model of the plays",
    "run": "characters of the longest run of the plays, mean",
    "longest": "characters of the longest run of all",
    "copied": f"share with a run of over {COPIED} characters",
    "new": "share of words that the plays have nowhere",
}


def parted(scenes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The end of the text is held out: other scenes, and often other people."""
    held = max(int(HELD * len(scenes)), 1)
    return scenes[:-held], scenes[-held:]


def marks_of(texts: Sequence[str], learned: Sequence[str], model: ByteModel) -> dict[str, float]:
    bits, size = model.bits(texts)
    run = longest_runs(learned, texts)
    known = set(_words(" ".join(learned)))
    words = [word for text in texts for word in _words(text)]
    return {
        "bits": float(bits.sum() / size.sum()),
        "run": float(run.mean()),
        "longest": float(run.max()),
        "copied": float((run > COPIED).mean()),
        "new": sum(word not in known for word in words) / max(len(words), 1),
    }


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def strangers(texts: Sequence[str], cast: Sequence[str]) -> int:
    """Speeches by anybody who is not in the cast."""
    return sum(name not in cast for text in texts for name in SPEAKER.findall(text))


def story_of(
    cast: Sequence[str],
    texts: Sequence[str],
    pages: Sequence[str],
    learned: Sequence[str],
    held: Sequence[str],
    facts: Mapping[str, Any],
) -> Story:
    model = ByteModel(learned)
    marks = {NEW: marks_of(texts, learned, model), REAL: marks_of(held, learned, model)}
    out, spoken = strangers(texts, cast), sum(len(SPEAKER.findall(text)) for text in texts)
    new, real = marks[NEW], marks[REAL]
    return Story(
        title=f"A script for {', '.join(cast)}",
        headline=f"{len(texts)} new scenes of {spoken} speeches, all by {', '.join(cast)}.",
        lead=["Nobody else can speak: a heading that is not in the cast has no chance. The scenes have no plot."],
        tiles=[
            Tile("speeches by anybody else", f"{out}", f"of {spoken}; 0 by construction"),
            Tile(LINES["bits"], f"{new['bits']:.2f}", f"of scenes held out {real['bits']:.2f}"),
            Tile(LINES["run"], f"{new['run']:.0f}", f"of scenes held out {real['run']:.0f}"),
        ],
        sections=[
            Section("The script", "", rows=[{"scene": page} for page in pages]),
            Section("Beside the plays", "Less than scenes held out is too plain, or copied.", rows=_rows(marks)),
        ],
        figures={"marks": marks, "speeches": spoken, "by others": out},
        facts=facts,
    )


def _rows(marks: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    return [{"mark": line, **{n: f"{one[key]:.3g}" for n, one in marks.items()}} for key, line in LINES.items()]
