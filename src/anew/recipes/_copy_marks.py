"""What copy is judged by: what it mentions, the category read back, bits a byte of an independent model, runs.

The n-gram model that counts the bits (audit/byte_model.py) reads copy in which names and keywords are blanked: that a
product has an odd name is no fault of its copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from anew.audit.byte_model import ByteModel
from anew.recipes._copy import Roles, banned, mentions
from anew.recipes._texts import COPIED, Judge, longest_runs, parted

Product = Mapping[str, str | None]
BLANK = "_"


@dataclass(frozen=True)
class Marks:
    """Judges that learned from training copy only."""

    roles: Roles
    texts: Sequence[str]
    products: Sequence[Product]
    seed: int

    @cached_property
    def judge(self) -> Judge | None:
        if self.roles.category is None:
            return None
        known = [(t, p[self.roles.category]) for t, p in zip(self.texts, self.products, strict=True)]
        some = [(text, label) for text, label in known if label]
        return Judge.of([text for text, _ in some], [label for _, label in some], self.seed)

    @cached_property
    def bytes(self) -> ByteModel:
        return ByteModel([self.blanked(text, one) for text, one in zip(self.texts, self.products, strict=True)])

    def blanked(self, text: str, product: Product) -> str:
        words = [product.get(self.roles.name or "") or "", *parted(product.get(self.roles.keywords or "") or "")]
        for word in sorted(filter(None, words), key=len, reverse=True):
            text = re.sub(re.escape(word), BLANK, text, flags=re.IGNORECASE)
        return text

    def of(self, texts: Sequence[str], products: Sequence[Product]) -> dict[str, float]:
        """Every mark of some copy, as shares and bits; those that nothing can be said of are left out."""
        found: dict[str, float] = {"texts": float(len(texts))}
        named = [
            (t, p[self.roles.name])
            for t, p in zip(texts, products, strict=True)
            if self.roles.name and p[self.roles.name]
        ]
        if named:
            found["name"] = float(np.mean([str(name).lower() in text.lower() for text, name in named]))
        found |= self._keywords(texts, products)
        if self.judge is not None:
            labels = [str(product[self.roles.category or ""]) for product in products]
            found["category"] = self.judge.right(texts, labels).value
        bits, size = self.bytes.bits([self.blanked(text, one) for text, one in zip(texts, products, strict=True)])
        run = longest_runs(self.texts, texts)
        found |= {
            "bits": float(bits.sum() / size.sum()),
            "run": float(run.mean()),
            "copied": float((run > COPIED).mean()),
        }
        found["characters"] = float(np.mean([len(text) for text in texts]))
        return found

    def _keywords(self, texts: Sequence[str], products: Sequence[Product]) -> dict[str, float]:
        """Of each product's keywords, the share that its copy has."""
        cells = [
            (text, parted(one.get(self.roles.keywords or "") or "")) for text, one in zip(texts, products, strict=True)
        ]
        shares = [np.mean([mentions(text, word.lower()) for word in words]) for text, words in cells if words]
        return {"keywords": float(np.mean(shares))} if shares else {}


def held_to(texts: Sequence[str], words: Sequence[Sequence[str]], avoid: Sequence[str], most: int) -> dict[str, Any]:
    """How many texts leave out a required word, have a banned one, or are too long: none, since none can."""
    return {
        "without a required word": sum(
            not all(mentions(t, word) for word in need) for t, need in zip(texts, words, strict=True)
        ),
        "with a banned word": sum(any(one.search(text) for one in banned(avoid)) for text in texts),
        "too long": sum(len(text) > most for text in texts),
    }
