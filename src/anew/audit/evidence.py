"""What an audit looks at: real rows that were learned from, real rows that were not, and the synthetic ones.

Fresh rows are the measure of all things here: whatever is asked of the synthetic rows is also asked of held-out real
rows, at the same size, and of a baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.audit.album import LOOKED, PICTURES, Album
from anew.audit.conditions import named
from anew.audit.corpus import TEXTS, Corpus
from anew.audit.encode import Column, Encoder, Singles
from anew.audit.finding import ASIDE, Finding
from anew.audit.labels import labels_of
from anew.audit.measure import Measure
from anew.audit.saliency import Reading
from anew.core.columns import Floats
from anew.core.errors import DataError, UsageError, did_you_mean
from anew.core.schema import Schema

__all__ = ["Evidence", "Finding", "Measure"]

Scored = float | tuple[float, float, float] | Mapping[str, float]
CAP = 10_000  # rows a side, as the ruler of the benchmarks takes


@dataclass(frozen=True)
class Evidence:
    """Frames in the canonical dtypes of `schema`; what could not be known is None or empty.

    `baselines` are samples of the baselines by name; `where` is the condition that the rows were drawn under, in any
    form that `conditions.meets` reads, and `natural` the share of all real rows that meet it; `cost` is seconds, bytes
    and operations by name; `log_prob` is the model's density (n,); `predictions` are scores on the held-out rows;
    `learned` are all rows that were learned from, where `where` leaves some of them out of `train`; `reading` is how
    the model reads the target off a row; `given` are columns that the synthetic rows were told and that no model made.
    """

    train: pl.DataFrame
    holdout: pl.DataFrame
    synthetic: pl.DataFrame
    schema: Schema
    target: str | None = None
    seed: int = 0
    baselines: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    where: Any = None
    natural: float = 1.0
    cost: Mapping[str, float] | None = None
    log_prob: Callable[[pl.DataFrame], Floats] | None = None
    predictions: Mapping[str, Scored] | None = None
    learned: pl.DataFrame | None = None
    reading: Reading | None = None
    given: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("train", "holdout", "synthetic"):
            frame: pl.DataFrame = getattr(self, name)
            missing = [wanted for wanted in self.schema.names if wanted not in frame.columns]
            if missing:
                raise DataError(
                    f"The {name} rows lack columns of the schema",
                    found=missing,
                    do=did_you_mean(missing[0], frame.columns),
                )
            if not len(frame):
                raise DataError(f"The {name} rows are empty", do="An audit needs rows of all three kinds")
        if self.target is not None and self.target not in self.schema:
            raise UsageError(f"No column is named {self.target!r}", do=did_you_mean(self.target, self.schema.names))

    @cached_property
    def encoder(self) -> Encoder:
        return Encoder(self.train, self.schema, self.seed)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The compared columns, in the order of the matrices."""
        return self.encoder.columns

    @cached_property
    def albums(self) -> tuple[Album, ...]:
        """One for each column of pictures."""
        learned = self.train if self.learned is None else self.learned
        fields = [field for field in self.schema if field.kind in PICTURES]
        labels = labels_of(learned, self.schema, self.target) if fields else None
        return tuple(Album(field, self.frame, self.rows, learned, labels, self.seed) for field in fields)

    @cached_property
    def corpora(self) -> tuple[Corpus, ...]:
        """One for each column of texts that the synthetic rows do not repeat because they were given them."""
        learned = self.train if self.learned is None else self.learned
        fields = [field for field in self.schema if field.kind in TEXTS and field.name not in self.given]
        asked = next((name for name in named(self.where) if name in self.schema), self.target)
        labels = labels_of(learned, self.schema, asked) if fields else None
        return tuple(Corpus(field, self.frame, self.rows, learned, labels, self.seed) for field in fields)

    @property
    def aside(self) -> str:
        """What is added to the name of a finding that reads no text, where there are texts."""
        return f", {ASIDE}" if self.corpora else ""

    @property
    def comparable(self) -> bool:
        """Whether there is anything that a comparison can read."""
        return bool(self.columns or self.albums)

    @property
    def compared(self) -> list[str]:
        """The names of what can be compared."""
        return [column.name for column in self.columns] + [album.name for album in self.albums]

    @property
    def quoted(self) -> tuple[str, ...]:
        """The baselines to quote beside a likeness: all but those that copy."""
        return tuple(name for name in self.baselines if name != "bootstrap")

    @property
    def target_index(self) -> int | None:
        """The position of the target among the compared columns."""
        names = [column.name for column in self.columns]
        return names.index(self.target) if self.target in names else None

    @property
    def fresh_size(self) -> int:
        """How many rows a side a comparison with fresh rows can use."""
        return min(len(self.holdout), len(self.synthetic), CAP)

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        return {}

    def frame(self, name: str) -> pl.DataFrame:
        """`train`, `holdout`, `synthetic` or a baseline, by name."""
        own = {"train": self.train, "holdout": self.holdout, "synthetic": self.synthetic}
        return own[name] if name in own else self.baselines[name]

    def rng(self, *salt: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, 7919, *salt])

    def matrix(self, name: str) -> Floats:
        """All rows as numbers, NaN missing; made once.  (n, d)"""
        if name not in self._kept:
            self._kept[name] = self.encoder.matrix(self.frame(name))
        kept: Floats = self._kept[name]
        return kept

    def rows(self, name: str, most: int, salt: int = 0) -> npt.NDArray[np.intp]:
        """At most `most` row numbers, drawn without replacement; the same for the same arguments, in random order.

        A smaller draw is the beginning of a larger one, so measures that differ in size still share rows.
        """
        length = len(self.frame(name))
        return self.rng(salt, sum(map(ord, name))).permutation(length)[:most]

    def take(self, name: str, most: int, salt: int = 0) -> Floats:
        """Those rows as numbers.  (at most `most`, d)"""
        return self.matrix(name)[self.rows(name, most, salt)]

    def embedded(self, name: str, most: int, how: Literal["range", "rank"] = "range", salt: int = 0) -> Singles:
        """Those rows as vectors; made once.  (at most `most`, D)"""
        key = (name, most, how, salt)
        if key not in self._kept:
            rows = self.rows(name, most, salt)
            cells = self.encoder.embed(self.matrix(name)[rows], how)
            self._kept[key] = np.hstack([cells, *(album.placed(name, rows, how) for album in self.albums)])
        kept: Singles = self._kept[key]
        return kept

    def read(self, name: str, most: int) -> tuple[tuple[Column, ...], Floats]:
        """What trees can read of those rows: the compared columns, then the features of the pictures.  (rows, d')"""
        rows = self.rows(name, min(most, LOOKED) if self.albums else most)
        columns, parts = list(self.columns), [self.matrix(name)[rows]]
        for album in self.albums:
            more, found = album.columns(name, rows)
            columns += more
            parts.append(found)
        return tuple(columns), np.hstack(parts)
