"""A text as its words and marks in order, each a token of one vocabulary: for networks that read.

Lower case, the first LONGEST of a cell; a word that two texts do not have is one token, RARE. Encoded, never decoded.

Shapes: n rows, L tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from anew.codecs._bags import tokens
from anew.core.release import Release

LONGEST = 256  # tokens of a text that are read
MOST = 20_000  # words of the vocabulary
LEAST = 2  # texts that a word must stand in
RARE = 0


class Passage:
    """The words that are known, most frequent first, and how many tokens of a text are read."""

    def __init__(self, vocabulary: Sequence[str] = (), length: int = 1) -> None:
        self.vocabulary, self.length = list(vocabulary), length

    @classmethod
    def of(cls, texts: Sequence[str], name: str, release: Release) -> Passage:
        found = [tokens(text) for text in texts]
        counts = Counter(word for words in found for word in set(words))
        often = {word: n for word, n in counts.items() if n >= LEAST}
        ranked = sorted(often, key=lambda word: (-often[word], word))[:MOST]
        kept = release.levels(f"{name}: words", ranked, np.array([often[word] for word in ranked], np.int64))
        release.note("the longest text", name, 1)
        return cls(kept, max(1, min(LONGEST, max(map(len, found), default=1))))

    def space(self) -> Any:
        from anew.core.space import Tokens

        return Tokens((len(self.vocabulary) + 1,) * self.length, alike=True)

    def encode(self, texts: Sequence[str]) -> Any:
        """(n, L) tokens, and which of them are there."""
        import torch

        from anew.core.batch import Encoded

        known = {word: i + 1 for i, word in enumerate(self.vocabulary)}
        x = np.zeros((len(texts), self.length), np.int64)
        here = np.zeros((len(texts), self.length), bool)
        for row, text in enumerate(texts):
            found = [known.get(word, RARE) for word in tokens(text)[: self.length]]
            x[row, : len(found)], here[row, : len(found)] = found, True
        return Encoded(torch.from_numpy(x), torch.from_numpy(here))
