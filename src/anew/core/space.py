"""Spaces of tensors: what an objective needs to know about data, and all that it may know.

A space turns data x into a continuous embedding e and back, scores data under parameters that a network gives, and
draws a differentiable sample from them. An objective written over these operations serves every modality.

Shapes: B batch, D real numbers, L positions, V = sum of the vocabularies.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from anew.core.dice import normal, uniform
from anew.core.errors import DataError
from anew.core.regions import anywhere, areas
from anew.core.variation import hidden, moved_by_one, varied

Shape = tuple[int, ...]
NARROWEST, WIDEST = -6.0, 4.0  # log deviations of real numbers


class Space(ABC):
    """A kind of tensor. `shape` is one embedded example; `params` is what `log_prob` and `relax` read."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def shape(self) -> Shape: ...

    @property
    @abstractmethod
    def params(self) -> Shape: ...

    @property
    @abstractmethod
    def data(self) -> Shape:
        """The shape of one example as data."""

    @abstractmethod
    def embed(self, x: Tensor) -> Tensor:
        """Data (B, *data) -> (B, *shape)."""

    @abstractmethod
    def unembed(self, e: Tensor) -> Tensor:
        """The nearest data: unembed(embed(x)) == x."""

    @abstractmethod
    def embed_mask(self, known: Tensor) -> Tensor:
        """A mask over data (B, *data) -> the mask over its embedding (B, *shape)."""

    @abstractmethod
    def log_prob(self, params: Tensor, x: Tensor, present: Tensor | None = None) -> Tensor:
        """(B,) nats of the present parts of x under (B, *params)."""

    @abstractmethod
    def relax(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """A differentiable draw (B, *shape) under (B, *params)."""

    @abstractmethod
    def expect(self, params: Tensor) -> Tensor:
        """The mean of the embedding (B, *shape) under (B, *params): E[embed(x)]."""

    @abstractmethod
    def denoise(self, params: Tensor, point: Tensor, time: Tensor) -> Tensor:
        """Parameters of p(x | point), point = time embed(x) + (1 - time) noise: where they are known for a reference
        (numbers: a standard normal), those, corrected by `params` in units of what the point leaves open.
        point (B, *shape), time (B,) -> (B, *params)
        """

    @property
    def squared(self) -> bool:
        """Whether the squared error of an embedding says enough, and a likelihood of its own for each number more
        than can be learned: the many numbers of a picture, which hang together."""
        return False

    def regions(self, n: int, partly: float, generator: torch.Generator | None, device: torch.device) -> Tensor:
        """What might be known of n examples when the rest is asked for: nothing, or in a share `partly` something.
        (n, *data)
        """
        return anywhere(n, self.data, partly, generator, device)

    def vary(self, x: Tensor, generator: torch.Generator, strength: float = 1.0, mirror: float = 0.0) -> Tensor:
        """Data (B, *data) that means the same: itself, unless examples of the space have small natural changes.

        `mirror`: the share of examples that are mirrored, where the space knows a left and a right.
        """
        return x

    def nearby(self, x: Tensor, mirror: float = 0.0) -> list[Tensor]:
        """Data (B, *data) and the same otherwise put, mirrored too where a share of examples was: an answer may be
        averaged over them. Itself alone, usually."""
        return [x]

    def hide(self, present: Tensor, generator: torch.Generator, share: float = 0.1) -> Tensor:
        """What is present (B, *data), less a random share of it that the rest may still tell."""
        kept = torch.rand(present.shape, generator=generator) >= share  # made on the CPU: the same anywhere
        return present & kept.to(present.device)

    def rounded(self) -> Tensor:
        """Which parts (*data) of a draw are chosen, so that no gradient passes through them: tokens."""
        return torch.zeros(self.data, dtype=torch.bool)

    def usual(self) -> Tensor:
        """Parameters (*params) under which each part alone follows what was released of it; zeros where nothing was."""
        return torch.zeros(self.params)

    def config(self) -> dict[str, Any]:
        """The space as JSON: the public fields of the dataclass."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


@dataclass(frozen=True)
class Real(Space):
    """Real numbers of any shape, about zero mean and unit variance. Parameters: mean and log deviation.

    The deviation is kept within NARROWEST and WIDEST, so that a number without noise does not draw the density to
    infinity. A number x of the space is origin + unit x in the data's own units, for those who answer in them.
    """

    kind = "Real"
    dims: Shape
    origin: float = 0.0
    unit: float = 1.0

    @property
    def shape(self) -> Shape:
        return self.dims

    @property
    def params(self) -> Shape:
        return (2, *self.dims)

    @property
    def data(self) -> Shape:
        return self.dims

    @property
    def squared(self) -> bool:
        return len(self.dims) > 1

    def regions(self, n: int, partly: float, generator: torch.Generator | None, device: torch.device) -> Tensor:
        drawn = areas if self.squared else anywhere
        return drawn(n, self.dims, partly, generator, device)

    def embed(self, x: Tensor) -> Tensor:
        return x

    def unembed(self, e: Tensor) -> Tensor:
        return e

    def embed_mask(self, known: Tensor) -> Tensor:
        return known

    def log_prob(self, params: Tensor, x: Tensor, present: Tensor | None = None) -> Tensor:
        mean, log_scale = params[:, 0], params[:, 1].clamp(NARROWEST, WIDEST)
        nats = -0.5 * ((x - mean) * torch.exp(-log_scale)) ** 2 - log_scale - 0.5 * math.log(2 * math.pi)
        if present is not None:
            nats = torch.where(present, nats, 0.0)
        return nats.flatten(1).sum(1)

    def relax(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        mean, log_scale = params[:, 0], params[:, 1].clamp(NARROWEST, WIDEST)
        noise = normal(mean.shape, generator, mean.device).to(mean.dtype)
        return mean + torch.exp(log_scale) * noise

    def expect(self, params: Tensor) -> Tensor:
        return params[:, 0]

    @property
    def pictured(self) -> bool:
        """Whether an example is a picture, (..., C, H, W): neighbours in the last two dimensions are alike."""
        return len(self.dims) >= 3

    def vary(self, x: Tensor, generator: torch.Generator, strength: float = 1.0, mirror: float = 0.0) -> Tensor:
        if not self.pictured or strength == mirror == 0:
            return x
        return varied(x, generator, strength, mirror)

    def nearby(self, x: Tensor, mirror: float = 0.0) -> list[Tensor]:
        if not self.pictured:
            return [x]
        moved = moved_by_one(x)
        return moved + [each.flip(-1) for each in moved] if mirror > 0 else moved

    def hide(self, present: Tensor, generator: torch.Generator, share: float = 0.1) -> Tensor:
        return hidden(present, generator, share) if self.pictured else super().hide(present, generator, share)

    def denoise(self, params: Tensor, point: Tensor, time: Tensor) -> Tensor:
        time = time.reshape(-1, *([1] * len(self.dims)))
        power = time**2 + (1 - time) ** 2
        spread = (1 - time) / power.sqrt()
        return torch.stack([time * point / power + spread * params[:, 0], spread.log() + params[:, 1]], 1)


@dataclass(frozen=True)
class Tokens(Space):
    """L positions, each with a vocabulary of its own size. Embedded as one-hot blocks side by side, (B, V).

    A one-hot of size k is scaled to unit variance over uniform tokens, so that noise of one size means the same for
    every position: e = (onehot - 1/k) / sqrt((1/k)(1 - 1/k)).

    `placed`: data are token + place, the place in [0, 1) being where in the token's interval a value lies. The place is
    uniform and independent of all else: embedding forgets it, `at` draws it, and it adds nothing to `log_prob`.
    """

    kind = "Tokens"
    sizes: tuple[int, ...]
    temperature: float = field(default=0.5, repr=False)
    placed: bool = False
    shares: tuple[float, ...] | None = field(default=None, repr=False)  # (V,) how frequent each token is, if released
    ordered: tuple[bool, ...] = field(default=(), repr=False)  # (L,) positions whose neighbouring tokens are alike
    alike: bool = False  # the positions share one vocabulary and follow each other: a text

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.sizes):
            raise DataError("A vocabulary has no token", found=self.sizes)

    @property
    def offsets(self) -> tuple[int, ...]:
        ends = [0]
        for size in self.sizes:
            ends.append(ends[-1] + size)
        return tuple(ends)

    @property
    def shape(self) -> Shape:
        return (sum(self.sizes),)

    @property
    def params(self) -> Shape:
        return self.shape

    @property
    def data(self) -> Shape:
        return (len(self.sizes),)

    def embed(self, x: Tensor) -> Tensor:
        x = x.long()
        hot = [x[:, i, None] == torch.arange(k, device=x.device) for i, k in enumerate(self.sizes)]  # vmaps
        return self._side_by_side([block.float() for block in hot], x)

    def _side_by_side(self, blocks: list[Tensor], like: Tensor) -> Tensor:
        """Chances (B, k) of each position, scaled, as one embedding (B, V)."""
        return torch.cat([_scaled(block) for block in blocks] or [like[:, :0].float()], 1)

    def split(self, e: Tensor) -> list[Tensor]:
        """(B, V) -> one (B, k) block a position."""
        return list(torch.split(e, list(self.sizes), 1)) if self.sizes else []

    def unembed(self, e: Tensor) -> Tensor:
        blocks = [block.argmax(1) for block in self.split(e)]
        tokens = torch.stack(blocks, 1) if blocks else e[:, :0].long()
        return tokens.double() + 0.5 if self.placed else tokens

    def embed_mask(self, known: Tensor) -> Tensor:
        blocks = [known[:, i : i + 1].expand(-1, k) for i, k in enumerate(self.sizes)]
        return torch.cat(blocks, 1) if blocks else known[:, :0]

    def log_prob(self, params: Tensor, x: Tensor, present: Tensor | None = None) -> Tensor:
        x = x.long()
        if self.alike:
            each = F.log_softmax(params.reshape(*x.shape, -1), 2)  # (B, L, K)
            nats = each.gather(2, x[:, :, None])[:, :, 0]
            return (nats if present is None else torch.where(present, nats, 0.0)).sum(1)
        total = torch.zeros(len(params), dtype=params.dtype, device=params.device)
        for i, block in enumerate(self.split(params)):
            nats = F.log_softmax(block, 1).gather(1, x[:, i : i + 1])[:, 0]
            total = total + (nats if present is None else torch.where(present[:, i], nats, 0.0))
        return total

    def relax(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        dice = uniform(params.shape, generator, params.device).to(params.dtype)
        gumbel = -torch.log(-torch.log(dice.clamp(1e-9, 1 - 1e-7)))
        blocks = [torch.softmax(block / self.temperature, 1) for block in self.split(params + gumbel)]
        return self._side_by_side(blocks, params)

    def expect(self, params: Tensor) -> Tensor:
        return self._side_by_side([torch.softmax(block, 1) for block in self.split(params)], params)

    def rounded(self) -> Tensor:
        return torch.ones(self.data, dtype=torch.bool)

    def usual(self) -> Tensor:
        return torch.zeros(self.params) if self.shares is None else torch.tensor(self.shares).log()

    def denoise(self, params: Tensor, point: Tensor, time: Tensor) -> Tensor:
        return params  # added evidence of its own place lets a token ignore what the others say (docs/log.md)


def _scaled(chance: Tensor) -> Tensor:
    """(B, k) chances of tokens -> zero mean and unit variance over uniform tokens."""
    k = chance.shape[1]
    return (chance - 1 / k) / math.sqrt((1 / k) * (1 - 1 / k)) if k > 1 else chance


@dataclass(frozen=True)
class Mixed(Space):
    """D real numbers, then L tokens: data (B, D + L) in one float tensor, embedded (B, D + V)."""

    kind = "Mixed"
    reals: int
    sizes: tuple[int, ...]
    shares: tuple[float, ...] | None = field(default=None, repr=False)  # (V,) as of `Tokens`

    @property
    def real(self) -> Real:
        return Real((self.reals,))

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.sizes, shares=self.shares)

    @property
    def shape(self) -> Shape:
        return (self.reals + sum(self.sizes),)

    @property
    def params(self) -> Shape:
        return (2 * self.reals + sum(self.sizes),)

    @property
    def data(self) -> Shape:
        return (self.reals + len(self.sizes),)

    def embed(self, x: Tensor) -> Tensor:
        return torch.cat([x[:, : self.reals], self.tokens.embed(x[:, self.reals :])], 1)

    def unembed(self, e: Tensor) -> Tensor:
        return torch.cat([e[:, : self.reals], self.tokens.unembed(e[:, self.reals :]).to(e.dtype)], 1)

    def embed_mask(self, known: Tensor) -> Tensor:
        return torch.cat([known[:, : self.reals], self.tokens.embed_mask(known[:, self.reals :])], 1)

    def _parts(self, params: Tensor) -> tuple[Tensor, Tensor]:
        return params[:, : 2 * self.reals].reshape(len(params), 2, self.reals), params[:, 2 * self.reals :]

    def log_prob(self, params: Tensor, x: Tensor, present: Tensor | None = None) -> Tensor:
        real, tokens = self._parts(params)
        here = (None, None) if present is None else (present[:, : self.reals], present[:, self.reals :])
        return self.real.log_prob(real, x[:, : self.reals], here[0]) + self.tokens.log_prob(
            tokens, x[:, self.reals :], here[1]
        )

    def relax(self, params: Tensor, generator: torch.Generator | None = None) -> Tensor:
        real, tokens = self._parts(params)
        return torch.cat([self.real.relax(real, generator), self.tokens.relax(tokens, generator)], 1)

    def expect(self, params: Tensor) -> Tensor:
        real, tokens = self._parts(params)
        return torch.cat([self.real.expect(real), self.tokens.expect(tokens)], 1)

    def rounded(self) -> Tensor:
        return torch.cat([self.real.rounded(), self.tokens.rounded()])

    def usual(self) -> Tensor:
        return torch.cat([self.real.usual().flatten(), self.tokens.usual()])

    def denoise(self, params: Tensor, point: Tensor, time: Tensor) -> Tensor:
        real, tokens = self._parts(params)
        left = self.real.denoise(real, point[:, : self.reals], time).flatten(1)
        return torch.cat([left, self.tokens.denoise(tokens, point[:, self.reals :], time)], 1)


SPACES: dict[str, type[Space]] = {space.kind: space for space in (Real, Tokens, Mixed)}


def space_of(kind: str, config: dict[str, Any]) -> Space:
    """The space of a saved description."""
    made = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    return SPACES[kind](**made)
