"""Which numbers of what is given an answer hangs on: SmoothGrad (Smilkov et al. 2017, arXiv 1706.03825, eq. 1).

s(x) = mean over draws of |d a(x + noise) / dx|, a being the log-probability of the class that is predicted for x (or
the value that is predicted). One gradient is full of grain; the mean over noisy copies keeps what they share.

Shapes: B examples, data of the part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from anew.core.batch import Encoded
from anew.core.columns import Floats
from anew.objectives._built import Given

DRAWS = 16
NOISE = 0.15  # of the range of the part, the deviation that the paper recommends


def smooth_grad(
    answer: Callable[[Given], Tensor], given: Given, part: str, generator: torch.Generator, draws: int = DRAWS
) -> Floats:
    """(B, *data), each example scaled to a largest value of 1; `answer` gives one number per example, (B,)."""
    x, here = given[part].x.float(), given[part].present
    size = NOISE * (x.max() - x.min()) if x.numel() else 0.0
    total = torch.zeros_like(x)
    for _ in range(draws):
        noisy = (x + size * torch.randn(x.shape, generator=generator)).requires_grad_()
        with torch.enable_grad():
            said = answer({**given, part: Encoded(noisy, here)}).sum()
            total += torch.autograd.grad(said, noisy)[0].abs()
    largest = total.flatten(1).amax(1).clamp(min=1e-12) if len(x) else total.new_zeros(0)
    return np.asarray((total / largest.reshape(-1, *([1] * (x.ndim - 1)))).double().numpy())
