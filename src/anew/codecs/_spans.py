"""From what each n-gram of a text counts to what each of its characters does, with nothing lost on the way.

An n-gram that stands f times gives each occurrence 1 / f of what it counts, and an occurrence gives an equal part of
that to each of its characters, blanks aside. So the characters of a text add up to what its n-grams do together.

Shapes: n texts, V n-grams, L characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.codecs._bags import TOKEN, Bags, Hashes, hash_of, pairs_of, runs
from anew.core.columns import Floats

Places = npt.NDArray[np.intp]
Found = tuple[Hashes, Places]  # n-grams, and the pieces (m, 2k) that each covers: starts and stops


def spread(bags: Bags, texts: Sequence[str], told: Any) -> list[Floats]:
    """What each n-gram of each text counts, sparse (n, V) -> what each character does, (L,) of each text."""
    told, middle = told.tocsr(), len(bags.known[0])
    blocks = [told[:, :middle], told[:, middle:]]
    return [_characters(text, [(bags.known[b], blocks[b][i]) for b in range(2)]) for i, text in enumerate(texts)]


def _characters(text: str, told: list[tuple[Hashes, Any]]) -> Floats:
    low, origin = _lowered(text)
    out = np.zeros(len(text))
    for (known, row), found in zip(told, (_words(low), _letters(low)), strict=True):
        for grams, value in zip(found, _each(known, row, found), strict=True):
            np.add.at(out, origin, _covered(grams[1], value, len(low)))
    return out


def _lowered(text: str) -> tuple[str, Places]:
    """A text in lower case, and the character that each of its own stands for: some become two."""
    many = [len(sign.lower()) for sign in text]
    return text.lower(), np.repeat(np.arange(len(text)), many)


def _words(low: str) -> list[Found]:
    """Words, and pairs of them."""
    cells = list(TOKEN.finditer(low))
    hashes = np.array([hash_of(cell[0]) for cell in cells], np.uint64)
    ends = np.array([cell.span() for cell in cells], np.intp).reshape(-1, 2)
    return [(hashes, ends), (pairs_of(hashes), np.concatenate([ends[:-1], ends[1:]], 1))]


def _letters(low: str) -> list[Found]:
    """Runs of letters; the blanks at their ends are no part of what they cover."""
    cells = [cell.span() for cell in re.finditer(r"\S+", low)]
    spaced = f" {' '.join(low.split())} "
    place = np.zeros(len(spaced) + 1, np.intp)  # of each sign of it in the text
    at = 1
    for start, stop in cells:
        place[at : at + stop - start + 1] = np.arange(start, stop + 1)
        at += stop - start + 1
    blank = np.array([sign == " " for sign in spaced], np.intp)
    return [_run(*run, place, blank) for run in runs(spaced)] if cells else []


def _run(length: int, starts: Places, grams: Hashes, place: Places, blank: Places) -> Found:
    first, last = starts + blank[starts], starts + length - 1 - blank[starts + length - 1]
    return grams, np.stack([place[first], place[last] + 1], 1)


def _each(known: Hashes, row: Any, found: list[Found]) -> Iterator[Floats]:
    """What each occurrence counts."""
    order = np.argsort(row.indices)
    held, value = known[row.indices[order]], row.data[order]
    grams = np.concatenate([np.zeros(0, np.uint64), *(some for some, _ in found)])
    at = np.minimum(np.searchsorted(held, grams), max(len(held) - 1, 0))
    here = held[at] == grams if len(held) else np.zeros(len(grams), bool)
    times = np.bincount(at[here], minlength=len(held))
    each = np.zeros(len(grams))
    each[here] = value[at[here]] / times[at[here]]
    yield from np.split(each, np.cumsum([len(some) for some, _ in found])[:-1]) if found else []


def _covered(pieces: Places, value: Floats, length: int) -> Floats:
    """What characters count that pieces cover, each piece in equal parts."""
    starts, stops = pieces[:, 0::2], pieces[:, 1::2]
    share = value / np.maximum((stops - starts).sum(1), 1)
    slope = np.zeros(length + 1)
    for k in range(starts.shape[1]):
        np.add.at(slope, starts[:, k], share)
        np.add.at(slope, stops[:, k], -share)
    return np.cumsum(slope)[:length]
