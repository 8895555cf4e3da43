"""What recipes of texts share: columns found by their role, a judge that reads a class off texts, what was copied.

n texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from anew.audit.corpus import bag_maker
from anew.audit.linear import Linear
from anew.audit.near import alike
from anew.audit.runs import runs
from anew.audit.statistics import Estimate, proportion
from anew.core.columns import Bools, Floats
from anew.core.errors import DataError, UsageError
from anew.data.dataset import Dataset
from anew.recipes._tables import column

COPIED = 60  # characters that may stand word for word in a training text
NEAR = 0.5  # of the windows of two texts in common: near duplicates


def text_column(table: Dataset, name: str | None) -> str:
    """The named column of texts, or that of the longest."""
    if name is not None:
        return column(table, name)
    found = [field.name for field in table.schema if field.kind == "text"]
    if not found:
        raise DataError(
            "There is no column of texts", found=list(table.schema.names[:12]), do="Name it: --option text=COLUMN"
        )
    length = [float(table.frame[name].cast(pl.String).str.len_chars().mean() or 0) for name in found]  # type: ignore[arg-type]
    return found[int(np.argmax(length))]


def role(table: Dataset, name: str | None, usual: Sequence[str], but: Sequence[str] = ()) -> str | None:
    """The named column, or the first that has a usual name; None where there is none."""
    if name is not None:
        return column(table, name)
    lower = {one.lower(): one for one in table.schema.names if one not in but}
    return next((lower[word] for word in usual if word in lower), None)


def as_said(table: Dataset, names: Sequence[str]) -> Dataset:
    """These columns as words that are told before a text, whatever they look like; an empty cell says nothing."""
    fields = [table.schema[name].model_copy(update={"kind": "text", "pattern": None}) for name in names]
    cells = [pl.col(name).cast(pl.String).str.strip_chars() for name in names]
    frame = table.frame.with_columns(pl.when(cell == "").then(None).otherwise(cell).name.keep() for cell in cells)
    schema = table.schema
    for field in fields:
        schema = schema.replace(field)
    return replace(table, frame=frame, schema=schema)


def parted(words: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in words.split(",") if part.strip()]


def settings_of(words: str | dict[str, Any] | None, known: Sequence[str]) -> dict[str, str]:
    """`name=Chessy; category=Game` as a dict of columns that are known."""
    if words is None:
        return {}
    if isinstance(words, str):
        pairs = [part.partition("=") for part in words.split(";") if part.strip()]
        words = {name.strip(): value.strip() for name, _, value in pairs}
    for name in words:
        if name not in known:
            raise UsageError(
                f"Nothing is said of {name!r} to the model", found=list(words), do=f"Name: {', '.join(known)}"
            )
    return {name: str(value) for name, value in words.items()}


def asked(**options: Any) -> dict[str, Any]:
    """Those that were named."""
    return {name: value for name, value in options.items() if value is not None}


@dataclass(frozen=True)
class Judge:
    """A linear machine over n-grams of real texts, which shares nothing with what writes."""

    names: list[str]
    machine: Linear
    bags: Any

    @classmethod
    def of(cls, texts: Sequence[str], labels: Sequence[str], seed: int) -> Judge:
        names = sorted(set(labels))
        if len(names) < 2:
            raise DataError("A class that never changes cannot be read back", found=names, do="Name another column")
        bags = bag_maker(texts)
        return cls(names, Linear.fitted(bags(texts), np.array([names.index(one) for one in labels]), seed), bags)

    def read(self, texts: Sequence[str]) -> list[str]:
        """The class of each text, as it is read."""
        return [self.names[code] for code in self.machine.read(self.bags(texts))]

    def sure(self, texts: Sequence[str], labels: Sequence[str]) -> Floats:
        """How sure it is of the class that was asked for, beside the likeliest other.  (n,)"""
        found = self.machine.margin(self.bags(texts))
        sides = np.stack([-found, found], 1) if found.ndim == 1 else found
        at = np.array([self.names.index(one) for one in labels])
        own = sides[np.arange(len(at)), at]
        sides[np.arange(len(at)), at] = -np.inf
        return np.asarray(own - sides.max(1))

    def right(self, texts: Sequence[str], labels: Sequence[str]) -> Estimate:
        """How often that is the class that was asked for."""
        hits = [one == other for one, other in zip(self.read(texts), labels, strict=True)]
        return proportion(float(sum(hits)), len(hits))


def longest_runs(known: Sequence[str], texts: Sequence[str]) -> Floats:
    """The characters of the longest run of each text that stands in a known one.  (n,)"""
    return runs(known, texts).longest.astype(np.float64) if texts else np.zeros(0)


def near(known: Sequence[str], texts: Sequence[str]) -> Bools:
    """Whether each text is a near duplicate of a known one.  (n,)"""
    return np.asarray(alike(known, texts) >= NEAR) if texts else np.zeros(0, bool)
