"""What a reader hands over: rows still lazy, whether the cells are words as written, and what was found on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import polars as pl

from anew.core.errors import DataError, UsageError, did_you_mean


@dataclass(frozen=True)
class Found:
    """A table in a file.

    `text` says that every cell is a word as the file wrote it (delimited text), so that types are still to be
    decided. `notes` are sentences for the user. `size` is about how many bytes the table takes in memory, None where
    the number of rows tells (formats that know it at once). `texts` are columns of text, whatever they look like, and
    `continues` says that they are passages of one.
    """

    frame: pl.LazyFrame
    text: bool = False
    notes: tuple[str, ...] = ()
    size: int | None = None
    texts: tuple[str, ...] = ()
    continues: bool = False

    def noting(self, notes: Iterable[str]) -> Found:
        """The same table with `notes` put first."""
        return replace(self, notes=(*notes, *self.notes))


def need(package: str, what: str) -> Any:
    """A package that only some data need, imported; or a sentence that says how to get it."""
    try:
        return import_module(package)
    except ImportError:
        raise UsageError(
            f"{what} need the package {package}, which is not installed", do=f"pip install {package}"
        ) from None


def check_names(names: Iterable[str], source: str) -> tuple[list[str], list[str]]:
    """Unique column names and the notes about nameless ones; a duplicate is an error, since either could be meant."""
    given = [name.strip() for name in names]
    double = sorted({name for name in given if name and given.count(name) > 1})
    if double:
        places = [str(i + 1) for i, name in enumerate(given) if name == double[0]]
        raise DataError(
            f"{source} has {len(places)} columns named {double[0]!r} (columns {', '.join(places)})",
            do="Give every column a name of its own",
        )
    named = [name or _free(f"column_{i + 1}", given) for i, name in enumerate(given)]
    nameless = [new for new, old in zip(named, given, strict=True) if not old]
    return named, [f"a column without a name is called {name!r}" for name in nameless]


def _free(name: str, taken: list[str]) -> str:
    return name if name not in taken else _free(name + "_", taken)


def choose_part(path: object, parts: list[str], wanted: str | None, noun: str) -> str:
    """The one part of a container (table, sheet, member) to read, or an error that lists them."""
    if wanted is not None:
        if wanted not in parts:
            raise DataError(f"{str(path)!r} has no {noun} named {wanted!r}", do=did_you_mean(wanted, parts))
        return wanted
    if not parts:
        raise DataError(f"{str(path)!r} holds no {noun} with data")
    if len(parts) > 1:
        shown = ", ".join(parts[:12]) + (f" and {len(parts) - 12} more" if len(parts) > 12 else "")
        raise DataError(
            f"{str(path)!r} holds {len(parts)} {noun}s: {shown}", do=f"Name one, as in '{path}::{parts[0]}'"
        )
    return parts[0]
