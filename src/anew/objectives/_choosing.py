"""How the next token is chosen from logits: what is cut away, and by what number it is drawn.

p ~ softmax(logits / temperature), of which stay the `top_k` likeliest, the likeliest that together have `top_p`
(Holtzman et al. 2020, arXiv 1904.09751), those at least `min_p` times as likely as the likeliest (arXiv 2407.01082). A
token that would carry on a run of RUN tokens that was written before is `repetition` times less likely.

Shapes: B rows, K vocabulary, T tokens written so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats
from anew.core.ragged import Ints

RUN = 8


@dataclass(frozen=True)
class Style:
    """The options of a draw; as they stand, the distribution itself. Temperature 0 takes the likeliest."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    repetition: float = 1.0

    def chances(self, logits: npt.NDArray[np.float32], written: Ints) -> Floats:
        """(B, K), not yet of sum one, of logits (B, K) after tokens (B, T)."""
        z = logits.astype(np.float64)
        if self.repetition != 1.0:
            z -= np.log(max(self.repetition, 1e-9)) * _repeating(written, z.shape[1])
        if self.temperature == 0.0:
            return np.asarray(np.arange(z.shape[1]) == z.argmax(1)[:, None], np.float64)
        z -= z.max(1, keepdims=True)
        z /= self.temperature
        p = np.exp(z, out=z)
        if self.top_k is not None and self.top_k < p.shape[1]:
            p[p < np.partition(p, -self.top_k, 1)[:, -self.top_k, None]] = 0.0
        if self.min_p > 0.0:
            p[p < self.min_p * p.max(1, keepdims=True)] = 0.0
        return self._nucleus(p) if self.top_p < 1.0 else p

    def _nucleus(self, p: Floats) -> Floats:
        order = np.argsort(-p, 1)
        ranked = np.take_along_axis(p, order, 1)
        before = np.cumsum(ranked, 1) - ranked
        ranked[before >= self.top_p * ranked.sum(1, keepdims=True)] = 0.0
        ranked[:, 0] = np.maximum(ranked[:, 0], 1e-300)
        np.put_along_axis(p, order, ranked, 1)
        return p


def pick(chances: Floats, dice: Floats) -> Ints:
    """(B,) tokens by chances (B, K) of any sum and numbers (B,) in [0, 1)."""
    ends = np.cumsum(chances, 1)
    target = np.minimum(dice * ends[:, -1], np.nextafter(ends[:, -1], 0))  # so that it is below the last chance
    return np.asarray(np.minimum((ends <= target[:, None]).sum(1), chances.shape[1] - 1))


def _repeating(written: Ints, size: int) -> Floats:
    """(B, K): how often each token followed the last RUN tokens before."""
    found = np.zeros((len(written), size))
    if written.shape[1] <= RUN:
        return found
    windows = np.lib.stride_tricks.sliding_window_view(written[:, :-1], RUN, axis=1)
    rows, places = np.nonzero((windows == written[:, None, -RUN:]).all(2))
    followed = written[rows, places + RUN]
    inside = followed < size
    np.add.at(found, (rows[inside], followed[inside]), 1.0)
    return found
