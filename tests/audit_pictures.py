"""Pictures for the audit's tests: made ones of three shapes, and those of ../shared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from anew.core.pixels import column
from anew.core.schema import Field, Schema

SHARED = Path(__file__).parents[2] / "shared" / "data" / "images"
SHAPES = ("disc", "bar", "cross")
Pixels = npt.NDArray[np.uint8]


def schema(pixels: Pixels, *more: Field) -> Schema:
    """A picture and what else."""
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[3]]
    height, width = pixels.shape[1:3]
    return Schema(fields=(Field(name="scan", kind="image", dtype="Binary", size=(height, width), mode=mode), *more))


LABEL = Field(name="shape", kind="category", dtype="String")


def frame(pixels: Pixels, labels: npt.NDArray[Any] | None = None) -> pl.DataFrame:
    named = {} if labels is None else {"shape": np.array(SHAPES)[labels] if labels.max() < 3 else labels.astype(str)}
    return pl.DataFrame([column("scan", pixels)]).with_columns(**{k: pl.Series(v) for k, v in named.items()})


def shapes(n: int, seed: int, side: int = 16) -> tuple[Pixels, npt.NDArray[np.intp]]:
    """n noisy grey pictures of a disc, a bar or a cross somewhere, and which of them."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    y, x = np.mgrid[:side, :side]
    middle = rng.uniform(0.35, 0.65, (n, 2, 1, 1)) * side
    dy, dx = np.abs(y - middle[:, 0]), np.abs(x - middle[:, 1])
    size = rng.uniform(0.2, 0.35, (n, 1, 1)) * side
    drawn = np.stack([dy**2 + dx**2 < size**2, (dy < 2) & (dx < size), ((dy < 1.5) | (dx < 1.5)) & (dy + dx < size)])
    light = rng.uniform(120, 220, (n, 1, 1)) * drawn[labels, np.arange(n)] + 30 + rng.normal(0, 8, (n, side, side))
    return np.clip(light, 0, 255).astype(np.uint8)[..., None], labels


def load(name: str) -> tuple[Pixels, npt.NDArray[np.intp]]:
    """All pictures of a shared data set, in random order, with their labels."""
    path = SHARED / name / "data.npz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    with np.load(path) as found:
        parts = ("",) if "images" in found else ("train_", "test_")
        pixels = np.concatenate([found[f"{part}images"] for part in parts])
        labels = np.concatenate([found[f"{part}labels"] for part in parts]).astype(np.intp)
    order = np.random.default_rng(0).permutation(len(pixels))
    return (pixels[..., None] if pixels.ndim == 3 else pixels)[order], labels[order]
