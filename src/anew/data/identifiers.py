"""Identifiers: columns whose values are keys. They are made anew by their shape, never learned.

The shape of a key is a template: 9 stands for a digit, A for an upper-case and a for a lower-case letter, ? for any of
the three, a backslash takes the next character literally, and anything else stands for itself: "P-9999", "uuid",
"integer".
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

HINT = re.compile(
    r"(^|[_\W])(id|ids|key|nr|number|code|uuid|guid|index|rownames?|row_?(id|nr|number)|serial|e?mail|ssn|iban)([_\W]|$)"
    r"|[a-z](Id|ID|Key|Nr|Number|Code)$|^Unnamed: 0$",
    re.IGNORECASE,
)
CAMEL = re.compile(r"[a-z](Id|ID|Key|Nr|Number|Code)$")
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
CLASSES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("9", lambda c: c.isascii() and c.isdigit()),
    ("A", lambda c: c.isascii() and c.isupper()),
    ("a", lambda c: c.isascii() and c.islower()),
)
LITERAL_SHARE = 0.95
LOOKED = 2000


def named_as_key(name: str) -> bool:
    """Whether the name says that the column is a key: id, patient_id, CustomerNr, ..."""
    return bool(HINT.search(name)) and not (name.islower() and CAMEL.search(name))


def pattern_of(values: pl.Series) -> str | None:
    """The shape of the keys, None when they have none in common."""
    if values.dtype.is_integer():
        return "integer"
    sample = values.cast(pl.String).gather_every(max(len(values) // LOOKED, 1)).head(LOOKED)
    if sample.str.contains(UUID).all():
        return "uuid"
    lengths = sample.str.len_chars()
    if not len(sample) or lengths.min() != lengths.max() or int(lengths[0]) > 64:
        return None
    places = [sample.str.slice(i, 1) for i in range(int(lengths[0]))]
    return "".join(map(_place, places))


def _place(letters: pl.Series) -> str:
    """One place of the template: the letter when it is always the same, else its class."""
    seen = letters.unique().to_list()
    if len(seen) == 1 and not seen[0].isdigit():
        return f"\\{seen[0]}" if seen[0] in "9Aa?\\" else str(seen[0])
    for mark, belongs in CLASSES:
        if all(belongs(letter) for letter in seen):
            return mark
    return "?"


def is_sequence(values: pl.Series) -> bool:
    """Whether unique integers are a run without gaps, in any order."""
    span = int(values.max()) - int(values.min()) + 1  # type: ignore[arg-type]
    return span == len(values)
