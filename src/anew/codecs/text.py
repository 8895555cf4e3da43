"""Words that are given: a caption as tokens of one vocabulary, in order, for a network that reads sequences.

`Words`: the words of a cell (letters and digits, lower case), the first LONGEST of them, each a token; those that are
not in the vocabulary are one token, RARE. Encoded and never decoded: to write text is another codec's work.

Shapes: n rows, L words, V tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.core.codec import Codec
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config
from anew.core.release import Release
from anew.core.schema import Schema

LONGEST = 24  # words of a cell that are read
MOST = 4_095  # words of the vocabulary
RARE = 0  # the token of every other word
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


class Text(Codec[pl.DataFrame]):
    """One column of captions."""

    kinds = frozenset({"text"})
    views = ()
    answers = ("Words",)

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        if len(schema) != 1:
            raise UsageError("A codec of captions has one column", found=schema.names)
        self.field = schema.fields[0]
        self.vocabulary: list[str] = []
        self.length = 1

    @property
    def learned(self) -> tuple[Any, ...]:
        """The fields that a learner sees."""
        return (self.field,)

    def fit(self, data: pl.DataFrame, release: Release) -> None:
        """The words that occur at least twice, most frequent first; all, when hardly any does."""
        cells = [words_of(cell) for cell in data[self.field.name].drop_nulls()]
        counts = Counter(word for cell in cells for word in set(cell))
        twice = {word: n for word, n in counts.items() if n > 1} or counts
        ranked = sorted(twice, key=lambda word: (-twice[word], word))[:MOST]
        often = np.array([twice[word] for word in ranked], np.int64)
        self.vocabulary = release.levels(self.field.name, ranked, often)
        self.length = max(1, min(LONGEST, max(map(len, cells), default=1)))
        release.note("the longest caption", self.field.name, 1)

    def space(self, view: str) -> Any:
        from anew.core.space import Tokens

        return Tokens((len(self.vocabulary) + 1,) * self.length, alike=True)

    def encode(self, data: pl.DataFrame, view: str) -> Any:
        import torch

        from anew.core.batch import Encoded

        known = {word: i + 1 for i, word in enumerate(self.vocabulary)}
        tokens = np.zeros((len(data), self.length), np.int64)
        present = np.zeros((len(data), self.length), bool)
        for row, cell in enumerate(data[self.field.name]):
            found = [known.get(word, RARE) for word in words_of(cell or "")][: self.length]
            tokens[row, : len(found)], present[row, : len(found)] = found, True
        return Encoded(torch.from_numpy(tokens), torch.from_numpy(present))

    def check_given(self, data: pl.DataFrame) -> None:
        """A caption without a known word would be as good as none."""
        for cell in data[self.field.name].drop_nulls().unique(maintain_order=True):
            if set(words_of(cell)).isdisjoint(self.vocabulary):
                known = ", ".join(repr(word) for word in self.vocabulary[:8])
                raise UsageError(
                    f"No word of this {self.field.name!r} was seen in training",
                    found=cell,
                    do=f"Use words such as {known}",
                )

    def decode(self, x: Any, view: str) -> pl.DataFrame:
        raise UsageError("Captions are read, never decoded")

    def state(self) -> tuple[Config, Arrays]:
        return {"vocabulary": self.vocabulary, "length": self.length}, {}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.vocabulary, self.length = config["vocabulary"], config["length"]


def words_of(cell: str) -> list[str]:
    """The words of a cell: runs of letters and digits, in lower case."""
    return _WORD.findall(cell.lower())
