"""Visuals from a prompt in the colours of a brand: pictures given their captions, recoloured, on a contact sheet.

What the model knows are the words of the captions that it learned from: the page says which words of the prompt those
are, in how many captions they stood, and which training pictures the new ones are nearest to.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anew.api import fit
from anew.core.schema import Schema
from anew.fitting import Tell
from anew.recipes._brand import Brand
from anew.recipes._drawn import signs as drawn
from anew.recipes._outcome import Outcome, saved
from anew.recipes._prompted import as_words, caption_column, known_words, one_sheet, prompted, story_of
from anew.recipes._scans import fewer, opened_pictures, picture_of, some


def visuals(
    data: object = None,
    prompt: str | None = None,
    colours: str | Sequence[str] = "#12355b,#e4572e,#f3b61f",
    *,
    caption: str | None = None,
    n: int = 12,
    guidance: float | None = 2.0,
    steps: int | None = None,
    keep: int | None = None,
    size: int | None = None,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Marketing visuals from a prompt and brand colours, with a word on which words of the prompt are known.

    `colours` are the brand's, as "#12355b,#e4572e"; `caption` is the column of captions; `guidance` says how strongly
    the prompt is obeyed; `size` is the pixels of the long side that is learned.
    """
    brand = Brand.of(colours)
    table = opened_pictures(data, drawn, schema, ignore, size)
    picture, caption = picture_of(table), caption_column(table, caption)
    learned = as_words(fewer(some(table, [picture.name, caption]), keep, seed), caption)
    prompt = str(prompt or learned.frame[caption].drop_nulls()[0])
    words = known_words(learned.frame[caption], prompt)
    model = fit(learned, learn=picture.name, given=caption, time=time, seed=seed, progress=progress)
    how = {"guidance": guidance, "steps": steps, "seed": seed}
    made = prompted(model, picture, caption, prompt, n, how)
    sheets = {"drawn": made, "tinted": brand.tinted(made), "flat": brand.flat(made)}
    story = story_of(learned, picture, caption, prompt, words, brand, sheets, str(model.plan), seed)
    tables = {name: pl.DataFrame({"image": pixels}) for name, pixels in sheets.items()}
    return saved(Outcome(story, model, tables, files={"contact_sheet.png": one_sheet(sheets)}), out)
