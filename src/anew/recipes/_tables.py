"""Tables for recipes: opened or an example, without the columns to ignore; the target and its class, found or named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anew.core.errors import DataError, UsageError, did_you_mean
from anew.core.schema import Schema
from anew.data.dataset import Dataset
from anew.data.examples import example
from anew.job import guess_target
from anew.plan import is_class


def opened(
    data: object, name: str, schema: Schema | str | Path | None = None, ignore: str | Sequence[str] = ()
) -> Dataset:
    """The data, or the example of that name; columns to ignore are left out."""
    table = Dataset.open(example(name) if data is None else data, schema)
    out = [part.strip() for part in ignore.split(",") if part.strip()] if isinstance(ignore, str) else list(ignore)
    for word in out:
        column(table, word)
    kept = table.schema.select([field.name for field in table.schema if field.name not in out])
    return Dataset(table.frame.select(kept.names), kept, table.origin, table.rows, table.notes, table.source)


def column(table: Dataset, name: str) -> str:
    """The name, if the table has it."""
    if name not in table.schema:
        raise UsageError(f"No column is named {name!r}", do=did_you_mean(name, table.schema.names))
    return name


def target_of(table: Dataset, target: str | None, what: str) -> str:
    """The column of classes that was named, or that looks like one."""
    found = column(table, target) if target else guess_target(table)[0]
    if found is None:
        raise UsageError(
            f"No column looks like the {what}",
            found=list(table.schema.names[:12]),
            do="Name it: --option target=COLUMN",
        )
    if not is_class(table, found):
        raise UsageError(f"The {what} {found!r} is a number of many values, not a class", do="Name another target")
    if table.frame[found].drop_nulls().n_unique() < 2:
        raise DataError(f"The {what} {found!r} has one class: every row has the same value", do="Name another target")
    return found


def class_of(table: Dataset, target: str, label: object) -> str:
    """The class that was named, as the text of its value; the rarest when none was."""
    words = table.frame[target].drop_nulls().cast(pl.String)
    counts = words.value_counts().sort(["count", target])
    known = counts[target].to_list()
    if label is None:
        return str(known[0])
    wanted = str(label)
    if wanted not in known:
        raise UsageError(f"{target!r} never is {wanted!r}", do=did_you_mean(wanted, known))
    return wanted
