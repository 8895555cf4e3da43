"""What each part of the steering benchmark learns from, and what it is asked on held-out pictures.

Letters: N pictures, H x W pixels, C channels. A run of ours and its judge read the same arrays from here, so that both
know which picture a row stands for. Captions are held out by hexcode or name (`splits/`), emoji in styles by the split
that came with them.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.picture_sets import channels_last, load, test_rows

Array = np.ndarray[Any, Any]
PARTS = {
    "inpainting": ("fashion_mnist", "sign_digits", "pneumonia_mnist"),
    "style": ("emoji_styles",),
    "text": ("emoji_captions", "game_icons"),
    "latent": ("fashion_mnist",),
}
STYLES = ("openmoji", "twemoji", "noto", "fluent")
DIRECTIONS = tuple((a, b) for a in STYLES for b in STYLES if a != b)
NAMED = 100  # classes of the icons: as many of the words that most names have


def smaller(pictures: Array, side: int | None) -> Array:
    """Pictures reduced to `side` pixels by the mean of whole blocks; as they are where side is None."""
    n, height, _, channels = pictures.shape
    if side is None or side == height:
        return pictures
    by = height // side
    blocks = pictures.reshape(n, side, by, side, by, channels).astype(np.float32)
    return blocks.mean((2, 4)).round().astype(np.uint8)


def some(rows: Array, n: int | None, seed: int = 0) -> Array:
    """n of the rows at random, in their order; all where n is None."""
    if n is None or n >= len(rows):
        return rows
    return np.sort(np.random.default_rng([seed, 7]).permutation(rows)[:n])


# ------------------------------------------------------------ inpainting and latent codes


def held_pictures(data: Path, name: str, n: int | None) -> Array:
    """Held-out pictures (n, H, W, C)."""
    held = load(data, name).held
    return np.asarray(held[some(np.arange(len(held)), n)])


def pairs(data: Path, name: str, n: int) -> tuple[Array, Array]:
    """n pairs of held-out pictures, and so 2 n different ones."""
    held = load(data, name).held
    rows = np.random.default_rng([0, 8]).permutation(len(held))[: 2 * n]
    return held[rows[0::2]], held[rows[1::2]]


# ------------------------------------------------------------ styles


@dataclass(frozen=True)
class Styled:
    """The same emoji in each style, row by row; `train` and `test` are rows, `group` their classes."""

    pictures: dict[str, Array]
    train: Array
    test: Array
    group: list[str]


def styled(data: Path, side: int | None = None, tested: int | None = None) -> Styled:
    """The four styles; `tested` asks for fewer of the test emoji, for work on a busy machine."""
    import polars as pl

    folder = data / "emoji_styles"
    frame = pl.read_parquet(folder / "captions.parquet")
    with np.load(folder / "images.npz") as file:
        pictures = {style: smaller(file[style], side) for style in STYLES}
    held = (frame["split"] == "test").to_numpy()
    return Styled(pictures, np.flatnonzero(~held), some(np.flatnonzero(held), tested), frame["group"].to_list())


# ------------------------------------------------------------ captions


@dataclass(frozen=True)
class Captioned:
    """Pictures, the words of each, its class, its style ("" where there is one), and which rows are held out."""

    pictures: Array
    words: list[str]
    classes: list[str]
    styles: list[str]
    groups: list[str]  # what is never on both sides, nor among the wrong captions of its own
    train: Array
    test: Array

    def columns(self, rows: Array, *names: str) -> dict[str, list[str]]:
        """Some of caption, label and style of some rows, as columns of a frame."""
        whole = {"caption": self.words, "label": self.classes, "style": self.styles}
        return {name: [whole[name][row] for row in rows] for name in names}


def captioned(data: Path, name: str, side: int | None = None) -> Captioned:
    """A captioned set: emoji with their keywords behind their name, icons with their name alone."""
    import polars as pl

    frame = pl.read_parquet(data / name / "captions.parquet")
    with np.load(data / name / "images.npz") as file:
        pictures = smaller(channels_last(file["images"]), side)
    held = np.zeros(len(frame), dtype=bool)
    held[test_rows(name)] = True
    emoji = "hexcode" in frame.columns
    if emoji:
        words = [said(*row) for row in frame.select("caption", "tags").iter_rows()]
        classes, styles, groups = (frame[column].to_list() for column in ("group", "style", "hexcode"))
    else:
        words, groups, styles = frame["caption"].to_list(), frame["name"].to_list(), [""] * len(frame)
        classes = frequent_words(words, held)
    return Captioned(pictures, words, classes, styles, groups, np.flatnonzero(~held), np.flatnonzero(held))


def said(caption: str, tags: str | None) -> str:
    """The name and then the keywords that it does not say itself."""
    known = caption.lower().split()
    more = [word for tag in (tags or "").split(",") for word in tag.lower().split()]
    return " ".join(dict.fromkeys([*known, *more]))


def frequent_words(names: list[str], held: Array) -> list[str]:
    """A class for each name that has none: its word that most training names have, if that is one of NAMED words."""
    count = Counter(word for name, out in zip(names, held, strict=True) if not out for word in set(name.split()))
    common = {word for word, _ in count.most_common(NAMED)}
    return [max(common & set(name.split()), key=lambda w: (count[w], w), default="other") for name in names]


__all__ = ["DIRECTIONS", "PARTS", "STYLES", "captioned", "held_pictures", "pairs", "styled"]
