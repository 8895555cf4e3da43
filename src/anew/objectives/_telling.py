"""What is told before a sequence: tokens of its own vocabulary that a causal network reads and never writes.

p(x | told) = prod_t p(x_t | told, x_<t): a fact that is written in the same tokens as the text can be copied into it,
token after token, where one vector of a tower would have to spell it (Keskar et al. 2019, arXiv 1909.05858, write
control codes so). Where nothing is told nothing stands there, which is the blank condition of guidance.

A row's tokens are brought to a multiple of STEP by ends in front of them, so that rows of few different lengths are
read together; how many hangs on the row alone.

Shapes: B rows, P tokens of all parts, R as many at most, L tokens of a window, K vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from anew.core.batch import Encoded
from anew.core.ragged import Ints
from anew.core.sequences import Told
from anew.core.space import Space
from anew.objectives._built import Given

STEP = 16


def room(spaces: Iterable[Space]) -> int:
    """Tokens that may stand before a sequence."""
    return _up(sum(space.most for space in spaces if isinstance(space, Told)))


def apart(spaces: Mapping[str, Space], given: Given) -> tuple[list[Encoded], Given]:
    """What is told, and what is read by towers."""
    told = [part for name, part in given.items() if isinstance(spaces.get(name), Told)]
    return told, {name: part for name, part in given.items() if not isinstance(spaces.get(name), Told)}


def before(told: list[Encoded], x: Tensor, blank: int) -> tuple[Tensor, Tensor]:
    """(B, R + L): x (B, L) after what is told; (B, 1): where it begins."""
    said, there = torch.cat([part.x.long() for part in told], 1), torch.cat([part.present for part in told], 1)
    order = torch.sort((~there).to(torch.uint8), dim=1, stable=True).indices
    said = said.gather(1, order)  # (B, P), what is there first
    many = there.sum(1, keepdim=True)
    begins = (many + STEP - 1) // STEP * STEP
    t = torch.arange(_up(said.shape[1]) + x.shape[1], device=x.device)[None]
    place = t - (begins - many)
    read = said.gather(1, place.clamp(0, max(said.shape[1] - 1, 0))) if said.shape[1] else torch.full_like(place, blank)
    ours = x.gather(1, (t - begins).clamp(0, x.shape[1] - 1))
    return torch.where(t >= begins, ours, torch.where(place < 0, blank, read)), begins


def after(answers: Tensor, begins: Tensor, length: int) -> Tensor:
    """(B, L, K) of answers (B, R + L, K): those of the sequences themselves."""
    at = begins + torch.arange(length, device=answers.device)[None]
    return answers.gather(1, at[..., None].expand(-1, -1, answers.shape[2]))


def prefixes(told: list[Encoded], rows: int, blank: int) -> dict[int, tuple[Ints, Ints]]:
    """By its length: the rows that have one so long, and their tokens."""
    if not told:
        return {0: (torch.arange(rows).numpy(), torch.zeros(rows, 0, dtype=torch.long).numpy())}
    whole, begins = before(told, torch.full((rows, 1), blank), blank)
    lengths = begins[:, 0].numpy()
    found = {}
    for length in sorted({int(one) for one in lengths}):
        mine = (lengths == length).nonzero()[0]
        found[length] = (mine, whole[mine, :length].numpy())
    return found


def _up(many: int) -> int:
    return -(-many // STEP) * STEP
