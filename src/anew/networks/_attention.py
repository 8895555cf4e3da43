"""Attention written out (Vaswani et al. 2017, eq. 1): it vectorises, and for a few dozen places a CPU is faster so."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def attend(q: Tensor, k: Tensor, v: Tensor, here: Tensor | None = None) -> Tensor:
    """softmax(q k' / sqrt(D)) v, (B, heads, L, D) each, over the places that are `here` (B, L)."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if here is not None:
        scores = scores.masked_fill(~here[:, None, None], -math.inf)
    return torch.softmax(scores, -1).to(v.dtype) @ v
