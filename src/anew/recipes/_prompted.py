"""Pictures from a prompt: what of its words is known, what was drawn, and the story.

n new pictures, N training pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.api import Model
from anew.audit.story import Section, Story, Tile
from anew.codecs._words import words_of
from anew.core.errors import UsageError
from anew.core.pixels import Pixels
from anew.core.schema import Field
from anew.data.dataset import Dataset
from anew.recipes._brand import Brand, lightness_moved
from anew.recipes._scans import pixels_of
from anew.recipes._shown import as_colour, panel, rough_words, roughness
from anew.recipes._tables import column

NAMES = ("caption", "prompt", "text", "description", "title")
COMMON = frozenset({"a", "an", "the", "of", "with", "and", "in", "on", "at", "for"})
SHOWN = 12


@dataclass(frozen=True)
class Word:
    """A word of the prompt and the number of training captions that have it; a model reads words of two or more."""

    word: str
    captions: int
    known: bool


def caption_column(table: Dataset, name: str | None) -> str:
    """The named column of captions, one with such a name, or the only one of text."""
    if name is not None:
        return column(table, name)
    texts = [field.name for field in table.schema if field.kind == "text"]
    found = next((word for word in NAMES if word in table.schema), texts[0] if len(texts) == 1 else None)
    if found is None:
        raise UsageError(
            "No column looks like captions", found=list(table.schema.names[:12]), do="Name it: --option caption=COLUMN"
        )
    return found


def as_words(table: Dataset, caption: str) -> Dataset:
    """The captions as words, however few different ones there are."""
    field = table.schema[caption].model_copy(update={"kind": "text", "pattern": None, "why": "captions"})
    frame = table.frame.with_columns(pl.col(caption).cast(pl.String))
    return replace(table, frame=frame, schema=table.schema.replace(field))


def known_words(captions: pl.Series, prompt: str) -> list[Word]:
    """Every word of the prompt, and how many captions hold it."""
    cells = [set(words_of(cell)) for cell in captions.drop_nulls()]
    asked = list(dict.fromkeys(words_of(prompt)))
    if not asked:
        raise UsageError("The prompt has no word", found=prompt)
    counts = [sum(word in cell for cell in cells) for word in asked]
    return [Word(word, count, count > 1) for word, count in zip(asked, counts, strict=True)]


def together(captions: pl.Series, words: Sequence[Word]) -> int:
    """How many captions hold all known words of the prompt that say something."""
    wanted = {w.word for w in words if w.known and w.word not in COMMON}
    return sum(wanted <= set(words_of(cell)) for cell in captions.drop_nulls()) if wanted else 0


def prompted(model: Model, picture: Field, caption: str, prompt: str, n: int, how: Mapping[str, Any]) -> Pixels:
    """n pictures drawn given the prompt.  (n, H, W, C), in colour"""
    frame = pl.concat(list(model.stream(n, where={caption: prompt}, **how)))
    pixels = pixels_of(frame, picture)
    return pixels if pixels.shape[3] == 4 else as_colour(pixels)


def one_sheet(sheets: Mapping[str, Pixels]) -> bytes:
    """A PNG: the pictures as drawn, and below them in the brand's colours."""
    from anew.data.formats._sheets import contact_sheet

    return contact_sheet(np.concatenate(list(sheets.values())), len(sheets["drawn"]))


def nearest(made: Pixels, real: Pixels) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """The nearest training picture of each, and its distance over that of the second nearest.  (n,) each

    A picture much nearer to one training picture than to any other is likely a copy of it (below 1/3).
    """
    a, b = (as_colour(side).reshape(len(side), -1).astype(np.float32) / 255 for side in (made, real))
    away = np.maximum((a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1), 0)
    first = np.argsort(away, 1)[:, :2]
    pairs = np.sqrt(np.take_along_axis(away, first, 1)).astype(np.float64)
    return first[:, 0], pairs[:, 0] / np.maximum(pairs[:, -1], 1e-9)


# ---------------------------------------------------------------- the story


def story_of(
    learned: Dataset,
    picture: Field,
    caption: str,
    prompt: str,
    words: Sequence[Word],
    brand: Brand,
    sheets: Mapping[str, Pixels],
    plan: str,
    seed: int,
) -> Story:
    """The page: the pictures as drawn and in the brand's colours, the words, the nearest training pictures."""
    made, cells, real = sheets["drawn"], learned.frame[caption], pixels_of(learned.frame, picture)
    unknown = [w.word for w in words if not w.known]
    all_at_once = together(cells, words)
    first, ratio = nearest(made, real)
    copies = int((ratio < 1 / 3).sum())
    return Story(
        title=f"Visuals for “{prompt}”",
        headline=f"{len(made)} visuals for “{prompt}” in the colours {', '.join(brand.names)}: {_knows(unknown)}.",
        lead=[
            (
                f"The model learned from {len(learned.frame):,} pictures with captions. {_combination(all_at_once)} "
                "Each picture is shown as drawn, tinted (lightness kept, hues of the brand) and flat (only the brand's "
                "colours, black and white)."
            ),
            rough_words(made, real),
            "Look at them before use: nothing here judges taste, and nothing checks for trade marks.",
        ],
        tiles=_tiles(words, brand, sheets, copies),
        sections=[_sheets(brand, sheets), _words(words), _relatives(learned, picture, caption, made, first, ratio)],
        figures={
            "prompt": prompt,
            "words": [vars(w) for w in words],
            "captions with all of them": all_at_once,
            "off hue": {name: brand.off_hue(pixels) for name, pixels in sheets.items()},
            "lightness moved": lightness_moved(made, sheets["tinted"]),
            "copies": copies,
            "roughness": {"new": roughness(made), "training": roughness(real)},
        },
        facts={"plan": plan, "colours": list(brand.names), "seed": seed},
    )


def _tiles(words: Sequence[Word], brand: Brand, sheets: Mapping[str, Pixels], copies: int) -> list[Tile]:
    drawn, tinted = sheets["drawn"], sheets["tinted"]
    known, off = sum(w.known for w in words), brand.off_hue(drawn)
    lost = [w.word for w in words if not w.known]
    return [
        Tile("of the words of the prompt are known", f"{known} of {len(words)}", _list(lost)),
        Tile("off the brand's hues, tinted", f"{brand.off_hue(tinted):.0f}°", f"as drawn: {off:.0f}°"),
        Tile("of lightness moved by tinting", f"{lightness_moved(drawn, tinted):.1f}", "of 100; 0 is best"),
        Tile("much nearer to one training picture than to others", f"{copies}", f"of {len(drawn)}; such are copies"),
    ]


def _knows(unknown: Sequence[str]) -> str:
    if not unknown:
        return "every word of the prompt is known"
    return f"{', '.join(map(repr, unknown))} {'is' if len(unknown) == 1 else 'are'} not known"


def _combination(count: int) -> str:
    if not count:
        return "No caption has all of the known words: the model has to combine what it saw apart."
    return f"{count:,} caption{'s have' if count > 1 else ' has'} all of the known words."


def _list(unknown: Sequence[str]) -> str:
    return f"not: {', '.join(unknown)}" if unknown else "all of them"


def _sheets(brand: Brand, sheets: Mapping[str, Pixels]) -> Section:
    swatch = np.broadcast_to(brand.colours[:, None, None], (len(brand.colours), 16, 16, 3)).astype(np.uint8)
    panels = [panel(name, pixels[:SHOWN], 6) for name, pixels in sheets.items()]
    return Section("The visuals", "All from the same draws.", panels=[panel("the brand", swatch), *panels])


def _words(words: Sequence[Word]) -> Section:
    rows = [
        {
            "word": w.word,
            "training captions with it": w.captions,
            "known": "yes" if w.known else "no, read as a word never seen",
        }
        for w in words
    ]
    return Section("The words of the prompt", "A word is known when at least two training captions have it.", rows=rows)


def _relatives(
    learned: Dataset,
    picture: Field,
    caption: str,
    made: Pixels,
    first: npt.NDArray[np.intp],
    ratio: npt.NDArray[np.float64],
) -> Section:
    close = np.argsort(ratio, kind="stable")[:SHOWN]
    real = learned.frame[first[close]]
    both = np.concatenate([as_colour(made[close]), as_colour(pixels_of(real, picture))])
    rows = [
        {
            "picture": place,
            "caption of the nearest training picture": words,
            "nearest over second nearest": f"{share:.2f}",
        }
        for place, words, share in zip(range(1, len(close) + 1), real[caption], ratio[close], strict=True)
    ]
    lead = "The new pictures above the training pictures nearest to them, pixel by pixel; below a third it is a copy."
    return Section(
        "Nearest relatives", lead, rows=rows, panels=[panel("the closest", both, len(close), ["new", "training"])]
    )
