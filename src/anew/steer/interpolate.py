"""Interpolation: a straight line between the latent codes of two examples, z(t) = (1 - t) z_a + t z_b, decoded.

Straight and not spherical: in a space about standard normal each coordinate then moves from a's quantile to b's and
never turns back, what the two share stays as it is, and outside [0, 1] the line goes on in the same direction, where
an arc would come back. The price is that the middle of a long line lies nearer to the centre than rows usually do
((1 - t)^2 + t^2 of their variance, a half in the middle): it is more ordinary than a random row.

A picture has hundreds of coordinates, and no picture lies near the centre of their space: codes go on an arc there
(spherical interpolation: Shoemake 1985; White 2016, arXiv 1609.04468).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from anew.core.columns import Floats
from anew.core.learner import Encodes

X = TypeVar("X")


def interpolated(learner: Encodes[X], a: X, b: X, at: Sequence[float], given: X | None) -> list[X]:
    """The examples (n each) at each place of `at` between a (0) and b (1), row by row."""
    start, end = learner.encode(a, given), learner.encode(b, given)
    return [learner.decode((1 - t) * start + t * end, given) for t in at]


def on_arc(a: Floats, b: Floats, t: float) -> Floats:
    """The codes (n, k) at t on the great circle from a (0) to b (1), of a length between theirs; on beyond both."""
    lengths = [np.linalg.norm(end, axis=1, keepdims=True) for end in (a, b)]
    cosine = (a * b).sum(1, keepdims=True) / np.maximum(lengths[0] * lengths[1], 1e-12)
    angle = np.arccos(np.clip(cosine, -1, 1))
    sine = np.sin(angle)
    near = sine < 1e-6  # the two are in one direction
    weights = [np.where(near, w, np.sin(w * angle) / np.where(near, 1, sine)) for w in (1 - t, t)]
    units = [end / np.maximum(length, 1e-12) for end, length in zip((a, b), lengths, strict=True)]
    length = np.maximum((1 - t) * lengths[0] + t * lengths[1], 0)
    return np.asarray(length * (weights[0] * units[0] + weights[1] * units[1]))
