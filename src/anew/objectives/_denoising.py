"""What a network says of a noisy example, and how it is judged: the two ways to learn a velocity.

On the straight way x_t = (1 - t) x_0 + t x_1 from noise x_0 to data x_1 the velocity is v(x_t, t) = E[x_1 - x_0 | x_t].
`Likely` learns p(x_1 | x_t) by likelihood, in the parameters of the space, and takes the mean from it: tokens are told
by cross-entropy, and numbers with their own uncertainty. `Squared` learns v itself by the squared error (Lipman et al.
2023, arXiv 2210.02747, eq. 23): for the numbers of a picture that is better and costs half the output.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from anew.core.space import Shape, Space
from anew.objectives._built import column

Ask = Callable[[Tensor, Tensor], Tensor]  # (B, *shape) at times (B,) -> the network's answer


class Denoising(ABC):
    """How the answer of a network, (B, *out), is read. `last` is the time at which the rest is drawn from it."""

    last: float

    def __init__(self, space: Space) -> None:
        self.space = space

    @property
    @abstractmethod
    def out(self) -> Shape: ...

    @abstractmethod
    def loss(self, said: Tensor, point: Tensor, time: Tensor, way: Tensor, x: Tensor, free: Tensor) -> Tensor:
        """(B,) of what is `free` in x, when embed(x) - noise is `way`."""

    @abstractmethod
    def velocity(self, said: Tensor, point: Tensor, time: Tensor) -> Tensor:
        """(B, *shape)"""

    @abstractmethod
    def finish(self, ask: Ask, point: Tensor, generator: torch.Generator | None) -> Tensor:
        """From the last time to the embedding of data: a draw, or without a generator what is expected."""


class Likely(Denoising):
    """Parameters of p(x_1 | x_t) in the space, corrected by what the point itself says (`Space.denoise`)."""

    last = 0.98

    @property
    def out(self) -> Shape:
        return self.space.params

    def params(self, said: Tensor, point: Tensor, time: Tensor) -> Tensor:
        return self.space.denoise(said, point, time)

    def loss(self, said: Tensor, point: Tensor, time: Tensor, way: Tensor, x: Tensor, free: Tensor) -> Tensor:
        return -self.space.log_prob(self.params(said, point, time), x, free)

    def velocity(self, said: Tensor, point: Tensor, time: Tensor) -> Tensor:
        return (self.space.expect(self.params(said, point, time)) - point) / (1 - column(time, point))

    def finish(self, ask: Ask, point: Tensor, generator: torch.Generator | None) -> Tensor:
        time = torch.full((len(point),), self.last, device=point.device)
        params = self.params(ask(point, time), point, time).cpu()  # noise is the same whatever the device
        return self.space.relax(params, generator) if generator else self.space.expect(params)


class Squared(Denoising):
    """The velocity itself."""

    last = 1.0

    @property
    def out(self) -> Shape:
        return self.space.shape

    def loss(self, said: Tensor, point: Tensor, time: Tensor, way: Tensor, x: Tensor, free: Tensor) -> Tensor:
        wrong = torch.where(self.space.embed_mask(free), said - way, 0.0)
        return wrong.square().flatten(1).mean(1)

    def velocity(self, said: Tensor, point: Tensor, time: Tensor) -> Tensor:
        return said

    def finish(self, ask: Ask, point: Tensor, generator: torch.Generator | None) -> Tensor:
        return point


def denoising(space: Space) -> Denoising:
    return Squared(space) if space.squared else Likely(space)
