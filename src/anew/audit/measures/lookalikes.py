"""Are pictures copied? A synthetic picture far nearer to one training picture than that one's rivals is a copy.

d1 and d2 are the distances of its pixels to the nearest and the second nearest training picture: a copy has d1 / d2
under 1/3 (as Carlini et al. 2023 test memorised pictures, with a ratio of neighbours). Mirrored training pictures
count too. Ceiling: held-out pictures in the synthetic ones' place; floor: training pictures drawn again.
"""

from __future__ import annotations

import numpy as np

from anew.audit.album import Album
from anew.audit.encode import Singles
from anew.audit.evidence import Evidence
from anew.audit.finding import BREACH, Finding, finding
from anew.audit.neighbours import nearest
from anew.audit.of_pictures import OfPictures
from anew.audit.scaled import scaled
from anew.audit.statistics import proportion
from anew.core.columns import Bools
from anew.core.pixels import Pixels

RATIO = 1 / 3
SIDE = 16
SEARCHED = 20_000  # training pictures


class Lookalikes(OfPictures):
    question = "Are there copies of real pictures?"
    chapter = "safety"
    order = 61
    weight = 4

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        train = album.training(SEARCHED)
        flat = np.concatenate([_flat(train), _flat(train[:, :, ::-1])])
        copied = {
            name: copies(_flat(album.pixels(name)), flat, len(train)) for name in ("synthetic", "holdout", "bootstrap")
        }
        value, natural = (proportion(copied[name].sum(), len(copied[name])) for name in ("synthetic", "holdout"))
        return [
            finding(
                self.name,
                self.titled(evidence, album, "copies of training pictures"),
                value,
                f"{100 * value.value:.2f} of 100 synthetic pictures are three times nearer to one training picture (or "
                f"its mirror image) than to any other; of fresh real pictures {100 * natural.value:.2f} are.",
                ceiling=natural,
                floor=float(copied["bootstrap"].mean()),
                scale=BREACH,
            )
        ]


def _flat(pixels: Pixels) -> Singles:
    return scaled(pixels, SIDE).reshape(len(pixels), -1)


def copies(rows: Singles, flat: Singles, originals: int) -> Bools:
    """Which rows (m, d) are copies of one of `flat` (2 n, d), the pictures and then their mirror images.  (m,)

    The second nearest must be another picture: a picture that is its own mirror image has its likeness twice.
    """
    near = nearest(rows, flat, 3)
    other = near.row % originals != near.row[:, :1] % originals
    second = np.where(other[:, 1], near.distance[:, 1], near.distance[:, -1])
    return np.asarray(near.distance[:, 0] < RATIO * second)
