"""The same question as Frechet's distance asks, without a Gaussian: the kernel distance of features.

Unbiased squared maximum mean discrepancy with k(x, y) = (x.y / D + 1)^3 (Gretton et al. 2012, eq. 3; Binkowski et al.
2018): it is 0 on average for two samples of the same pictures, whatever their number, and may then be below 0.
Ceiling: training pictures in the synthetic ones' place; floor: a Gaussian fitted to the pixels.
"""

from __future__ import annotations

from collections.abc import Callable

from anew.audit.evidence import Evidence
from anew.audit.of_pictures import Distance, OfFeatures, error_of_parts
from anew.core.columns import Floats


class Kernel(OfFeatures):
    question = "Do the pictures differ in any moment of their features?"
    order = 32
    title = "kernel distance"

    def distance(self, a: Floats, b: Floats) -> float:
        return kernel_distance(a, b)

    def error(self, evidence: Evidence) -> Callable[[Distance, Floats, Floats], float]:
        return error_of_parts(evidence.rng(42))

    def told(self, size: int, value: float, best: float, floor: float) -> str:
        return (
            f"the kernel distance to fresh real pictures is {value:.3g}; that of real training pictures is {best:.3g}, "
            f"and that of noise with the right mean and covariance {floor:.3g}."
        )


def kernel_distance(a: Floats, b: Floats) -> float:
    """(n, D), (m, D) -> squared discrepancy."""
    n, m = len(a), len(b)
    own = sum((_kernel(side, side).sum() - _kernel_self(side)) / (k * (k - 1)) for side, k in ((a, n), (b, m)))
    return float(own - 2 * _kernel(a, b).mean())


def _kernel(a: Floats, b: Floats) -> Floats:
    base: Floats = a @ b.T / a.shape[1] + 1
    return base * base * base


def _kernel_self(a: Floats) -> float:
    return float((((a**2).sum(1) / a.shape[1] + 1) ** 3).sum())
