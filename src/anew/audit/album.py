"""An album: all that an audit knows about the pictures of one column, for every sample, each thing found out once.

Pictures are taken in the order of `Evidence.rows`, so that the first of an album are the rows that other measures
take too. Three kinds of features, each for its purpose: *traits* (no label taught them; for whatever compares
training with held-out pictures), those of a *reader* that the audit trains on training pictures (for likeness), and
those of ImageNet where the optional packages are installed.

n pictures of a sample, m looked at, D features.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import RLock
from typing import Any, Literal, TypeVar

import numpy as np
import polars as pl

from anew.audit.encode import Column, Singles
from anew.audit.imagenet import available, imagenet_features
from anew.audit.labels import Ints, Labels
from anew.audit.reader import SIDE, Reader, fit_reader
from anew.audit.scaled import scaled
from anew.audit.traits import Traits
from anew.core.columns import Bools, Floats
from anew.core.pixels import Pixels, stack
from anew.core.schema import Field

PICTURES = frozenset({"image"})
LOOKED = 2048  # pictures a side in the comparisons
LEARNED = 8192  # training pictures that the reader learns from
FITTED = 2048  # real pictures a side that the traits are fitted to
GROUPS = 12  # of alike pictures, that a reader learns to tell where no label is known
SOME = 1024  # pictures a side that ImageNet's network looks at: it is slow
MAIN = 64  # principal components of its features
READ = 24  # and of the reader's, among the columns of a comparison by trees

T = TypeVar("T")
Rows = Callable[[str, int], Any]


class Album:
    """The pictures of the column `field`. `frames` are samples by name, `rows` their order (see Evidence.rows)."""

    def __init__(
        self,
        field: Field,
        frame: Callable[[str], pl.DataFrame],
        rows: Rows,
        learned: pl.DataFrame,
        labels: Labels | None,
        seed: int,
    ) -> None:
        self.field, self.frame, self.rows, self.learned, self.seed = field, frame, rows, learned, seed
        self.labels = labels
        self._kept: dict[Any, Any] = {}
        self._lock = RLock()  # measures run side by side and must not find the same thing out twice

    @property
    def name(self) -> str:
        return self.field.name

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            found: T = self._kept[key]
            return found

    # ------------------------------------------------------------------------------------------- the pictures

    def numbers(self, name: str, most: int = LOOKED) -> Ints:
        """The row numbers of at most `most` rows that have a picture.  (m,)"""
        order = self.rows(name, len(self.frame(name)))
        here = self.frame(name)[self.name].is_not_null().to_numpy()
        return np.asarray(order[here[order]][:most], dtype=np.intp)

    def pixels(self, name: str, most: int = LOOKED) -> Pixels:
        """Their pictures.  (m, H, W, C)"""
        most = min(most, LOOKED)
        found = self._once(("pixels", name), lambda: self._stacked(self.frame(name), self.numbers(name)))
        return found[:most]

    def training(self, most: int) -> Pixels:
        """At most `most` of all pictures that were learned from.  (m, H, W, C)"""
        numbers = np.flatnonzero(self.learned[self.name].is_not_null().to_numpy())
        return self._stacked(self.learned, np.sort(np.random.default_rng([self.seed, 57]).permutation(numbers)[:most]))

    def classes(self, name: str, most: int = LOOKED) -> Ints:
        """What they show, by the label of their row; -1 unknown.  (m,)"""
        assert self.labels is not None
        return self.labels.of(self.frame(name)[self.numbers(name, min(most, LOOKED))])

    def _stacked(self, frame: pl.DataFrame, numbers: Ints) -> Pixels:
        return stack(frame[self.name].gather(numbers), self.field)

    # ------------------------------------------------------------------------------------------- traits

    @cached_property
    def traits(self) -> Traits:
        size = min(len(self.numbers(name, FITTED)) for name in ("train", "holdout")) or FITTED
        return Traits.fitted(np.concatenate([self.pixels(name, size) for name in ("train", "holdout")]))

    def traits_of(self, name: str) -> tuple[Floats, Bools]:
        """Traits of all rows of a sample, and which of them have a picture.  (n, D), (n,)"""
        return self._once(("traits", name), lambda: self._traits(self.frame(name)))

    def _traits(self, frame: pl.DataFrame) -> tuple[Floats, Bools]:
        with self._lock:
            traits = self.traits
        here = frame[self.name].is_not_null().to_numpy()
        parts = [traits.of(stack(part[self.name], self.field)) for part in frame.iter_slices(LEARNED)]
        return np.concatenate(parts), here

    def placed(self, name: str, rows: Ints, how: Literal["range", "rank"]) -> Singles:
        """Vectors for distances of the rows of a sample; one dimension says whether there is a picture.  (rows, D)"""
        traits, here = self.traits_of(name)
        where = self.traits.placed(traits[rows], how) * here[rows, None]
        return np.hstack([where, np.where(here[rows], 0, 0.5)[:, None].astype(np.float32)])

    # ------------------------------------------------------------------------------------------- learned features

    def train(self) -> None:
        """Trains the reader now, on all cores, before the measures that read its features share them."""
        self._read()

    @cached_property
    def reader(self) -> Reader:
        """Trained on the training pictures: on their label, or where there is none on which group they belong to."""
        numbers = np.flatnonzero(self.learned[self.name].is_not_null().to_numpy())
        rng = np.random.default_rng([self.seed, 57])
        numbers = np.sort(rng.permutation(numbers)[:LEARNED])
        pixels = self._stacked(self.learned, numbers)
        classes = self.labels.of(self.learned[numbers]) if self.labels else self._groups(pixels)
        known = classes >= 0
        return fit_reader(scaled(pixels[known], SIDE), classes[known], int(classes.max()) + 1, self.seed)

    def _groups(self, pixels: Pixels) -> Ints:
        """Groups of alike pictures, by k-means on their traits."""
        from sklearn.cluster import KMeans

        traits = self.traits
        found = KMeans(min(GROUPS, len(pixels)), n_init=1, random_state=self.seed).fit_predict(
            traits.placed(traits.of(pixels), "range")
        )
        return np.asarray(found, dtype=np.intp)

    def features(self, name: str, most: int = LOOKED) -> Floats:
        """The reader's features.  (m, D)"""
        return self._once(("read", name), lambda: self._read().features(scaled(self.pixels(name), SIDE)))[:most]

    def chances(self, name: str) -> Floats:
        """What the reader reads.  (m, K)"""
        return self._once(("chances", name), lambda: self._read().chances(scaled(self.pixels(name), SIDE)))

    def _read(self) -> Reader:
        with self._lock:
            return self.reader

    # ------------------------------------------------------------------------------------------- ImageNet

    @property
    def has_imagenet(self) -> bool:
        return available()

    def imagenet(self, name: str) -> Floats:
        """The main components of ImageNet features, of spread 1 over training pictures.  (at most SOME, MAIN)"""
        mean, turn = self._once("imagenet turn", self._turn)
        return (self._imagenet(name) - mean) @ turn

    def _imagenet(self, name: str) -> Singles:
        return self._once(("imagenet", name), lambda: imagenet_features(self.pixels(name, SOME)))

    def _turn(self) -> tuple[Floats, Floats]:
        found = self._imagenet("train").astype(np.float64)
        return found.mean(0), _components(found, MAIN)

    # ------------------------------------------------------------------------------------------- columns for trees

    def columns(self, name: str, rows: Ints) -> tuple[list[Column], Floats]:
        """Features as columns of numbers, blank where there is no picture: what trees read.  (rows, D)"""
        traits, here = self.traits_of(name)
        found = np.hstack([np.where(here[rows, None], traits[rows], np.nan), self._read_columns(name, rows)])
        return [_column(f"{self.name}, feature {k + 1}") for k in range(found.shape[1])], found

    def _read_columns(self, name: str, rows: Ints) -> Floats:
        turn = self._once("reader turn", lambda: _components(self.features("train"), READ))
        found = np.full((len(self.frame(name)), turn.shape[1]), np.nan)
        numbers = self.numbers(name)
        found[numbers] = self.features(name) @ turn
        return found[rows]


def _components(features: Floats, most: int) -> Floats:
    """Directions (D, P) along which the spread is largest, divided by the spread."""
    values, vectors = np.linalg.eigh(np.cov(features.T))
    chosen = np.argsort(-values)[: min(most, len(features) - 1)]
    return np.asarray(vectors[:, chosen] / np.sqrt(np.maximum(values[chosen], 1e-9)))


def _column(name: str) -> Column:
    return Column(Field(name=name, kind="number", dtype="Float64"), (), np.empty(0))
