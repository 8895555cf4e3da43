"""Generative adversarial network: a generator against a discriminator, each with a phase of the one training loop.

The relativistic pairing of R3GAN (Huang et al. 2024, arXiv 2501.05441, eq. 2 and 6): with a real example x, a made one
y = G(z) and the difference of what the discriminator says, d = D(x) - D(y), the discriminator minimises
softplus(-d) + gamma / 2 (|grad D(x)|^2 + |grad D(y)|^2) and the generator softplus(d). Both are one number per example.
The slopes are measured along one random direction, |grad D|^2 = E[(D(x + s e) - D(x))^2 / s^2] with e ~ N(0, I) and a
small s (Lin et al. 2025, arXiv 2501.08316, eq. 3), which costs an evaluation instead of a second derivative.

A made example is a differentiable draw of the space (`relax`), rounded on the way forward only, so that the
discriminator cannot tell soft tokens from hard ones (straight through: Bengio et al. 2013; Jang et al. 2017).
What is not present is replaced by noise, which the generator can make and which says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from anew.core.batch import Batch, Encoded
from anew.core.learner import Phase, Samples, Trained
from anew.core.space import Space
from anew.objectives._built import Given, build, context_of, generator_of, whole

STEP = 0.1  # of the direction along which a slope is measured, in deviations of the embedding


class Minimax(Trained, Samples[Encoded]):
    """A generator of `latent` coordinates of noise against a discriminator with gradient penalty `gamma`."""

    aliases = ("gan",)
    reads = ("Mixed", "Real", "Tokens")
    minimises = "a two-player game: the generator's draws against a discriminator, relativistic, with R1 and R2"
    halves = True
    validates = False  # neither player's loss says how good the samples are

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "mlp",
        seed: int = 0,
        latent: int = 64,
        gamma: float = 5.0,
        width: int = 128,
        depth: int = 2,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.latent, self.gamma = latent, gamma
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.discriminator = build(network, space.shape, (1,), given=given, width=width, depth=depth, **options)
            self.generator = build(network, (latent,), space.params, given=given, width=width, depth=depth, **options)
        self._module = nn.ModuleDict({"discriminator": self.discriminator, "generator": self.generator})

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"latent": int, "gamma": float, "width": int, "depth": int}

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
        """softplus(D(y) - D(x)) + gamma / 2 (|grad D(x)|^2 + |grad D(y)|^2).  (B,)"""
        real, made = self._pair(batch, generator)
        made = made.detach()
        said_real, said_made = self._judge(real, batch.given), self._judge(made, batch.given)
        slopes = [
            (self._judge(e + STEP * torch.randn(e.shape, generator=generator, device=e.device), batch.given) - said)
            / STEP
            for e, said in ((real, said_real), (made, said_made))
        ]
        return softplus(said_made - said_real) + self.gamma / 2 * (slopes[0] ** 2 + slopes[1] ** 2)

    def generate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """softplus(D(x) - D(y)).  (B,)"""
        real, made = self._pair(batch, generator)
        return softplus(self._judge(real, batch.given) - self._judge(made, batch.given))

    def _pair(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Real and made examples, embedded.  (B, *shape) each"""
        real = self.space.embed(batch.x.x)
        noise = torch.randn(real.shape, generator=generator, device=real.device)
        here = self.space.embed_mask(batch.x.present)
        z = torch.randn((len(real), self.latent), generator=generator, device=real.device)
        soft = self.space.relax(self.generator(z, batch.given), generator)
        hard = self.space.embed(self.space.unembed(soft)).detach()
        return torch.where(here, real, noise), hard + soft - soft.detach()

    def _judge(self, e: Tensor, given: Given) -> Tensor:
        said: Tensor = self.discriminator(e, given)
        return said[:, 0]

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | None = None) -> Encoded:
        noise, context = generator_of(rng), context_of(self.given, given)
        z = torch.randn((n, self.latent), generator=noise)
        return whole(self.space.unembed(self.space.relax(self.generator(z, context), noise)))
