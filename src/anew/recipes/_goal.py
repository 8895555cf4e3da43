"""A goal in plain words -> what it asks for, and of which column.

Words decide: each purpose has a pattern; a goal may have several ("predict churn and publish the data"). The column is
the longest name of the table that the goal contains, underscores read as spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from anew.core.errors import UsageError, did_you_mean

PURPOSES = {
    "explain": r"\b(why|explain\w*|caus(e|es|al|ality|ed)|effects? of|impact of|reasons? (for|why)|drivers? of)\b",
    "look up": r"\b(look(ing)? ?up|retrieve|query|how many|count (of|the)|average (of|the)|(sum|total|mean) of|formula"
    r"|calculat\w*|comput(e|ing)|convert|find the (row|record|value|number))\b",
    "predict": r"\b(predict|classif|diagnos|scor(e|ing)\b|forecast|detect|estimat|regress|recommend|rank\b)",
    "share": r"\b(shar(e|ing)\b|releas|publish|privat|privacy|anonymi|confidential|open data|hand over)",
    "augment": r"\b(augment|balanc|oversampl|imbalanc|scarce|rare class|more (rows|examples|data))",
    "fill": r"\b(fill|imput|complet|missing|gaps?\b|blanks?\b)",
    "create": r"\b(creat|generat|simulat|novel|synth|test data|fake|mock|new (rows|records|data|patients)|invent"
    r"|what[- ]if|sampl)",
}
OF_A_COLUMN = ("predict",)
VERB = re.compile(
    r"\b(?:predict|classify|diagnose|score|forecast|detect|estimate|regress)\w*\s+(?:the\s+|a\s+|an\s+)?([\w.-]+)"
)


@dataclass(frozen=True)
class Goal:
    """The purposes found in the words, in the order of PURPOSES, and the column that is meant."""

    words: str
    purposes: tuple[str, ...]
    column: str | None


def goal_of(words: str, names: Sequence[str]) -> Goal:
    """Reads a goal against the columns of the table."""
    if not words.strip():
        raise UsageError("A goal is needed", do='Say it in words: --goal "predict COLUMN", or "share the data"')
    column = _column(words, names)
    bare = words.lower() if column is None else re.sub(_pattern(column), " it ", words.lower())
    purposes = tuple(purpose for purpose, pattern in PURPOSES.items() if re.search(pattern, bare))
    if not purposes:
        raise UsageError(
            "The goal says nothing that is known",
            found=words,
            do="Use words such as predict COLUMN, share, augment, fill gaps, create rows, explain",
        )
    if column is None and any(purpose in OF_A_COLUMN for purpose in purposes):
        said = VERB.search(words.lower())
        raise UsageError(
            f"The goal names no column of the table{f': {said[1]!r} is none' if said else ''}",
            do=did_you_mean(said[1] if said else "", names),
        )
    return Goal(words, purposes, column)


def _column(words: str, names: Sequence[str]) -> str | None:
    found = [name for name in names if re.search(_pattern(name), words.lower())]
    return max(found, key=len, default=None)


def _pattern(name: str) -> str:
    loose = r"[\s_-]+".join(re.escape(part) for part in re.split(r"[\s_-]+", name.lower()) if part)
    return rf"(?<!\w){loose or re.escape(name.lower())}(?!\w)"
