"""Are the pixels distributed as real ones are? The sliced Wasserstein distance: no network is asked.

Pixels are projected on random directions, on each of which the distance of two samples is that of their sorted values
(Rabin et al. 2011; Bonneel et al. 2015, eq. 10). The root of the mean square over directions, in units of the spread
of real pixels. Ceiling: training pictures in the synthetic ones' place; floor: every pixel drawn on its own.
"""

from __future__ import annotations

import numpy as np

from anew.audit.album import Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.of_pictures import OfPictures, compared, error_of_parts, size_of
from anew.audit.scaled import scaled
from anew.core.columns import Floats

DIRECTIONS = 256
SIDE = 32


class Sliced(OfPictures):
    question = "Are the pixels distributed as real ones are?"
    chapter = "likeness"
    order = 33
    weight = 2

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        size, rng = size_of(album), evidence.rng(43)
        rows = {name: _flat(album, name, size) for name in ("holdout", "synthetic", "train")}
        rows["marginals"] = np.stack([rng.permutation(pixel) for pixel in rows["train"].T], axis=1)
        unit = float(np.sqrt(rows["holdout"].var(0).mean())) or 1.0
        directions = rng.standard_normal((rows["holdout"].shape[1], DIRECTIONS))
        directions /= np.linalg.norm(directions, axis=0) * unit
        seen = {name: part @ directions for name, part in rows.items()}
        value, best, floor = compared(sliced, lambda name: seen[name], size, error_of_parts(rng))
        return [
            finding(
                self.name,
                self.titled(evidence, album, "sliced distance of the pixels"),
                value,
                f"Seen from {DIRECTIONS} random directions, synthetic pixels are {value.value:.3f} spreads away from "
                f"fresh real ones; real training pixels {best.value:.3f}.",
                ceiling=best,
                floor=floor,
                unit="distance",
            )
        ]


def _flat(album: Album, name: str, size: int) -> Floats:
    return scaled(album.pixels(name, size), SIDE).reshape(size, -1).astype(np.float64)


def sliced(a: Floats, b: Floats) -> float:
    """Of the projections of two samples, at the quantiles of the smaller one.  (n, directions), (m, directions)"""
    size = min(len(a), len(b))
    one, two = (np.sort(side, axis=0)[np.linspace(0, len(side) - 1, size).round().astype(int)] for side in (a, b))
    return float(np.sqrt(((one - two) ** 2).mean()))
