"""Diffusion by flow matching: noise is carried to data along straight lines (Lipman et al. 2023, arXiv 2210.02747).

x_t = (1 - t) x_0 + t x_1 with x_0 ~ N(0, I) noise, x_1 = embed(x) data (eq. 23), and t from a logit-normal (Esser et
al. 2024, arXiv 2403.03206). The network says what the data were: parameters of p(x | x_t) in the space, learned by
their likelihood, so that tokens are learned by cross-entropy and numbers with their own uncertainty (Dieleman et al.
2022, arXiv 2211.15089, eq. 6); for numbers it corrects what the noisy one says (`denoise`). The velocity follows:
v(x_t, t) = E[x_1 - x_0 | x_t] = (E[x_1 | x_t] - x_t) / (1 - t). A sample solves dx/dt = v from t = 0 to the last time
by Heun's method and draws from p(x | x_t) there; the number of steps is chosen when drawing. Running it backwards
gives the code of an example.

Completion is trained: in a part of the examples some places are known, and stand in the input as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from anew.core.batch import Batch, Encoded
from anew.core.columns import Floats
from anew.core.learner import Completes, Encodes, Phase, Samples, Trained
from anew.core.space import Space
from anew.objectives._built import Given, build, column, context_of, generator_of, whole

PARTLY = 0.2  # the share of examples of which something is known
LAST = 0.98  # the time at which the rest is drawn from the network's answer
CODED = 32  # steps of encode and decode: the less, the less they are inverse


class Diffusion(Trained, Samples[Encoded], Completes[Encoded], Encodes[Encoded]):
    """Diffusion by flow matching; `steps` Heun steps a sample, from one checkpoint."""

    aliases = ("flow_matching",)
    reads = ("Mixed", "Real", "Tokens")
    minimises = "the likelihood of data given noisy data (flow matching)"
    halves = True
    draws = ("steps",)
    batch = 1024

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "mlp",
        seed: int = 0,
        steps: int = 8,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.steps = steps
        channels, *rest = space.shape
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network_ = build(network, (2 * channels, *rest), space.params, given=given, timed=True, **options)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"steps": int, "width": int, "depth": int}

    @property
    def module(self) -> nn.Module:
        return self.network_

    def phases(self) -> Sequence[Phase]:
        adamw = partial(torch.optim.AdamW, lr=2e-3, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
        return [Phase("denoising", list(self.module.parameters()), self.loss, adamw)]

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """-log p(x | x_t, known) in nats over what is unknown and present of each example.  (B,)"""
        e = self.space.embed(batch.x.x)
        noise, other = torch.randn((2, *e.shape), generator=generator, device=e.device)
        time = torch.sigmoid(torch.randn(len(e), generator=generator, device=e.device)) * LAST  # (B,)
        known = self._known(batch, generator)
        here = batch.x.present
        e = torch.where(self.space.embed_mask(here), e, other)  # what is not present may be anything
        along = column(time, e)
        params = self._answer((1 - along) * noise + along * e, time, e, known & here, batch.given)
        return -self.space.log_prob(params, batch.x.x, here & ~known)

    def _known(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """What of the data is known: nothing, or in some examples any share of the places.  (B, *data)"""
        if batch.known is not None:
            return batch.known
        x = batch.x.x
        dice = torch.rand((2, *x.shape), generator=generator, device=x.device)
        share = dice[0].flatten(1)[:, 0]
        return dice[1] < column(torch.where(share < PARTLY, share / PARTLY, 0.0), x)

    def _answer(self, point: Tensor, time: Tensor, e: Tensor, known: Tensor, given: Given) -> Tensor:
        """The parameters of p(x | point at that time, what is known of e)."""
        mask = self.space.embed_mask(known)
        seen = torch.cat([torch.where(mask, e, point), mask.to(point.dtype)], 1)
        return self.space.denoise(self.network_(seen, given, time), point, time)

    # ---------------------------------------------------------------- use

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | None = None) -> Encoded:
        nothing = torch.zeros((n, *self.space.data))
        return self._solve(nothing, torch.zeros_like(nothing, dtype=torch.bool), rng, given)

    @torch.no_grad()
    def complete(
        self, x: Encoded, known: npt.NDArray[np.bool_], rng: np.random.Generator, given: Encoded | None = None
    ) -> Encoded:
        """What is known stands in the network's input, as in training."""
        keep = torch.from_numpy(known)
        drawn = self._solve(torch.where(keep, x.x, 0.0), keep & x.present, rng, given)
        return Encoded(torch.where(keep, x.x, drawn.x), drawn.present)

    def _solve(self, x: Tensor, known: Tensor, rng: np.random.Generator, given: Encoded | None) -> Encoded:
        """From noise to data, given what is known of x."""
        device = next(self.module.parameters()).device
        context, generator = context_of(self.given, given), generator_of(rng)
        e, known = self.space.embed(x).to(device), known.to(device)
        point = torch.randn((len(x), *self.space.shape), generator=generator).to(device)
        times = _times(self.steps)
        for now, then in pairwise(times):
            point = self._heun(point, now, then, e, known, context)
        params = self._answer(point, torch.full((len(point),), times[-1]).to(device), e, known, context)
        return whole(self.space.unembed(self.space.relax(params.cpu(), generator)))

    def _heun(self, x: Tensor, now: float, then: float, e: Tensor, known: Tensor, given: Given) -> Tensor:
        """One step of second order: the mean of the slopes at both ends."""
        slope = self._slope(x, now, e, known, given)
        end = self._slope(x + (then - now) * slope, then, e, known, given)
        return x + (then - now) * (slope + end) / 2

    def _slope(self, x: Tensor, time: float, e: Tensor, known: Tensor, given: Given) -> Tensor:
        times = torch.full((len(x),), time, device=x.device)
        return (self.space.expect(self._answer(x, times, e, known, given)) - x) / (1 - time)

    @torch.no_grad()
    def encode(self, x: Encoded, given: Encoded | None = None) -> Floats:
        """The noise from which the deterministic path leads to x: a token is taken at the middle of its place."""
        e = torch.where(self.space.embed_mask(x.present), self.space.embed(x.x), 0.0)
        point = self._path(LAST * e, torch.linspace(LAST, 0, CODED + 1).tolist(), given)
        return np.asarray(point.flatten(1).double().numpy())

    @torch.no_grad()
    def decode(self, z: Floats, given: Encoded | None = None) -> Encoded:
        times = torch.linspace(0, LAST, CODED + 1).tolist()
        point = self._path(torch.from_numpy(z).float().reshape(-1, *self.space.shape), times, given)
        nothing = torch.zeros((len(point), *self.space.data), dtype=torch.bool)
        params = self._answer(point, torch.full((len(point),), LAST), point, nothing, context_of(self.given, given))
        return whole(self.space.unembed(self.space.expect(params)))

    def _path(self, x: Tensor, times: Sequence[float], given: Encoded | None) -> Tensor:
        nothing, context = torch.zeros((len(x), *self.space.data), dtype=torch.bool), context_of(self.given, given)
        for now, then in pairwise(times):
            x = self._heun(x, now, then, x, nothing, context)
        return x


def _times(steps: int) -> list[float]:
    """Steps get smaller towards the data, where tokens are decided.  (steps + 1,)"""
    return [LAST * (1 - (1 - i / steps) ** 1.0) for i in range(steps + 1)]
