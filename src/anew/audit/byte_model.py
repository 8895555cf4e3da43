"""A judge of texts: how many bits a byte of them costs under an n-gram model of bytes that the audit fits for itself.

Interpolated modified Kneser-Ney (networks/ngram.py), read from the beginning of each text to its end, which is a token
as well. It takes .3 s a megabyte, and no network that writes texts has its faults.

Shapes: n texts, N bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anew.core.columns import Floats
from anew.core.ragged import Ragged
from anew.networks.ngram import Ngram

END = 256


class ByteModel:
    """Fitted to texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        learned = _tokens(texts)
        self.model = Ngram(END + 1)
        self.model.count(learned)

    def bits(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Bits and bytes (with the end) of each text.  (n,), (n,)"""
        asked = _tokens(texts)
        sizes, starts = asked.lengths, np.repeat(asked.ends[:-1], asked.lengths)
        found = self.model.log_prob(asked.tokens.astype(np.int64), np.arange(len(asked.tokens)) - starts)[0]
        owner = np.repeat(np.arange(len(texts)), sizes)
        return np.bincount(owner, -found / np.log(2), len(texts)).astype(np.float64), sizes.astype(np.float64)


def _tokens(texts: Sequence[str]) -> Ragged:
    codes = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.cumsum([0, *(len(code) + 1 for code in codes)], dtype=np.int64)
    tokens = np.full(ends[-1], END, np.int32)
    inside = np.ones(len(tokens), bool)
    inside[ends[1:] - 1] = False
    tokens[inside] = np.frombuffer(b"".join(codes), np.uint8)
    return Ragged(tokens, ends)
