"""Blocks that are told by how much to scale, shift and weigh what they do: adaLN-zero.

h <- h + g f((1 + a) norm(h) + b) with (a, b, g) linear in the context and in how far a leap goes, g starting at zero
(Peebles & Xie 2023, arXiv 2212.09748, s. 3.2).

Shapes: B batch, K context, W width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.networks._waves import FREQUENCIES, waves


class Told(NamedTuple):
    """What the blocks are told: the context (B, K), and of a leap how far it goes (B, K); nothing for the slope."""

    context: Tensor
    leap: Tensor | None


class Leap(nn.Module):
    """How far a leap goes: a vector in proportion to it, so that a leap over no time is the slope itself."""

    def __init__(self, context: int) -> None:
        super().__init__()
        self.far, self.context = nn.Linear(2 * FREQUENCIES, context), nn.Linear(context, context)

    def forward(self, context: Tensor, far: Tensor) -> Tensor:
        return far[:, None] * F.silu(self.far(waves(far)) + self.context(context))


def told_of(context: Tensor, leap: Leap | None, far: Tensor | None) -> Told:
    """`far` (B,): how much time a leap is to take; none asks for the slope. Leaps move nothing of the context."""
    return Told(context, None if leap is None or far is None else leap(context.detach(), far))


def leaping(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that only leaps use: those of modules that are called `leap`."""
    return [parameter for name, parameter in network.named_parameters() if "leap" in name.split(".")]


class Modulated(nn.Module, ABC):
    """h + g f((1 + a) norm(h) + b), with a, b and g linear in the context and the leap; g starts at zero."""

    def __init__(self, width: int, context: int, leaps: bool) -> None:
        super().__init__()
        self.modulate = nn.Linear(context, 3 * width)
        self.leap = nn.Linear(context, 3 * width, bias=False) if leaps else None
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)
        if self.leap is not None:
            nn.init.zeros_(self.leap.weight)

    @abstractmethod
    def inner(self, h: Tensor) -> Tensor:
        """f, from places to as many places with as many channels."""

    @abstractmethod
    def normed(self, h: Tensor) -> Tensor:
        """The places, each with channels of one size."""

    @abstractmethod
    def placed(self, said: Tensor) -> Tensor:
        """What is said of channels (B, 3 W), to broadcast over the places."""

    def forward(self, h: Tensor, told: Told) -> Tensor:
        said = self.modulate(told.context)
        if self.leap is not None and told.leap is not None:
            said = said + self.leap(told.leap)
        scale, shift, gate = (self.placed(part) for part in said.to(h.dtype).chunk(3, 1))
        return torch.addcmul(h, gate, self.inner(torch.addcmul(shift, 1 + scale, self.normed(h))).to(h.dtype))
