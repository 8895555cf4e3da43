"""Tables of weights in which neighbouring tokens are alike.

A position whose tokens are ordered (the bins of a number) has W = G F with F free and G fixed, a part of the identity
and Gaussian kernels of several widths: G_tu ~ SELF [t = u] + sum_s k_s(t - u) / |k_s|, rows scaled to length 1. A step
for one token then moves its neighbours too, so that a number of 256 bins is learned from few rows, and a spike can
still stand out. For nominal positions G is the identity.

Shapes: V = sum of the vocabularies, K tokens of one position, H columns of the table.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.space import Tokens

SELF = 0.3  # the weight of a token alone
WIDTHS = (0.01, 0.04, 0.15)  # deviations of the kernels, as shares of the vocabulary
FEWEST = 8  # tokens from which an order helps


class Smooth(nn.Module):
    """A (V, H) table of weights over the tokens of a space."""

    def __init__(self, space: Tokens, free: Tensor) -> None:
        super().__init__()
        self.free = nn.Parameter(free)
        self.sizes = list(space.sizes)
        ordered = space.ordered or (False,) * len(space.sizes)
        self.mixed = [order and size >= FEWEST for order, size in zip(ordered, space.sizes, strict=True)]
        for j, (size, mix) in enumerate(zip(space.sizes, self.mixed, strict=True)):
            if mix:
                self.register_buffer(f"mixing{j}", _mixing(size), persistent=False)

    def forward(self) -> Tensor:
        """The whole table (V, H)."""
        return torch.cat(self.each()) if self.sizes else self.free

    def each(self) -> list[Tensor]:
        """The rows of every position, (K, H) each."""
        rows = torch.split(self.free, self.sizes) if self.sizes else ()
        return [self._mix(part, j) for j, part in enumerate(rows)]

    def at(self, position: int) -> Tensor:
        """The rows of one position (K, H)."""
        start = sum(self.sizes[:position])
        return self._mix(self.free[start : start + self.sizes[position]], position)

    def _mix(self, rows: Tensor, position: int) -> Tensor:
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


class Heads(nn.Module):
    """Logits of every position from a vector of its own: log share + told (O z + o), O smooth and zero at first.

    `told` is whether the position was told anything: one that was not knows the released shares exactly.
    """

    def __init__(self, space: Tokens, width: int) -> None:
        super().__init__()
        self.table = Smooth(space, torch.zeros(space.offsets[-1], width + 1))  # O and o
        shares = torch.tensor(space.shares or [1.0] * space.offsets[-1]).clamp(min=1e-12)
        self.register_buffer("log_share", torch.log(shares), persistent=False)
        self.sizes = list(space.sizes)
        self.log_share: Tensor

    def forward(self, z: Tensor, told: Tensor) -> Tensor:
        """(L, B, H), (B or 1, L) -> (B, V)."""
        if not self.sizes:
            return z.new_zeros(z.shape[1], 0)
        shares = torch.split(self.log_share, self.sizes)
        parts = zip(z.unbind(0), self.table.each(), shares, told.to(z.dtype).T[:, :, None], strict=True)
        return torch.cat([F.linear(x, rows[:, :-1], rows[:, -1]) * one + share for x, rows, share, one in parts], 1)

    def at(self, z: Tensor, position: int, told: Tensor) -> Tensor:
        """(B, H), (B,) -> (B, K) of one position."""
        rows, share = self.table.at(position), torch.split(self.log_share, self.sizes)[position]
        return F.linear(z, rows[:, :-1], rows[:, -1]) * told.to(z.dtype)[:, None] + share
