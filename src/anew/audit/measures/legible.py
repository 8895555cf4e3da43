"""Does each picture show what its row says? A reader trained on real pictures reads the label back.

Balanced accuracy (mean over labels of the share read rightly) of the audit's reader on synthetic pictures, as a share
of its balanced accuracy on held-out pictures: the reader's own mistakes are no fault of the generator. Ceiling: 1;
floor: labels that have nothing to do with their pictures.
"""

from __future__ import annotations

import numpy as np

from anew.audit.album import Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.labels import Ints
from anew.audit.of_pictures import OfPictures
from anew.audit.statistics import Estimate, balanced_accuracy

FEWEST = 20  # pictures with a known label


class Legible(OfPictures):
    question = "Does each picture show what its row says?"
    chapter = "likeness"
    order = 7
    reads = True

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        if album.labels is None:
            return []
        truth = {name: album.classes(name) for name in ("synthetic", "holdout")}
        if min((classes >= 0).sum() for classes in truth.values()) < FEWEST:
            return []
        guess = {name: album.chances(name).argmax(1) for name in truth}
        made, real = (balanced_accuracy(truth[name], guess[name]) for name in ("synthetic", "holdout"))
        shuffled = balanced_accuracy(evidence.rng(44).permutation(truth["synthetic"]), guess["synthetic"])
        error = np.hypot(made.half, made.value / real.value * real.half) / real.value / 1.96 if real.value else np.nan
        value = Estimate.around(made.value / real.value if real.value else np.nan, float(error))
        return [
            finding(
                self.name,
                self.titled(evidence, album, f"{album.labels.name} read back from the picture"),
                value,
                f"A network that learned {album.labels.name} from real pictures reads it rightly off "
                f"{100 * made.value:.1f} of 100 synthetic pictures and {100 * real.value:.1f} of 100 fresh real ones "
                f"(mean over the labels); from pictures with shuffled labels {100 * shuffled.value:.1f}.",
                ceiling=Estimate.exactly(1.0),
                floor=min(shuffled.value / real.value, 0.9) if real.value else 0.0,
                better="higher",
                details=_each(album, truth["synthetic"], guess["synthetic"]),
            )
        ]


def _each(album: Album, truth: Ints, guess: Ints) -> dict[str, float]:
    assert album.labels is not None
    asked = [k for k in range(len(album.labels.names)) if (truth == k).any()]
    return {album.labels.names[k]: float((guess[truth == k] == k).mean()) for k in asked[:40]}
