"""Can a network learn from the pictures? Trained on synthetic pictures, tested on held-out real ones.

Balanced accuracy of the audit's small network. Ceiling: the same network after as many real pictures; floor: chance.
Adding synthetic to real pictures is held against the control that the literature asks for: the same real pictures,
each twice, and as many steps (PMLR 318:954, 2026).
"""

from __future__ import annotations

import numpy as np

from anew.audit.album import Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.labels import Ints
from anew.audit.of_pictures import OfPictures
from anew.audit.reader import SIDE, fit_reader
from anew.audit.scaled import scaled
from anew.audit.statistics import Estimate, balanced_accuracy, difference

EACH = 2000  # pictures to learn from
FEWEST = 40
STEPS = 300  # of training, whatever the number of pictures: only what is learned from differs


class Lessons(OfPictures):
    question = "Can a network learn from the pictures?"
    chapter = "use"
    order = 51
    weight = 10

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        if album.labels is None:
            return []
        lab = Lab(album)
        if min(len(lab.known("train")), len(lab.known("synthetic")), len(lab.known("holdout"))) < FEWEST:
            return []
        made, real = lab.score(["synthetic"]), lab.score(["train"])
        twice, both = lab.score(["train", "train"]), lab.score(["train", "synthetic"])
        return [self._alone(evidence, album, made, real), self._beside(evidence, album, lab, real, twice, both)]

    def _alone(self, evidence: Evidence, album: Album, made: Estimate, real: Estimate) -> Finding:
        assert album.labels is not None
        label = album.labels.name
        return finding(
            self.name,
            self.titled(evidence, album, f"reading {label}, learned from synthetic pictures"),
            made,
            f"A network that learned from synthetic pictures reads {label} rightly off {100 * made.value:.1f} of 100 "
            f"fresh real pictures (mean over the labels); one that learned from as many real pictures off "
            f"{100 * real.value:.1f}.",
            ceiling=real,
            floor=1 / len(album.labels.names),
            better="higher",
        )

    def _beside(
        self, evidence: Evidence, album: Album, lab: Lab, real: Estimate, twice: Estimate, both: Estimate
    ) -> Finding:
        gain = difference(both, twice)
        how = "help" if gain.low > 0 else "hurt" if gain.high < 0 else "neither help nor hurt noticeably"
        return finding(
            self.name,
            self.titled(evidence, album, "synthetic beside real pictures, gain over duplicated real pictures"),
            gain,
            f"Added to {lab.size:,} real pictures, as many synthetic ones {how}: {100 * both.value:.1f} of 100 are "
            f"read rightly, against {100 * twice.value:.1f} with the real pictures twice and {100 * real.value:.1f} "
            f"with the real pictures alone.",
            ceiling=Estimate.exactly(0.0),
            better="higher",
            details={
                "real pictures alone": real.value,
                "real pictures twice": twice.value,
                "real and synthetic pictures": both.value,
            },
        )


class Lab:
    """Trains on pictures of any samples, always tests on the same held-out ones."""

    def __init__(self, album: Album) -> None:
        self.album = album
        self.size = min(len(self.known("train")), len(self.known("synthetic")), EACH)
        self.asked = scaled(album.pixels("holdout"), SIDE)[self.known("holdout")]
        self.truth = self._classes("holdout")[self.known("holdout")]

    def _classes(self, name: str) -> Ints:
        return self.album.classes(name)

    def known(self, name: str) -> Ints:
        """The pictures whose label is known."""
        return np.flatnonzero(self._classes(name) >= 0)

    def score(self, names: list[str]) -> Estimate:
        """Balanced accuracy after `size` pictures of each of the named samples."""
        chosen = [(name, self.known(name)[: self.size]) for name in names]
        pictures = np.concatenate([scaled(self.album.pixels(name)[rows], SIDE) for name, rows in chosen])
        classes = np.concatenate([self._classes(name)[rows] for name, rows in chosen])
        labels = self.album.labels
        assert labels is not None
        reader = fit_reader(pictures, classes, len(labels.names), self.album.seed, salt=1, steps=STEPS)
        return balanced_accuracy(self.truth, reader.chances(self.asked).argmax(1))
