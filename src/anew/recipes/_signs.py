"""Signs in copy for what is copied into it: a product's name and its keywords, each one token wherever it stands.

A small network learns where a name goes from a few thousand texts, but not to spell one that it never saw; so names and
keywords are taken out before it learns and put back where it writes their signs (as Wen et al. 2015, arXiv 1508.01745,
did for dialogues). The signs are control characters, which no text has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NAME = "\x10"
KEYS = "\x11\x12\x13\x14"
NOBODY = "It"  # for a product without a name
BEGINS = re.compile(r"(?:^|[.!?:]\s+|\n[-*•\s]*)$")
Product = Mapping[str, str | None]


def signs(name: str | None, keywords: list[str]) -> dict[str, str]:
    """What each sign stands for; keywords as they stand within a sentence."""
    found = {NAME: name} if name else {}
    return found | dict(zip(KEYS, map(within, keywords), strict=False))


def within(word: str) -> str:
    """Small, where it has a capital only because it was first."""
    return word.lower() if word.istitle() else word


def signed(text: str, name: str | None, keywords: list[str]) -> str:
    """The text with signs where the name and the keywords stand as whole words, in any case."""
    words = [(sign, word) for sign, word in signs(name, keywords).items() if len(word) > 1]
    words.sort(key=lambda pair: (pair[0] != NAME, -len(pair[1])))
    if not words:
        return text
    found = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for _, word in words)
    by_word = {word.lower(): sign for sign, word in reversed(words)}
    return re.sub(found, lambda match: by_word.get(match[0].lower(), match[0]), text, flags=re.IGNORECASE)


def spelled(text: str, name: str | None, keywords: list[str]) -> str:
    """The text with the words in place of their signs, capitals where a sentence begins."""
    known = signs(name, keywords)
    out: list[str] = []
    for part in re.split(f"([{NAME}{KEYS}])", text):
        word = known.get(part, NOBODY if part == NAME else "") if part and part in NAME + KEYS else part
        begins = part in KEYS and part and BEGINS.search("".join(out)) is not None
        out.append(word[:1].upper() + word[1:] if begins else word)
    return "".join(out)
