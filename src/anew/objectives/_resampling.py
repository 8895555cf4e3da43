"""Weights of particles, and the particles that are kept by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats

X = TypeVar("X")


def scaled(log_weight: Floats) -> Floats:
    """Weights (P,) that sum to 1; all zero when every particle is impossible."""
    top = log_weight.max(initial=-np.inf)
    if not np.isfinite(top):
        return np.zeros(len(log_weight))
    weight = np.exp(log_weight - top)
    return np.asarray(weight / weight.sum())


def systematic(weight: Floats, n: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """n indices, each particle chosen n w times up to one, in random order (Kitagawa 1996)."""
    at = (rng.random() + np.arange(n)) / n
    picked = np.minimum(np.searchsorted(np.cumsum(weight), at), len(weight) - 1)
    return np.asarray(rng.permutation(picked))


def pool(particles: Callable[[int], tuple[X, Floats]], n: int, first: int, budget: int) -> tuple[list[X], Floats]:
    """Particles (P,) and their log weights until n rows can be resampled without a duplicate, or `budget` times the
    `first` draw is spent."""
    parts: list[X] = []
    log_weight, size, most = np.zeros(0), first, budget * first
    while True:
        drawn, more = particles(size)
        parts.append(drawn)
        log_weight = np.concatenate([log_weight, more])
        weight = scaled(log_weight)
        if (weight.any() and n * weight.max() <= 1.0) or len(log_weight) >= most:
            return parts, log_weight
        size = min(len(log_weight), most - len(log_weight))
