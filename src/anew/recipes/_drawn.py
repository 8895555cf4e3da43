"""Small pictures drawn by code, so that every recipe of pictures runs without a file and without a network.

None shows anything that exists: scans of no patient, sprites of no game, signs of no alphabet. n pictures, H, W pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

Grid = npt.NDArray[np.float64]
SIDE = 16
INKS = {"red": (214, 48, 49), "green": (39, 160, 86), "blue": (38, 99, 216), "gold": (240, 178, 30)}
SHAPES = ("circle", "square", "triangle", "cross", "diamond", "ring")
KINDS = ("ghost", "gem", "mask")


def scans(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """Grey scans with two dark fields; the ill have a bright spot in one of them."""
    rng = np.random.default_rng([seed, 1])
    down, across = _places()
    ill = rng.random(n) < 0.5
    pixels = np.empty((n, SIDE, SIDE))
    for i in range(n):
        left, right = (_disc(down, across, 7.5 + rng.normal(0, 0.5), x + rng.normal(0, 0.4), 3.4) for x in (4.2, 10.8))
        pixels[i] = 150 - 90 * np.maximum(left, right)
        y, x = 7.5 + rng.uniform(-2.5, 2.5), rng.choice([4.2, 10.8]) + rng.uniform(-1, 1)
        pixels[i] += ill[i] * rng.uniform(35, 75) * _disc(down, across, y, x, 1.3)
    pixels += rng.normal(0, 14, pixels.shape)
    labels = np.where(ill, "ill", "healthy")
    return pl.DataFrame({"image": np.clip(pixels, 0, 255).astype(np.uint8), "diagnosis": labels})


def sprites(n: int = 240, seed: int = 0) -> pl.DataFrame:
    """Symmetric pixel art of 12 pixels in few colours, on nothing."""
    rng = np.random.default_rng([seed, 2])
    inks = np.array([(*ink, 255) for ink in INKS.values()], np.uint8)
    dark = np.array([24, 24, 36, 255], np.uint8)
    pixels, kinds = np.zeros((n, 12, 12, 4), np.uint8), rng.choice(KINDS, n)
    down, across = np.mgrid[:12, :6]
    for i, kind in enumerate(kinds):
        body = {
            "ghost": (down - 5.5) ** 2 + 1.4 * (across - 5.5) ** 2 < rng.uniform(20, 30),
            "gem": abs(down - 5.5) + abs(across - 5.5) < rng.uniform(4, 6),
            "mask": (down > 1) & (down < 10) & (across > rng.integers(0, 3)),
        }[kind]
        half = np.where(body[..., None], inks[rng.integers(len(inks))], 0).astype(np.uint8)
        half[body & (rng.random(body.shape) < 0.2)] = inks[rng.integers(len(inks))]
        half[int(rng.integers(3, 6)), int(rng.integers(3, 5))] = dark
        pixels[i] = np.concatenate([half, half[:, ::-1]], 1)
    return pl.DataFrame({"image": pixels, "kind": kinds})


def signs(n: int = 200, seed: int = 0) -> pl.DataFrame:
    """Signs in two styles, filled and drawn in outline: the same content (`sign`) once in each, with a caption."""
    rng = np.random.default_rng([seed, 3])
    rows, pixels = [], []
    for number in range(n):
        shape, ink = str(rng.choice(SHAPES)), str(rng.choice(list(INKS)))
        size, y, x = rng.uniform(3.5, 6), *rng.normal(7.5, 0.7, 2)
        whole, inner = _shape(shape, size, y, x), _shape(shape, size - 1.6, y, x)
        for style, cover in (("filled", whole), ("outline", np.clip(whole - inner, 0, 1))):
            colour = np.array(INKS[ink]) * (1.0 if style == "filled" else 0.6)
            pixels.append(255 + cover[..., None] * (colour - 255))
            rows.append({"sign": f"S{number:04d}", "style": style, "caption": f"a {ink} {shape}"})
    return pl.DataFrame({"image": np.rint(pixels).astype(np.uint8)}).hstack(pl.DataFrame(rows))


def _places() -> tuple[Grid, Grid]:
    down, across = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    return down, across


def _disc(down: Grid, across: Grid, y: float, x: float, size: float) -> Grid:
    return _soft(size - np.hypot(down - y, across - x))


def _soft(depth: Grid) -> Grid:
    """How much of a pixel is covered, from its depth below the edge."""
    return np.asarray(np.clip(depth + 0.5, 0, 1))


def _shape(name: str, size: float, y: float, x: float) -> Grid:
    """Coverage (SIDE, SIDE) of a shape about (y, x)."""
    down, across = _places()
    v, u = down - y, across - x
    far = np.hypot(v, u)
    depths = {
        "circle": size - far,
        "square": size * 0.85 - np.maximum(abs(v), abs(u)),
        "triangle": np.minimum(size * 0.8 - v, (size + v) / 2 - abs(u)),
        "cross": np.maximum(
            np.minimum(size * 0.35 - abs(u), size - abs(v)), np.minimum(size * 0.35 - abs(v), size - abs(u))
        ),
        "diamond": (size * 1.15 - abs(v) - abs(u)) / 1.4,
        "ring": np.minimum(size - far, far - size * 0.55),
    }
    return _soft(depths[name])
