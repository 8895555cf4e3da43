"""Texts as a classifier read them: every word that spoke for its answer marked in one colour, those against in another.

A word is marked by its share of the strongest word of its text, in LEVELS steps; below the first step it is left plain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from anew.audit.evidence import Evidence
    from anew.audit.story import Story

LEVELS = 4
LEAST = 0.1  # of the strongest word's share, from which a word is marked
CUT = 500  # characters of a text that are shown
SHOWN = 8  # texts of a report


@dataclass(frozen=True)
class Weighed:
    """A piece of a text and how it is marked: 1 to LEVELS for the answer, -1 to -LEVELS against it, 0 not at all."""

    text: str
    mark: int = 0

    @property
    def style(self) -> str:
        """The class of its mark on a page."""
        return f"{'for' if self.mark > 0 else 'against'}{abs(self.mark)}" if self.mark else ""


@dataclass(frozen=True)
class Decided:
    """A text with its marks, what it is called, and its words of the largest shares."""

    title: str
    pieces: Sequence[Weighed]
    words: Sequence[tuple[str, float]]


Words = Callable[[pl.DataFrame], pl.DataFrame]  # rows -> a line a word: row, column, word, start, end, share


def decided(frame: pl.DataFrame, words: pl.DataFrame, titles: Sequence[str], least: int = 0) -> list[Decided]:
    """The texts of rows by the shares of their words; those of fewer than `least` words are left out."""
    out = []
    keys = zip(words["row"], words["column"], strict=True)
    lines = zip(keys, words.iter_rows(named=True), strict=True)
    for (row, column), told in groupby(lines, key=lambda line: line[0]):
        found = [line for _, line in told]
        if len(found) >= least:
            top = sorted(((w["word"], w["share"]) for w in found), key=lambda one: -abs(one[1]))[:5]
            out.append(Decided(titles[row], _pieces(str(frame[column][row]), found), top))
    return out


def _pieces(text: str, found: Sequence[dict[str, object]]) -> list[Weighed]:
    """The text cut at its words; neighbours with the same mark are one piece."""
    marks, most = [0] * len(text), max((abs(float(str(w["share"]))) for w in found), default=0.0)
    for word in found:
        share, start, stop = float(str(word["share"])), int(str(word["start"])), int(str(word["end"]))
        if most > 0 and abs(share) >= LEAST * most:
            level = min(int(abs(share) / most * LEVELS) + 1, LEVELS)
            marks[start:stop] = [level if share > 0 else -level] * (stop - start)
    runs = groupby(range(min(len(text), CUT)), key=lambda at: marks[at])
    pieces = [Weighed("".join(text[at] for at in places), mark) for mark, places in runs]
    return [*pieces, Weighed("…")] if len(text) > CUT else pieces


def texts_read(evidence: Evidence) -> list[Decided]:
    """Some held-out texts as the model's predictor read them; none where it does not say."""
    reading = evidence.reading
    if reading is None or reading.decides is None or evidence.target is None:
        return []
    rows = evidence.holdout[:SHOWN]
    truth = rows[evidence.target].cast(pl.String).fill_null("unknown").to_list()
    chance = reading.chances(rows)
    said = [f"{reading.names[row.argmax()]} ({row.max():.0%})" for row in chance]
    titles = [f"{answer}, is {right}" for answer, right in zip(said, truth, strict=True)]
    return decided(rows, reading.decides(rows), titles)


def page_of(target: str, texts: Sequence[Decided], method: str) -> Story:
    """The texts as a page that stands alone, with the words that had most to say."""
    from anew.audit.story import Section, Story

    rows = [
        {"text": i + 1, "answer": text.title, "word": word, "share": round(share, 3)}
        for i, text in enumerate(texts)
        for word, share in text.words[:3]
    ]
    lead = "Green words spoke for the answer that stands above a text, red ones against it; stronger is more."
    return Story(
        title=f"The words that decided {target}",
        headline=f"What {method} read in {len(texts):,} texts.",
        lead=[
            "A share says how much surer of its answer a word made the model, in nats; for a number, in its own units.",
            "The words of a row add up to what its texts say beyond no text.",
            "They are what the model used, not why somebody wrote it.",
        ],
        sections=[Section("Texts", lead, texts=texts), Section("Words of the largest shares", "", rows=rows)],
        figures={"texts": [{"answer": text.title, "words": text.words} for text in texts]},
        facts={"target": target, "predictor": method},
    )
