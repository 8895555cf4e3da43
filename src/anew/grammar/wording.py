"""Texts that mention some words and never others.

A word is found by all places in it that the text may have come to (Aho & Corasick 1975): one begins where a word may
begin, and counts where a word may end. Of what is not ASCII nothing is known but that it may be a letter or not: to be
mentioned, a word must stand clear of it, and one that is avoided is avoided beside it too. What holds is so sure.

A word in lower case is meant in any case, one with capitals as it is written; what is avoided, in any case. One that
ends with * stands for all words that begin so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from anew.core.errors import GrammarError, did_you_mean
from anew.grammar.automaton import DEAD, START, Automaton, Bools, check_size
from anew.grammar.regex import regex

Pattern = tuple[frozenset[int], ...]  # the bytes that may stand at each place
ASKED = ("mention", "avoid", "least", "most", "stands")
FOUND = (-1, -1)
PLAIN = r"(?s)[^\x00-\x08\x0b-\x1f\x7f]*"  # characters that are not to be seen are left out


def wording(asked: Mapping[str, Any]) -> Automaton:
    """The texts that have all words of `mention` and none of `avoid`; lengths are another's (tokens.py)."""
    mention, avoid = _checked(asked)
    language = _without(tuple(avoid))
    for word in mention:
        language = language.both(_having((word,), word == word.lower(), False))
    if language.empty:
        raise GrammarError("No text mentions these words and avoids those", found=f"{mention}, {avoid}")
    return language


def lengths(asked: Mapping[str, Any]) -> tuple[int, int | None]:
    """The fewest and the most characters that are asked for."""
    least, most = asked.get("least") or 0, asked.get("most")
    for one in (least, most):
        if one is not None and (not isinstance(one, int) or isinstance(one, bool) or one < 0):
            raise GrammarError("A length is a whole number of characters", found=one)
    if most is not None and least > most:
        raise GrammarError("The least length is above the most", found=f"{least} and {most}")
    return least, most


def standing(asked: Mapping[str, Any]) -> dict[str, str]:
    """Signs that stand for a text: control characters, which no text has, each written as one token for all of it."""
    found = asked.get("stands") or {}
    for sign, text in found.items():
        if len(sign) != 1 or ord(sign) >= 32 or sign in "\n\t" or not isinstance(text, str) or not text:
            raise GrammarError("What stands for a text is a control character", found={sign: text})
    return dict(found)


def _checked(asked: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    if not isinstance(asked, Mapping):
        raise GrammarError("words= is a dict", found=asked, do=f"Its keys: {', '.join(ASKED)}")
    for name in asked:
        if name not in ASKED:
            raise GrammarError(f"words= has no part {name!r}", do=did_you_mean(str(name), ASKED))
    lengths(asked)
    return _words(asked, "mention"), _words(asked, "avoid")


def _words(asked: Mapping[str, Any], name: str) -> list[str]:
    found = asked.get(name) or []
    found = [found] if isinstance(found, str) else list(found)
    for word in found:
        if not isinstance(word, str) or not word.strip(" *"):
            raise GrammarError(f"{name} takes words", found=word)
    return list(dict.fromkeys(word.strip() for word in found))


@lru_cache(maxsize=8)
def _without(avoid: tuple[str, ...]) -> Automaton:
    language = regex(PLAIN)
    return language.without(_having(avoid, True, True)) if avoid else language


@lru_cache(maxsize=64)
def _having(words: tuple[str, ...], any_case: bool, careful: bool) -> Automaton:
    """The byte strings that have one of the words; `careful`: what is not ASCII may end a word, else it may not."""
    patterns = [(pattern, word.endswith("*")) for word in words for pattern in _patterns(word.rstrip("*"), any_case)]
    return _explored(patterns, lambda byte: (byte >= 0x80 and careful) or (byte < 0x80 and not _letter(byte)))


def _letter(byte: int) -> bool:
    return chr(byte).isalnum() or byte == ord("_")


def _patterns(word: str, any_case: bool) -> list[Pattern]:
    """A word as bytes: ASCII letters in both cases, others as they are, in capitals and in small."""
    spelled = {word, word.lower(), word.upper(), word.capitalize()} if any_case else {word}
    made = _cased if any_case else (lambda byte: frozenset({byte}))
    found = {tuple(map(made, one.encode())) for one in spelled}
    return sorted(found, key=lambda pattern: [sorted(place) for place in pattern])


def _cased(byte: int) -> frozenset[int]:
    return frozenset({byte} if byte >= 0x80 else {ord(chr(byte).lower()), ord(chr(byte).upper())})


def _explored(patterns: Sequence[tuple[Pattern, bool]], edge: Callable[[int], bool]) -> Automaton:
    """A state is the set of places reached: (pattern, bytes matched)."""
    starts = frozenset((p, 0) for p in range(len(patterns)))
    edges = np.array([edge(byte) for byte in range(256)])
    classes, kinds = _classes([place for pattern, _ in patterns for place in pattern], edges)
    number: dict[frozenset[tuple[int, int]], int] = {starts: START}
    order, rows = [starts], [[DEAD] * len(kinds)]
    for state in order:
        row = []
        for byte in kinds:
            after = _step(state, byte, patterns, bool(edges[byte]), starts)
            if after not in number:
                number[after] = len(number) + START
                order.append(after)
                check_size(len(order))
            row.append(number[after])
        rows.append(row)
    accepting = [False, *(any(p < 0 or i == len(patterns[p][0]) for p, i in state) for state in order)]
    return Automaton.of(np.array(rows, np.int32), classes, np.array(accepting))


def _step(
    state: frozenset[tuple[int, int]],
    byte: int,
    patterns: Sequence[tuple[Pattern, bool]],
    edge: bool,
    starts: frozenset[tuple[int, int]],
) -> frozenset[tuple[int, int]]:
    found = set(starts) if edge else set()
    for p, i in state:
        whole = p < 0 or i == len(patterns[p][0])
        if whole and (p < 0 or patterns[p][1] or edge):
            return frozenset({FOUND})
        if not whole and byte in patterns[p][0][i]:
            found.add((p, i + 1))
    return frozenset(found)


def _classes(places: Iterable[frozenset[int]], edges: Bools) -> tuple[Any, list[int]]:
    """Classes (256,) of bytes that no pattern tells apart, and a byte of each."""
    told = list(dict.fromkeys(places))
    signs = [(bool(edges[byte]), *(byte in place for place in told)) for byte in range(256)]
    kinds = list(dict.fromkeys(signs))
    return np.array([kinds.index(sign) for sign in signs], np.uint8), [signs.index(sign) for sign in kinds]
