"""Exact density by the chain rule in one fixed order: log p(x) = sum_j log p(x_j | x_1, ..., x_{j-1}).

All conditionals come from one pass of a network in which position j sees the positions before it (MADE: Germain et al.
2015, arXiv 1502.03509). The likelihood is exact, and so is the Rosenblatt transform that encodes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from anew.objectives._ordered import Ordered


class Likelihood(Ordered):
    """Maximum likelihood, one order."""

    aliases = ("autoregressive", "made")
    minimises = "the exact negative log-likelihood, each position given those before it"

    def sees(self, n: int, generator: torch.Generator) -> Tensor:
        return self.before[None]
