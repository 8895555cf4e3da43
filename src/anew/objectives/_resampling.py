"""Weights of particles, and the particles that are kept by them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats


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
