"""A corpus: all that an audit knows about the texts of one column, for every sample, each thing found out once.

Texts are taken in the order of `Evidence.rows`, as pictures are (album.py). Each is read up to its first LONG
characters, and by bags of n-grams up to READ.

What is held out of one long text is its end, which differs from what stands before it: other chapters, other people.
Where a machine tells held-out from training texts, likeness is therefore asked of two halves of the training texts.

n texts of a sample, V n-grams.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import polars as pl

from anew.audit.labels import Ints, Labels
from anew.audit.runs import Runs, runs
from anew.core.columns import Floats
from anew.core.schema import Field

TEXTS = frozenset({"text"})
LOOKED = 2000  # texts a side
MOST = 4_000_000  # characters a side
LONG = 20_000  # characters of a text
READ = 1000  # characters of a text that go into a bag
KNOWN = 16_000_000  # characters of training texts in which copies are looked for
NATURAL = 600_000  # characters of training texts whose runs in other training texts say what is natural
SHIFT = 0.6  # area under the curve beyond which held-out texts are of another kind than training texts
SOME, FEW = 1000, 20  # texts a side that are asked for it, at most and at least
MEANT = 400  # texts a side that MiniLM reads: it is slow

T = TypeVar("T")
Rows = Callable[[str, int], Any]


class Corpus:
    """The texts of the column `field`. `frame` gives samples by name, `rows` their order (see Evidence.rows)."""

    def __init__(
        self,
        field: Field,
        frame: Callable[[str], pl.DataFrame],
        rows: Rows,
        learned: pl.DataFrame,
        labels: Labels | None,
        seed: int,
    ) -> None:
        self.field, self.frame, self.rows, self.learned, self.seed = field, frame, rows, learned, seed
        self.labels = labels
        self._kept: dict[Any, Any] = {}
        self._locks: dict[Any, Lock] = defaultdict(Lock)  # measures run side by side, and none finds a thing out twice

    @property
    def name(self) -> str:
        return self.field.name

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        with self._locks[key]:
            if key not in self._kept:
                self._kept[key] = make()
            found: T = self._kept[key]
            return found

    # ------------------------------------------------------------------------------------------- the texts

    def numbers(self, name: str, most: int = LOOKED) -> Ints:
        """The row numbers of at most `most` rows that have a text.  (n,)"""
        return self._once(("numbers", name), lambda: self._numbers(name))[:most]

    def _numbers(self, name: str) -> Ints:
        order = self.rows(name, len(self.frame(name)))
        cells = self.frame(name)[self.name].fill_null("").gather(order)
        here = order[(cells.str.strip_chars().str.len_chars() > 0).to_numpy()][:LOOKED]
        length = self.frame(name)[self.name].gather(here).str.len_chars().clip(upper_bound=LONG).cum_sum()
        return np.asarray(here[: max(int((length <= MOST).sum()), 1)], dtype=np.intp)

    def texts(self, name: str, most: int = LOOKED) -> list[str]:
        """Their texts.  (n,)"""
        found = self._once(("texts", name), lambda: _cells(self.frame(name)[self.name], self.numbers(name)))
        return found[:most]

    def training(self, most: int) -> tuple[list[str], Ints]:
        """As many of all texts that were learned from as have `most` characters, and their row numbers."""
        cells = self.learned[self.name]
        numbers = np.flatnonzero((cells.fill_null("").str.strip_chars().str.len_chars() > 0).to_numpy())
        numbers = np.random.default_rng([self.seed, 61]).permutation(numbers)
        length = cells.gather(numbers).str.len_chars().clip(upper_bound=LONG).cum_sum()
        numbers = np.sort(numbers[: max(int((length <= most).sum()), 1)])
        return _cells(cells, numbers), numbers

    def classes(self, name: str, most: int = LOOKED) -> Ints:
        """What they are about, by the label of their row; -1 unknown.  (n,)"""
        assert self.labels is not None
        return self.labels.of(self.frame(name)[self.numbers(name, most)])

    # ------------------------------------------------------------------------------------------- bags of n-grams

    def pair(self, name: str, size: int) -> Any:
        """Bags of `size` fresh real texts, then of as many of a sample, by the n-grams of both.  (2 size, V) sparse"""
        return self._once(("pair", name, size), lambda: _pair(self.fresh(size), self.beside(name, size)))

    # ------------------------------------------------------------------------------------------- what is real

    @property
    def shifted(self) -> bool:
        """Whether held-out texts are of another kind than training texts."""
        return self._once("shifted", self._shifted)

    def _shifted(self) -> bool:
        from anew.audit.linear import tell_apart

        sides = [self.texts(name, SOME) for name in ("holdout", "train")]
        size = min(map(len, sides))
        return size >= FEW and tell_apart(_pair(*(side[:size] for side in sides)), self.seed).low > SHIFT

    @property
    def size(self) -> int:
        """How many texts a side a comparison with fresh real texts can use."""
        real = len(self.texts("train")) // 2 if self.shifted else len(self.texts("holdout"))
        return min(real, len(self.texts("train")), len(self.texts("synthetic")))

    def fresh(self, most: int = LOOKED) -> list[str]:
        """Real texts that stand for all others: held-out ones, or every second training text where those differ."""
        return self.texts("train")[::2][:most] if self.shifted else self.texts("holdout", most)

    def beside(self, name: str, most: int = LOOKED) -> list[str]:
        """What is compared with these: texts of a sample; of `train`, those that are not among them."""
        return self.texts("train")[1::2][:most] if self.shifted and name == "train" else self.texts(name, most)

    # ------------------------------------------------------------------------------------------- verbatim runs

    def runs(self, name: str) -> Runs:
        """The runs of a sample's texts in the training texts; `natural`: of training texts in the others."""
        return self._once("runs", self._runs)[name]

    @property
    def known(self) -> tuple[list[str], Ints]:
        """The training texts in which runs are looked for, and their row numbers."""
        return self._once("known", lambda: self.training(KNOWN))

    def _runs(self) -> dict[str, Runs]:
        """One sort of all suffixes serves them all."""
        known = self.known[0]
        order = np.random.default_rng([self.seed, 67]).permutation(len(known))
        length = np.cumsum([len(known[i]) for i in order])
        some = order[: max(int((length <= NATURAL).sum()), 1)]
        samples = {
            "synthetic": self.texts("synthetic"),
            "holdout": self.texts("holdout"),
            "natural": [known[i] for i in some],
        }
        sizes = [len(texts) for texts in samples.values()]
        own = np.concatenate([np.full(sizes[0] + sizes[1], -1), some])
        found = runs(known, [text for texts in samples.values() for text in texts], own)
        ends = np.cumsum([0, *sizes])
        return {name: found.part(int(ends[i]), int(ends[i + 1])) for i, name in enumerate(samples)}

    # ------------------------------------------------------------------------------------------- meanings

    @property
    def has_meanings(self) -> bool:
        from anew.core.minilm import installed

        return installed()

    def meanings(self, name: str) -> Floats:
        """What MiniLM understands of the first texts of `beside(name)`, or of fresh ones.  (at most MEANT, 384)"""
        texts = self.fresh(MEANT) if name == "fresh" else self.beside(name, MEANT)
        return self._once(("meant", name), lambda: self._meant(texts))

    @staticmethod
    def _meant(texts: Sequence[str]) -> Floats:
        """In half precision, which takes half the time: the cosine to the full one was .9999 at least."""
        from anew.core.halves import halves
        from anew.core.minilm import meanings

        with halves("cpu"):
            return meanings(texts).astype(np.float64)


def _pair(a: Sequence[str], b: Sequence[str]) -> Any:
    texts = [*a, *b]
    return bag_maker(texts)(texts)


def bag_maker(texts: Sequence[str]) -> Callable[[Sequence[str]], Any]:
    """What makes bags (n, V) of the n-grams of these texts, out of these or of others."""
    from anew.codecs._bags import Bags
    from anew.core.release import exact

    bags = Bags()
    bags.fit([text[:READ] for text in texts], "audit", exact())
    return lambda asked: bags.bag([text[:READ] for text in asked])


def _cells(cells: pl.Series, numbers: Ints) -> list[str]:
    return cells.gather(numbers).str.head(LONG).to_list()
