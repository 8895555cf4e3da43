"""The spaces of sequences of any length over one vocabulary, and of what is told before one."""

from __future__ import annotations

from dataclasses import dataclass

from anew.core.space import Tokens


@dataclass(frozen=True)
class Sequences(Tokens):
    """Data are `Ragged`; `sizes` names the vocabulary once.

    Before each sequence stands `opening`. A sequence either ends with the token `end`, or, where the sequences continue
    one another (`least` > 0), at the first `opening` after `least` tokens. A draw has `most` tokens at most.
    """

    kind = "Sequences"
    alike: bool = True
    end: int = 0
    opening: tuple[int, ...] = (0,)
    least: int = 0
    most: int = 1024

    @property
    def continuing(self) -> bool:
        return self.least > 0


@dataclass(frozen=True)
class Told(Tokens):
    """What is told before a sequence, in its vocabulary: `most` tokens at most; what is not present is not said."""

    kind = "Told"
    alike: bool = True
    most: int = 0
