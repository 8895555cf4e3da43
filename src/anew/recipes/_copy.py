"""Copy for products: what it must say and may not, drafts of it, and the best of them.

A draft cannot leave out what is required, say what is banned or be too long: each is held by an automaton while it is
written (grammar/wording.py). Of several drafts for a product those that repeat training copy go first, then those that
the length cut, then those that cost the model most bits a byte.

n texts, d drafts of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from anew.api import Model
from anew.core.columns import Floats
from anew.core.errors import UsageError
from anew.data.dataset import Dataset
from anew.recipes._signs import signed, signs, spelled
from anew.recipes._texts import COPIED, longest_runs, parted

ENDS = (".", "!", "?", "…", ")", '"', "”")
ROWS = 64  # that are written at once
WORDS = 2  # keywords that may be required
ROOM = 1.3  # a limit that is not named is so many times what most copy has


@dataclass(frozen=True)
class Roles:
    """Which columns say what."""

    text: str
    name: str | None
    category: str | None
    keywords: str | None
    audience: str | None

    @property
    def told(self) -> list[str]:
        return [one for one in (self.name, self.category, self.audience, self.keywords) if one]


@dataclass(frozen=True)
class Limits:
    """What all copy keeps to, and which columns each has to mention."""

    require: tuple[str, ...]
    avoid: tuple[str, ...]
    least: int
    most: int

    def words(self, roles: Roles, product: Mapping[str, str | None]) -> dict[str, Any]:
        """What `sample(words=)` holds a draft for a product to."""
        return {
            "mention": required(roles, self.require, product),
            "avoid": list(self.avoid),
            "least": self.least,
            "most": self.most,
            "stands": signs(*named(roles, product)),
        }


def named(roles: Roles, product: Mapping[str, str | None]) -> tuple[str | None, list[str]]:
    """A product's name and keywords."""
    return product.get(roles.name or ""), parted(product.get(roles.keywords or "") or "")


def required(roles: Roles, require: Sequence[str], product: Mapping[str, str | None]) -> list[str]:
    """The words that copy for a product must have: its name as it is written, up to two keywords in any case."""
    found = []
    for column in require:
        cell = product.get(column)
        if cell and column == roles.keywords:
            found += [word.lower() for word in parted(cell)[:WORDS]]
        elif cell:
            found.append(cell)
    return found


def possible(roles: Roles, limits: Limits, product: Mapping[str, str | None]) -> bool:
    """Whether nothing that a product's copy must have is banned: a name may hold a banned word."""
    return not any(
        one.search(word) for word in required(roles, limits.require, product) for one in banned(limits.avoid)
    )


def banned(avoid: Sequence[str]) -> list[re.Pattern[str]]:
    """Each banned word, as it is found in a text."""
    ends = ["" if word.endswith("*") else r"(?!\w)" for word in avoid]
    found = [rf"(?<!\w){re.escape(word.rstrip('*'))}{end}" for word, end in zip(avoid, ends, strict=True)]
    return [re.compile(one, re.IGNORECASE) for one in found]


def required_columns(roles: Roles, require: str | Sequence[str] | None) -> tuple[str, ...]:
    """The columns by their roles or names; the name, where none is said."""
    if require is None:
        return (roles.name,) if roles.name else ()
    known = {"name": roles.name, "keywords": roles.keywords, "category": roles.category, "audience": roles.audience}
    names = parted(require) if isinstance(require, str) else list(require)
    found = [known.get(one) or one for one in names]
    wrong = [one for one in found if one not in roles.told]
    if wrong:
        raise UsageError("What is required is a column that is told", found=wrong, do=f"Name: {', '.join(roles.told)}")
    return tuple(found)


@dataclass(frozen=True)
class Copy:
    """A text for a product, its bits a byte by the model, its longest run of training copy, and the words required."""

    text: str
    product: Mapping[str, str | None]
    bits: float
    run: int
    required: tuple[str, ...] = ()


class Desk:
    """Writes copy by a model, beside the training copy that it may not repeat."""

    def __init__(self, model: Model, roles: Roles, known: Sequence[str], how: Mapping[str, Any]) -> None:
        self.model, self.roles, self.known, self.how = model, roles, known, dict(how)

    def written(
        self, products: Sequence[Mapping[str, str | None]], limits: Limits, *, n: int, drafts: int, seed: int
    ) -> list[Copy]:
        """n texts for each product, each the best of `drafts`."""
        each = n * drafts
        asked = [product for product in products for _ in range(each)]
        made = [
            copy
            for start in range(0, len(asked), ROWS)
            for copy in self._drafts(asked[start : start + ROWS], limits, seed + start)
        ]
        return [one for k in range(len(products)) for one in _best(made[k * each : (k + 1) * each], n)]

    def _drafts(self, asked: Sequence[Mapping[str, str | None]], limits: Limits, seed: int) -> list[Copy]:
        given, words = self.frame(asked), [limits.words(self.roles, product) for product in asked]
        found = pl.concat(list(self.model.stream(len(given), given=given, words=words, seed=seed, **self.how)))
        texts = [
            whole(spelled(text or "", *named(self.roles, product)), word)
            for text, product, word in zip(found[self.roles.text], asked, words, strict=True)
        ]
        bits, run = self.bits(texts, asked), longest_runs(self.known, texts)
        return [
            Copy(text, product, float(b), int(r), tuple(word["mention"]))
            for text, product, b, r, word in zip(texts, asked, bits, run, words, strict=True)
        ]

    def bits(self, texts: Sequence[str], products: Sequence[Mapping[str, str | None]]) -> Floats:
        """Bits a byte of texts by the model, given what they are about.  (n,)"""
        pairs = zip(texts, products, strict=True)
        cells = pl.Series(self.roles.text, [signed(text, *named(self.roles, one)) for text, one in pairs], pl.String)
        nats = self.model.log_prob(self.frame(products).with_columns(cells))
        return np.asarray(-nats / np.log(2) / np.maximum([len(text.encode()) for text in texts], 1))

    def frame(self, products: Sequence[Mapping[str, str | None]]) -> pl.DataFrame:
        cells = {name: [product.get(name) for product in products] for name in self.roles.told}
        return pl.DataFrame(cells, schema=dict.fromkeys(self.roles.told, pl.String))


def whole(text: str, words: Mapping[str, Any]) -> str:
    """A text that its limit cut goes back to its last sentence, if that says all that it must."""
    text = text.strip()
    if len(text) < words["most"] - 1 or text.endswith(ENDS):
        return text
    end = max(text.rfind(mark) for mark in (". ", "! ", "? ", ".\n", "!\n", "?\n"))
    short = text[: end + 1]
    kept = len(short) >= words["least"] and all(mentions(short, word) for word in words["mention"])
    return short if end > 0 and kept else text


def mentions(text: str, word: str) -> bool:
    """As it is written where it has capitals, else in any case."""
    return word in text if word != word.lower() else word in text.lower()


def _best(drafts: Sequence[Copy], n: int) -> list[Copy]:
    order = sorted(drafts, key=lambda one: (one.run > COPIED, not one.text.endswith(ENDS), one.bits))
    different = list({one.text: one for one in order}.values())
    return (different + order)[:n]


def with_signs(table: Dataset, roles: Roles) -> Dataset:
    """The table as the model learns it: names and keywords within the texts are signs."""
    rows = table.frame.select(pl.col(one).cast(pl.String) for one in [*roles.told, roles.text]).iter_rows(named=True)
    cells = [None if row[roles.text] is None else signed(row[roles.text], *named(roles, row)) for row in rows]
    return replace(table, frame=table.frame.with_columns(pl.Series(roles.text, cells, pl.String)))
