"""Identifiers: columns whose values are keys. They are made anew by their shape, never learned.

The shape of a key is a template: 9 stands for a digit, A for an upper-case and a for a lower-case letter, a backslash
takes the next character literally, and anything else stands for itself: "P-9999". Two shapes have a name: "uuid" and
"integer".
"""

from __future__ import annotations

import re

import polars as pl

HINT = re.compile(
    r"(^|[_\W])(id|ids|key|nr|no|number|code|uuid|guid|index|rownames?|row|serial|e?mail|ssn|iban)([_\W]|$)"
    r"|(nr|nummer)$|^Unnamed: 0$",
    re.IGNORECASE,
)
CAMEL = re.compile(r"[a-z](Id|ID|Key|Nr|Number|Code)$")
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
CLASSES: tuple[tuple[str, str], ...] = (("9", r"^[0-9]$"), ("A", r"^[A-Z]$"), ("a", r"^[a-z]$"))
LONGEST = 64
LOOKED = 2000


def named_as_key(name: str) -> bool:
    """Whether the name says that the column is a key: id, patient_id, CustomerNr, ..."""
    return bool(HINT.search(name) or CAMEL.search(name))


def pattern_of(values: pl.Series) -> str | None:
    """The shape of the keys: that of the commonest length. None when they are too long to have one."""
    if values.dtype.is_integer():
        return "integer"
    sample = values.cast(pl.String).gather_every(max(len(values) // LOOKED, 1)).head(LOOKED)
    if sample.str.contains(UUID).all():
        return "uuid"
    lengths = sample.str.len_chars()
    usual = int(lengths.mode().sort()[-1])
    if not 0 < usual <= LONGEST:
        return None
    alike = sample.filter(lengths == usual)
    return "".join(_place(alike.str.slice(place, 1)) for place in range(usual))


def _place(letters: pl.Series) -> str:
    """One place of the template: the letter itself when it is always the same, else the commonest class."""
    if letters.n_unique() == 1 and not letters[0].isdigit():
        return f"\\{letters[0]}" if letters[0] in "9Aa\\" else str(letters[0])
    counts = {mark: int(letters.str.contains(pattern).sum()) for mark, pattern in CLASSES}
    return max(counts, key=lambda mark: counts[mark])


def is_sequence(values: pl.Series) -> bool:
    """Whether unique integers are a run without gaps, in any order."""
    span = int(values.max()) - int(values.min()) + 1  # type: ignore[arg-type]
    return span == len(values)
