"""The adversarial game over pictures: the relativistic pairing of R3GAN (Huang et al. 2024, arXiv 2501.05441).

With a real example x, a made one y = G(z) and the difference of what the discriminator says, d = D(x) - D(y), the
discriminator minimises softplus(-d) + gamma / 2 (|grad D(x)|^2 + |grad D(y)|^2) and the generator softplus(d) (eq. 2
and 6). D sees both through small natural changes of the space (DiffAugment: Zhao et al. 2020, arXiv 2006.10738), so
that it cannot learn few examples by heart. Slopes are measured along one random direction, |grad D|^2 =
E[(D(x + s e) - D(x))^2 / s^2] with e ~ N(0, I) and a small s (Lin et al. 2025, arXiv 2501.08316, eq. 3), which costs an
evaluation and no second derivative. What is not present is noise, which says nothing.

The numbers of a picture hang together, so a made one is what G says, without noise of its own. Shapes: B batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from anew.core.batch import Batch, Encoded
from anew.core.dice import normal
from anew.core.learner import Phase, Samples, Trained
from anew.core.muon import Muon
from anew.core.space import Space
from anew.objectives._built import Given, build, context_of, dropped, generator_of, matrices_of, whole

STEP = 0.1  # of the direction along which a slope is measured


class Relativistic(Trained, Samples[Encoded]):
    """A generator of `latent` coordinates of noise against a discriminator with slopes punished by `gamma`."""

    reads = ("Real",)
    networks = ("conv",)
    open_given = True
    minimises = "a two-player game: pictures of a generator against a discriminator, relativistic, with R1 and R2"
    batch = 64
    halves = True
    validates = False  # neither player's loss says how good the samples are

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "conv",
        seed: int = 0,
        latent: int = 64,
        gamma: float = 1.0,
        vary: float = 1.0,
        rate: float = 1e-3,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.latent, self.gamma, self.vary, self.rate = latent, gamma, vary, rate
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.discriminator = build(network, space.shape, (1,), given=given, **options)
            self.generator = build(network, (latent,), space.shape, given=given, **options)
        self._module = nn.ModuleDict({"discriminator": self.discriminator, "generator": self.generator})

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"latent": int, "gamma": float, "vary": float, "rate": float, "width": int, "depth": int}

    @property
    def module(self) -> nn.Module:
        return self._module

    def phases(self) -> Sequence[Phase]:
        return [
            self._phase("discriminator", self.discriminator, self.discriminate),
            self._phase("generator", self.generator, self.generate),
        ]

    def _phase(self, name: str, player: nn.Module, loss: Any) -> Phase:
        moved = partial(Muon, matrices=matrices_of(player), rate=self.rate, decay=0.0, betas=(0.0, 0.99))
        return Phase(name, list(player.parameters()), loss, moved)

    def discriminate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """softplus(D(y) - D(x)) + gamma / 2 (|grad D(x)|^2 + |grad D(y)|^2).  (B,)"""
        batch = self._open(batch, generator)
        with torch.no_grad():
            seen = self._seen(batch, generator)
        near = seen + STEP * normal(seen.shape, generator, seen.device)
        real, made, by_real, by_made = self._judge(torch.cat([seen, near]), batch.given, 4)
        slopes = ((by_real - real) ** 2 + (by_made - made) ** 2) / STEP**2
        return softplus(made - real) + self.gamma / 2 * slopes

    def generate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """softplus(D(x) - D(y)).  (B,)"""
        batch = self._open(batch, generator)
        real, made = self._judge(self._seen(batch, generator), batch.given, 2)
        return softplus(real - made)

    def _open(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The batch with what is given left out in some examples."""
        return replace(batch, given=dropped(batch.given, generator))

    def _seen(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Real examples, then as many made ones, embedded, as the discriminator sees them.  (2 B, *shape)"""
        real = self.space.embed(batch.x.x)
        noise = normal(real.shape, generator, real.device)
        real = torch.where(self.space.embed_mask(batch.x.present), real, noise)
        z = normal((len(real), self.latent), generator, real.device)
        made = self.generator(z, batch.given)
        return torch.cat([self.space.vary(e, generator, self.vary) for e in (real, made)])

    def _judge(self, e: Tensor, given: Given, times: int) -> Sequence[Tensor]:
        """What D says of so many examples for each condition.  `times` of (B,)"""
        often = {
            name: Encoded(torch.cat([part.x] * times), torch.cat([part.present] * times))
            for name, part in given.items()
        }
        said: Tensor = self.discriminator(e, often)
        return said[:, 0].chunk(times)

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | Given | None = None) -> Encoded:
        noise, context = generator_of(rng), context_of(self.given, given)
        z = torch.randn((n, self.latent), generator=noise)
        return whole(self.space.unembed(self.generator(z, context)))
