"""Which columns of a table are a product's name, category, keywords, audience and text; products as dicts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from anew.data.dataset import Dataset
from anew.recipes._copy import ROOM, Roles
from anew.recipes._scans import class_column
from anew.recipes._texts import role, settings_of, text_column

NAMES = ("name", "product", "product_name", "title")
KEYWORDS = ("keywords", "tags", "attributes", "features")
AUDIENCES = ("audience", "customer", "segment")
CATEGORIES = ("category", "kind", "type", "class")
USUAL = 0.9  # of all copy


def roles_of(
    table: Dataset, text: str | None, name: str | None, category: str | None, keywords: str | None, audience: str | None
) -> Roles:
    """The columns that were named, or that have a usual name."""
    said = text_column(table, text)
    found = role(table, category, CATEGORIES, [said])
    return Roles(
        said,
        role(table, name, NAMES, [said]),
        found if found is not None else class_column(table, None),
        role(table, keywords, KEYWORDS, [said]),
        role(table, audience, AUDIENCES, [said]),
    )


def products_of(frame: pl.DataFrame, roles: Roles) -> list[dict[str, Any]]:
    """Each row's attributes, and its text."""
    cells = frame.select(pl.col(name).cast(pl.String) for name in [*roles.told, roles.text])
    return list(cells.iter_rows(named=True))


def briefs(
    product: str | dict[str, str] | None, roles: Roles, given: Sequence[dict[str, Any]], n: int
) -> list[dict[str, Any]]:
    """The product that was named, or the first of those kept aside."""
    if product is not None:
        return [dict(settings_of(product, roles.told))]
    return [{name: one[name] for name in roles.told} for one in given[: max(n, 1)]]


def limit(texts: pl.Series) -> int:
    """Characters that most copy stays under, with room."""
    return int(ROOM * float(texts.drop_nulls().str.len_chars().quantile(USUAL) or 100))
