"""What the user brought, so that the same can be given back: the kind of frame, its types, labels and index.

Each kind of frame is two functions, `take` (to polars) and `back`, found in a table by the module and class of the
object; nothing is imported that the user has not imported already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from anew.core.errors import DataError, UsageError
from anew.data.arrays import arrays_of, as_png, pictures_of
from anew.data.formats.columnar import values
from anew.data.formats.found import check_names, need


@dataclass(frozen=True)
class Origin:
    """The kind of frame ("pandas", "polars", "lazy", "arrow", "duckdb", "dict", "rows", "path", or what narwhals
    calls it), each column's type there, the labels of columns that are not words, the columns of a named index, and
    the row labels themselves for answers row for row."""

    kind: str
    dtypes: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    index: tuple[str, ...] = ()
    rows: Any = None

    @classmethod
    def usual(cls) -> Origin:
        """For a model that was loaded, or data from a file: pandas where it is installed, else polars."""
        return cls("path")


Frame = pl.DataFrame | pl.LazyFrame
Take = Callable[[Any], tuple[Frame, Origin]]
Back = Callable[[pl.DataFrame, Origin], object]


def take(data: object) -> tuple[Frame, Origin]:
    """A frame of any kind as polars."""
    for kind in type(data).__mro__:
        adapter = _TAKE.get((kind.__module__.partition(".")[0].lstrip("_"), kind.__name__))
        if adapter is not None:
            return adapter(data)
    return _take_any(data)


def back(frame: pl.DataFrame, origin: Origin) -> object:
    """Polars as the kind of frame that came."""
    return _BACK.get(origin.kind, _back_any)(frame, origin)


def _take_polars(data: pl.DataFrame) -> tuple[Frame, Origin]:
    objects = [cells for cells in data if cells.dtype == pl.Object]
    found = {cells.name: pictures_of(cells) for cells in objects}
    pictures = [cells.alias(name) for name, cells in found.items() if cells is not None]
    return data.with_columns(pictures), Origin("polars", dict(data.schema))


def _take_lazy(data: pl.LazyFrame) -> tuple[Frame, Origin]:
    return data, Origin("lazy", dict(data.collect_schema()))


def _back_polars(frame: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """With the levels of an Enum, which a schema does not tell; levels that it lacks stay words."""
    enums = {name: dtype for name, dtype in origin.dtypes.items() if isinstance(dtype, pl.Enum)}
    return frame.with_columns(
        pl.col(name).cast(pl.String).cast(dtype)
        for name, dtype in enums.items()
        if name in frame.columns and frame[name].cast(pl.String).drop_nulls().is_in(dtype.categories.implode()).all()
    )


def _take_arrow(data: Any) -> tuple[Frame, Origin]:
    check_names(data.schema.names, "The table")
    frame = pl.from_arrow(data)
    assert isinstance(frame, pl.DataFrame)
    return frame, Origin("arrow", {column.name: column.type for column in data.schema})


def _back_arrow(frame: pl.DataFrame, origin: Origin) -> object:
    import pyarrow as pa

    table = as_png(frame).to_arrow()
    fields = [pa.field(name, origin.dtypes.get(name, table.schema.field(name).type)) for name in table.schema.names]
    return pa.table([_as_arrow(table.column(one.name), one.type) for one in fields], schema=pa.schema(fields))


def _as_arrow(column: Any, wanted: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_dictionary(wanted):
        plain = column.cast(wanted.value_type)
        return plain.combine_chunks().dictionary_encode().cast(wanted)
    return column.cast(wanted)


def _take_dict(data: Mapping[object, Any]) -> tuple[Frame, Origin]:
    names, labels = labelled(list(data))
    lengths = {name: len(cells) for name, cells in zip(names, data.values(), strict=True)}
    if len(set(lengths.values())) > 1:
        raise DataError("The columns of the dict differ in length", found=lengths, do="Give arrays of one length")
    columns = {name: _series(cells) for name, cells in zip(names, data.values(), strict=True)}
    kinds = {
        name: cells.dtype if isinstance(cells, np.ndarray) else None
        for name, cells in zip(names, data.values(), strict=True)
    }
    return pl.DataFrame(columns), Origin("dict", kinds, labels)


def _series(cells: Any) -> pl.Series:
    """An array or a list of Python values."""
    if getattr(getattr(cells, "dtype", None), "kind", "O") == "O":
        if (pictures := pictures_of(cells)) is not None:
            return pictures
        return values([None if cell != cell else cell for cell in cells])
    try:
        return pl.Series(cells)
    except (TypeError, ValueError, PolarsError):
        return values(list(cells))


def _back_dict(frame: pl.DataFrame, origin: Origin) -> dict[Any, Any]:
    return {
        origin.labels.get(cells.name, cells.name): _as_array(cells, origin.dtypes.get(cells.name)) for cells in frame
    }


def _as_array(cells: pl.Series, dtype: Any) -> Any:
    if isinstance(cells.dtype, pl.Array):
        return arrays_of(cells) if cells.null_count() else cells.to_numpy()
    if dtype is None:
        return cells.to_list()
    made = cells.to_numpy()
    return made if cells.null_count() and dtype.kind in "iub" else made.astype(dtype)


def _take_rows(data: Sequence[Any]) -> tuple[Frame, Origin]:
    if not data or not all(isinstance(row, Mapping) for row in data):
        raise UsageError(
            "A list must hold one dict a row",
            found=type(data[0]).__name__ if data else [],
            do="Give a list of dicts, a dict of arrays, a frame or a path",
        )
    names = list(dict.fromkeys(name for row in data for name in row))
    words, labels = labelled(names)
    columns = {word: _series([row.get(name) for row in data]) for word, name in zip(words, names, strict=True)}
    return pl.DataFrame(columns), Origin("rows", labels=labels)


def _back_rows(frame: pl.DataFrame, origin: Origin) -> list[dict[Any, Any]]:
    names = [origin.labels.get(name, name) for name in frame.columns]
    columns = [arrays_of(cells) if isinstance(cells.dtype, pl.Array) else cells.to_list() for cells in frame]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _take_duckdb(data: Any) -> tuple[Frame, Origin]:
    check_names(data.columns, "The relation")
    return pl.DataFrame(data.arrow().read_all()), Origin("duckdb")


def _back_duckdb(frame: pl.DataFrame, origin: Origin) -> object:
    return import_module("duckdb").from_arrow(as_png(frame).to_arrow())


def _take_any(data: object) -> tuple[Frame, Origin]:
    """Whatever narwhals knows; an array of numbers is named column_1, column_2, ..."""
    import narwhals as nw

    try:
        frame = nw.from_native(data)  # type: ignore[call-overload]
    except TypeError:
        raise UsageError(
            "Cannot read a table from this object",
            found=type(data).__name__,
            do="Give a path, a frame (pandas, polars, pyarrow, DuckDB), a dict of arrays or a list of dicts",
        ) from None
    kind = str(frame.implementation.value)
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    return eager.to_polars(), Origin(kind)


def _back_any(frame: pl.DataFrame, origin: Origin) -> object:
    import narwhals as nw

    return nw.from_arrow(as_png(frame).to_arrow(), backend=origin.kind).to_native()  # type: ignore[arg-type]


def _take_array(data: Any) -> tuple[Frame, Origin]:
    if data.ndim != 2:
        raise UsageError("An array must have two axes: rows and columns", found=data.shape)
    names = [f"column_{i + 1}" for i in range(data.shape[1])]
    return pl.DataFrame({name: _series(data[:, i]) for i, name in enumerate(names)}), Origin("array")


def _back_usual(frame: pl.DataFrame, origin: Origin) -> object:
    return _back_pandas(frame, origin) if find_spec("pandas") and find_spec("pyarrow") else frame


def _take_pandas(data: Any) -> tuple[Frame, Origin]:
    need("pyarrow", "pandas frames")
    from anew.data import origin_pandas

    return origin_pandas.take(data)


def _back_pandas(frame: pl.DataFrame, origin: Origin) -> object:
    from anew.data import origin_pandas

    return origin_pandas.back(frame, origin)


def labelled(labels: Sequence[object]) -> tuple[list[str], dict[str, object]]:
    """Names for labels, and the labels that are no words by their names."""
    names, _ = check_names(map(str, labels), "The frame")
    return names, {name: label for name, label in zip(names, labels, strict=True) if name != label}


_TAKE: dict[tuple[str, str], Take] = {
    ("polars", "DataFrame"): _take_polars,
    ("polars", "LazyFrame"): _take_lazy,
    ("pandas", "DataFrame"): _take_pandas,
    ("pyarrow", "Table"): _take_arrow,
    ("duckdb", "DuckDBPyRelation"): _take_duckdb,
    ("numpy", "ndarray"): _take_array,
    ("builtins", "dict"): _take_dict,
    ("builtins", "list"): _take_rows,
    ("builtins", "tuple"): _take_rows,
}
_BACK: dict[str, Back] = {
    "polars": _back_polars,
    "lazy": lambda frame, origin: _back_polars(frame, origin).lazy(),
    "pandas": _back_pandas,
    "arrow": _back_arrow,
    "duckdb": _back_duckdb,
    "array": lambda frame, origin: frame.to_numpy(),
    "dict": _back_dict,
    "rows": _back_rows,
    "path": _back_usual,
}
