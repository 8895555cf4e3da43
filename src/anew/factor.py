"""One factor of a model, p(learn | given): what stands on both sides, how it is read, and the learner between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import polars as pl

from anew.codecs.table import Table
from anew.core.codec import Codec
from anew.core.columns import Bools, Cells
from anew.core.learner import Learner, Solved
from anew.plan import FactorPlan

TABLE = "table"  # the name of what is given as scalars
Part = Codec[pl.DataFrame]  # of one picture or text


def parts_of(beside: Iterable[str]) -> list[str]:
    """What a network calls the pictures and texts that it is given: no column's own name, which may be any word."""
    return [f"part{i}" for i, _ in enumerate(beside)]


def told_of(told: Iterable[str]) -> list[str]:
    """What a learner calls the columns that it is told."""
    return [f"told{i}" for i, _ in enumerate(told)]


@dataclass(frozen=True)
class Factor:
    """p(learn | given): codecs and views for both sides (that of the given ones where it is another), the learner.

    What is given are scalars (`given`, read in `view_given`), and pictures and texts `beside` them, each in its view;
    what is `told` is written before a text that is learned, in its tokens.
    """

    plan: FactorPlan
    learner: Learner
    learned: Table
    given: Table
    view: str
    view_given: str = ""
    beside: Mapping[str, tuple[Part, str]] = field(default_factory=dict)
    part: Part | None = None  # what is learned, where that is no table
    front: Learner | None = None  # what compresses that first
    told: tuple[str, ...] = ()  # columns

    @property
    def picture(self) -> Part | None:
        """The codec of the picture that is learned, if it is one."""
        return self.part if self.part is not None and "image" in self.part.kinds else None

    @property
    def text(self) -> Part | None:
        """The codec of the text that is learned, if it is one."""
        return self.part if self.part is not None and "text" in self.part.kinds else None

    @property
    def columns_given(self) -> int:
        """How many columns stand before those that a solver learns."""
        return self.learner.space.given if isinstance(self.learner, Solved) else 0

    def encode_given(self, frame: pl.DataFrame) -> Any:
        """Cells for a solver; for a trained learner the only part or all by name; None where nothing is given."""
        if isinstance(self.learner, Solved):
            cells = [self.given.encode(frame, "Columns")] if self.given.learned else []
            cells += [part.encode(frame, view) for part, view in self.beside.values()]
            return reduce(Cells.beside, cells) if cells else None
        table = self.given.encode(frame, self.view_given or self.view) if self.given.learned else None
        if not self.beside and not self.told:
            return table
        read = zip(parts_of(self.beside), self.beside.values(), strict=True)
        parts = {name: part.encode(frame, view) for name, (part, view) in read}
        if self.told:
            assert self.part is not None, "only what is learned alone is told something"
            parts |= {
                name: self.part.told(frame[column]) for name, column in zip(told_of(self.told), self.told, strict=True)
            }
        return parts if table is None else {TABLE: table, **parts}

    def cells(self, frame: pl.DataFrame) -> Cells:
        """Rows with all columns of a solver's factor, given first."""
        learned: Cells = self.learned.encode(frame, "Columns")
        given = self.encode_given(frame)
        return learned if given is None else Cells.beside(given, learned)

    def encode(self, frame: pl.DataFrame) -> Any:
        """What is learned, as the learner reads it."""
        return (self.part or self.learned).encode(frame, self.view)

    def encode_partly(self, frame: pl.DataFrame, unknown: Bools) -> tuple[Any, Bools]:
        """Pictures of which some pixels (n, H, W) are unknown, and what of that the learner knows (n, *data)."""
        assert self.picture is not None, "only pictures are known in part"
        return self.picture.encode_partly(frame, unknown, self.view)

    def decode(self, x: Any) -> pl.DataFrame:
        """The columns that a learner's data stand for."""
        return (self.part or self.learned).decode(x, self.view)
