"""Draws under conditions: through the learner's own conditionals if it has `Conditions`, else by rejection.

Rejection draws freely and keeps what satisfies the condition; it stops at a stated budget and then says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from anew.core.columns import Allowed, Bools
from anew.core.errors import ConditionError
from anew.core.learner import Conditions, Drawn, Samples

X = TypeVar("X")
BUDGET = 200  # free draws for each row asked for


def draw_where(
    learner: Samples[X],
    n: int,
    where: Mapping[int, Allowed],
    rng: np.random.Generator,
    given: X | None,
    *,
    holds: Callable[[X], Bools],
    take: Callable[[X, Bools], X],
    stack: Callable[[list[X]], X],
) -> Drawn[X]:
    """n rows that satisfy `where`; `holds`, `take` and `stack` work on the learner's own data."""
    if isinstance(learner, Conditions):
        drawn: Drawn[X] = learner.sample_where(n, where, rng, given)
        return drawn
    if given is not None:
        raise ConditionError(
            f"{type(learner).__name__.lower()} cannot take a condition on learned columns beside given ones",
            do="Use the chain, or condition on given columns only",
        )
    return _reject(learner, n, rng, holds, take, stack)


def _reject(
    learner: Samples[X],
    n: int,
    rng: np.random.Generator,
    holds: Callable[[X], Bools],
    take: Callable[[X, Bools], X],
    stack: Callable[[list[X]], X],
) -> Drawn[X]:
    kept: list[X] = []
    found = tried = 0
    while found < n and tried < BUDGET * max(n, 512):
        size = int(min(max((n - found) * max(tried, 1) / max(found, 1) * 1.2, 512), 16384))
        free = learner.sample(size, rng, None)
        good = holds(free)
        kept.append(take(free, good))
        found, tried = found + int(good.sum()), tried + size
    if found < n:
        raise ConditionError(
            f"Only {found} of {n} rows met the condition in {tried:,} draws, the budget of rejection",
            do="Loosen the condition, or fit with the chain, which conditions through its own model",
        )
    first = np.arange(found) < n
    return Drawn(take(stack(kept), first), found / tried, float(n))
