"""How much of an answer comes from where: integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365, eq. 1).

s(x) = x * integral over r in [0, 1] of da(r x) / dx, the answer a being the log-probability of the class that is
predicted for x, or the value that is predicted. The way begins at a blank part, which is zero and which learning has
seen where parts were hidden. So the numbers of an example add up to a(x) - a(blank): what it says beyond nothing.

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

STEPS = 32  # of the midpoint rule


def integrated_gradients(answer: Callable[[Given], Tensor], given: Given, part: str, steps: int = STEPS) -> Floats:
    """(B, *data), for and against; `answer` gives one number per example, (B,)."""
    here = given[part].present
    x = torch.where(here, given[part].x.float(), 0.0)
    total = torch.zeros_like(x)
    for step in range(steps):
        point = (x * (step + 0.5) / steps).requires_grad_()
        with torch.enable_grad():
            said = answer({**given, part: Encoded(point, here)}).sum()
            total += torch.autograd.grad(said, point)[0]
    return np.asarray((x * total / steps).double().numpy())
