"""A measure of pictures: asked of each column of pictures that has enough of them in every sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from anew.audit.album import LOOKED, PICTURES, SOME, Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate
from anew.core.columns import Floats

FEWEST = 20  # pictures a side


class OfPictures(Measure):
    kinds = PICTURES
    needs = FEWEST

    def measure(self, evidence: Evidence) -> list[Finding]:
        albums = [album for album in evidence.albums if size_of(album) >= FEWEST]
        return [found for album in albums for found in self.look(evidence, album)]

    @abstractmethod
    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        """The findings about one column of pictures."""

    @staticmethod
    def titled(evidence: Evidence, album: Album, title: str) -> str:
        """The name of a finding; with the column's, where there are several of pictures."""
        return f"{title} ({album.name})" if len(evidence.albums) > 1 else title


def size_of(album: Album) -> int:
    """How many pictures a side a comparison can use."""
    return min(len(album.numbers(name, LOOKED)) for name in ("train", "holdout", "synthetic"))


Distance = Callable[[Floats, Floats], float]


def compared(
    distance: Distance, rows: Callable[[str], Floats], size: int, error: Callable[[Distance, Floats, Floats], float]
) -> tuple[Estimate, Estimate, float]:
    """A distance to held-out pictures of the synthetic, of the training pictures (ceiling) and of a Gaussian (floor).

    All from `size` pictures a side, since a distance that is estimated from few pictures is too large.
    """
    fresh = rows("holdout")[:size]
    made, train, loose = (rows(name)[:size] for name in ("synthetic", "train", "marginals"))
    value, best = (Estimate.around(distance(fresh, side), error(distance, fresh, side)) for side in (made, train))
    return value, best, distance(fresh, loose)


def error_of_parts(rng: np.random.Generator, parts: int = 5) -> Callable[[Distance, Floats, Floats], float]:
    """The spread over disjoint parts of both sides, which falls at least as one over the root of their number."""

    def error(distance: Distance, fresh: Floats, side: Floats) -> float:
        mine, theirs = (np.array_split(rng.permutation(len(rows)), parts) for rows in (side, fresh))
        each = [distance(fresh[b], side[a]) for a, b in zip(mine, theirs, strict=True)]
        return float(np.std(each, ddof=1) / np.sqrt(parts))

    return error


def error_of_draws(rng: np.random.Generator, times: int = 12) -> Callable[[Distance, Floats, Floats], float]:
    """The spread when both sides are drawn again with replacement (Efron 1979), for what needs all pictures at once."""

    def error(distance: Distance, fresh: Floats, side: Floats) -> float:
        draws = [(rng.integers(0, len(fresh), len(fresh)), rng.integers(0, len(side), len(side))) for _ in range(times)]
        return float(np.std([distance(fresh[a], side[b]) for a, b in draws], ddof=1))

    return error


class OfFeatures(OfPictures):
    """A distance between features of synthetic and of held-out pictures: of the own reader, and of ImageNet's network
    where the optional packages are there. Ceiling: training pictures; floor: a Gaussian fitted to the pixels."""

    chapter = "likeness"
    weight = 3
    reads = True
    title: str  # what the distance is called

    def look(self, evidence: Evidence, album: Album) -> list[Finding]:
        size = size_of(album)
        found = [self._one(evidence, album, "features of an own network", album.features, size)]
        if album.has_imagenet:
            found.append(self._one(evidence, album, "ImageNet features", album.imagenet, min(size, SOME)))
        return found

    def _one(
        self, evidence: Evidence, album: Album, what: str, features: Callable[[str], Floats], size: int
    ) -> Finding:
        value, best, floor = compared(self.distance, features, size, self.error(evidence))
        return finding(
            self.name,
            self.titled(evidence, album, f"{self.title}, {what}"),
            value,
            f"In the {what}, {self.told(size, value.value, best.value, floor)}",
            ceiling=best,
            floor=floor,
            unit="distance",
        )

    @abstractmethod
    def distance(self, a: Floats, b: Floats) -> float:
        """Of features (n, D) and (m, D)."""

    @abstractmethod
    def error(self, evidence: Evidence) -> Callable[[Distance, Floats, Floats], float]:
        """How its standard error is found."""

    @abstractmethod
    def told(self, size: int, value: float, best: float, floor: float) -> str:
        """The rest of the sentence."""
