"""Tables of weights in which neighbouring tokens are alike.

A position whose tokens are ordered (the bins of a number) has W = G F with F free and G fixed, a part of the identity
and Gaussian kernels of several widths: G_tu ~ SELF [t = u] + sum_s k_s(t - u) / |k_s|, rows scaled to length 1. A step
for one token then moves its neighbours too, so that a number of 256 bins is learned from few rows, and a spike can
still stand out. For nominal positions G is the identity.

Shapes: V = sum of the vocabularies, K tokens of one position, H columns of the table.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from anew.core.space import Tokens

SELF = 0.3  # the weight of a token alone
WIDTHS = (0.01, 0.04, 0.15)  # deviations of the kernels, as shares of the vocabulary
FEWEST = 8  # tokens from which an order helps


class Smooth(nn.Module):
    """A (V, H) table of weights over the tokens of a space."""

    def __init__(self, space: Tokens, free: Tensor) -> None:
        super().__init__()
        self.free = nn.Parameter(free)
        self.blocks = list(pairwise(space.offsets))
        ordered = space.ordered or (False,) * len(space.sizes)
        self.mixed = [order and size >= FEWEST for order, size in zip(ordered, space.sizes, strict=True)]
        for j, (size, mix) in enumerate(zip(space.sizes, self.mixed, strict=True)):
            if mix:
                self.register_buffer(f"mixing{j}", _mixing(size), persistent=False)

    def forward(self) -> Tensor:
        """The whole table (V, H)."""
        parts = [self.at(j) for j in range(len(self.blocks))]
        return torch.cat(parts) if parts else self.free

    def at(self, position: int) -> Tensor:
        """The rows of one position (K, H)."""
        low, high = self.blocks[position]
        rows = self.free[low:high]
        if not self.mixed[position]:
            return rows
        mixing = getattr(self, f"mixing{position}")
        assert isinstance(mixing, Tensor)
        return mixing @ rows


def _mixing(size: int) -> Tensor:
    index = torch.arange(size, dtype=torch.float32)
    gap = (index[:, None] - index[None]).abs()
    mixing = SELF * torch.eye(size)
    for width in WIDTHS:
        kernel = torch.exp(-0.5 * (gap / max(width * size, 0.5)) ** 2)
        mixing += kernel / kernel.norm(dim=1, keepdim=True)
    scaled: Tensor = mixing / mixing.norm(dim=1, keepdim=True)
    return scaled


def log_shares(space: Tokens) -> Tensor:
    """(V,) the log of the released frequencies, from which logits start; zero where none are released."""
    if space.shares is None:
        return torch.zeros(space.offsets[-1])
    return torch.log(torch.tensor(space.shares, dtype=torch.float32).clamp(min=1e-12))
