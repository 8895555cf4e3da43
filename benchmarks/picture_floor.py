"""The floor: what a generator makes that knows how pixels vary together, and nothing else."""

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def gaussian(train: Array, n: int, generator: np.random.Generator) -> Array:
    """n draws (n, H, W, C) of a Gaussian with the mean and covariance of the training pixels."""
    x = train.reshape(len(train), -1).astype(np.float64)
    mean = x.mean(0)
    # centred pictures summed with independent normal weights have just their covariance, without a matrix of pixels
    made = mean + generator.standard_normal((n, len(x))) @ (x - mean) / math.sqrt(len(x) - 1)
    return made.clip(0, 255).round().astype(np.uint8).reshape(-1, *train.shape[1:])
