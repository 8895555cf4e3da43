"""A story: what a recipe did and found, as one web page that stands alone and as JSON. An audit judges rows; a story
answers a question: a headline, a few big numbers, then sections with intervals and tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from anew.audit.decided import Decided
from anew.audit.finding import Verdict
from anew.audit.report import plain


@dataclass(frozen=True)
class Tile:
    """One big number of the headline, what it means, and what would be best."""

    label: str
    number: str
    best: str = ""
    verdict: Verdict = "told"


@dataclass(frozen=True)
class Panel:
    """Pictures under a title: one PNG in base64, `width` pixels wide on the page; `lines` name its lines."""

    title: str
    png: str
    width: int
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page. `intervals` are (label, low, value, high); `rows` a table whose keys are its heading;
    `texts` are shown with the words that decided marked."""

    title: str
    lead: str
    intervals: Sequence[tuple[str, float, float, float]] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    panels: Sequence[Panel] = ()
    texts: Sequence[Decided] = ()


@dataclass(frozen=True)
class Story:
    """`headline` is the answer in a sentence; `figures` are all numbers by name, for programs."""

    title: str
    headline: str
    lead: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_html(self) -> str:
        from anew.audit.page import render_story

        return render_story(self)

    def to_json(self) -> str:
        return json.dumps(plain(asdict(self)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def _repr_html_(self) -> str:
        """In a notebook the page goes into a frame of its own, so that styles do not meet."""
        from anew.audit.report import framed

        return framed(self.to_html(), self.title)

    def __str__(self) -> str:
        tiles = [f"  {tile.number:>10}  {tile.label}{f' ({tile.best})' if tile.best else ''}" for tile in self.tiles]
        return "\n".join([self.headline, "", *tiles]) if tiles else self.headline
