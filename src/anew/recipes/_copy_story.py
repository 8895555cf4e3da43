"""The page of copy: the texts, what they keep to, and the same marks beside real copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anew.audit.story import Section, Story, Tile
from anew.recipes._copy import Copy, Limits, Roles
from anew.recipes._texts import COPIED

Marks = Mapping[str, Mapping[str, float]]
REAL, FREE, HELD = "real copy, held out", "new copy, nothing required", "new copy, as required"
LINES = {
    "name": "its name is mentioned",
    "keywords": "of its keywords are mentioned",
    "category": "its category is read back",
    "copied": f"share with a run of over {COPIED} characters of training copy",
    "bits": "bits a byte under an n-gram model of real copy",
    "run": "characters of the longest run of training copy, mean",
    "characters": "characters, mean",
}
SHARES = ("name", "keywords", "category", "copied")


def story_of(
    roles: Roles, limits: Limits, made: Sequence[Copy], held: Mapping[str, Any], marks: Marks, facts: Mapping[str, Any]
) -> Story:
    kept = not any(held.values())
    promise = (
        f"{len(made)} texts: every required word in, no banned one, none of over {limits.most} characters"
        if kept
        else f"{len(made)} texts, of which some break a promise: {dict(held)}"
    )
    return Story(
        title=f"Copy for {roles.text}",
        headline=f"{promise}.",
        lead=[
            (
                f"Each is the best of several drafts. Required: {', '.join(limits.require) or 'nothing'}; banned: "
                f"{', '.join(limits.avoid) or 'nothing'}. "
                "A draft is held to both while it is written, so none can break them."
            ),
            (
                "The marks below are of copy for products that were kept aside, beside the real copy of the same "
                "products. They say whether copy sounds like the training copy, not whether what it claims is true: "
                "read it before use."
            ),
        ],
        tiles=_tiles(made, held, marks),
        sections=[_texts(roles, made), _marks(marks)],
        figures={"marks": {name: dict(one) for name, one in marks.items()}, "held to": dict(held), "texts": len(made)},
        facts=facts,
    )


def _tiles(made: Sequence[Copy], held: Mapping[str, Any], marks: Marks) -> list[Tile]:
    tiles = [Tile("texts that break a promise", f"{sum(held.values())}", f"of {len(made)}; 0 by construction")]
    for name in ("category", "name"):
        if name in marks[HELD]:
            real = marks[REAL][name]
            tiles.append(Tile(LINES[name], f"{100 * marks[HELD][name]:.0f} %", f"of real copy {100 * real:.0f} %"))
    tiles.append(Tile(LINES["bits"], f"{marks[HELD]['bits']:.2f}", f"real copy {marks[REAL]['bits']:.2f}"))
    return tiles


def _texts(roles: Roles, made: Sequence[Copy]) -> Section:
    rows = [
        {
            "for": "; ".join(f"{name}: {copy.product[name]}" for name in roles.told if copy.product.get(name)),
            "copy": copy.text,
            "bits a byte": f"{copy.bits:.2f}",
            "longest run of training copy": copy.run,
        }
        for copy in made
    ]
    return Section("The copy", "Bits a byte are the model's own, given the product.", rows=rows)


def _marks(marks: Marks) -> Section:
    rows = [
        {"mark": line, **{name: _said(key, one.get(key)) for name, one in marks.items()}} for key, line in LINES.items()
    ]
    return Section("Beside real copy", "For the same products, which the model never saw.", rows=rows)


def _said(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if key in SHARES else f"{value:.2f}"
