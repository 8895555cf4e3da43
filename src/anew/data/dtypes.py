"""Short names for polars types, as `Field.dtype` holds them, and the way back: `Datetime(us,Europe/Berlin)`."""

from __future__ import annotations

import re
from typing import Literal

import polars as pl

_UNITS: dict[str, Literal["ns", "us", "ms"]] = {"ns": "ns", "us": "us", "ms": "ms"}
_PLAIN: dict[str, pl.DataType] = {
    str(dtype()): dtype()
    for dtype in (
        pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64,
        pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Date, pl.Time, pl.Categorical, pl.Null, pl.Binary,
    )
}  # fmt: skip


def dtype_name(dtype: pl.DataType) -> str:
    """The name of a type; an Enum is a Categorical, whose levels the name does not tell."""
    match dtype:
        case pl.Datetime():
            return f"Datetime({','.join(filter(None, [dtype.time_unit, dtype.time_zone]))})"
        case pl.Duration():
            return f"Duration({dtype.time_unit})"
        case pl.Decimal():
            return f"Decimal({dtype.precision},{dtype.scale})"
        case pl.Enum() | pl.Categorical():
            return "Categorical"
        case _:
            return str(dtype)


def dtype_of(name: str) -> pl.DataType:
    """The polars type of a name; words for what has none."""
    found = re.fullmatch(r"(\w+)\(([^,]*)(?:,(.*))?\)", name)
    if not found:
        return _PLAIN.get(name, pl.String())
    base, first, second = found.groups()
    match base:
        case "Datetime":
            return pl.Datetime(time_unit(first), second)
        case "Duration":
            return pl.Duration(time_unit(first))
        case "Decimal":
            return pl.Decimal(int(first), int(second or 0))
        case _:
            return pl.String()


def time_unit(name: str | None) -> Literal["ns", "us", "ms"]:
    """The resolution of that name; microseconds when there is none."""
    return _UNITS.get(name or "us", "us")
