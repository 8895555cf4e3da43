"""What is given of a text: its words as tokens of one vocabulary, in order, or what the whole of it means.

The words of a cell (letters and digits, lower case), the first LONGEST of them, each a token; those that are not in the
vocabulary are one token, RARE. Encoded and never decoded.

Shapes: n rows, L words, H numbers of a meaning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.core.errors import UsageError
from anew.core.release import Release

LONGEST = 24  # words of a cell that are read
MOST = 4_095  # words of the vocabulary
MEANING = 384  # numbers of a sentence's meaning
RARE = 0  # the token of every other word
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


@dataclass
class Words:
    """The words that are known, most frequent first, and how many of a cell are read."""

    vocabulary: list[str] = field(default_factory=list)
    length: int = 1

    @classmethod
    def of(cls, cells: pl.Series, release: Release) -> Words:
        """The words that occur at least twice; all, when hardly any does."""
        found = [words_of(cell) for cell in cells.drop_nulls()]
        counts = Counter(word for cell in found for word in set(cell))
        twice = {word: n for word, n in counts.items() if n > 1} or counts
        ranked = sorted(twice, key=lambda word: (-twice[word], word))[:MOST]
        often = np.array([twice[word] for word in ranked], np.int64)
        vocabulary = release.levels(cells.name, ranked, often)
        release.note("the longest caption", cells.name, 1)
        return cls(vocabulary, max(1, min(LONGEST, max(map(len, found), default=1))))

    def space(self) -> Any:
        from anew.core.space import Tokens

        return Tokens((len(self.vocabulary) + 1,) * self.length, alike=True)

    def encode(self, cells: pl.Series) -> Any:
        import torch

        from anew.core.batch import Encoded

        known = {word: i + 1 for i, word in enumerate(self.vocabulary)}
        tokens = np.zeros((len(cells), self.length), np.int64)
        present = np.zeros((len(cells), self.length), bool)
        for row, cell in enumerate(cells):
            found = [known.get(word, RARE) for word in words_of(cell or "")][: self.length]
            tokens[row, : len(found)], present[row, : len(found)] = found, True
        return Encoded(torch.from_numpy(tokens), torch.from_numpy(present))

    def check(self, cells: pl.Series, sentences: bool) -> None:
        """A caption without a known word would be as good as none; as a sentence it needs any word."""
        for cell in cells.drop_nulls().unique(maintain_order=True):
            if sentences and not words_of(cell):
                raise UsageError(f"This {cells.name!r} has no word", found=cell, do="Say what it shows in words")
            if not sentences and set(words_of(cell)).isdisjoint(self.vocabulary):
                known = ", ".join(repr(word) for word in self.vocabulary[:8])
                raise UsageError(
                    f"No word of this {cells.name!r} was seen in training", found=cell, do=f"Use words such as {known}"
                )


def sentences(column: pl.Series) -> Any:
    """The meaning of each cell; each different one is read once."""
    import torch

    from anew.core.batch import Encoded
    from anew.core.minilm import meanings

    cells = [cell if words_of(cell or "") else None for cell in column]
    different = sorted({cell for cell in cells if cell is not None})
    row = {cell: i for i, cell in enumerate(different)}
    table = np.concatenate([meanings(different), np.zeros((1, MEANING), np.float32)]) * np.sqrt(MEANING)
    x = table[[row.get(cell, -1) if cell is not None else -1 for cell in cells]].astype(np.float32)
    here = np.repeat(np.array([cell is not None for cell in cells], bool)[:, None], MEANING, 1)
    return Encoded(torch.from_numpy(x.reshape(-1, MEANING)), torch.from_numpy(here.reshape(-1, MEANING)))


def read_by_layers(cells: Sequence[str]) -> npt.NDArray[np.float32]:
    """What MiniLM's upper layers make of each text, (n, H); zeros where it has no word. Each text is read once."""
    from anew.core.minilm import READ, layers_of

    different = sorted({cell for cell in cells if words_of(cell)})
    row = {cell: i for i, cell in enumerate(different)}
    table = np.concatenate([layers_of(different), np.zeros((1, READ), np.float32)])
    return table[[row.get(cell, -1) for cell in cells]]


def words_of(cell: str) -> list[str]:
    """The words of a cell: runs of letters and digits, in lower case."""
    return _WORD.findall(cell.lower())
