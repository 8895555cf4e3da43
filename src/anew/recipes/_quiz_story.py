"""The page of practice questions: the sheet with its key, and the same marks beside the bank's own questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anew.audit.story import Section, Story, Tile
from anew.recipes._quiz import LETTERS, UNCHECKED, Question

MADE, REAL = "new questions", "the bank's own, held out"
LINES = {
    "well formed": "are well formed: different choices, one of them marked",
    "subject": "have their subject read back",
    "in the bank": "are in the bank",
    "nearly in the bank": "share half of their windows with one of the bank",
}


def story_of(
    what: str,
    sheet: Sequence[Question],
    left: Mapping[str, int],
    marks: Mapping[str, Mapping[str, float]],
    facts: Mapping[str, Any],
) -> Story:
    unchecked = sum(one.checked == UNCHECKED for one in sheet)
    word = f"{unchecked} of their answers are unchecked" if unchecked else "every answer stands in the passage"
    return Story(
        title=f"Practice questions: {what}",
        headline=f"{len(sheet)} practice questions on {what}; {word}.",
        lead=[
            (
                "A small model knows no facts. An answer marked “unchecked” is what the model put first: look it up "
                "before anybody is asked. An answer from a passage is a span that was left out of it."
            ),
            f"Left out: {', '.join(f'{count} ({why})' for why, count in left.items()) or 'none'}.",
        ],
        tiles=_tiles(sheet, marks),
        sections=[*_sheet(sheet), *([_marks(marks)] if marks else [])],
        figures={"questions": len(sheet), "unchecked": unchecked, "left out": dict(left), "marks": dict(marks)},
        facts=facts,
    )


def _tiles(sheet: Sequence[Question], marks: Mapping[str, Mapping[str, float]]) -> list[Tile]:
    good = sum(one.well_formed for one in sheet)
    tiles = [Tile("are well formed", f"{good}", f"of {len(sheet)}; all by construction")]
    if marks:
        made, real = marks[MADE], marks[REAL]
        tiles.append(
            Tile(LINES["subject"], f"{100 * made['subject']:.0f} %", f"of real ones {100 * real['subject']:.0f} %")
        )
        tiles.append(Tile(LINES["in the bank"], f"{100 * made['in the bank']:.0f} %", "0 is best"))
    return tiles


def _sheet(sheet: Sequence[Question]) -> list[Section]:
    rows = []
    for number, one in enumerate(sheet, 1):
        choices = "  ".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, one.choices, strict=False))
        place = {"placed": one.difficulty} if one.difficulty else {}
        rows.append({"": number, "subject": one.subject, "question": one.question, "choices": choices, **place})
    key = [{"": i, "answer": LETTERS[one.key], "which is": one.checked} for i, one in enumerate(sheet, 1)]
    lead = "“Easy to place”: a classifier knows the subject at once; “hard”: it would not have guessed it."
    return [Section("The questions", lead, rows=rows), Section("The key", "", rows=key)]


def _marks(marks: Mapping[str, Mapping[str, float]]) -> Section:
    rows = [
        {"share that": line, **{n: f"{100 * m[key]:.1f} %" for n, m in marks.items()}} for key, line in LINES.items()
    ]
    return Section(
        "Beside the bank", "New questions over all subjects, and real ones that nothing learned from.", rows=rows
    )
