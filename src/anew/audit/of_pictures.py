"""A measure of pictures: asked of each column of pictures that has enough of them in every sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from anew.audit.album import LOOKED, PICTURES, Album
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding
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


def compared(
    distance: Callable[[Floats, Floats], float], rows: Callable[[str], Floats], size: int, rng: np.random.Generator
) -> tuple[Estimate, Estimate, float]:
    """A distance to held-out pictures of the synthetic, of the training pictures (ceiling) and of a Gaussian (floor).

    The errors are those of disjoint parts: a distance estimated from few pictures is too large, and drawing pictures
    again with replacement adds to that, but its spread falls at least as one over the root of their number.
    """
    fresh = rows("holdout")[:size]
    found = [_estimate(distance, fresh, rows(name)[:size], rng) for name in ("synthetic", "train")]
    floor = distance(fresh, rows("marginals")[:size])
    return found[0], found[1], floor


def _estimate(
    distance: Callable[[Floats, Floats], float], fresh: Floats, rows: Floats, rng: np.random.Generator, parts: int = 5
) -> Estimate:
    """The distance, and the spread of it over disjoint parts of both sides."""
    mine, theirs = (np.array_split(rng.permutation(len(side)), parts) for side in (rows, fresh))
    each = [distance(fresh[b], rows[a]) for a, b in zip(mine, theirs, strict=True)]
    return Estimate.around(distance(fresh, rows), float(np.std(each, ddof=1) / np.sqrt(parts)))
