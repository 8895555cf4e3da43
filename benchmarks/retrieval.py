"""Retrieval among few: how often the right one of `among` candidates scores highest, the wrong ones drawn at random.

Of a picture's M - 1 wrong candidates k score as high as the right one. A draw of `among` - 1 wrong ones without
replacement has none of these with probability C(M - 1 - k, among - 1) / C(M - 1, among - 1), so no dice are needed.
"""

from math import comb
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def hits(scores: Array, right: Array, among: int) -> float:
    """scores (n, M) of n pictures and M candidates, the right one of each (n,): the expected share of hits."""
    candidates = scores.shape[1]
    among = min(among, candidates)
    own = np.take_along_axis(scores, right[:, None], 1)
    better = (scores >= own).sum(1) - 1  # all but the right one itself
    whole = comb(candidates - 1, among - 1)
    return float(np.mean([comb(candidates - 1 - int(k), among - 1) / whole for k in better]))


def cosines(a: Array, b: Array) -> Array:
    """(n, d), (m, d) -> (n, m)"""
    unit = [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (a, b)]
    found: Array = unit[0] @ unit[1].T
    return found
