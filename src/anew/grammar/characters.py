"""Sets of characters (code points without surrogates), and the bytes that write them.

A set is a sorted tuple of ranges (first, last). Written in UTF-8 (RFC 3629) a set is a tree of ranges of bytes, at most
four deep; equal branches are one object, so that the automaton over bytes stays small. Inside a JSON string (RFC 8259,
section 7) a quote, a backslash and a control character are written as an escape, each in one way.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

Range = tuple[int, int]
Characters = tuple[Range, ...]
Branch = tuple[int, int, "Branches | None"]  # first byte, last byte, what follows; None: the character is whole
Branches = tuple[Branch, ...]

ANY: Characters = ((0, 0xD7FF), (0xE000, 0x10FFFF))
_LAST = 0x10FFFF
_SHORT = {'"': '"', "\\": "\\", "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
ESCAPED: Characters = ((0, 0x1F), (ord('"'), ord('"')), (ord("\\"), ord("\\")))


def of(*ranges: str) -> Characters:
    """`of("az", "_")`: the characters of ranges, each one or two letters."""
    return union([((ord(one[0]), ord(one[-1])),) for one in ranges])


def union(sets: Iterable[Characters]) -> Characters:
    found: list[Range] = []
    for first, last in sorted(piece for characters in sets for piece in characters):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def complement(characters: Characters) -> Characters:
    gaps, start = [], 0
    for first, last in characters:
        gaps.append((start, first - 1))
        start = last + 1
    gaps.append((start, _LAST))
    return both(tuple(gap for gap in gaps if gap[0] <= gap[1]), ANY)


def both(a: Characters, b: Characters) -> Characters:
    """The characters that are in a and in b."""
    found, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        first, last = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        if first <= last:
            found.append((first, last))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


@lru_cache(maxsize=1)
def _everything() -> str:
    points = np.concatenate([np.arange(first, last + 1, dtype="<u4") for first, last in ANY])
    return str(points.tobytes().decode("utf-32-le"))


@lru_cache(maxsize=512)
def matching(atom: str, flags: int = 0) -> Characters:
    """The characters that Python's `re` matches by an expression of one character: it is asked about every one."""
    below, gap = ANY[0][1], ANY[1][0] - ANY[0][1] - 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a later Python may read otherwise
        spans = [match.span() for match in re.finditer(f"(?:{atom})+", _everything(), flags)]
    places = ((first, last - 1) for first, last in spans)
    return both(union((tuple(i + gap * (i > below) for i in place),) for place in places), ANY)  # type: ignore[misc]


# ---------------------------------------------------------------------------------------------------------------- bytes


@lru_cache(maxsize=1024)
def written(characters: Characters, quoted: bool = False) -> Branches:
    """The bytes of each character of a set; `quoted` as inside a JSON string."""
    if not quoted:
        return _tree([row for first, last in characters for row in _utf8(first, last)])
    plain = both(characters, complement(ESCAPED))
    rows = [row for first, last in plain for row in _utf8(first, last)]
    marked = [point for first, last in both(characters, ESCAPED) for point in range(first, last + 1)]
    return _tree(rows + [tuple((byte, byte) for byte in escape(chr(point)).encode()) for point in marked])


def escape(character: str) -> str:
    """A character as it stands in a JSON string: what `json.dumps(ensure_ascii=False)` writes."""
    if character in _SHORT:
        return "\\" + _SHORT[character]
    return f"\\u{ord(character):04x}" if ord(character) < 0x20 else character


def _utf8(first: int, last: int) -> list[tuple[Range, ...]]:
    """Rows of ranges of bytes whose products are the characters first..last, each of one length."""
    for most in (0x7F, 0x7FF, 0xFFFF):
        if first <= most < last:
            return _utf8(first, most) + _utf8(most + 1, last)
    if last < 0x80:
        return [((first, last),)]
    for low in (6, 12, 18):  # bits of one, two, three bytes that follow
        mask = (1 << low) - 1
        if first >> low != last >> low:
            if first & mask:
                return _utf8(first, first | mask) + _utf8((first | mask) + 1, last)
            if last & mask != mask:
                return _utf8(first, (last & ~mask) - 1) + _utf8(last & ~mask, last)
    return [tuple(zip(chr(first).encode(), chr(last).encode(), strict=True))]


def _tree(rows: Iterable[tuple[Range, ...]]) -> Branches:
    """Rows as a tree: the ranges of a level are equal or apart, and branches that are equal are one."""
    following: dict[Range, list[tuple[Range, ...]]] = {}
    for row in rows:
        following.setdefault(row[0], []).append(row[1:])
    found: list[Branch] = []
    for (first, last), rest in sorted(following.items()):
        below = None if rest == [()] else _shared(tuple(rest))
        if found and found[-1][1] == first - 1 and found[-1][2] == below:
            found[-1] = (found[-1][0], last, below)
        else:
            found.append((first, last, below))
    return tuple(found)


@lru_cache(maxsize=4096)
def _shared(rows: tuple[tuple[Range, ...], ...]) -> Branches:
    return _tree(rows)
