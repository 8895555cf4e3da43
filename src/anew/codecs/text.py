"""Words that are given: a caption as tokens of one vocabulary, in order, for a network that reads sequences.

`Words`: the words of a cell (letters and digits, lower case), the first LONGEST of them, each a token; those that are
not in the vocabulary are one token, RARE. Encoded and never decoded: to write text is another codec's work.

`Sentence`: what the whole cell means, as the unit vector of MiniLM (core/minilm.py) times sqrt(H), so that a number has
about unit variance. Read in place of the words wherever that package is installed: a word that training never saw then
lies near those that it did.

`Columns`: no column, but beside it the cell's bags of n-grams (_bags.py), for solvers. They are fitted only when a
factor reads them.

Shapes: n rows, L words, V tokens, H numbers of a meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.codecs._bags import Bags
from anew.core.codec import Codec
from anew.core.columns import Cells, Columns
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config
from anew.core.release import Release
from anew.core.schema import Schema

LONGEST = 24  # words of a cell that are read
MOST = 4_095  # words of the vocabulary
MEANING = 384  # numbers of a sentence's meaning
RARE = 0  # the token of every other word
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


class Text(Codec[pl.DataFrame]):
    """One column of captions."""

    kinds = frozenset({"text"})
    views = ()
    answers = ("Words", "Sentence", "Columns")

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        if len(schema) != 1:
            raise UsageError("A codec of captions has one column", found=schema.names)
        self.field = schema.fields[0]
        self.vocabulary: list[str] = []
        self.length = 1
        self.sentences = False  # whether cells are read by MiniLM
        self.bags: Bags | None = None  # of n-grams, for solvers

    @property
    def learned(self) -> tuple[Any, ...]:
        """The fields that a learner sees."""
        return (self.field,)

    def fit(self, data: pl.DataFrame, release: Release) -> None:
        """The words that occur at least twice, most frequent first; all, when hardly any does."""
        from anew.core.minilm import installed

        self.sentences = installed()
        cells = [words_of(cell) for cell in data[self.field.name].drop_nulls()]
        counts = Counter(word for cell in cells for word in set(cell))
        twice = {word: n for word, n in counts.items() if n > 1} or counts
        ranked = sorted(twice, key=lambda word: (-twice[word], word))[:MOST]
        often = np.array([twice[word] for word in ranked], np.int64)
        self.vocabulary = release.levels(self.field.name, ranked, often)
        self.length = max(1, min(LONGEST, max(map(len, cells), default=1)))
        release.note("the longest caption", self.field.name, 1)

    def fit_columns(self, data: pl.DataFrame, release: Release) -> None:
        """The n-grams that solvers read."""
        self.bags = Bags()
        self.bags.fit(self._cells(data.select(self.field.name)), self.field.name, release)

    @staticmethod
    def _cells(data: pl.DataFrame) -> list[str]:
        return data.to_series().fill_null("").to_list()

    def best_view(self, reads: Sequence[str]) -> str:
        """Meanings where they were learned from, else words."""
        known = reads if self.sentences else [view for view in reads if view != "Sentence"]
        return super().best_view(known)

    def space(self, view: str) -> Any:
        if view == "Columns":
            return Columns((), ())
        from anew.core.space import Real, Tokens

        if view == "Sentence":
            return Real((MEANING,))
        return Tokens((len(self.vocabulary) + 1,) * self.length, alike=True)

    def encode(self, data: pl.DataFrame, view: str) -> Any:
        if view == "Columns":
            assert self.bags is not None, "fit_columns was not called"
            return replace(Cells.empty(len(data), 0), bags=self.bags.bag(self._cells(data.select(self.field.name))))
        import torch

        from anew.core.batch import Encoded

        if view == "Sentence":
            return self._meanings(data)
        known = {word: i + 1 for i, word in enumerate(self.vocabulary)}
        tokens = np.zeros((len(data), self.length), np.int64)
        present = np.zeros((len(data), self.length), bool)
        for row, cell in enumerate(data[self.field.name]):
            found = [known.get(word, RARE) for word in words_of(cell or "")][: self.length]
            tokens[row, : len(found)], present[row, : len(found)] = found, True
        return Encoded(torch.from_numpy(tokens), torch.from_numpy(present))

    def _meanings(self, data: pl.DataFrame) -> Any:
        """Each different cell is read once."""
        import torch

        from anew.core.batch import Encoded
        from anew.core.minilm import meanings

        cells = [cell if words_of(cell or "") else None for cell in data[self.field.name]]
        different = sorted({cell for cell in cells if cell is not None})
        row = {cell: i for i, cell in enumerate(different)}
        table = np.concatenate([meanings(different), np.zeros((1, MEANING), np.float32)]) * np.sqrt(MEANING)
        x = table[[row.get(cell, -1) if cell is not None else -1 for cell in cells]].astype(np.float32)
        here = np.repeat(np.array([cell is not None for cell in cells], bool)[:, None], MEANING, 1)
        return Encoded(torch.from_numpy(x.reshape(-1, MEANING)), torch.from_numpy(here.reshape(-1, MEANING)))

    def check_given(self, data: pl.DataFrame) -> None:
        """A caption without a known word would be as good as none."""
        for cell in data[self.field.name].drop_nulls().unique(maintain_order=True):
            if self.sentences:
                self._check_sentence(cell)
            elif set(words_of(cell)).isdisjoint(self.vocabulary):
                known = ", ".join(repr(word) for word in self.vocabulary[:8])
                raise UsageError(
                    f"No word of this {self.field.name!r} was seen in training",
                    found=cell,
                    do=f"Use words such as {known}",
                )

    def _check_sentence(self, cell: str) -> None:
        if not words_of(cell):
            raise UsageError(f"This {self.field.name!r} has no word", found=cell, do="Say what it shows in words")

    def decode(self, x: Any, view: str) -> pl.DataFrame:
        raise UsageError("Captions are read, never decoded")

    def state(self) -> tuple[Config, Arrays]:
        told = {"vocabulary": self.vocabulary, "length": self.length, "sentences": self.sentences}
        return told, {} if self.bags is None else self.bags.arrays()

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.vocabulary, self.length = config["vocabulary"], config["length"]
        self.sentences = config.get("sentences", False)
        self.bags = Bags.restored(arrays)


def words_of(cell: str) -> list[str]:
    """The words of a cell: runs of letters and digits, in lower case."""
    return _WORD.findall(cell.lower())
