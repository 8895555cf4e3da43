"""Is each picture a possible one, and is every kind of picture there? Precision, recall, density and coverage.

Balls around each held-out picture reach to its fifth nearest held-out picture, in the features of the audit's reader.
precision: share of synthetic pictures in a ball; density: how many balls they lie in, over 5, so that more than 1
means crowding where real pictures are dense; coverage: share of balls with a synthetic picture in them (Naeem et al.
2020); recall: share of held-out pictures in a ball around synthetic ones (Kynkaanniemi et al. 2019). Ceiling: training
pictures in the synthetic ones' place; floor: a Gaussian fitted to the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from anew.audit.album import Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Better, Finding, finding
from anew.audit.of_pictures import OfPictures, size_of
from anew.audit.statistics import Estimate, proportion
from anew.core.columns import Floats

NEIGHBOURS = 5
LEAST = 0.1  # what there is to lose even where noise looks much like real pictures
ASKED: tuple[tuple[str, str, Better, str], ...] = (
    ("precision", "pictures that could be real", "higher", "Synthetic pictures lie where real ones lie"),
    ("recall", "real pictures that could be synthetic", "higher", "Real pictures lie where synthetic ones lie"),
    ("density", "crowding where real pictures are dense", "nearer", "Real pictures crowd around a synthetic one"),
    ("coverage", "real pictures with a synthetic one near", "higher", "Real pictures have a synthetic one near them"),
)


class Manifold(OfPictures):
    question = "Is each picture a possible one, and every kind of picture there?"
    chapter = "likeness"
    order = 41
    weight = 3
    reads = True

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        size = size_of(album)
        fresh = album.features("holdout")[:size]
        value, best, worst = (
            manifold(fresh, album.features(name)[:size]) for name in ("synthetic", "train", "marginals")
        )
        return [
            finding(
                self.name,
                self.titled(evidence, album, f"{title} ({name})"),
                value[name],
                f"{words}: {value[name].value:.2f}, where real training pictures reach {best[name].value:.2f}.",
                ceiling=best[name],
                floor=min(worst[name].value, best[name].value - LEAST),
                better=better,
                unit="score",
            )
            for name, title, better, words in ASKED
        ]


def manifold(real: Floats, fake: Floats, k: int = NEIGHBOURS) -> Mapping[str, Estimate]:
    """The four by name, of features (n, D) and (m, D)."""
    across = apart(real, fake)  # (n, m)
    reach, other = _reach(real, k), _reach(fake, k)
    inside = across < reach[:, None]
    held = inside.sum(0) / k  # (m,) balls around a synthetic picture
    n, m = across.shape
    return {
        "precision": proportion(float(inside.any(0).sum()), m),
        "recall": proportion(float((across < other).any(1).sum()), n),
        "density": Estimate.around(float(held.mean()), float(held.std() / np.sqrt(m))),
        "coverage": proportion(float((across.min(1) < reach).sum()), n),
    }


def _reach(rows: Floats, k: int) -> Floats:
    """Squared distance to the k-th nearest other row.  (n,)"""
    k = min(k, len(rows) - 1)
    return np.asarray(np.partition(apart(rows, rows), k, axis=1)[:, k])


def apart(a: Floats, b: Floats) -> Floats:
    """Squared distances.  (n, m)"""
    return np.asarray(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0))
