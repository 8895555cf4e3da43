"""Mean over seeds with a 95 % interval: mean +- t * s / sqrt(n), Student's t with n - 1 degrees of freedom."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

# the 97.5 % quantile of Student's t for 1, 2, ... degrees of freedom: a table, so that the runner needs no package
T975 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)


@dataclass(frozen=True)
class Interval:
    """A mean, the half width of its interval (None from a single value), and the values it came from."""

    mean: float
    half: float | None
    values: tuple[float, ...]


def t_interval(values: Sequence[float]) -> Interval:
    """The interval of the mean of a few independent values."""
    if not values:
        raise ValueError("an interval needs at least one value. Got none.")
    kept = tuple(float(value) for value in values)
    if len(kept) == 1:
        return Interval(kept[0], None, kept)
    quantile = T975[len(kept) - 2] if len(kept) - 2 < len(T975) else 1.96
    return Interval(fmean(kept), quantile * stdev(kept) / sqrt(len(kept)), kept)
