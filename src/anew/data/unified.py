"""The pictures of one column: headers first, then pixels by two threads, then one size and one mode for all of them.

Shapes: n rows, H rows of a picture, W columns, C channels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import polars as pl

from anew.core.errors import DataError, UsageError
from anew.core.pixels import CHANNELS
from anew.core.schema import Field
from anew.data.formats._decode import Bad, Decoded, Size, Source, decode, size_of
from anew.data.formats._unify import MOST, common_mode, common_size, converted, fitted, losses, within

THREADS = 2
CHUNK = 64  # pictures that a thread takes at a time
SAID = {"L": "grey", "RGB": "colour", "RGBA": "colour with transparency", "I;16": "16-bit grey"}

Asked = int | Size | None  # pixels on the long side at most, or height and width
T = TypeVar("T")


@dataclass(frozen=True)
class Unified:
    """A column of raw bytes, the field that says how to read them, and what to tell."""

    cells: pl.Series
    field: Field
    notes: tuple[str, ...]


@dataclass
class Pictures:
    """A source or None a row. `known` is the field of a schema, whose size and mode then hold; `bad` says why."""

    name: str
    sources: list[Source | None]
    known: Field | None = None
    asked: Asked = None
    bad: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sizes: Mapping[int, Size] = self._each(size_of)
        self.decoded: Mapping[int, Decoded] = self._each(self._fitting) if self.sizes else {}

    def called(self, row: int) -> str:
        """A picture by the name of its file, or by its row."""
        source = self.sources[row]
        if not isinstance(source, Path):
            return f"The picture of {self.name!r} in row {row + 1:,}"
        here = Path.cwd()
        return repr(str(source.relative_to(here) if source.is_relative_to(here) else source))

    def _each(self, act: Callable[[Source], T]) -> dict[int, T]:
        """What `act` gives for each picture that is there; a bad one is noted and left out from then on."""

        def attempt(row: int) -> T | Bad:
            source = self.sources[row]
            assert source is not None
            try:
                return act(source)
            except Bad as bad:
                return bad

        rows = [i for i, source in enumerate(self.sources) if source is not None and i not in self.bad]
        chunks = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]
        with ThreadPoolExecutor(THREADS) as pool:
            found = [part for chunk in pool.map(lambda chunk: [attempt(i) for i in chunk], chunks) for part in chunk]
        self.bad |= {row: str(bad) for row, bad in zip(rows, found, strict=True) if isinstance(bad, Bad)}
        return {row: part for row, part in zip(rows, found, strict=True) if not isinstance(part, Bad)}

    def _fitting(self, source: Source) -> Decoded:
        found = decode(source, need=2 * max(self.size))
        return Decoded(fitted(found.pixels, found.mode, self.size), found.mode, found.done)

    # ------------------------------------------------------------ what they have in common

    @cached_property
    def common(self) -> Size:
        return common_size(self.sizes.values())

    @cached_property
    def size(self) -> Size:
        """That of the schema, or as asked, or the most common one within the limit."""
        if self.known is not None and self.known.size is not None:
            return _checked(self.known.size)
        if isinstance(self.asked, tuple):
            return _checked(self.asked)
        return within(self.common, MOST if self.asked is None else _checked((self.asked, self.asked))[0])

    @cached_property
    def mode(self) -> str:
        if self.known is not None and self.known.mode is not None:
            return self.known.mode
        return common_mode(found.mode for found in self.decoded.values())

    def unified(self) -> Unified:
        """One size, one mode, raw bytes."""
        if not self.decoded and (self.known is None or self.known.size is None or self.known.mode is None):
            raise DataError(f"Column {self.name!r} has no picture at all", do="Give at least one, or leave it out")
        if self.mode not in CHANNELS:
            raise DataError(f"No mode of pictures is {self.mode!r}", do=f"The modes are {', '.join(CHANNELS)}")
        cells = [self._raw(row) for row in range(len(self.sources))]
        made = {
            "name": self.name,
            "kind": "image",
            "dtype": "Binary",
            "missing": any(source is None for source in self.sources),
            "size": self.size,
            "mode": self.mode,
            "why": self._why() if self.decoded else "",
        }
        base = self.known.model_dump() if self.known is not None else {}
        kept = {"why": base["why"]} if base.get("why") else {}
        return Unified(pl.Series(self.name, cells, pl.Binary), Field(**{**base, **made, **kept}), tuple(self._notes()))

    def _raw(self, row: int) -> bytes | None:
        found = self.decoded.get(row)
        return None if found is None else converted(found.pixels, found.mode, self.mode).tobytes()

    # ------------------------------------------------------------ what to tell

    def _why(self) -> str:
        return f"{len(self.decoded):,} pictures of {said(self.size)} pixels, {SAID[self.mode]}"

    def _notes(self) -> list[str]:
        return [f"{self.name}: {note}" for note in (*self._about_size(), *self._about_mode(), *self._done())]

    def _about_size(self) -> list[str]:
        notes, whole = [], said(self.size)
        imposed = isinstance(self.asked, tuple) or (self.known is not None and self.known.size is not None)
        like = self.size if imposed or not self.sizes else self.common
        others = Counter(size for row, size in self.sizes.items() if size != like and row in self.decoded)
        if not imposed and like != self.size:
            notes.append(
                f"pictures of {said(like)} pixels are reduced to {whole}; for another size give --size (size=), or "
                "write it into the schema file"
            )
        if others:
            many = others.total()
            sizes = f"{len(others):,} other sizes" if len(others) > 1 else "another size"
            most = whole if imposed else f"the most common, {said(like)}"
            notes.append(
                f"{sizes} than {most}: {many:,} of {len(self.decoded):,} pictures, fitted inside {whole} with the "
                "aspect kept and padded with the colour of the border or transparency; nothing is cropped"
            )
        return notes

    def _about_mode(self) -> list[str]:
        modes = Counter(found.mode for found in self.decoded.values())
        every = [what for found in self.decoded.values() for what in losses(found.pixels, found.mode, self.mode)]
        lost = Counter(every)
        notes = []
        decided = self.known is None or self.known.mode is None
        if len(modes) > 1 and decided:
            parts = ", ".join(f"{many:,} {SAID[mode]}" for mode, many in modes.most_common())
            notes.append(f"{parts}: all are read as {SAID[self.mode]}")
        notes += [f"{many:,} of {len(self.decoded):,} pictures: {what}" for what, many in lost.items()]
        return notes

    def _done(self) -> list[str]:
        done = Counter(what for found in self.decoded.values() for what in found.done)
        return [f"{many:,} picture{'s' * (many > 1)}: {what}" for what, many in done.most_common()]


def said(size: Size) -> str:
    """Width x height, as people say it."""
    return f"{size[1]} x {size[0]}"


def _checked(size: Size) -> Size:
    if not all(1 <= side <= 4096 for side in size):
        raise UsageError("A size is one number, or height and width, from 1 to 4,096 pixels", found=size)
    return size
