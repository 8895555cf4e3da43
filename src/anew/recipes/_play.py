"""Plays as rows: scenes of some speeches, with who is on stage and who opens; the form that a new scene keeps to.

    ROMEO:
    He jests at scars that never felt a wound.

    JULIET:
    Ay me!

A heading is a line of its own that ends with a colon, or a line that begins with ACT or SCENE. No line of a speech
looks like one, so that nobody speaks who is not in the cast.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from anew.core.errors import DataError, UsageError, did_you_mean
from anew.data.dataset import Dataset

LONG = 700  # characters of a scene that is learned, about
HEADING = re.compile(r"([^\n:]{1,40}):\n(.+)", re.DOTALL)
SCENE = re.compile(r"(?:ACT|SCENE)\b[^\n]*", re.IGNORECASE)
LINE = r"[^\n\x00-\x1f]*[^\n:\x00-\x1f]"
FEWEST = 40  # speeches


@dataclass(frozen=True)
class Speech:
    speaker: str
    words: str
    scene: str | None

    def __str__(self) -> str:
        return f"{self.speaker}:\n{self.words}"


def speeches_of(data: object) -> list[Speech]:
    """The speeches of a text in their order, from a path, a text or a table with one column of texts."""
    found, scene = [], None
    for block in re.split(r"\n[ \t]*\n", _whole(data).replace("\r\n", "\n")):
        block = block.strip("\n")
        if SCENE.fullmatch(block):
            scene = block.strip()
        elif speech := HEADING.fullmatch(block):
            found.append(Speech(speech[1].strip(), speech[2].strip("\n"), scene))
    if len(found) < FEWEST:
        raise DataError(
            f"A script has at least {FEWEST} speeches: a line NAME:, the words below it, a blank line",
            found=f"{len(found)} of this form",
        )
    return found


def _whole(data: object) -> str:
    if isinstance(data, str) and "\n" in data:
        return data
    if isinstance(data, str | Path) and Path(data).is_file() and Path(data).suffix in ("", ".txt", ".md"):
        return Path(data).read_text(encoding="utf-8-sig")
    table = Dataset.open(data)
    texts = [field.name for field in table.schema if field.kind == "text"]
    if not texts:
        raise DataError("There is no text", found=list(table.schema.names[:12]), do="Give a .txt file of plays")
    return "\n\n".join(str(cell) for cell in table.frame[texts[0]].drop_nulls())


def scenes_of(speeches: Sequence[Speech]) -> pl.DataFrame:
    """Speeches that follow one another, about LONG characters together: who speaks, who opens, the scene's heading."""
    groups: list[list[Speech]] = [[]]
    for one in speeches:
        size = sum(len(str(other)) for other in groups[-1])
        if groups[-1] and (size > LONG or one.scene != groups[-1][-1].scene):
            groups.append([])
        groups[-1].append(one)
    rows = [
        {
            "cast": ", ".join(dict.fromkeys(one.speaker for one in group)),
            "opens": group[0].speaker,
            "scene": group[0].scene,
            "text": "\n\n".join(map(str, group)),
        }
        for group in groups
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("cast", "opens", "scene", "text"), pl.String))
    return frame if any(one.scene for one in speeches) else frame.drop("scene")


def cast_of(speeches: Sequence[Speech], cast: str | Sequence[str] | None) -> list[str]:
    """Who is on stage: those named, or the three who speak most."""
    known = Counter(one.speaker for one in speeches)
    if cast is None:
        return [name for name, _ in known.most_common(3)]
    names = [part.strip() for part in cast.split(",")] if isinstance(cast, str) else list(cast)
    for name in names:
        if name not in known:
            raise UsageError(f"Nobody called {name!r} speaks in the plays", do=did_you_mean(name, list(known)))
    return list(dict.fromkeys(names))


def form(cast: Sequence[str], opens: str | None, speeches: int) -> str:
    """The expression of a scene: so many speeches, each by one of the cast."""
    names = "|".join(map(re.escape, cast))
    words = rf"{LINE}(\n{LINE})*"
    first = re.escape(opens) if opens else f"({names})"
    return rf"{first}:\n{words}(\n\n({names}):\n{words}){{{speeches - 1}}}"


def script(number: int, heading: str | None, text: str) -> str:
    """A scene to be read: its heading, who is on stage, the speeches."""
    on = list(dict.fromkeys(re.findall(r"(?m)^([^\n:]{1,40}):$", text)))
    entering = f"Enter {', '.join(on[:-1])} and {on[-1]}." if len(on) > 1 else f"{on[0]} alone." if on else ""
    top = f"SCENE {number}." if heading is None else f"SCENE {number}. {heading}"
    return f"{top}\n[{entering}]\n\n{text.strip()}\n"


def told(cast: Sequence[str], opens: str | None, scene: str | None, columns: Sequence[str]) -> dict[str, Any]:
    """What a draw is told, of the columns that the model knows."""
    asked = {"cast": ", ".join(cast), "opens": opens, "scene": scene}
    return {name: value for name, value in asked.items() if name in columns and value}
