"""Interpolation: a straight line between the latent codes of two examples, z(t) = (1 - t) z_a + t z_b, decoded.

Straight and not spherical: in a space about standard normal each coordinate then moves from a's quantile to b's and
never turns back, what the two share stays as it is, and outside [0, 1] the line goes on in the same direction, where
an arc would come back. The price is that the middle of a long line lies nearer to the centre than rows usually do
((1 - t)^2 + t^2 of their variance, a half in the middle): it is more ordinary than a random row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from anew.core.learner import Encodes

X = TypeVar("X")


def interpolated(learner: Encodes[X], a: X, b: X, at: Sequence[float], given: X | None) -> list[X]:
    """The examples (n each) at each place of `at` between a (0) and b (1), row by row."""
    start, end = learner.encode(a, given), learner.encode(b, given)
    return [learner.decode((1 - t) * start + t * end, given) for t in at]
