"""Windows over sequences, to train on: of a stream, or of each sequence beside what it is given.

Where nothing is given the sequences are one stream, and a window may start at any of its tokens. Some stretches of the
stream are held out, and no window to learn from reaches into one. Where something is given a window is of one sequence,
padded, and a long one has several. The first token of a window is told, the others are asked for.

Shapes: B windows, L targets of a window.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from anew.core.batch import Batch, Encoded
from anew.core.ragged import Ragged, segments
from anew.core.seeds import stream
from anew.core.sequences import Sequences
from anew.train import Divided, Schedule

STRETCHES = 8  # that are held out of a stream; with fewer windows all are learned from
STARTS = 4_000_000  # of windows, at most


class Windows(Divided):
    """What all windows share; `size` is how many bytes and characters the sequences have in all."""

    rest: Ragged  # what is learned from, once it is divided

    def __init__(self, size: tuple[float, float], device: str) -> None:
        self.size, self.device = size, device

    @property
    @abstractmethod
    def share(self) -> float:
        """Of all that is learned that one window is, on average."""

    def batch(self, usual: int) -> int:
        return usual

    def said(self, losses: Mapping[str, float]) -> str:
        return ", ".join(self._units(nats) for nats in losses.values())

    def judged(self, loss: float) -> list[str]:
        return [f"text held out while learning: {self._units(loss)}"] if math.isfinite(loss) else []

    def _units(self, nats: float) -> str:
        size, letters = (max(part * self.share, 1.0) for part in self.size)
        return f"{nats / math.log(2) / size:.3f} bits per byte, {nats / letters:.3f} nats per character"


class Stream(Windows):
    """Windows that start anywhere."""

    def __init__(
        self, x: Ragged, space: Sequences, context: int, device: str = "cpu", size: tuple[float, float] = (1.0, 1.0)
    ) -> None:
        super().__init__(size, device)
        whole = np.concatenate([np.asarray(space.opening, np.int32), x.tokens])
        short = max(context + 1 - len(whole), 0)
        self.tokens = torch.from_numpy(np.concatenate([whole, np.full(short, space.end, np.int32)]))
        self.there = len(whole)
        self.context = context
        self.stride = 1 + len(whole) // STARTS
        self.rest = x  # what is learned from

    def __len__(self) -> int:
        return (len(self.tokens) - self.context - 1) // self.stride + 1

    def take(self, rows: Tensor) -> Batch:
        at = rows[:, None] * self.stride + torch.arange(self.context + 1)
        known = torch.zeros(at.shape, dtype=torch.bool)
        known[:, 0] = True
        return Batch(Encoded(self.tokens[at].long(), at < self.there), known).to(self.device)

    @property
    def share(self) -> float:
        return self.context / max(self.there, self.context)

    def split(self, schedule: Schedule) -> tuple[Tensor, Tensor]:
        """Whole windows of some stretches, and all windows that do not reach into one."""
        rows, size = torch.arange(len(self)), self.context
        held = min(int(self.there // size * schedule.holdout), schedule.held)
        if held < STRETCHES:
            return rows, rows
        each = held // STRETCHES
        wide = each * size + 1 + self.stride
        stretches = [int((i + 0.5) * self.there / STRETCHES) - wide // 2 for i in range(STRETCHES)]
        starts = rows * self.stride
        free = torch.ones(len(rows), dtype=torch.bool)
        for start in stretches:
            free &= (starts + size < start) | (starts >= start + wide)
        first = torch.tensor([-(-start // self.stride) for start in stretches])
        kept = (first[:, None] + torch.arange(each) * size // self.stride).flatten()
        self.rest = _without(self.tokens[: self.there].numpy(), stretches, wide)
        return kept, rows[free]


def _without(tokens: npt.NDArray[np.int32], stretches: list[int], wide: int) -> Ragged:
    """What lies between the stretches."""
    cuts = [0, *(cut for start in stretches for cut in (start, start + wide)), len(tokens)]
    return Ragged.of(tokens[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True))


class Documents(Windows):
    """Windows of one sequence each, beside what it is given; the parts by the names `told` stand before it."""

    def __init__(
        self,
        x: Ragged,
        space: Sequences,
        context: int,
        given: Mapping[str, Encoded],
        device: str = "cpu",
        size: tuple[float, float] = (1.0, 1.0),
        told: Collection[str] = (),
    ) -> None:
        super().__init__(size, device)
        self.rest = self.x = x
        self.told = told
        self.opening = np.asarray(space.opening, np.int32)
        self.given, self.context = given, context
        self.pieces = torch.tensor(segments(x.lengths + len(self.opening), context, len(self.opening)))  # (P, 3)

    def __len__(self) -> int:
        return len(self.pieces)

    def take(self, rows: Tensor) -> Batch:
        """As wide as the longest of them."""
        parts = [(self._piece(row, start), told) for row, start, told in self.pieces[rows].tolist()]
        wide = max((len(part) for part, _ in parts), default=0)
        x, present, known = torch.zeros(len(parts), wide, dtype=torch.long), *torch.zeros(2, len(parts), wide).bool()
        for i, (part, told) in enumerate(parts):
            x[i, : len(part)], present[i, : len(part)], known[i, :told] = torch.from_numpy(part), True, True
        given = {name: self._given(name, self.pieces[rows, 0]) for name in self.given}
        return Batch(Encoded(x, present), known, given).to(self.device)

    def _given(self, name: str, rows: Tensor) -> Encoded:
        """Of what is told, no more than the longest of them."""
        part = self.given[name].take(rows)
        if name not in self.told:
            return part
        wide = int(part.present.sum(1).max()) if len(part) else 0
        return Encoded(part.x[:, :wide], part.present[:, :wide])

    def _piece(self, row: int, start: int) -> npt.NDArray[np.int32]:
        whole = np.concatenate([self.opening, self.x[row]])
        return whole[start : start + self.context + 1]

    def batch(self, usual: int) -> int:
        """As many as have about as many tokens as so many whole windows."""
        wide = float(np.minimum(self.x.lengths, self.context).mean()) if len(self.x) else 1.0
        wide += sum(float(self.given[name].present.sum(1).float().mean()) for name in self.told)
        return int(min(max(usual * self.context / max(wide, 1.0), usual), 16 * usual))

    @property
    def share(self) -> float:
        return 1 / max(len(self), 1)

    def split(self, schedule: Schedule) -> tuple[Tensor, Tensor]:
        """Whole sequences are held out."""
        rows = torch.arange(len(self))
        n = len(self.x)
        held = min(int(n * schedule.holdout), schedule.held)
        if held < STRETCHES:
            return rows, rows
        out = torch.zeros(n, dtype=torch.bool)
        out[torch.from_numpy(stream("held windows", schedule.seed).permutation(n)[:held])] = True
        self.rest = self.x.take(torch.nonzero(~out)[:, 0].tolist())
        there = out[self.pieces[:, 0]]
        return rows[there], rows[~there]
