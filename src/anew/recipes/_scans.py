"""Labelled pictures for recipes: opened, one column of them found, a part kept aside, twins told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from anew.core.errors import DataError, UsageError
from anew.core.pixels import Pixels, stack
from anew.core.schema import NOMINAL, Field, Schema
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.job import hold_out
from anew.recipes._tables import class_of, column, opened

HEALTHY = frozenset({"0", "no", "normal", "healthy", "negative", "false", "benign", "none", "well"})
SHARE = 5  # one in so many is kept aside
FEW = 50  # classes


def opened_pictures(
    data: object,
    example: Callable[[], pl.DataFrame],
    schema: Schema | str | Path | None = None,
    ignore: str | Sequence[str] = (),
    size: int | None = None,
) -> Dataset:
    """The data, or the example; they hold at least one column of pictures, of at most `size` pixels a side."""
    table = opened(Dataset.open(example() if data is None else data, schema, size=size), "", None, ignore)
    picture_of(table)
    return table


def picture_of(table: Dataset, name: str | None = None) -> Field:
    """The column of pictures: the only one, or the named one."""
    found = [field for field in table.schema if field.kind == "image"]
    if not found:
        raise DataError(
            "There is no column of pictures",
            found=list(table.schema.names[:12]),
            do="Give a folder of image files, an .npz file, or a table with pictures",
        )
    if name is None and len(found) > 1:
        raise UsageError(
            "There are several columns of pictures", found=[f.name for f in found], do="Leave out the others: ignore="
        )
    return found[0] if name is None else table.schema[column(table, name)]


def pixels_of(frame: pl.DataFrame, field: Field) -> Pixels:
    """(n, H, W, C)"""
    return stack(frame[field.name], field)


def some(table: Dataset, names: Sequence[str]) -> Dataset:
    """The table with these columns."""
    kept = table.schema.select(names)
    return replace(table, frame=table.frame.select(kept.names), schema=kept)


def positive_of(table: Dataset, target: str, label: object) -> str:
    """The class that a diagnosis is about: the named one, of two the one that does not say healthy, else the rarest."""
    if label is not None:
        return class_of(table, target, label)
    known = table.frame[target].drop_nulls().cast(pl.String).unique().sort().to_list()
    ill = [word for word in known if word.lower() not in HEALTHY]
    return ill[0] if len(known) == 2 and len(ill) == 1 else class_of(table, target, None)


@dataclass(frozen=True)
class Parts:
    """Rows to learn from and rows to test on; `twins` pictures of the latter were also among the former: left out."""

    learned: Dataset
    held: pl.DataFrame
    twins: int


def parted(
    table: Dataset, picture: Field, target: str, *, test: object = None, group: str | None = None, seed: int = 0
) -> Parts:
    """`test` is data to test on; else a fifth is kept aside, whole groups (patients) where a column names them."""
    known = table.frame.filter(pl.col(picture.name).is_not_null() & pl.col(target).is_not_null())
    table = replace(table, frame=known, rows=len(known))
    if test is not None:
        asked = table.schema.select([picture.name, target])
        learned, held = table, Dataset.open(test, like=asked).frame.drop_nulls([picture.name, target])
    else:
        learned, held = apart(table, target, group, seed)
    new = ~held[picture.name].is_in(learned.frame[picture.name].implode())
    if not new.any():
        raise DataError("Every picture to test on was also learned from", do="Bring others")
    return Parts(learned, held.filter(new), int((~new).sum()))


def apart(table: Dataset, target: str | None, group: str | None, seed: int) -> tuple[Dataset, pl.DataFrame]:
    """A fifth of the rows, or of the groups, kept aside."""
    if group is None:
        return hold_out(table, target, seed)
    groups = table.frame[column(table, group)].unique(maintain_order=True)
    if len(groups) < SHARE:
        raise DataError(f"{group!r} has too few values to keep some aside", found=len(groups), do=f"It needs {SHARE}")
    order = stream("held-out groups", seed).permutation(len(groups))
    held = table.frame[group].is_in(groups.gather(np.sort(order[: max(len(groups) // SHARE, 1)])).implode())
    left = table.frame.filter(~held)
    return replace(table, frame=left, rows=len(left)), table.frame.filter(held)


def fewer(table: Dataset, keep: int | None, seed: int) -> Dataset:
    """The table with at most so many rows, drawn at random."""
    if keep is None or keep >= len(table.frame):
        return table
    rows = np.sort(stream("fewer", seed).permutation(len(table.frame))[:keep])
    return replace(table, frame=table.frame[rows], rows=keep)


def class_column(table: Dataset, name: str | None) -> str | None:
    """The named column of classes, or the first with few; None where there is none."""
    if name is not None:
        return column(table, name)
    found = (f.name for f in table.schema if f.kind in NOMINAL and 2 <= table.frame[f.name].n_unique() <= FEW)
    return next(found, None)
