"""Generative adversarial network: a generator against a discriminator, each with a phase of the one training loop.

The discriminator D is the classifier of real examples x against made ones y: it minimises softplus(-D(x)) +
softplus(D(y)) + gamma / 2 (|grad D(x)|^2 + |grad D(y)|^2) (Goodfellow et al. 2014; the slopes: Mescheder et al. 2018,
arXiv 1801.04406), so that e^D estimates p(x) / q(x). The slopes are measured along one random direction, |grad D|^2 =
E[(D(x + s e) - D(x))^2 / s^2] with e ~ N(0, I) and a small s (Lin et al. 2025, arXiv 2501.08316, eq. 3), which costs an
evaluation instead of a second derivative.

The generator is a mixture q(x) = E_z[q(x|z)] whose q(x|z) is known, and moves it to where D sees real examples (the
boundary-seeking GAN for discrete data: Hjelm et al. 2018, arXiv 1702.08431, eq. 8 to 10). It minimises

    -log E_q(x|z)[e^D(x)],   gradient  -sum_m w_m (grad log q(t_m|z) + grad D(x_m)),   w = softmax(D(x_1), .., D(x_M)),

of M examples x_m ~ q(x|z) with tokens t_m. Numbers are drawn as mean + deviation x noise, and the gradient goes through
them; tokens need not be softened: a gradient through rounded ones taught the marginals and nothing that hangs together
(docs/log.md).

What D still tells apart when the training is over is mended while drawing: of `candidates` examples one is kept with
probability proportional to e^D (sampling importance resampling, Rubin 1988; for GANs: Azadi et al. 2019, arXiv
1810.06758). Shapes: B batch, M draws of a code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from anew.core.batch import Batch, Encoded
from anew.core.dice import normal
from anew.core.learner import Config, Learner, Phase, Samples, Trained
from anew.core.network import NETWORKS
from anew.core.space import Space
from anew.objectives._built import Given, build, context_of, generator_of, whole

STEP = 0.1  # of the direction along which a slope is measured, in deviations of the embedding
DRAWS = 8  # examples of a code that the generator compares
FLAT = 1300.0  # gamma times rows: few rows are soon known by heart, and D must stay flat between them
AT_ONCE = 4096  # candidates that are judged together


class Minimax(Trained, Samples[Encoded]):
    """A generator of `latent` coordinates of noise against a discriminator with gradient penalty `gamma`."""

    aliases = ("gan",)
    reads = ("Mixed", "Real", "Tokens")
    networks = ("mlp", "conv")
    minimises = "a two-player game: the generator's draws against a classifier of real and made examples"
    batch = 256
    halves = True
    validates = False  # neither player's loss says how good the samples are
    draws = ("candidates",)

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "mlp",
        seed: int = 0,
        latent: int = 64,
        gamma: float = 0.05,
        width: int = 128,
        depth: int = 2,
        candidates: int = 16,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.latent, self.gamma, self.candidates = latent, gamma, candidates
        self.usual, self.rounded = space.usual(), space.rounded()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.discriminator = build(network, space.shape, (1,), given=given, width=width, depth=depth, **options)
            self.generator = build(network, (latent,), space.params, given=given, width=width, depth=depth, **options)
        self._module = nn.ModuleDict({"discriminator": self.discriminator, "generator": self.generator})

    @classmethod
    def variant(cls, network: str | None) -> type[Learner]:
        """Numbers of a picture hang together and have no density of their own: another game, by gradients alone."""
        if network is None or not NETWORKS[network].pictures:
            return cls
        from anew.objectives._relativistic import Relativistic

        return Relativistic

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"latent": int, "gamma": float, "width": int, "depth": int, "candidates": int}

    @classmethod
    def sized(cls, rows: int, columns: int, cpu_seconds: float | None) -> Config:
        return {"gamma": round(min(max(FLAT / max(rows, 1), 0.05), 5.0), 3)}

    @property
    def module(self) -> nn.Module:
        return self._module

    def phases(self) -> Sequence[Phase]:
        adam = partial(torch.optim.AdamW, betas=(0.0, 0.99), weight_decay=0.0, fused=True)
        return [
            Phase("discriminator", list(self.discriminator.parameters()), self.discriminate, partial(adam, lr=1e-3)),
            Phase("generator", list(self.generator.parameters()), self.generate, partial(adam, lr=1e-3)),
        ]

    def discriminate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """softplus(-D(x)) + softplus(D(y)) + gamma / 2 (|grad D(x)|^2 + |grad D(y)|^2).  (B,)"""
        loss = torch.zeros(len(batch), device=batch.x.x.device)
        for e, sign in ((self._real(batch, generator), -1), (self._made(batch, generator), 1)):
            said = self._judge(e, batch.given)
            near = e + STEP * normal(e.shape, generator, e.device)
            slope = (self._judge(near, batch.given) - said) / STEP
            loss = loss + softplus(sign * said) + self.gamma / 2 * slope**2
        return loss

    def generate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """-log mean_m e^D(x_m) of M examples of one code, with the gradient of the module's docstring.  (B,)"""
        params = self._params(len(batch), batch.given, generator, batch.x.x.device).repeat_interleave(DRAWS, 0)
        x = self.space.unembed(self.space.relax(params, generator))  # numbers keep their gradient, tokens have none
        said = self._fixed(self.space.embed(x), _often(batch.given, DRAWS)).reshape(len(batch), DRAWS)
        chosen = self.rounded.to(x.device).expand(x.shape)
        nats = self.space.log_prob(params, x.detach(), chosen).reshape(len(batch), DRAWS)
        luck = (nats - nats.detach()).mean(1)  # of value and mean gradient 0; without it the gradient is noisier
        return luck + math.log(DRAWS) - torch.logsumexp(said + nats - nats.detach(), 1)

    def _real(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Real examples, embedded; what is not present is noise, which says nothing.  (B, *shape)"""
        e = self.space.embed(batch.x.x)
        noise = normal(e.shape, generator, e.device)
        return torch.where(self.space.embed_mask(batch.x.present), e, noise)

    @torch.no_grad()
    def _made(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """As many made ones.  (B, *shape)"""
        params = self._params(len(batch), batch.given, generator, batch.x.x.device)
        return self.space.embed(self.space.unembed(self.space.relax(params, generator)))

    def _params(self, n: int, given: Given, generator: torch.Generator, device: torch.device) -> Tensor:
        """What q(x|z) is for n random codes: at first the released marginals, whatever the code.  (n, *params)"""
        z = normal((n, self.latent), generator, device)
        params: Tensor = self.generator(z, given)
        return params + self.usual.to(device)

    def _judge(self, e: Tensor, given: Given) -> Tensor:
        said: Tensor = self.discriminator(e, given)
        return said[:, 0]

    def _fixed(self, e: Tensor, given: Given) -> Tensor:
        """What D says, with a gradient in e but none in D."""
        weights = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        said: Tensor = torch.func.functional_call(self.discriminator, weights, (e, given))
        return said[:, 0]

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | None = None) -> Encoded:
        noise, context = generator_of(rng), context_of(self.given, given)
        rows = torch.split(torch.arange(n), max(AT_ONCE // self.candidates, 1))
        kept = [
            self._kept(len(some), {name: part.take(some) for name, part in context.items()}, noise) for some in rows
        ]
        return whole(torch.cat(kept))

    def _kept(self, n: int, given: Given, noise: torch.Generator) -> Tensor:
        """Data of n examples, each chosen from its candidates: the highest D after Gumbel noise is a draw by e^D."""
        each, given = self.candidates, _often(given, self.candidates)
        x = self.space.unembed(self.space.relax(self._params(n * each, given, noise, torch.device("cpu")), noise))
        if each == 1:
            return x
        luck = -torch.log(-torch.log(torch.rand((n, each), generator=noise).clamp(1e-9, 1 - 1e-7)))
        best = (self._judge(self.space.embed(x), given).reshape(n, each) + luck).argmax(1)
        return x.reshape(n, each, *x.shape[1:])[torch.arange(n), best]


def _often(given: Given, times: int) -> Given:
    """Each row of the conditions so many times."""
    return {
        name: Encoded(part.x.repeat_interleave(times, 0), part.present.repeat_interleave(times, 0))
        for name, part in given.items()
    }
