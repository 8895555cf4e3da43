"""Variational autoencoder: the evidence lower bound, with a prior that is learned as well.

log p(x) >= E_q(z|x) [log p(x|z)] - beta KL(q(z|x) || p(z))  (Kingma & Welling 2014, arXiv 1312.6114, eq. 3; beta:
Higgins et al. 2017). The encoder gives q = N(m(x), s(x)^2), the decoder the parameters of p(x|z) in the space.
The prior is not N(0, I) but its image under a flow z = f(u), u ~ N(0, I) (Chen et al. 2017, arXiv 1611.02731, s. 3.2),
of affine couplings (Dinh et al. 2017, arXiv 1605.08803, eq. 7-8): samples do not come from holes between the codes of
the data, and u is the latent space in which straight lines mean something.

Where the squared error says enough (pictures), p(x|z) has one deviation for all numbers, learned with the rest, so that
it balances the two terms itself (Rybkin et al. 2021, arXiv 2006.13202, s. 4); what is drawn is the mean, since noise of
that size, the same everywhere, would show as grain and say nothing.

Shapes: B batch, K latent coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from anew.core.batch import Batch, Encoded
from anew.core.columns import Floats
from anew.core.dice import normal
from anew.core.learner import Completes, Encodes, Phase, Samples, Trained
from anew.core.muon import Muon
from anew.core.network import NETWORKS, Module
from anew.core.space import Space
from anew.objectives._built import Given, awake, build, context_of, dropped, generator_of, matrices_of, some_of, whole

CANDIDATES = 64  # codes from the prior for each row to complete, one of which starts the rounds
RATE, DECAY = 2e-3, 1e-4  # of learning, where the network does not say
HASTE = 20.0  # of the one deviation: it must fall a hundredfold faster than a weight moves
ROUNDS = 5  # of pseudo-Gibbs in a completion
AT_ONCE = 256  # rows that the networks are asked for at once where they are pictures: more fill the memory


class Elbo(Trained, Samples[Encoded], Completes[Encoded], Encodes[Encoded]):
    """A variational autoencoder with `latent` coordinates and a prior of `couplings` affine couplings."""

    aliases = ("vae",)
    reads = ("Mixed", "Real", "Tokens")
    networks = ("mlp", "conv", "patches")
    minimises = "the evidence lower bound: reconstruction and beta times the divergence from a learned prior"
    halves = True

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "mlp",
        seed: int = 0,
        latent: int = 32,
        couplings: int = 6,
        beta: float = 0.1,
        depth: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.latent, self.beta = latent, beta
        kind = NETWORKS[network]
        assert issubclass(kind, Module)
        depth = depth or (1 if kind.pictures else 2)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.encoder = awake(build(network, space.shape, (2, latent), given=given, depth=depth, **options))
            says = space.shape if space.squared else space.params
            self.decoder = awake(build(network, (latent,), says, given=given, depth=depth, **options))
            self.prior = _Flow(latent, couplings, given)
        self.spread = nn.Parameter(torch.zeros(())) if space.squared else None  # log of the one deviation, over HASTE
        self._module = nn.ModuleDict({"encoder": self.encoder, "decoder": self.decoder, "prior": self.prior})
        self._module.register_parameter("spread", self.spread)
        self.open_given = space.squared
        self.batch, self.rate, self.decay = kind.batch or self.batch, kind.rate or RATE, kind.decay or DECAY

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"latent": int, "couplings": int, "beta": float, "width": int, "depth": int}

    @property
    def module(self) -> nn.Module:
        return self._module

    def phases(self) -> Sequence[Phase]:
        matrices = [weight for part in (self.encoder, self.decoder) for weight in matrices_of(part)]
        moved = partial(Muon, matrices=matrices, rate=self.rate, decay=self.decay, betas=(0.9, 0.99))
        return [Phase("elbo", list(self.module.parameters()), self.loss, moved)]

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """-log p(x|z) + beta (log q(z|x) - log p(z)) for one z ~ q(z|x).  (B,) nats"""
        given = dropped(batch.given, generator) if self.open_given else batch.given
        mean, log_scale = self._posterior(batch.x, given)
        noise = normal(mean.shape, generator, mean.device)
        z = mean + torch.exp(log_scale) * noise
        params = self._params(z, given)
        code = (-0.5 * noise**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(1) - self.prior.log_prob(z, given)
        return -self.space.log_prob(params, batch.x.x, batch.x.present) + self.beta * code

    def _params(self, z: Tensor, given: Given) -> Tensor:
        """The parameters of p(x|z).  (B, *params)"""
        said: Tensor = self.decoder(z, given)
        return said if self.spread is None else torch.stack([said, (HASTE * self.spread).expand(said.shape)], 1)

    def _posterior(self, x: Encoded, given: Given) -> tuple[Tensor, Tensor]:
        """Mean and log deviation (B, K) of q(z|x)."""
        here = self.space.embed_mask(x.present)
        code = self.encoder(torch.where(here, self.space.embed(x.x), 0.0), given)
        return code[:, 0], (code[:, 1] - 2.0).clamp(-7.0, 3.0)

    # ---------------------------------------------------------------- use

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | None = None) -> Encoded:
        context, generator = context_of(self.given, given), generator_of(rng)
        u = torch.randn((n, self.latent), generator=generator)
        z = self.prior.draw(u, context)
        return whole(self._draw(z, context, generator))

    @torch.no_grad()
    def complete(
        self, x: Encoded, known: npt.NDArray[np.bool_], rng: np.random.Generator, given: Encoded | None = None
    ) -> Encoded:
        """A code of the prior chosen by p(known | z), then encode, decode, keep the known, again and again.

        Sampling importance resampling (Rubin 1988) finds what goes with the known; pseudo-Gibbs (Rezende et al. 2014,
        arXiv 1401.4082, appendix F) brings it nearer. Both are approximate: the more is known, the more so.
        """
        context, generator = context_of(self.given, given), generator_of(rng)
        keep = torch.from_numpy(known)
        z = self._likely(Encoded(x.x, keep & x.present), context, generator)
        data = torch.where(keep, x.x, self._draw(z, context, generator))
        for _ in range(ROUNDS):
            mean, log_scale = self._posterior(whole(data), context)
            z = mean + torch.exp(log_scale) * torch.randn(mean.shape, generator=generator)
            data = torch.where(keep, x.x, self._draw(z, context, generator))
        return whole(data)

    def _likely(self, x: Encoded, given: Given, generator: torch.Generator) -> Tensor:
        """One of CANDIDATES codes of the prior for each row, drawn by p(x|z): the best after Gumbel noise.  (B, K)"""
        best, found = torch.full((len(x),), -torch.inf), torch.zeros(len(x), self.latent)
        data = torch.where(x.present, x.x, 0.0)
        for _ in range(CANDIDATES):
            z = self.prior.draw(torch.randn(found.shape, generator=generator), given)
            luck = -torch.log(-torch.log(torch.rand(len(x), generator=generator).clamp(1e-9, 1 - 1e-7)))
            score = self.space.log_prob(self._params(z, given), data, x.present) + luck
            found = torch.where((score > best)[:, None], z, found)
            best = torch.maximum(score, best)
        return found

    @torch.no_grad()
    def encode(self, x: Encoded, given: Encoded | None = None) -> Floats:
        """The posterior mean, in the coordinates u in which the prior is standard normal."""
        context, codes = context_of(self.given, given), [np.zeros((0, self.latent))]
        for rows in torch.split(torch.arange(len(x)), AT_ONCE):
            some = context_of(self.given, some_of(context, rows))
            u, _ = self.prior(self._posterior(x.take(rows), some)[0], some)
            codes.append(u.double().numpy())
        return np.concatenate(codes)

    @torch.no_grad()
    def decode(self, z: Floats, given: Encoded | None = None) -> Encoded:
        """The means and the likeliest tokens at the coordinates."""
        context, codes, made = context_of(self.given, given), torch.from_numpy(z).float(), []
        for rows in torch.split(torch.arange(len(codes)), AT_ONCE):
            some = context_of(self.given, some_of(context, rows))
            params = self._params(self.prior.draw(codes[rows], some), some)
            made.append(self.space.unembed(self.space.expect(params)))
        return whole(torch.cat(made))

    def _draw(self, z: Tensor, given: Given, generator: torch.Generator) -> Tensor:
        """x ~ p(x|z): by Gumbel's trick a relaxed draw's likeliest token is an exact draw. Of pictures, the mean."""
        params = self._params(z, given)
        drawn = self.space.expect(params) if self.space.squared else self.space.relax(params, generator)
        return self.space.unembed(drawn)


class _Flow(nn.Module):
    """u = g(z), a stack of affine couplings: half of the coordinates move by what the other half says."""

    def __init__(self, latent: int, couplings: int, given: Mapping[str, Space], width: int = 128) -> None:
        super().__init__()
        self.left = latent // 2
        sides = [
            (self.left, latent - self.left) if i % 2 else (latent - self.left, self.left) for i in range(couplings)
        ]
        self.nets = nn.ModuleList([build("mlp", (a,), (2, b), given=given, width=width, depth=1) for a, b in sides])
        self.centre = nn.Parameter(torch.zeros(latent))
        self.log_scale = nn.Parameter(torch.zeros(latent))

    def forward(self, z: Tensor, given: Given) -> tuple[Tensor, Tensor]:
        """u (B, K) and log |du/dz| (B,)."""
        u = (z - self.centre) * torch.exp(-self.log_scale)
        nats = -self.log_scale.sum().expand(len(z))
        left, right = u[:, : self.left], u[:, self.left :]
        for i, net in enumerate(self.nets):
            if i % 2:
                shift, bend = _affine(net(left, given))
                right, nats = (right - shift) * torch.exp(-bend), nats - bend.sum(1)
            else:
                shift, bend = _affine(net(right, given))
                left, nats = (left - shift) * torch.exp(-bend), nats - bend.sum(1)
        return torch.cat([left, right], 1), nats

    def draw(self, u: Tensor, given: Given) -> Tensor:
        """The inverse of `forward`.  (B, K)"""
        left, right = u[:, : self.left], u[:, self.left :]
        for i, net in reversed(list(enumerate(self.nets))):
            if i % 2:
                shift, bend = _affine(net(left, given))
                right = right * torch.exp(bend) + shift
            else:
                shift, bend = _affine(net(right, given))
                left = left * torch.exp(bend) + shift
        return torch.cat([left, right], 1) * torch.exp(self.log_scale) + self.centre

    def log_prob(self, z: Tensor, given: Given) -> Tensor:
        """log p(z).  (B,)"""
        u, nats = self.forward(z, given)
        return nats - 0.5 * (u**2).sum(1) - 0.5 * u.shape[1] * math.log(2 * math.pi)


def _affine(out: Tensor) -> tuple[Tensor, Tensor]:
    """Shift and log scale; the scale is bounded, so that a far point cannot explode."""
    return out[:, 0], 2.0 * torch.tanh(out[:, 1] / 2.0)
