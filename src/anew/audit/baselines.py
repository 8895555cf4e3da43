"""Baselines that need no model: training rows drawn again, and every column drawn on its own.

A picture drawn on its own is one of a Gaussian with the mean and the covariance of the training pixels. With training
pictures X (n, d) and Z ~ N(0, I_n), the row mean(X) + Z (X - mean(X)) / sqrt(n - 1) is exactly that: no d x d matrix is
made. A text drawn on its own is as many words as a real text has, each drawn from all words of the training texts,
with the space that follows it there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from anew.core.pixels import Pixels, column, stack
from anew.core.schema import Field, Schema

GAUSSIAN = 1024  # training pictures that a Gaussian is fitted to
PICTURES = 2048  # pictures drawn from it; more rows repeat them
BLOCK = 256
WORDS = re.compile(r"\S+\s*")
TEXTS = 2048  # texts drawn word by word, of at most LONG words each; more rows repeat them
LONG = 2000


def make_baselines(train: pl.DataFrame, schema: Schema, rows: int, seed: int) -> dict[str, pl.DataFrame]:
    """`bootstrap` and `marginals`, `rows` of each."""
    rng = np.random.default_rng([seed, 104729])
    draw = rng.integers(0, len(train), rows)
    alone = {name: train[name].gather(rng.integers(0, len(train), rows)) for name in train.columns}
    for field in schema:
        if field.kind == "image" and field.name in alone:
            alone[field.name] = _pictures(train[field.name], field, rows, rng)
        if field.kind == "text" and field.name in alone:
            alone[field.name] = _texts(alone[field.name], rng)
    return {"bootstrap": train[draw], "marginals": pl.DataFrame(alone)}


def with_own(own: Mapping[str, pl.DataFrame], given: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The given baselines, and our own of other names. What a given one lacks (pictures) is that of our marginals."""
    alone = own["marginals"]
    full = {}
    for name, frame in given.items():
        rows = np.arange(len(frame)) % len(alone)
        full[name] = frame.with_columns(
            alone[other].gather(rows) for other in alone.columns if other not in frame.columns
        )
    return {**own, **full}


def _pictures(cells: pl.Series, field: Field, rows: int, rng: np.random.Generator) -> pl.Series:
    """Gaussian pictures, missing as often as the real ones."""
    present = cells.drop_nulls()
    if len(present) < 2:
        return cells.gather(rng.integers(0, len(cells), rows))
    some = present.gather(rng.permutation(len(present))[:GAUSSIAN])
    drawn = column(field.name, gaussian(stack(some, field), min(rows, PICTURES), rng))
    gone = rng.random(rows) < 1 - len(present) / len(cells)
    kept = drawn.gather(np.arange(rows) % len(drawn))
    return pl.select(pl.when(pl.Series(~gone)).then(pl.lit(kept))).to_series().alias(field.name)


def _texts(cells: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Texts of independent words, missing where these cells are."""
    drawn = pl.Series(mixed(cells.head(TEXTS).fill_null("").to_list(), rng), dtype=pl.String)
    again = drawn.gather(np.arange(len(cells)) % len(drawn))
    return pl.select(pl.when(cells.is_not_null()).then(again)).to_series().alias(cells.name)


def mixed(texts: Sequence[str], rng: np.random.Generator) -> list[str]:
    """As many words in each text as before, each drawn from the words of all."""
    found = [WORDS.findall(text)[:LONG] for text in texts]
    every = np.array([word for words in found for word in words], dtype=object)
    return ["".join(every[rng.integers(0, max(len(every), 1), len(words))]) for words in found]


def gaussian(pixels: Pixels, rows: int, rng: np.random.Generator) -> Pixels:
    """Pictures of a Gaussian fitted to pixels (n, H, W, C), clipped and rounded.  (rows, H, W, C)"""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    mean, most = flat.mean(0), np.iinfo(pixels.dtype).max
    flat = (flat - mean) / np.float32(np.sqrt(len(flat) - 1))
    out = np.empty((rows, flat.shape[1]), pixels.dtype)
    for start in range(0, rows, BLOCK):
        noise = rng.standard_normal((min(BLOCK, rows - start), len(flat)), dtype=np.float32)
        out[start : start + BLOCK] = np.clip(np.rint(noise @ flat + mean), 0, most)
    return out.reshape(rows, *pixels.shape[1:])
