"""What the last two, three and four tokens are together: a vector for each n-gram, found by its hash.

g_t = W [T[hash(x_t-1, x_t)], T[hash(x_t-2, ..., x_t)], T[hash(x_t-3, ..., x_t)]]: a network of bytes then need not
learn to spell before it reads (Pagnoni et al. 2024, arXiv 2412.09871, s. 3.2.1; Huang et al. 2025, arXiv 2501.16975).
N-grams that share a row are told apart by the others.

Shapes: B rows, L positions, G = LONGEST - 1 lengths, R rows of the table for each, D = SIZE, H width.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.ragged import Ints

LONGEST = 4  # tokens of an n-gram
LENGTHS = range(2, LONGEST + 1)
ROWS = 1 << 14
SIZE = 64
LEFT_OUT = 0.5  # of the n-grams while learning: long ones are learned by heart in a few passes
PRIME, SHIFT = 1_000_003, 17
BEFORE = 1  # stands before the first token
# of each token of a window, the last one first in the longest n-gram, by the length of the n-gram: (LONGEST, G)
POWERS = [[PRIME ** (LONGEST - back) if back <= n else 0 for n in LENGTHS] for back in range(LONGEST, 0, -1)]
FIRST = [i * ROWS for i in range(len(LENGTHS))]  # row of each length: (G,)
Tokens = TypeVar("Tokens", Tensor, Ints)


class Grams(nn.Module):
    """A table for all lengths."""

    powers: Tensor
    first: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(len(LENGTHS) * ROWS, SIZE)
        self.lift = nn.Linear(len(LENGTHS) * SIZE, width, bias=False)
        nn.init.normal_(self.table.weight, std=0.5)
        nn.init.normal_(self.lift.weight, std=0.05)
        self.register_buffer("powers", torch.tensor(POWERS), persistent=False)
        self.register_buffer("first", torch.tensor(FIRST), persistent=False)

    def forward(self, x: Tensor, dice: Tensor | None = None) -> Tensor:
        """(B, L) -> (B, L, H); what chance leaves out: that of dice (B, L, G)."""
        windows = F.pad(x, (LONGEST - 1, 0), value=BEFORE).unfold(1, LONGEST, 1)
        found = self.table(hashes(windows, self.powers, self.first))  # (B, L, G, D)
        if dice is not None:
            found = found * ((dice >= LEFT_OUT) / (1 - LEFT_OUT))[..., None]
        result: Tensor = self.lift(found.flatten(2))
        return result


def hashes(windows: Tokens, powers: Tokens, first: Tokens) -> Tokens:
    """The rows of the n-grams that end windows (B, L, LONGEST).  (B, L, G)"""
    code = (windows[..., None] * powers).sum(-2)
    rows: Tokens = ((code ^ (code >> SHIFT)) & (ROWS - 1)) + first
    return rows
