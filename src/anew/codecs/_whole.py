"""Texts as so many positions: each text at once, for learners that know no order or no sequence.

A position holds a byte or a piece of bytes that is frequent in the corpus, however small that is: a tagline of 35 bytes
is some ten of them. Behind a text stand ENDs up to the length of the longest one that was learned from; what is drawn
behind the first END is not read. Only texts of at most LONGEST positions have this form: attention among all of them
costs their square.

Shapes: n texts, L positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.codecs._vocabulary import END, Vocabulary, learned
from anew.core.errors import DataError
from anew.core.learner import Config

LONGEST = 256  # positions
PIECES = 1024  # beyond the bytes

Tokens = npt.NDArray[np.int64]


@dataclass
class Whole:
    """What positions hold, and how many there are; 0: these texts have no such form."""

    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    wide: int = 0

    @classmethod
    def of(cls, cells: pl.Series, vocabulary: Vocabulary) -> Whole:
        """Of all texts of a corpus, in the pieces of this vocabulary or, where it has bytes alone, in own ones."""
        vocabulary = vocabulary if vocabulary.merges else learned(cells, PIECES)
        longest = max(map(len, vocabulary.encode(cells.to_list())), default=0) + 1
        return cls() if longest > LONGEST else cls(vocabulary, longest)

    def laid_out(self, rows: Iterable[Sequence[int] | npt.NDArray[np.integer]]) -> Tokens:
        """(n, L)"""
        texts = [np.asarray(row, np.int64) for row in rows]
        longest = max(map(len, texts), default=0)
        if longest > self.wide:
            raise DataError(
                "A text is longer than all that were learned from",
                found=f"{longest} pieces; this model has room for {self.wide}",
                do="Shorten it, or fit with the objective next_token, which reads texts of any length",
            )
        whole = np.full((len(texts), self.wide), END, np.int64)
        for i, text in enumerate(texts):
            whole[i, : len(text)] = text
        return whole

    def state(self) -> Config:
        return {"wide": self.wide, "pieces": self.vocabulary.state()}

    @classmethod
    def restored(cls, config: Config) -> Whole:
        """Models of earlier versions had none."""
        return cls(Vocabulary.restored(config.get("pieces", [])), config.get("wide", 0))


def cut(whole: Any) -> list[Tokens]:
    """Each row (L,) up to its first END."""
    return [row[: int(np.argmax(row == END)) if (row == END).any() else len(row)] for row in whole]
