"""Game assets: new pixel art in the colours of the old, as sprites, a sheet and an atlas that an engine reads.

Every sprite has only colours and degrees of transparency that occur in the training sprites, and is enlarged by whole
pixels. Copies of training sprites, mirrored ones too, are left out and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anew.api import fit
from anew.core.schema import Schema
from anew.fitting import Tell
from anew.recipes._atlas import SCALES, files_of
from anew.recipes._drawn import sprites as drawn
from anew.recipes._outcome import Outcome, saved
from anew.recipes._scans import class_column, fewer, opened_pictures, picture_of, some
from anew.recipes._sprites import Book, new_sprites, story_of


def assets(
    data: object = None,
    kind: str | None = None,
    *,
    where: str | Sequence[str] | None = None,
    n: int = 48,
    colours: int | None = None,
    keep: int | None = None,
    guidance: float | None = None,
    steps: int | None = None,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Game assets: new sprites with alpha in the training palette, a sprite sheet at 1x, 2x and 4x, a JSON atlas.

    `kind` is the column of the kind of sprite, `where` picks some ("kind=monster"), `colours` is how many one sprite
    has at most. Copies of training sprites are left out and counted.
    """
    table = opened_pictures(data, drawn, schema, ignore)
    picture, kind = picture_of(table), class_column(table, kind)
    learned = fewer(some(table, [picture.name, *([kind] if kind else [])]), keep, seed)
    model = fit(learned, time=time, seed=seed, progress=progress)
    book = Book.of(learned, picture, kind, colours)
    asked = [where] if isinstance(where, str) else where
    how = {"where": asked, "guidance": guidance, "steps": steps}
    made = new_sprites(model, book, n, how, seed)
    frame = pl.DataFrame({"image": made.pixels, "name": made.names})
    story = story_of(book, made, SCALES, str(model.plan), seed)
    return saved(Outcome(story, model, {"sprites": frame}, files=files_of(made.pixels, made.names)), out)
