"""Streams of random numbers: one for each purpose, from one seed.

Two purposes that start a generator from the same numbers share its stream. Fitting column j and drawing block j once
did: every draw with the seed of the fit then followed the trees' own random choices, which a test of synthetic against
real rows could see (docs/log.md).
"""

from __future__ import annotations

import zlib

import numpy as np


def stream(purpose: str, seed: int, *numbers: int) -> np.random.Generator:
    """The generator of a purpose ("block", "column", ...), a seed and, say, the number of the block."""
    return np.random.default_rng([zlib.crc32(purpose.encode()), seed, *numbers])
