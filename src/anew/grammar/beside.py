"""Languages side by side: each row is held in one of its own.

Shapes: B rows, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anew.core.errors import UsageError
from anew.grammar.tokens import Guide, Walk


class Beside:
    """As many languages as rows; those that are the same object walk together."""

    def __init__(self, guides: Sequence[Guide]) -> None:
        self.guides = list(guides)
        self.different = list({id(guide): guide for guide in guides}.values())

    @property
    def shortest(self) -> int:
        """Tokens that every text has room in."""
        return max(guide.shortest for guide in self.different)

    @property
    def longest(self) -> int | None:
        """The most tokens of any text, where each has a most."""
        found = [guide.longest for guide in self.different]
        return None if None in found else max(one or 0 for one in found)

    def start(self, rows: int, budget: int) -> Walks:
        """Rows that have written nothing."""
        if rows != len(self.guides):
            raise UsageError("Each row needs what it is held to", found=f"{len(self.guides)} for {rows} rows")
        number = {id(guide): k for k, guide in enumerate(self.different)}
        which = np.array([number[id(guide)] for guide in self.guides])
        walks = [guide.start(int((which == k).sum()), budget) for k, guide in enumerate(self.different)]
        return Walks(walks, which)


class Walks:
    """Rows that are being written, row i by the walk `which[i]`."""

    def __init__(self, walks: Sequence[Walk], which: npt.NDArray[np.integer]) -> None:
        self.walks, self.which = list(walks), which
        self.place = np.zeros(len(which), np.intp)  # of a row in its walk
        for k in range(len(self.walks)):
            self.place[which == k] = np.arange((which == k).sum())

    def bar(self, logits: npt.NDArray[np.float32], rows: npt.NDArray[np.integer]) -> None:
        """Gives no chance, in place, to the tokens (B, V) that may not come next."""
        for k in np.unique(self.which[rows]):
            mine = np.flatnonzero(self.which[rows] == k)
            part = logits[mine]
            self.walks[k].bar(part, self.place[rows[mine]])
            logits[mine] = part

    def write(self, tokens: npt.NDArray[np.integer], rows: npt.NDArray[np.integer]) -> None:
        """The tokens that were drawn for some rows; a token is one step of each walk, whoever still writes."""
        for k in np.unique(self.which[rows]):
            mine = np.flatnonzero(self.which[rows] == k)
            self.walks[k].write(tokens[mine], self.place[rows[mine]])
