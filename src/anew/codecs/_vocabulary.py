"""The tokens that texts are written in: the 256 bytes of UTF-8, and pieces of bytes that are often together.

Pieces are found by byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) within words: from the bytes on, the two
neighbours that stand together most often become one. Every text is written exactly, whatever its letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

BYTES = 256
END, GONE = 256, 257  # after a text; instead of one that is missing
MARKS = 2
PIECES = 2048  # beyond the bytes
BATCH = 1000  # texts that are read at once
Tokens = npt.NDArray[np.int32]


class Vocabulary:
    """`merges` are the pairs of pieces (as bytes) that became one, first come first; without any, bytes alone.

    `pieces` are the bytes of each token, none for a mark; `start` stands before a text and `end` after it.
    """

    pieces: list[bytes]
    start, end, gone = END, END, GONE

    def __init__(self, merges: Sequence[tuple[bytes, bytes]] = ()) -> None:
        self.merges = list(merges)
        self.pieces = [bytes([i]) for i in range(BYTES)] + [b""] * MARKS + [a + b for a, b in self.merges]

    @property
    def size(self) -> int:
        return len(self.pieces)

    def encode(self, texts: Sequence[str]) -> Iterator[Tokens]:
        """The tokens of each text."""
        if not self.merges:
            for text in texts:
                yield np.frombuffer(text.encode(), np.uint8).astype(np.int32)
            return
        for start in range(0, len(texts), BATCH):
            for found in self._tokenizer.encode_batch(list(texts[start : start + BATCH]), add_special_tokens=False):
                yield np.array(found.ids, np.int32)

    def bytes_of(self, tokens: Iterable[int]) -> bytes:
        """What tokens stand for; marks stand for nothing."""
        return b"".join([self.pieces[token] for token in tokens])

    def state(self) -> list[list[str]]:
        """The merges, as JSON may hold them."""
        return [[piece.decode("latin-1") for piece in pair] for pair in self.merges]

    @classmethod
    def restored(cls, merges: Sequence[Sequence[str]]) -> Vocabulary:
        return cls([(a.encode("latin-1"), b.encode("latin-1")) for a, b in merges])

    def spelled(self, content: bytes) -> list[int]:
        """Any bytes, byte by byte: half a letter too."""
        return [self._byte[byte] for byte in content]

    @cached_property
    def _byte(self) -> dict[int, int]:
        return {piece[0]: token for token, piece in enumerate(self.pieces) if len(piece) == 1}

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer, models, pre_tokenizers

        names = {self._written(piece): i for i, piece in enumerate(self.pieces) if piece}
        merges = [(self._written(a), self._written(b)) for a, b in self.merges]
        tokenizer: Any = Tokenizer(models.BPE(vocab=names, merges=merges))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        return tokenizer

    @staticmethod
    def _written(piece: bytes) -> str:
        """As the library writes bytes: a letter for each."""
        return "".join(_LETTERS[byte] for byte in piece)


def learned(texts: Iterable[str], pieces: int = PIECES) -> Vocabulary:
    """The vocabulary of a corpus."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer: Any = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=BYTES + pieces,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
        special_tokens=[],
    )
    tokenizer.train_from_iterator(texts, trainer)
    import json

    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return Vocabulary([(_bytes(a), _bytes(b)) for a, b in merges])


def _letters() -> list[str]:
    """A visible letter for each byte: its own where it has one (Radford et al. 2019, the code of GPT-2)."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in own else chr(next(others)) for byte in range(256)]


_LETTERS = _letters()
BYTE = {letter: byte for byte, letter in enumerate(_LETTERS)}


def _bytes(letters: str) -> bytes:
    return bytes(BYTE[letter] for letter in letters)
