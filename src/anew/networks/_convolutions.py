"""Convolutions without a norm of activations: weights are normalised instead, and branches begin small.

w = g gain (v - mean v) / (sqrt(N) deviation v) over the N inputs of a channel (Qiao et al. 2019, arXiv 1903.10520; the
gain keeps the variance through the activation: Brock et al. 2021, arXiv 2101.08692, eq. 3), and each residual branch
starts at a small share (SkipInit, De & Smith 2020, arXiv 2002.10444). That is as fast as no norm at all, and no example
sees another.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GAIN = 1.7881  # of silu: deviation 1 in, deviation 1 out
BRANCH = 0.2  # of a residual branch at the start


def residual(channels: int, depth: int) -> nn.Sequential:
    """`depth` residual blocks, one after the other."""
    return nn.Sequential(*[Residual(channels) for _ in range(depth)])


class Residual(nn.Module):
    """h + s conv(silu(conv(silu(h))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.one, self.two = Standardised(channels, channels), Standardised(channels, channels)
        self.share = nn.Parameter(torch.tensor(BRANCH))

    def forward(self, h: Tensor) -> Tensor:
        result: Tensor = h + self.share * self.two(F.silu(self.one(F.silu(h))))
        return result


class Standardised(nn.Conv2d):
    """A 3 x 3 convolution whose weights are standardised."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)
        self.gain = nn.Parameter(torch.full((outputs, 1, 1, 1), GAIN))

    def forward(self, h: Tensor) -> Tensor:
        variance, mean = torch.var_mean(self.weight, (1, 2, 3), keepdim=True, correction=0)
        scale = self.gain * torch.rsqrt(variance * self.weight[0].numel() + 1e-6)
        return F.conv2d(h, (self.weight - mean) * scale, self.bias, padding=1)
