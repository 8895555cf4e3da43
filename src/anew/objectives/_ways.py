"""Ways from noise to data: solvers of dx/dt = v(x, t) over given times, and guidance, a velocity around a velocity.

`heun` asks twice a step and is of second order (Heun's method); `multistep` asks once and uses the slope before as well
(Adams & Bashforth 1883, for steps of unequal length). `Guided` asks with what is given and without it, and goes further
in the direction of the difference (Ho & Salimans 2022, arXiv 2207.12598, eq. 6), at all but the last times, where it
adds little but contrast (Kynkaanniemi et al. 2024, arXiv 2404.07724).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from anew.core.batch import Encoded
from anew.objectives._built import Given

BEND = 2.0  # of the times of a draw in few steps
Slope = Callable[[Tensor, float], Tensor]  # v(x, t): (B, *shape) at one time -> (B, *shape)


def bent(steps: int, last: float) -> list[float]:
    """Times from 0 to `last`, closer at both ends: t(u) in proportion to sigmoid(BEND (2 u - 1)) - sigmoid(-BEND).

    For Gaussian data of deviation s the path turns at about 1 / (1 + s). What varies most, such as the light of a whole
    picture, is decided next to the noise, and what varies least next to the data: steps of one length miss both.
    """
    places = torch.sigmoid(BEND * torch.linspace(-1, 1, steps + 1, dtype=torch.float64))
    return [float(last * (place - places[0]) / (places[-1] - places[0])) for place in places]


def euler(slope: Slope, x: Tensor, times: Sequence[float]) -> Tensor:
    """Straight on: exact for slopes that are means over their steps, as those of leaps are."""
    for now, then in pairwise(times):
        x = x + (then - now) * slope(x, now)
    return x


def heun(slope: Slope, x: Tensor, times: Sequence[float]) -> Tensor:
    """The mean of the slopes at both ends of a step: two evaluations each."""
    for now, then in pairwise(times):
        first = slope(x, now)
        last = slope(x + (then - now) * first, then)
        x = x + (then - now) * (first + last) / 2
    return x


def multistep(slope: Slope, x: Tensor, times: Sequence[float]) -> Tensor:
    """The slope drawn out from the one before: one evaluation a step."""
    before, length = None, 0.0
    for now, then in pairwise(times):
        here, step = slope(x, now), then - now
        further = here if before is None else here + step / (2 * length) * (here - before)
        x, before, length = x + step * further, here, step
    return x


@dataclass(frozen=True)
class Seen:
    """What the network reads beside the point: the embedding of what is known, where it is known, what is given."""

    e: Tensor
    known: Tensor
    given: Given

    def __len__(self) -> int:
        return len(self.e)


Velocity = Callable[[Tensor, float, Seen], Tensor]


@dataclass(frozen=True)
class Guided:
    """v_0 + scale (v - v_0), v_0 being the velocity with nothing given; both in one batch."""

    velocity: Velocity
    scale: float
    until: float = 0.75  # the time from which it is plain: then a guided draw takes less than twice as long

    def __call__(self, x: Tensor, time: float, seen: Seen) -> Tensor:
        if not seen.given or self.scale == 1 or time >= self.until:
            return self.velocity(x, time, seen)
        twice = Seen(torch.cat([seen.e] * 2), torch.cat([seen.known] * 2), with_blank(seen.given))
        told, free = self.velocity(torch.cat([x, x]), time, twice).chunk(2)
        return free + self.scale * (told - free)


def with_blank(given: Given) -> Given:
    """What is given, and then as many rows again in which nothing is."""
    return {
        name: Encoded(torch.cat([part.x] * 2), torch.cat([part.present, torch.zeros_like(part.present)]))
        for name, part in given.items()
    }
