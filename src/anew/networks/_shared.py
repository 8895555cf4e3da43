"""One vocabulary for all positions: the counterpart of `_smooth`, whose positions have each their own.

Shapes: B batch, L positions, K tokens, H width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anew.core.space import Tokens


class Table(nn.Module):
    """A table of weights (K, H) over the tokens."""

    def __init__(self, free: Tensor) -> None:
        super().__init__()
        self.free = nn.Parameter(free)

    def forward(self) -> Tensor:
        result: Tensor = self.free
        return result

    def at(self, position: int) -> Tensor:
        """The rows of one position, which are those of all."""
        return self.forward()


class Writer(nn.Module):
    """Logits of every position from a vector of its own, all by the same map, which is zero at first."""

    def __init__(self, space: Tokens, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, space.sizes[0])
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, z: Tensor, told: Tensor) -> Tensor:
        """(L, B, H) -> (B, L K); a position that was told nothing may differ from another such: it knows its place."""
        with torch.autocast(z.device.type, enabled=False):  # chances of many tokens are not told in half precision
            result: Tensor = self.linear(z.float().transpose(0, 1)).flatten(1)
        return result

    def at(self, z: Tensor, position: int, told: Tensor) -> Tensor:
        """(B, H) -> (B, K) of one position."""
        result: Tensor = self.linear(z)
        return result
