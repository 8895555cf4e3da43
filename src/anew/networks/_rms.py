"""h / rms(h), of unit mean square along the last dimension, without parameters (Zhang and Sennrich 2019, arXiv
1910.07467, eq. 4), and relu(h)^2 (So et al. 2021, arXiv 2109.08668), each with its gradient written out.

torch's own rms_norm makes six passes over the data backwards where two do: on a CPU a transformer of width 192 spent a
fifth of a step in them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

EPS = 1e-6


class _RMS(torch.autograd.Function):
    """y = h r with r = 1 / rms(h), so dL/dh = r (g - y mean(g y))."""

    generate_vmap_rule = True

    @staticmethod
    def forward(h: Tensor) -> tuple[Tensor, Tensor]:
        shrink: Tensor = torch.rsqrt(torch.linalg.vecdot(h, h) / h.shape[-1] + EPS)[..., None]
        return h * shrink, shrink

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx: Any, g: Tensor, _: Tensor) -> Tensor:
        y, shrink = ctx.saved_tensors
        along: Tensor = (torch.linalg.vecdot(g, y) / y.shape[-1])[..., None]
        back: Tensor = torch.addcmul(g, y, along, value=-1) * shrink
        return back


class _SquaredReLU(torch.autograd.Function):
    """y = max(h, 0)^2, so dL/dh = 2 g max(h, 0)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(h: Tensor) -> Tensor:
        return torch.relu(h).square()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (h,) = ctx.saved_tensors
        return torch.relu(h) * g * 2


def norm(h: Tensor) -> Tensor:
    """Of unit mean square along the last dimension."""
    result: Tensor = _RMS.apply(h)[0]  # type: ignore[no-untyped-call]
    return result


def squared_relu(h: Tensor) -> Tensor:
    """max(h, 0)^2"""
    result: Tensor = _SquaredReLU.apply(h)  # type: ignore[no-untyped-call]
    return result
