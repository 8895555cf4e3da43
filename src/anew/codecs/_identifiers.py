"""New keys in the form of the old ones: unique, never learned.

Row i gets the number (a i + b) mod m, written in the digits of the pattern; a and m have no common factor, so that m
rows give m different keys, in an order that the seed shuffles and that no key of the data influences.
"""

from __future__ import annotations

import math
import uuid

import numpy as np
import polars as pl

from anew.core.errors import ResourceError
from anew.core.schema import Field

_ALPHABETS = {"9": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a": "abcdefghijklmnopqrstuvwxyz"}


def make_keys(field: Field, n: int, start: int, seed: int) -> pl.Series:
    """Keys of rows start ... start + n - 1."""
    pattern = field.pattern or "integer"
    if pattern == "integer":
        return pl.Series(field.name, np.arange(start + 1, start + n + 1, dtype=np.int64))
    if pattern == "uuid":
        return pl.Series(field.name, [_uuid(seed, start + i) for i in range(n)], pl.String)
    return pl.Series(field.name, _from_pattern(field.name, pattern, n, start, seed), pl.String)


def _uuid(seed: int, row: int) -> str:
    mixed = np.random.SeedSequence([seed & 0xFFFFFFFFFFFFFFFF, row]).generate_state(4, np.uint32)
    return str(uuid.UUID(bytes=mixed.tobytes(), version=4))


def _from_pattern(name: str, pattern: str, n: int, start: int, seed: int) -> list[str]:
    slots = _parse(pattern)
    capacity = math.prod(len(letters) for letters in slots)
    if start + n > capacity:
        raise ResourceError(
            f"The pattern {pattern!r} of {name!r} has only {capacity:,} different keys",
            found=start + n,
            do="Lengthen `pattern` of this column in the schema file and fit again",
        )
    factor, shift = _shuffle(capacity, seed)
    return [_write(slots, (factor * row + shift) % capacity) for row in range(start, start + n)]


def _parse(pattern: str) -> list[str]:
    """One alphabet a character: a literal is an alphabet of one letter; a backslash makes the next one literal."""
    slots, characters = [], iter(pattern)
    for character in characters:
        slots.append(next(characters, "\\") if character == "\\" else _ALPHABETS.get(character, character))
    return slots


def _shuffle(capacity: int, seed: int) -> tuple[int, int]:
    rng = np.random.default_rng(seed)
    factor = int(capacity * 0.6180339887) | 1
    while math.gcd(factor, capacity) != 1:
        factor += 2
    return factor % capacity or 1, int(rng.integers(0, max(min(capacity, 2**62), 1)))


def _write(slots: list[str], number: int) -> str:
    letters = []
    for alphabet in reversed(slots):
        number, digit = divmod(number, len(alphabet))
        letters.append(alphabet[digit])
    return "".join(reversed(letters))
