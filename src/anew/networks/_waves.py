"""A time as cosines and sines of geometric frequencies (Vaswani et al. 2017)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

FREQUENCIES = 16


def waves(time: Tensor) -> Tensor:
    """(B,) in [0, 1] -> (B, 2 FREQUENCIES)."""
    scale = torch.exp(torch.linspace(0, math.log(100.0), FREQUENCIES, device=time.device)) * math.pi
    angle = time[:, None] * scale
    return torch.cat([torch.cos(angle), torch.sin(angle)], 1)
