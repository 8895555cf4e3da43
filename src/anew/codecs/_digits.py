"""A level of a large vocabulary as a number of several digits: the highest digit first, each with a base of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats

DIGIT = 256  # the largest vocabulary of one token


def digits_of(size: int) -> tuple[int, ...]:
    """The vocabulary of each position that `size` levels take."""
    if size <= DIGIT:
        return (max(size, 1),)
    places = 2 if size <= DIGIT**2 else 3
    base = int(np.ceil(size ** (1 / places)))
    return (int(np.ceil(size / base ** (places - 1))), *([base] * (places - 1)))


def to_digits(level: npt.NDArray[Any], sizes: tuple[int, ...]) -> list[Floats]:
    """Levels (n,) -> one array (n,) a digit."""
    digits = []
    for size in reversed(sizes):
        digits.append((level % size).astype(np.float64))
        level = level // size
    return digits[::-1]


def from_digits(digits: Floats, sizes: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The inverse: digits (n, places) -> levels (n,)."""
    level = np.zeros(len(digits), np.int64)
    for place, size in enumerate(sizes):
        level = level * size + np.clip(np.round(digits[:, place]), 0, size - 1).astype(np.int64)
    return level


def shares_of(rows: Floats, sizes: tuple[int, ...]) -> Floats:
    """How frequent each token of each digit is, side by side, from the rows (levels,) of each level."""
    cube = np.zeros(int(np.prod(sizes)))
    cube[: len(rows)] = rows
    cube = (cube + 0.5).reshape(sizes)  # half a row for what never occurred
    axes = range(cube.ndim)
    parts = [cube.sum(tuple(a for a in axes if a != axis)) for axis in axes]
    return np.concatenate([part / part.sum() for part in parts])
