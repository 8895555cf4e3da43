"""Sentences for the user, and what of them may be kept with a model: names of files can be names of people."""

from __future__ import annotations

from collections.abc import Iterable


class Named(str):
    """A note that names files, for the screen; `kept` says the same without them."""

    __slots__ = ("kept",)
    kept: str

    def __new__(cls, text: str, kept: str) -> Named:
        made = super().__new__(cls, text)
        made.kept = kept
        return made


def to_keep(notes: Iterable[str]) -> tuple[str, ...]:
    """The notes as they may be saved."""
    return tuple(note.kept if isinstance(note, Named) else note for note in notes)
