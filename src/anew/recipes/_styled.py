"""Pictures in another style, every direction, beside what costs nothing; and the story of it.

What costs nothing: the source as it is; its channels moved to the mean and spread of the target style (Reinhard et al.
2001); the mean picture of the target style, which is hard to beat in pixels and shows nothing.

n pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from anew.api import Model
from anew.audit.story import Section, Story, Tile
from anew.core.pixels import Pixels
from anew.data.dataset import Dataset
from anew.recipes._judged import AMONG, Judges
from anew.recipes._pairs import SOURCE, Styles, directions_of, tested
from anew.recipes._shown import lines

COPY, COLOURS, MEAN, TRUTH = "the source as it is", "colours moved", "mean picture of the style", "the true picture"
SHOWN = 10  # contents of each direction on the page
DIRECTIONS = 12  # shown at most


@dataclass(frozen=True)
class Direction:
    """From one style to another: pictures (n, H, W, C) by each way; `truth` where the data are paired."""

    first: str
    second: str
    source: Pixels
    truth: Pixels | None
    made: Mapping[str, Pixels]


def styled(models: Mapping[str, Model], styles: Styles, n: int, steps: int | None, seed: int) -> list[Direction]:
    """Held-out pictures of every style in every other one."""
    found = []
    for first, second in directions_of(styles.names):
        frame, real = tested(styles, first, second, n, seed)
        source = styles.pixels(frame)
        made = {way: _made(way, model, styles, frame, second, steps, seed) for way, model in models.items()}
        target = styles.pixels(styles.of(styles.learned.frame, second))
        truth = None if real is None else styles.pixels(real)
        found.append(Direction(first, second, source, truth, {**made, **_free(source, target)}))
    return found


def _made(way: str, model: Model, styles: Styles, frame: pl.DataFrame, to: str, steps: int | None, seed: int) -> Pixels:
    picture, style = styles.picture.name, styles.style
    plain = frame.select(picture, style)
    if way == "unpaired":
        from anew.core.where import where_of
        from anew.restyling import restyled

        return styles.pixels(restyled(model.joint, plain, where_of({style: to})))
    given = plain.select(pl.col(picture).alias(SOURCE), pl.lit(to).alias(style))
    rows = Dataset(given, model.schema.select([SOURCE, style]), model.origin, len(given))
    return styles.pixels(pl.concat(list(model.stream(given=rows, steps=steps, seed=seed))))


def _free(source: Pixels, target: Pixels) -> dict[str, Pixels]:
    """What costs nothing."""
    most, axes = np.iinfo(source.dtype).max, (0, 1, 2)
    share = (source - source.mean(axes)) / np.maximum(source.std(axes), 1e-6)
    moved = np.clip(share * target.std(axes) + target.mean(axes), 0, most)
    mean = np.broadcast_to(target.mean(0), source.shape)
    return {COPY: source, COLOURS: np.rint(moved).astype(source.dtype), MEAN: np.rint(mean).astype(source.dtype)}


# ---------------------------------------------------------------- the story

Marks = Mapping[str, Mapping[str, float]]


def story_of(
    models: Mapping[str, Model], styles: Styles, judges: Judges, directions: Sequence[Direction], seed: int
) -> Story:
    """The page: source, ours and truth side by side; marks of each way, over all directions and for each."""
    each = []
    for one in directions:
        ways = {**one.made, **({} if one.truth is None else {TRUTH: one.truth})}
        each.append(judges.scores(ways, one.source, one.truth, one.second))
    marks = {way: _mean([one[way] for one in each]) for way in each[0]}
    best = "paired" if "paired" in models else "unpaired"
    return Story(
        title=f"Style transfer between {', '.join(styles.names)}",
        headline=_headline(marks, best),
        lead=[
            (
                f"{len(styles.learned.frame):,} pictures were learned from; every direction was tried on "
                f"{len(directions[0].source):,} pictures whose content nothing has seen."
            ),
            (
                "The judges are two networks of their own, trained on real pictures only: one reads the style (right "
                f"on {judges.accuracy:.0%} of the held-out real pictures), one compares contents."
            ),
        ],
        tiles=_tiles(marks, best, judges, min(AMONG, len(directions[0].source))),
        sections=[
            _shown(directions, models),
            _table(marks, models),
            _by_direction(directions, each, best),
            _limits(),
        ],
        figures={
            "marks": marks,
            "directions": {f"{d.first} to {d.second}": m for d, m in zip(directions, each, strict=True)},
            "style judge": judges.accuracy,
            "kept": {way: _kept(marks, way) for way in models},
        },
        facts={**{name: str(model.plan) for name, model in models.items()}, "styles": list(styles.names), "seed": seed},
    )


def _mean(marks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([mark[name] for mark in marks])) for name in marks[0]}


def _kept(marks: Marks, way: str) -> float | None:
    """The content found again, as a share of what the judge finds on the true pictures."""
    if TRUTH not in marks:
        return None
    return marks[way]["content"] / max(marks[TRUTH]["content"], 1e-9)


def _headline(marks: Marks, best: str) -> str:
    mark, kept = marks[best], _kept(marks, best)
    style = f"The new style is read back in {mark['style']:.0%} of the pictures"
    if kept is None:
        return f"{style}; without pairs it cannot be said whether the content is kept."
    closer = mark["distance"] < min(marks[COPY]["distance"], marks[COLOURS]["distance"])
    words = "closer to" if closer else "no closer to"
    return f"{style}, {kept:.0%} of the content is kept, and they are {words} the true picture than the source is."


def _tiles(marks: Marks, best: str, judges: Judges, among: int) -> list[Tile]:
    mark = marks[best]
    tiles = [Tile(f"read as the new style, {best}", f"{mark['style']:.0%}", f"real pictures: {judges.accuracy:.0%}")]
    if TRUTH in marks:
        found, real = mark["content"], marks[TRUTH]["content"]
        tiles += [
            Tile(f"found by content among {among}", f"{found:.0%}", f"the true picture: {real:.0%}"),
            Tile(
                "distance to the true picture", f"{mark['distance']:.1f}", f"the source: {marks[COPY]['distance']:.1f}"
            ),
            Tile("pixel error", f"{mark['pixels']:.3f}", f"the style's mean picture: {marks[MEAN]['pixels']:.3f}"),
        ]
    return tiles


def _shown(directions: Sequence[Direction], models: Mapping[str, Model]) -> Section:
    panels = []
    for one in directions[:DIRECTIONS]:
        named = {one.first: one.source, **{way: one.made[way] for way in models}}
        if one.truth is not None:
            named[f"true {one.second}"] = one.truth
        panels.append(lines(f"{one.first} to {one.second}", {name: p[:SHOWN] for name, p in named.items()}))
    return Section("Source, ours, truth", "The first held-out pictures of each direction, none chosen.", panels=panels)


def _table(marks: Marks, models: Mapping[str, Model]) -> Section:
    rows = [{"way": f"ours, {way}" if way in models else way, **_row(mark)} for way, mark in marks.items()]
    return Section(
        "Marks",
        "Mean over all directions. The distance is between the judges' features of a picture and of the true one; the "
        "content is found when, among the sources, the right one is nearest.",
        rows=rows,
    )


def _row(mark: Mapping[str, float]) -> dict[str, Any]:
    row = {"read as the new style": f"{mark['style']:.0%}"}
    if "content" in mark:
        row |= {
            "content found": f"{mark['content']:.0%}",
            "distance to the truth": f"{mark['distance']:.2f}",
            "pixel error": f"{mark['pixels']:.3f}",
        }
    return row


def _by_direction(directions: Sequence[Direction], each: Sequence[Marks], best: str) -> Section:
    rows = [
        {"from": one.first, "to": one.second, **_row(marks[best])} for one, marks in zip(directions, each, strict=True)
    ]
    return Section("Each direction", f"Ours, {best}.", rows=rows)


def _limits() -> Section:
    rows = [
        {"limits": "The mean picture of a style wins in pixels where contents vary little, and shows nothing."},
        {"limits": "Unpaired and paired training are reported apart: pairs are data that most collections lack."},
        {"limits": "Artists' styles may be protected or licensed: check the licence of what was learned from."},
    ]
    return Section("What to know", "", rows=rows)
