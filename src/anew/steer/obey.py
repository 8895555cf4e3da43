"""Draws that obey rules, by rejection: what is kept follows p(x | rules) exactly.

Free rows: blocks are drawn one after the other, and row k of the answer is the k-th row that obeys; so fewer rows are
the first of more, and uniqueness is a rule like any other (a row like an earlier one is not kept). Rows that are tied
to something (given or known cells) keep their places: those that broke a rule are drawn again until none is left.

A budget ends both: then the rule that held in the fewest draws is named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from anew.core.columns import Bools
from anew.core.errors import RuleError

X = TypeVar("X")
Rows = npt.NDArray[np.intp]
BUDGET = 200  # draws for each row asked for
FEWEST = 512  # rows for which that budget is counted at least
EACH = 1000  # draws of each row that is tied
COPIES = 64  # of them at a time, at most


@dataclass(frozen=True)
class Judged(Generic[X]):
    """Rows that were drawn, and which of them obey which rule.  met (m, rules)"""

    x: X
    met: Bools
    report: Any = None

    @property
    def good(self) -> Bools:
        """The rows that obey all of them.  (m,)"""
        return np.asarray(self.met.all(1))


@dataclass
class Tally:
    """In how many draws each rule held: of all draws, and for uniqueness of those that obey the rest."""

    rules: tuple[str, ...]  # those judged row by row, then, where there is any, uniqueness as one
    tried: int = 0
    kept: int = 0
    held: npt.NDArray[np.int64] = field(init=False)
    asked: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.held, self.asked = np.zeros((2, len(self.rules)), np.int64)

    def add(self, met: Bools, good: Bools, fresh: Bools) -> None:
        alone = met.shape[1]
        self.tried += len(met)
        self.kept += int(fresh.sum())
        self.held[:alone] += met.sum(0)
        self.asked[:alone] += len(met)
        self.held[alone:] += fresh.sum()
        self.asked[alone:] += good.sum()

    def spent(self, found: int, n: int) -> RuleError:
        share = self.held / np.maximum(self.asked, 1)
        worst = int(np.argmin(np.where(self.asked > 0, share, 1.0)))
        return RuleError(
            f"Only {found:,} of {n:,} rows obey the rules after {self.tried:,} draws, the budget: "
            f"{self.rules[worst]!r} holds in {100 * share[worst]:.3g} % of the draws",
            do="Loosen that rule, ask for fewer rows, or fit on data that obey it",
        )


def budget(n: int) -> int:
    """The draws that n rows may cost."""
    return BUDGET * max(n, FEWEST)


def free(
    n: int,
    size: int,
    block: Callable[[int], Judged[X]],
    fresh: Callable[[X, Bools], Bools],
    tally: Tally,
    threads: int,
) -> Iterator[tuple[Judged[X], Rows]]:
    """The first n obeying rows of blocks 0, 1, ... of `size` rows: each block with the rows of it that are kept."""
    found, begun = 0, tally.tried
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Judged[X]]] = deque()
        started = 0
        while found < n:
            for _ in range(_ahead(n - found, size, found, started - len(waiting), threads) - len(waiting)):
                waiting.append(pool.submit(block, started))
                started += 1
            judged = waiting.popleft().result()
            kept = fresh(judged.x, judged.good)
            tally.add(judged.met, judged.good, kept)
            rows = np.flatnonzero(kept)[: n - found]
            found += len(rows)
            if found < n and tally.tried - begun >= budget(n):
                for future in waiting:
                    future.cancel()
                raise tally.spent(found, n)
            yield judged, rows


def _ahead(lacking: int, size: int, found: int, blocks: int, threads: int) -> int:
    """How many blocks to draw at once: as many as will be needed at the present rate, and at least one."""
    rate = max(found, 1) / (blocks * size) if blocks else 1.0
    return max(min(ceil(lacking / (rate * size)), 2 * threads), 1)


def tied(
    n: int,
    draw: Callable[[Rows, int], Judged[X]],
    fresh: Callable[[X, Bools], Bools],
    take: Callable[[X, Rows], X],
    stack: Callable[[list[X]], X],
    tally: Tally,
) -> X:
    """n rows in their places; `draw(rows, attempt)` draws the rows of those numbers, some of them several times."""
    left, attempt, each = np.arange(n), 0, 0
    parts: list[X] = []
    places: list[Rows] = []
    while len(left):
        copies = min(max(max(n, FEWEST) // len(left), 1), COPIES) if attempt else 1
        rows = np.repeat(left, copies)
        judged = draw(rows, attempt)
        good = _first(judged.good, copies)
        kept = fresh(judged.x, good)
        tally.add(judged.met, good, kept)
        chosen = np.flatnonzero(kept)
        parts.append(take(judged.x, chosen))
        places.append(rows[chosen])
        left, attempt, each = np.setdiff1d(left, rows[chosen]), attempt + 1, each + copies
        if len(left) and each >= EACH:
            raise tally.spent(n - len(left), n)
    return take(stack(parts), np.argsort(np.concatenate(places)))


def _first(good: Bools, copies: int) -> Bools:
    """Of each run of `copies` draws of one row, the first that is good."""
    runs = good.reshape(-1, copies)
    first = np.zeros_like(runs)
    first[np.arange(len(runs)), runs.argmax(1)] = runs.any(1)
    return np.asarray(first.reshape(-1))
