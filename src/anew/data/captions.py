"""Words that pictures are given: columns of short texts that would else be categories or keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from anew.data.dataset import Dataset

FEW = 50  # different cells up to which words stay a category


def captioned(dataset: Dataset, names: Iterable[str]) -> Dataset:
    """The data set with these columns as text where they are words in a record with pictures, and many."""
    if not any(field.kind == "image" for field in dataset.schema):
        return dataset
    changed = [
        field.model_copy(update={"kind": "text", "pattern": None, "why": "words that pictures are given"})
        for name in names
        for field in [dataset.schema[name]]
        if field.kind in ("category", "identifier")
        and dataset.frame[name].dtype == pl.String
        and dataset.frame[name].n_unique() > FEW
    ]
    return replace(dataset, schema=dataset.schema.replace(*changed)) if changed else dataset
