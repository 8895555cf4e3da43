"""Diffusion by flow matching: noise is carried to data along straight lines (Lipman et al. 2023, arXiv 2210.02747).

x_t = (1 - t) x_0 + t x_1 with x_0 ~ N(0, I) noise, x_1 = embed(x) data (eq. 23), and t from a logit-normal (Esser et
al. 2024, arXiv 2403.03206). The network says what the data were, or which way they lie (`_denoising`); the velocity
follows. A sample solves dx/dt = v(x, t) from noise on; the number of steps is chosen when drawing. Running it backwards
gives the code of an example.

Completion is trained: in a part of the examples some places are known, and stand in the input as they are. So is
guidance: in a tenth of the examples nothing is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from anew.core.batch import Batch, Encoded
from anew.core.columns import Floats
from anew.core.dice import normal, uniform
from anew.core.halves import halves
from anew.core.learner import Completes, Encodes, Optimiser, Phase, Samples, Trained
from anew.core.muon import Muon
from anew.core.network import Module
from anew.core.space import Space
from anew.objectives._built import Given, build, column, context_of, dropped, generator_of, matrices_of, whole
from anew.objectives._denoising import denoising
from anew.objectives._ways import Guided, Seen, Slope, bent, euler, heun, multistep

PARTLY = 0.2  # the share of examples of which something is known
EARLY = 0.5  # the share whose time is near the noise, where a picture is given
LATE, FEW = 0.7, 0.25  # leaps are learned in the last part of the training, from a quarter of the rows of a step
HALVINGS = 2  # leaps are learned over all of the time, its halves and its quarters
LEAPS = 2  # steps up to which a draw leaps: with more the slopes themselves are better


class Diffusion(Trained, Samples[Encoded], Completes[Encoded], Encodes[Encoded]):
    """Diffusion by flow matching; `steps` steps a sample and any guidance, from one checkpoint."""

    aliases = ("flow_matching",)
    reads = ("Mixed", "Real", "Tokens")
    minimises = "the likelihood of data given noisy data, or for pictures the squared error of their difference"
    networks = ("mlp", "unet", "patches")
    halves = True
    open_given = True
    draws = ("steps", "guidance")
    batch = 1024
    at_once = 2**20  # rows that the network is asked for at once
    coded = 32  # steps of encode and decode: the less, the less they are inverse

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "mlp",
        seed: int = 0,
        steps: int | None = None,
        guidance: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.steps, self.guidance = steps or (16 if space.squared else 8), guidance
        if space.squared:
            self.batch, self.held, self.at_once, self.coded = 64, 512, 64, 16  # at once: more leave the cache
        self.denoising = denoising(space)
        channels, *rest = space.shape
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network_ = build(
                network,
                (2 * channels, *rest),
                self.denoising.out,
                given=given,
                timed=True,
                leaps=space.squared,
                **options,
            )

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"steps": int, "guidance": float, "width": int, "depth": int}

    @property
    def module(self) -> nn.Module:
        return self.network_

    def leaping(self) -> Sequence[nn.Parameter]:
        """What of the network only leaps use; nothing where it cannot leap."""
        assert isinstance(self.network_, Module)
        return self.network_.leaping() if self.space.squared else []

    @property
    def leaps_are_learned(self) -> bool:
        """Not where the best weights are from before the leaps joined: their matrices start at zero."""
        leaps = self.leaping()
        return bool(leaps) and all(bool(parameter.any()) for parameter in leaps)

    def phases(self) -> Sequence[Phase]:
        adamw: Optimiser = partial(torch.optim.AdamW, lr=2e-3, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
        muon: Optimiser = partial(Muon, matrices=matrices_of(self.network_), rate=2e-3, decay=1e-4, betas=(0.9, 0.99))
        optimiser = muon if self.space.squared else adamw
        leaps = self.leaping()
        apart = {id(parameter) for parameter in leaps}
        slopes = [parameter for parameter in self.module.parameters() if id(parameter) not in apart]
        phases = [Phase("denoising", slopes, self.loss, optimiser)]
        if leaps:
            phases.append(Phase("leaps", leaps, self.leap_loss, adamw, begins=LATE, share=FEW))
        return phases

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Of what is unknown and present of each example: -log p(x | x_t, known) in nats, or a squared error.  (B,)"""
        e = self.space.embed(batch.x.x)
        noise, other = normal((2, *e.shape), generator, e.device)
        time = self._times(len(e), generator, e.device)
        known = batch.known
        if known is None:
            known = self.space.regions(len(e), PARTLY, generator, e.device)
        here = batch.x.present
        given = dropped(batch.given, generator)
        e = torch.where(self.space.embed_mask(here), e, other)  # what is not present may be anything
        along = column(time, e)
        point = (1 - along) * noise + along * e
        said = self._ask(point, time, Seen(e, known & here, given))
        return self.denoising.loss(said, point, time, e - noise, batch.x.x, here & ~known)

    def _times(self, n: int, generator: torch.Generator, device: torch.device) -> Tensor:
        """The times of a step's examples: logit-normal, and near the noise where a picture that is given decides
        early what will be there.  (n,)"""
        time = torch.sigmoid(normal((n,), generator, device))
        if any(part.squared for part in self.given.values()):
            early = uniform((2, n), generator, device)
            time = torch.where(early[0] < EARLY, early[1] ** 2, time)
        return time * self.denoising.last

    def leap_loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """How far a leap misses where two of half its length lead, one after the other; the shortest leap follows the
        slope in its middle (Frans et al. 2024, arXiv 2410.12557, eq. 4; the midpoint rule).  (B,)
        """
        e = self.space.embed(batch.x.x)
        n, device = len(e), e.device
        noise, other = normal((2, *e.shape), generator, device)
        dice = uniform((2, n), generator, device)
        far = 2.0 ** -((HALVINGS + 1) * dice[0]).floor()
        time = far * (dice[1] / far).floor()
        known = self.space.regions(n, PARTLY, generator, device) if batch.known is None else batch.known
        here = batch.x.present
        e = torch.where(self.space.embed_mask(here), e, other)
        point = noise + column(time, e) * (e - noise)
        seen = Seen(e, known & here, dropped(batch.given, generator))
        with torch.no_grad():
            goal = self._goal(point, time, far, seen)
        wrong = torch.where(self.space.embed_mask(here & ~known), self._ask(point, time, seen, far) - goal, 0.0)
        return wrong.square().flatten(1).mean(1)

    def _goal(self, point: Tensor, time: Tensor, far: Tensor, seen: Seen) -> Tensor:
        shortest = far < 2.0**-HALVINGS * 1.5
        half = torch.where(shortest, 0.0, far / 2)
        first = self._ask(point, time, seen, half)
        second = self._ask(point + column(far / 2, point) * first, time + far / 2, seen, half)
        return torch.where(column(shortest, point), second, (first + second) / 2)

    def _ask(self, point: Tensor, time: Tensor, seen: Seen, far: Tensor | None = None) -> Tensor:
        """What the network says of points at their times (B,), what is known standing in them as it is.

        `far` (B,): of the mean slope over so much time, where it leaps.
        """
        mask = self.space.embed_mask(seen.known)
        read = torch.cat([torch.where(mask, seen.e, point), mask.to(point.dtype)], 1)
        said: Tensor = (
            self.network_(read, seen.given, time) if far is None else self.network_(read, seen.given, time, far)
        )
        return said

    # ---------------------------------------------------------------- use

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | Given | None = None) -> Encoded:
        nothing = torch.zeros((n, *self.space.data))
        return self._solve(nothing, torch.zeros_like(nothing, dtype=torch.bool), rng, given)

    @torch.no_grad()
    def complete(
        self, x: Encoded, known: npt.NDArray[np.bool_], rng: np.random.Generator, given: Encoded | Given | None = None
    ) -> Encoded:
        """What is known stands in the network's input, as in training."""
        keep = torch.from_numpy(known)
        drawn = self._solve(torch.where(keep, x.x, 0.0), keep & x.present, rng, given)
        return Encoded(torch.where(keep, x.x, drawn.x), drawn.present)

    def _solve(self, x: Tensor, known: Tensor, rng: np.random.Generator, given: Encoded | Given | None) -> Encoded:
        """From noise to data, given what is known of x."""
        generator = generator_of(rng)
        point = torch.randn((len(x), *self.space.shape), generator=generator)
        with halves(self.device.type, self.space.squared):
            e = self._in_parts(lambda part, seen: self._draw(part, seen, generator), point, x, known, given)
        return whole(self.space.unembed(e))

    def _draw(self, point: Tensor, seen: Seen, generator: torch.Generator) -> Tensor:
        last = self.denoising.last
        times = [last * i / self.steps for i in range(self.steps + 1)]
        if self.steps <= LEAPS and self.leaps_are_learned:
            point = euler(self._slope(seen, 1 / self.steps), point, times)
        elif self.space.squared:
            point = multistep(self._slope(seen), point, bent(self.steps, last))
        else:
            point = heun(self._slope(seen), point, times)
        return self.denoising.finish(partial(self._ask, seen=seen), point, generator)

    @torch.no_grad()
    def encode(self, x: Encoded, given: Encoded | Given | None = None) -> Floats:
        """The noise from which the deterministic path leads to x: a token is taken at the middle of its place."""
        last, nothing = self.denoising.last, torch.zeros_like(x.present)
        e = torch.where(self.space.embed_mask(x.present), self.space.embed(x.x), 0.0)
        times = torch.linspace(last, 0, self.coded + 1).tolist()
        point = self._in_parts(lambda part, seen: heun(self._slope(seen), part, times), last * e, x.x, nothing, given)
        return np.asarray(point.flatten(1).double().numpy())

    @torch.no_grad()
    def decode(self, z: Floats, given: Encoded | Given | None = None) -> Encoded:
        times = torch.linspace(0, self.denoising.last, self.coded + 1).tolist()
        point = torch.from_numpy(z).float().reshape(-1, *self.space.shape)
        nothing = torch.zeros((len(point), *self.space.data))

        def back(part: Tensor, seen: Seen) -> Tensor:
            part = heun(self._slope(seen), part, times)
            return self.denoising.finish(partial(self._ask, seen=seen), part, None)

        e = self._in_parts(back, point, nothing, nothing.bool(), given)
        return whole(self.space.unembed(e))

    def _in_parts(
        self,
        work: Callable[[Tensor, Seen], Tensor],
        point: Tensor,
        x: Tensor,
        known: Tensor,
        given: Encoded | Given | None,
    ) -> Tensor:
        """`work` on some rows at a time, on the network's device; the result is on the CPU."""
        context, results = context_of(self.given, given), []
        for rows in torch.split(torch.arange(len(point)), self.at_once):
            told = {name: Encoded(part.x[rows], part.present[rows]) for name, part in context.items()}
            some = Batch(Encoded(self.space.embed(x[rows]), known[rows]), given=told).to(self.device)
            results.append(work(point[rows].to(self.device), Seen(some.x.x, some.x.present, some.given)).cpu())
        return torch.cat(results)

    @property
    def device(self) -> torch.device:
        return next(self.module.parameters()).device

    def _slope(self, seen: Seen, far: float | None = None) -> Slope:
        guided = Guided(partial(self._velocity, far=far), self.guidance)
        return lambda point, time: guided(point, time, seen)

    def _velocity(self, point: Tensor, time: float, seen: Seen, far: float | None = None) -> Tensor:
        """The slope at a time, or the mean slope of a leap over `far` from there."""
        times = torch.full((len(point),), time, device=point.device)
        lengths = None if far is None else torch.full_like(times, far)
        return self.denoising.velocity(self._ask(point, times, seen, lengths), point, times)
