"""Are the pixels distributed as real ones are? The sliced Wasserstein distance: no network is asked.

Pixels are projected on random directions, on each of which the distance of two samples is that of their sorted values
(Rabin et al. 2011; Bonneel et al. 2015, eq. 10). The root of the mean square over directions, in units of the spread
of real pixels. Ceiling: training pictures in the synthetic ones' place; floor: every pixel drawn on its own.
"""

from __future__ import annotations

import numpy as np

from anew.audit.album import Album
from anew.audit.encode import Singles
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.of_pictures import OfPictures, size_of
from anew.audit.scaled import scaled
from anew.audit.statistics import Estimate

DIRECTIONS = 256
SIDE = 32
PARTS = 8


class Sliced(OfPictures):
    question = "Are the pixels distributed as real ones are?"
    chapter = "likeness"
    order = 33
    weight = 2

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        size, rng = size_of(album), evidence.rng(43)
        rows = {name: _flat(album, name, size) for name in ("holdout", "synthetic", "train")}
        directions = rng.standard_normal((rows["holdout"].shape[1], DIRECTIONS), dtype=np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        unit = float(np.sqrt(rows["holdout"].var(0).mean())) or 1.0
        alone = np.stack([rng.permutation(pixel) for pixel in rows["train"].T], axis=1)
        fresh, made, train, loose = (np.sort(part @ (directions / unit), axis=0) for part in (*rows.values(), alone))
        value, best = _distance(made, fresh), _distance(train, fresh)
        return [
            finding(
                self.name,
                self.titled(evidence, album, "sliced distance of the pixels"),
                value,
                f"Seen from {DIRECTIONS} random directions, synthetic pixels are {value.value:.3f} spreads away from "
                f"fresh real ones; real training pixels {best.value:.3f}.",
                ceiling=best,
                floor=_distance(loose, fresh).value,
                unit="distance",
            )
        ]


def _flat(album: Album, name: str, size: int) -> Singles:
    return scaled(album.pixels(name, size), SIDE).reshape(size, -1)


def _distance(a: Singles, b: Singles) -> Estimate:
    """Of projections sorted along the first axis; the error from groups of directions.  (n, directions) each"""
    square = ((a.astype(np.float64) - b) ** 2).mean(0)
    parts = [np.sqrt(part.mean()) for part in np.array_split(square, PARTS)]
    return Estimate.around(float(np.sqrt(square.mean())), float(np.std(parts, ddof=1) / np.sqrt(PARTS)))
