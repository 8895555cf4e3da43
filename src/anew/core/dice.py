"""Random numbers made on the CPU, then moved: a generator belongs to one device, and a seed means the same on all."""

from __future__ import annotations

import torch
from torch import Tensor


def normal(shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(shape, generator=generator).to(device)


def uniform(shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device) -> Tensor:
    """Numbers in [0, 1)."""
    return torch.rand(shape, generator=generator).to(device)
