"""Do the pictures as a whole show what real pictures show? Frechet's distance of their features.

Between Gaussians with the means m and covariances C of the features of held-out and of synthetic pictures (Frechet
1957; Heusel et al. 2017, eq. 6): |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)). Features: of the audit's own reader, and of
ImageNet where the optional packages are there; neither are those of the "FID". Ceiling: training pictures in the
synthetic ones' place; floor: a Gaussian fitted to the pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from anew.audit.evidence import Evidence
from anew.audit.of_pictures import Distance, OfFeatures, error_of_draws
from anew.core.columns import Floats


class Frechet(OfFeatures):
    question = "Do the pictures as a whole show what real ones show?"
    order = 31
    title = "Frechet distance"

    def distance(self, a: Floats, b: Floats) -> float:
        return frechet(a, b)

    def error(self, evidence: Evidence) -> Callable[[Distance, Floats, Floats], float]:
        return error_of_draws(evidence.rng(41))

    def told(self, size: int, value: float, best: float, floor: float) -> str:
        return (
            f"{size:,} synthetic pictures are {value:.3g} away from as many fresh real ones; real training pictures "
            f"are {best:.3g} away, and noise with the right mean and covariance {floor:.3g}."
        )


def frechet(a: Floats, b: Floats) -> float:
    """Between the Gaussians of two samples of features.  (n, D), (m, D) -> distance"""
    mean = float(((a.mean(0) - b.mean(0)) ** 2).sum())
    one, two = (np.atleast_2d(np.cov(side.T)) for side in (a, b))
    # tr (C C')^(1/2) is the sum of the roots of the eigenvalues of C C', which are real and not negative.
    cross = np.sqrt(np.maximum(np.linalg.eigvals(one @ two).real, 0)).sum()
    return float(max(mean + np.trace(one) + np.trace(two) - 2 * cross, 0.0))
