"""New sprites: drawn by the model, brought to the training palette, without copies; and the story of them.

n new sprites, N training sprites, H rows, W columns; colours are (red, green, blue, alpha).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.api import Model
from anew.audit.statistics import proportion
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.core.errors import DataError, UsageError
from anew.core.pixels import Pixels
from anew.core.schema import Field
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.recipes._scans import pixels_of
from anew.recipes._shown import panel, rough_words, roughness

COPY = 0.03  # of the energy of a sprite: one that differs less from a training sprite is a copy
ROUNDS = 4  # of drawing anew in the place of copies
CHECKED = 200  # training sprites that are asked how near their own kind is
SHOWN = 12

Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Book:
    """The training sprites: `pixels` (N, H, W, 4); one new sprite has at most `colours` colours."""

    pixels: Pixels
    picture: Field
    kind: str | None
    kinds: list[str]
    colours: int

    @classmethod
    def of(cls, learned: Dataset, picture: Field, kind: str | None, colours: int | None) -> Book:
        there = learned.frame.drop_nulls(picture.name)
        pixels = coloured(pixels_of(there, picture))
        usual = [len(_palette(sprite)) for sprite in pixels]
        kinds = there[kind].cast(pl.String).fill_null("none").to_list() if kind else []
        return cls(pixels, picture, kind, kinds, colours or max(int(np.quantile(usual, 0.75)), 1))

    @cached_property
    def palette(self) -> npt.NDArray[np.uint8]:
        """(K, 4) every colour of the training sprites that is seen."""
        return _palette(self.pixels)

    @cached_property
    def alphas(self) -> npt.NDArray[np.uint8]:
        return np.unique(self.pixels[..., 3])

    @cached_property
    def flat(self) -> Singles:
        return _flat(self.pixels)


@dataclass(frozen=True)
class Made:
    """New sprites (n, H, W, 4), their names, and how many were drawn, copies or empty."""

    pixels: Pixels
    names: list[str]
    drawn: int
    copies: int
    empty: int
    away: Floats  # (n,) from the nearest training sprite, as a share of the sprite's energy
    near: npt.NDArray[np.intp]  # (n,) which that is


def new_sprites(model: Model, book: Book, n: int, how: Mapping[str, Any], seed: int) -> Made:
    """n sprites that are neither empty nor copies, of at most ROUNDS times as many."""
    if n < 1:
        raise UsageError("The number of sprites must be at least 1", found=n)
    kept: list[Pixels] = []
    labels: list[str] = []
    away: list[float] = []
    near: list[int] = []
    drawn = copies = empty = 0
    for number in range(ROUNDS):
        wanted = n - len(kept)
        if not wanted:
            break
        frame = pl.concat(list(model.stream(wanted, seed=seed + 1000 * number, **how)))
        pixels = np.stack([reduced(s, book) for s in coloured(pixels_of(frame, book.picture))])
        far, first = distances(_flat(pixels), book.flat, pixels.shape[1:])
        bare = ~pixels[..., 3].any((1, 2))
        copied = (far < COPY) & ~bare
        drawn, copies, empty = drawn + wanted, copies + int(copied.sum()), empty + int(bare.sum())
        good = np.flatnonzero(~copied & ~bare)
        kept.extend(pixels[good])
        away.extend(far[good])
        near.extend(first[good])
        words = frame[book.kind].cast(pl.String).fill_null("none").to_list() if book.kind else ["sprite"] * wanted
        labels.extend(words[i] for i in good)
    if not kept:
        raise DataError(
            f"Of {drawn:,} sprites all were copies ({copies:,}) or empty ({empty:,})", do="Train longer: time="
        )
    order = sorted(range(len(kept)), key=lambda i: labels[i])
    names = [f"{re.sub(r'[^A-Za-z0-9]+', '_', labels[i])}_{place:03d}" for place, i in enumerate(order, 1)]
    pick = np.array(order)
    return Made(np.stack(kept)[pick], names, drawn, copies, empty, np.array(away)[pick], np.array(near)[pick])


def coloured(pixels: Pixels) -> Pixels:
    """(n, H, W, 4) in 8 bits; what is not seen is nothing."""
    whole = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
    if whole.shape[3] < 4:
        alpha = np.full_like(whole[..., :1], 255)
        whole = np.concatenate([whole.repeat(4 - whole.shape[3], 3)[..., :3], alpha], 3)
    return np.where(whole[..., 3:] == 0, 0, whole).astype(np.uint8)


# ---------------------------------------------------------------- colours


def reduced(sprite: Pixels, book: Book) -> Pixels:
    """The sprite (H, W, 4) in at most `book.colours` colours, all of them of the palette."""
    alpha = book.alphas[abs(sprite[..., 3:].astype(int) - book.alphas).argmin(-1)]  # the nearest that occurs
    seen = alpha > 0
    out = np.zeros_like(sprite)
    if not seen.any():
        return out
    inks = sprite[seen].astype(np.float64)
    inks[:, 3] = alpha[seen]
    centres, group = clusters(inks, book.colours)
    out[seen] = nearest_colour(centres, book.palette)[group]
    return out


def clusters(inks: Floats, most: int) -> tuple[Floats, npt.NDArray[np.intp]]:
    """At most so many centres of colours (m, 4), and the centre of each: k-means from far points (Gonzalez 1985)."""
    kinds, group = np.unique(inks, axis=0, return_inverse=True)
    if len(kinds) <= most:
        return kinds, group
    start = [int(np.bincount(group).argmax())]
    away = ((kinds - kinds[start[0]]) ** 2).sum(1)
    while len(start) < most:
        start.append(int(away.argmax()))
        away = np.minimum(away, ((kinds - kinds[start[-1]]) ** 2).sum(1))
    centres = kinds[start]
    for _ in range(8):
        group = ((inks[:, None] - centres[None]) ** 2).sum(2).argmin(1)
        centres = np.stack([inks[group == k].mean(0) if (group == k).any() else c for k, c in enumerate(centres)])
    return centres, group


def nearest_colour(colours: Floats, palette: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(m, 4) -> (m, 4) of the palette."""
    away = ((colours[:, None] - palette[None].astype(np.float64)) ** 2).sum(2)
    return np.asarray(palette[away.argmin(1)])


def _palette(pixels: Pixels) -> npt.NDArray[np.uint8]:
    flat = pixels.reshape(-1, 4)
    return np.unique(flat[flat[:, 3] > 0], axis=0)


# ---------------------------------------------------------------- copies


def distances(new: Singles, old: Singles, shape: tuple[int, ...]) -> tuple[Floats, npt.NDArray[np.intp]]:
    """How far the nearest training sprite is, and which that is.  (n,) each"""
    far = apart(new, old, shape)
    return far.min(1).astype(np.float64), far.argmin(1)


def apart(new: Singles, old: Singles, shape: tuple[int, ...]) -> Singles:
    """|a - b|^2 / |a|^2 of every new sprite a, as it is or mirrored, to every training sprite b.  (n, N)"""
    mirrored = new.reshape(len(new), *shape)[:, :, ::-1].reshape(len(new), -1)
    size = (old**2).sum(1)
    away = np.stack([(side**2).sum(1)[:, None] - 2 * side @ old.T + size for side in (new, mirrored)]).min(0)
    return np.asarray(np.maximum(away, 0) / np.maximum((new**2).sum(1)[:, None], 1e-9), np.float32)


def _flat(pixels: Pixels) -> Singles:
    """(n, H W 4), colours times alpha."""
    unit = np.asarray(pixels, np.float32) / np.float32(255)
    unit[..., :3] *= unit[..., 3:]
    return np.asarray(unit.reshape(len(unit), -1), np.float32)


def own_copies(book: Book, seed: int) -> tuple[int, int]:
    """How many of some training sprites have a copy among the others, and of how many."""
    some = stream("own copies", seed).permutation(len(book.pixels))[:CHECKED]
    far = apart(book.flat[some], book.flat, book.pixels.shape[1:])
    far[np.arange(len(some)), some] = np.inf  # not itself
    return int((far.min(1) < COPY).sum()), len(some)


# ---------------------------------------------------------------- the story


def story_of(book: Book, made: Made, scales: Sequence[int], plan: str, seed: int) -> Story:
    """The page: the sprites, their colours, the nearest training sprites, the files."""
    n, height, width, _ = made.pixels.shape
    own, asked = own_copies(book, seed)
    share = proportion(made.copies, made.drawn)
    mine = [len(_palette(sprite)) for sprite in made.pixels]
    usual = [len(_palette(sprite)) for sprite in book.pixels]
    return Story(
        title="New sprites for a game",
        headline=(
            f"{n:,} new sprites of {width} x {height} pixels in the colours of {len(book.pixels):,} training sprites; "
            f"{made.copies:,} copies of those were left out."
        ),
        lead=[
            (
                f"{made.drawn:,} sprites were drawn; {made.copies:,} were copies of a training sprite or its mirror "
                f"image, and {made.empty:,} were empty. Every colour and every degree of transparency occurs in the "
                f"training sprites, and one sprite has at most {book.colours}."
            ),
            rough_words(made.pixels, book.pixels),
            f"The sheet is there at {' and '.join(f'{s}x' for s in scales)}, enlarged by repeating pixels.",
        ],
        tiles=[
            Tile("new sprites", f"{n:,}", f"of {made.drawn:,} drawn"),
            Tile("of those drawn were copies", f"{share.value:.1%}", f"among training sprites: {own / asked:.1%}"),
            Tile("of the pixels have a colour of the training palette", "100 %", f"{len(book.palette):,} colours"),
            Tile("colours in a sprite, on average", f"{np.mean(mine):.1f}", f"training: {np.mean(usual):.1f}"),
        ],
        sections=[_beside(book, made), _palette_shown(book, made), _relatives(book, made), _files(made, scales)],
        figures={
            "sprites": n,
            "drawn": made.drawn,
            "copies": made.copies,
            "empty": made.empty,
            "copies among training sprites": own / asked,
            "palette": len(book.palette),
            "colours": {"new": float(np.mean(mine)), "training": float(np.mean(usual)), "most": book.colours},
            "nearest": float(np.median(made.away)),
            "roughness": {"new": roughness(made.pixels), "training": roughness(book.pixels)},
        },
        facts={"plan": plan, "alpha": ", ".join(map(str, book.alphas[:8])), "seed": seed},
    )  # fmt: skip


def _beside(book: Book, made: Made) -> Section:
    some = stream("shown", 0).permutation(len(book.pixels))[: min(48, len(made.pixels))]
    order = np.argsort(np.array(book.kinds)[some], kind="stable") if book.kinds else np.arange(len(some))
    return Section(
        "The sprites",
        "All of the first 48, and as many training sprites, by kind.",
        panels=[panel("new", made.pixels[:48]), panel("training", book.pixels[some[order]])],
    )


def _palette_shown(book: Book, made: Made) -> Section:
    used = _palette(made.pixels)
    light = used[:, :3] @ np.array([0.299, 0.587, 0.114])
    swatches = used[np.argsort(light, kind="stable")][:: max(len(used) // 96, 1)]
    shown = np.broadcast_to(swatches[:, None, None], (len(swatches), 16, 16, 4)).astype(np.uint8)
    return Section(
        "The colours",
        f"The new sprites use {len(used):,} of the {len(book.palette):,} colours of the training sprites.",
        panels=[panel("colours of the new sprites, from dark to light", shown, 32)],
    )


def _relatives(book: Book, made: Made) -> Section:
    close = np.argsort(made.away, kind="stable")[:SHOWN]
    both = np.concatenate([made.pixels[close], book.pixels[made.near[close]]])
    return Section(
        "Nearest relatives",
        "The new sprites that come nearest to a training sprite, above that sprite. Two count as one when they, or one "
        f"and the other's mirror image, differ by less than {COPY:.0%} of the sprite's energy.",
        panels=[panel("the closest", both, len(close), ["new", "training"])],
    )


def _files(made: Made, scales: Sequence[int]) -> Section:
    n, height, width, _ = made.pixels.shape
    rows: list[dict[str, Any]] = [{"file": "sprites/", "holds": f"{n:,} PNG files and a table with their names"}]
    for scale in scales:
        stem = "sheet" if scale == 1 else f"sheet@{scale}x"
        rows.append({
            "file": f"{stem}.png, {stem}.json",
            "holds": f"the sheet, {width * scale} x {height * scale} pixels a sprite, and where each lies",
        })  # fmt: skip
    return Section("Files", "The atlas has the form of TexturePacker's JSON, which most engines read.", rows=rows)
