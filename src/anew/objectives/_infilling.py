"""Fill in the middle: sequences put in the order prefix, suffix, middle, so that what is asked for comes last.

x_0 PREFIX a SUFFIX b MIDDLE m CLOSE, for a sequence x_0 a m b (Bavarian et al. 2022, arXiv 2207.14255): a causal
network that learns from some of them so fills a gap by writing on. The four marks stand behind the vocabulary; only
CLOSE costs, which says that the gap is full.

Shapes: B rows, N tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anew.core.dice import uniform

CLOSE, PREFIX, SUFFIX, MIDDLE = range(4)  # after the vocabulary
MARKS = 4
WIDEST = 0.5  # of a window that is cut out


def rearranged(x: Tensor, wanted: Tensor, there: Tensor, size: int, share: float, generator: torch.Generator) -> Tensor:
    """(2, B, N): tokens and which are asked for, a share of the rows (B, N) put so; the last tokens may drop out.

    Rows that are told more than their first token stay as they are, and so do those too short to be cut.
    """
    rows, wide = x.shape
    dice = uniform((3, rows, 1), generator, x.device)
    length = there.sum(1, keepdim=True).clamp(max=wide - MARKS)  # of what is put anew (B, 1)
    middle = 1 + (dice[0].square() * WIDEST * (length - 2)).long().clamp(min=0)
    begin = 1 + (dice[1] * (length - middle)).long().clamp(min=0)  # x_begin is the first of the middle
    after = length - begin - middle  # tokens of the suffix
    t = torch.arange(wide, device=x.device)[None]
    in_suffix, in_middle = begin + 2, begin + 3 + after
    source = torch.where(
        t <= begin, t - 1, torch.where(t < in_middle, t - in_suffix + begin + middle, t - in_middle + begin)
    )
    moved = x.gather(1, source.clamp(0, wide - 1).expand(rows, -1))
    moved = torch.where(t == 0, x, moved)
    marks = ((1, PREFIX), (begin + 1, SUFFIX), (in_middle - 1, MIDDLE), (in_middle + middle, CLOSE))
    asked = (t > 1) & (t <= in_middle + middle)
    for place, mark in marks:
        moved = torch.where(t == place, size + mark, moved)
        asked = asked & ((t != place) | (mark == CLOSE))
    plain = (dice[2] >= share) | (length < 4) | (wanted != (there & (t > 0))).any(1, keepdim=True)
    return torch.stack([torch.where(plain, x, moved), torch.where(plain, wanted, asked).to(x.dtype)])


def question(opening: Sequence[int], before: Sequence[int], after: Sequence[int], size: int, context: int) -> list[int]:
    """What a network reads before it fills a gap: as much of both sides as leaves it room."""
    before, after = before[-(3 * context // 8) :], after[: context // 4]
    return [*opening[-1:], size + PREFIX, *before, size + SUFFIX, *after, size + MIDDLE]
