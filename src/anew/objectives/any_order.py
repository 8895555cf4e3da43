"""Any subset given any other: one network of p(x_j | x_seen) for every set that j may see.

Each example of a step has an order of its own, and its loss is -sum_j log p(x_j | x_i of i before j in it): the
negative log-likelihood in the mean over orders (Uria et al. 2014, arXiv 1310.1757; Hoogeboom et al. 2022, arXiv
2110.02037), all its terms from one pass.

A share of the examples has the order of the positions themselves: free draws use that one, and it is learned nearly as
well as if it were the only one. What is known or asked for comes first, then the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from anew.core.batch import Encoded
from anew.core.learner import Completes
from anew.objectives._ordered import Ordered, Rule

OWN = 0.5  # the share of examples that have the order of the positions


class AnyOrder(Ordered, Completes[Encoded]):
    """Order-agnostic autoregression."""

    aliases = ("order_agnostic",)
    minimises = "the negative log-likelihood in the mean over orders of the positions"

    def sees(self, n: int, generator: torch.Generator) -> Tensor:
        turn = torch.rand(n, len(self.tokens.sizes), generator=generator)
        own = torch.rand(n, 1, 1, generator=generator) < OWN
        return torch.where(own, self.before[None], turn[:, :, None] > turn[:, None, :])

    def positions(self, rules: Sequence[Rule]) -> list[int]:
        """Conditioned positions first: what follows is drawn given them."""
        first = [rule.start + digit for rule in rules for digit in range(len(rule.sizes))]
        return first + [j for j in range(len(self.tokens.sizes)) if j not in first]

    @torch.no_grad()
    def complete(
        self, x: Encoded, known: npt.NDArray[np.bool_], rng: np.random.Generator, given: Encoded | None = None
    ) -> Encoded:
        mask = torch.from_numpy(known)
        tokens = x.x.double().where(mask, 0.0)
        return self._fill(tokens, mask, rng, given)
