"""The same question as Frechet's distance asks, without a Gaussian: the kernel distance of features.

Unbiased squared maximum mean discrepancy with k(x, y) = (x.y / D + 1)^3 (Gretton et al. 2012, eq. 3; Binkowski et al.
2018): it is 0 on average for two samples of the same pictures, whatever their number, and may then be below 0.
Ceiling: training pictures in the synthetic ones' place; floor: a Gaussian fitted to the pixels.
"""

from __future__ import annotations

from collections.abc import Callable

from anew.audit.album import SOME, Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.of_pictures import OfPictures, compared, error_of_parts, size_of
from anew.core.columns import Floats


class Kernel(OfPictures):
    question = "Do the pictures differ in any moment of their features?"
    chapter = "likeness"
    order = 32
    weight = 3
    reads = True

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        size = size_of(album)
        found = [self._one(evidence, album, "features of an own network", album.features, size)]
        if album.has_imagenet:
            found.append(self._one(evidence, album, "ImageNet features", album.imagenet, min(size, SOME)))
        return found

    def _one(
        self, evidence: Evidence, album: Album, what: str, features: Callable[[str], Floats], size: int
    ) -> Finding:
        value, best, floor = compared(kernel_distance, features, size, error_of_parts(evidence.rng(42)))
        return finding(
            self.name,
            self.titled(evidence, album, f"kernel distance, {what}"),
            value,
            f"In the {what}, the kernel distance to fresh real pictures is {value.value:.3g}; that of real training "
            f"pictures is {best.value:.3g}, and that of noise with the right mean and covariance {floor:.3g}.",
            ceiling=best,
            floor=floor,
            unit="distance",
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
