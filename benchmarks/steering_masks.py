"""The five masks of the inpainting benchmark: each hides about half of a picture. True is hidden.  (5, H, W)"""

from typing import Any

import numpy as np

MASKS = ("left", "right", "top", "bottom", "square")
SHARE = 0.5  # of the pixels that the square in the middle hides


def masks(height: int, width: int) -> np.ndarray[Any, Any]:
    """One for each name of MASKS."""
    found = np.zeros((len(MASKS), height, width), dtype=bool)
    found[0, :, : width // 2] = True
    found[1, :, width // 2 :] = True
    found[2, : height // 2] = True
    found[3, height // 2 :] = True
    tall, wide = (round(side * SHARE**0.5) for side in (height, width))
    up, left = (height - tall) // 2, (width - wide) // 2
    found[4, up : up + tall, left : left + wide] = True
    return found
