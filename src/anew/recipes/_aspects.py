"""What reviews talk about, and whether in praise or in complaint.

A word is taken as something talked about when it often follows an article or a possessive (the food, my phone, die
Suppe); where a language has none of those that are known, every frequent word is. In how many reviews it stands, in how
many of those that praise, and whether that share differs from that of all reviews: Wilson's interval, at the level of
as many words as are looked at (Bonferroni).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from anew.audit.statistics import proportion, z_of_many
from anew.codecs._bags import tokens

_ARTICLES = """the a an this that these those my your his her its our their der die das den dem ein eine einen einer
mein meine dieser diese dieses le la les un une des mon ma mes ce cette el los las una mi su il lo gli"""
_COMMON = """is was are were be been it i you he she we they of in on at to for and or but not no so very too with as if
then than there here all one only first last most best worst time way thing things lot bit same other more und oder ist
war nicht sehr mit auf im zu für ich es wir sie er"""
BEFORE = frozenset(_ARTICLES.split())
NEVER = BEFORE | frozenset(_COMMON.split())
LEAST, SHARE = 5, 0.2  # reviews in which a word stands, and how many of its places are after an article
SHOWN = 12


@dataclass(frozen=True)
class Aspects:
    """A line a word: reviews with it, how many of them praise, that share, and whether it is unlike all reviews'."""

    table: pl.DataFrame
    praised: float  # the share of all reviews that praise

    def of(self, verdict: str) -> pl.DataFrame:
        """The words that are praised or complained of, the surest first."""
        return self.table.filter(pl.col("verdict") == verdict)[:SHOWN]


def aspects(frame: pl.DataFrame, text: str, target: str, label: str) -> Aspects:
    """Counted in all reviews that have a text and a label."""
    known = frame.filter(pl.col(text).is_not_null() & pl.col(target).is_not_null())
    praise = (known[target].cast(pl.String) == label).to_list()
    inside, praising = words_in(known[text].to_list(), praise)
    share = sum(praise) / max(len(praise), 1)
    z = z_of_many(len(inside))
    rows = []
    for word, n in inside.items():
        found = proportion(praising[word], n, z)
        verdict = "praised" if found.low > share else "complained of" if found.high < share else ""
        rows.append((word, n, praising[word], found.value, found.low, found.high, verdict, abs(found.value - share)))
    names = ["word", "reviews", "praising", "share", "low", "high", "verdict", "off"]
    table = pl.DataFrame(rows, schema=names, orient="row") if rows else pl.DataFrame(schema=dict.fromkeys(names))
    order = table.sort(pl.col("verdict") == "", -pl.col("off") * pl.col("reviews").sqrt()) if rows else table
    return Aspects(order.drop("off"), share)


def words_in(texts: list[str], praise: list[bool]) -> tuple[dict[str, int], Counter[str]]:
    """In how many reviews each word that is talked about stands, and in how many of those that praise."""
    inside, praising, after, places = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for line, good in zip(texts, praise, strict=True):
        found = tokens(line)
        words = {word for word in found if word[0].isalpha() and len(word) > 1 and word not in NEVER}
        inside.update(words)
        praising.update(words if good else ())
        places.update(found)
        after.update(word for before, word in pairwise(found) if before in BEFORE)
    often = {word: n for word, n in inside.items() if n >= LEAST}
    named = {word: n for word, n in often.items() if after[word] >= SHARE * places[word]}
    return named or often, praising
