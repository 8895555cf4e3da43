"""Flow matching: noise is carried to data along straight lines (Lipman et al. 2023, arXiv 2210.02747, eq. 23).

x_t = (1 - t) x_0 + t x_1 with x_0 ~ N(0, I) noise, x_1 = embed(x) data, and t from a logit-normal (Esser et al. 2024,
arXiv 2403.03206). The network learns the velocity v(x_t, t) = E[x_1 - x_0 | x_t]; a sample solves dx/dt = v(x, t)
from t = 0 to 1 by Heun's method. Written over `embed` and `unembed` alone, so it serves every space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from anew.core.batch import Batch, Encoded
from anew.core.learner import Phase, Samples, Trained
from anew.core.network import NETWORKS, Module
from anew.core.space import Space


class Diffusion(Trained, Samples[Encoded]):
    """Diffusion by flow matching; `steps` Heun steps a sample."""

    aliases = ("flow_matching",)
    reads = ("Mixed", "Real", "Tokens")
    minimises = "the squared error of the velocity from noise to data (flow matching)"

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "mlp",
        seed: int = 0,
        steps: int = 24,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.steps = steps
        kind = NETWORKS[network]
        assert issubclass(kind, Module), f"{network} is not a network that can be trained"
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.velocity = kind(space.shape, space.shape, given=given, timed=True, **options)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"steps": int, "width": int, "depth": int}

    @property
    def module(self) -> nn.Module:
        assert isinstance(self.velocity, nn.Module)
        return self.velocity

    def phases(self) -> Sequence[Phase]:
        return [
            Phase(
                "velocity",
                list(self.module.parameters()),
                self.loss,
                partial(torch.optim.AdamW, lr=1e-3, betas=(0.9, 0.99)),
            )
        ]

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """|v(x_t, t) - (x_1 - x_0)|^2, averaged over the present parts of each example.  (B,)"""
        target = self.space.embed(batch.x.x)
        here = self.space.embed_mask(batch.x.present).to(target.dtype)
        noise = torch.randn(target.shape, generator=generator, device=target.device)
        time = torch.sigmoid(torch.randn(len(target), generator=generator, device=target.device))  # (B,)
        along = _column(time, target)
        point = (1 - along) * noise + along * target * here
        error = (self.velocity.forward(point, batch.given, time) - (target - noise)) ** 2 * here
        return error.flatten(1).sum(1) / here.flatten(1).sum(1).clamp(min=1.0)

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | None = None) -> Encoded:
        conditions = {} if given is None else dict.fromkeys(self.given, given)
        device = next(self.module.parameters()).device
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        x = torch.randn((n, *self.space.shape), generator=generator).to(device)  # noise made on the CPU: same anywhere
        times = torch.linspace(0, 1, self.steps + 1, device=device)
        for now, then in pairwise(times):
            x = self._heun(x, now, then, conditions)
        data = self.space.unembed(x)
        return Encoded(data, torch.ones_like(data, dtype=torch.bool))

    def _heun(self, x: Tensor, now: Tensor, then: Tensor, given: Mapping[str, Encoded]) -> Tensor:
        """One step of second order: the mean of the slopes at both ends."""
        slope = self.velocity.forward(x, given, now.expand(len(x)))
        if then >= 1:
            return x + (then - now) * slope
        end = self.velocity.forward(x + (then - now) * slope, given, then.expand(len(x)))
        return x + (then - now) * (slope + end) / 2


def _column(time: Tensor, like: Tensor) -> Tensor:
    """(B,) -> (B, 1, ..., 1), to broadcast over `like`."""
    return time.reshape(-1, *([1] * (like.ndim - 1)))
