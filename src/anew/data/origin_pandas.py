"""pandas in and out: categoricals, nullable and numpy types, object columns, odd labels, a named index."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from polars.exceptions import PolarsError

from anew.core.errors import DataError
from anew.data.arrays import arrays_of, pictures_of
from anew.data.formats.columnar import values
from anew.data.origin import Origin, labelled

WORDS = frozenset({"string", "empty"})


def take(data: pd.DataFrame) -> tuple[pl.DataFrame, Origin]:
    """A named index becomes the first columns; an unnamed one is row numbers, and left out."""
    if data.columns.nlevels > 1:
        raise DataError(
            "The columns have several levels",
            found=list(data.columns[:2]),
            do="Give each column one name, for example ['_'.join(c) for c in df.columns]",
        )
    rows = data.index
    index = tuple(str(name) for name in data.index.names) if None not in data.index.names else ()
    data = data.reset_index() if index else data
    names, labels = labelled(list(data.columns))
    columns = [_series(data.iloc[:, i], name) for i, name in enumerate(names)]
    dtypes = {name: data.dtypes.iloc[i] for i, name in enumerate(names)}
    return pl.DataFrame(columns), Origin("pandas", dtypes, labels, index, rows)


def _series(column: pd.Series, name: str) -> pl.Series:
    dtype: Any = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        words = pl.Series([None if pd.isna(level) else str(level) for level in dtype.categories], dtype=pl.String)
        codes = pl.Series(column.cat.codes.to_numpy())
        return words.gather(codes.set(codes < 0, None)).alias(name)
    if isinstance(dtype, pd.SparseDtype):
        return _series(column.sparse.to_dense(), name)
    if isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype) or dtype.kind == "c":
        raise DataError(
            f"Column {name!r} has a pandas type that is not handled",
            found=str(dtype),
            do="Turn it into a date, a number or a word first",
        )
    if dtype == "object":
        return _objects(column).alias(name)
    return pl.Series(name, pl.from_pandas(column.reset_index(drop=True)), nan_to_null=True)


def _objects(column: pd.Series) -> pl.Series:
    """Python objects: of one type, or as words."""
    cells = [None if _is_missing(cell) else cell for cell in column]
    if (pictures := pictures_of(cells)) is not None:
        return pictures
    try:
        return values(cells)
    except PolarsError:
        return values([None if cell is None else str(cell) for cell in cells])


def _is_missing(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def back(frame: pl.DataFrame, origin: Origin) -> pd.DataFrame:
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # arrow and polars work outside the interpreter
        columns = dict(zip(frame.columns, pool.map(lambda cells: _back(cells, origin.dtypes), frame), strict=True))
    made = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    if origin.index and set(origin.index) <= set(made.columns):
        made = made.set_index(list(origin.index))
    made.columns = pd.Index([origin.labels.get(name, name) for name in made.columns])
    return made if origin.rows is None else made.set_axis(origin.rows)


def _back(cells: pl.Series, dtypes: Mapping[str, Any]) -> pd.Series:
    dtype = dtypes.get(cells.name)
    if isinstance(cells.dtype, pl.Array):
        return _pictures(cells)
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical(cells, dtype)
    if dtype is None:
        return _usual(cells)
    if dtype == "object":
        return pd.Series(cells.to_list(), dtype=object)
    if cells.null_count() and getattr(dtype, "kind", "O") in "iub" and not pd.api.types.is_extension_array_dtype(dtype):
        return _usual(cells)
    return _arrow(cells).astype(dtype)


def _pictures(cells: pl.Series) -> pd.Series:
    """An array (H, W) or (H, W, C) a cell."""
    objects = np.empty(len(cells), object)
    for place, array in enumerate(arrays_of(cells)):
        objects[place] = array
    return pd.Series(objects)


def _arrow(cells: pl.Series) -> pd.Series:
    """Lossless: nulls stay nulls, and large integers beside them stay integers."""
    return cells.to_pandas(use_pyarrow_extension_array=True)


def _usual(cells: pl.Series) -> pd.Series:
    """As `pandas.read_csv` would have it, but integers with missing cells stay integers."""
    if cells.dtype.is_integer() and cells.null_count():
        return _arrow(cells).astype("Int64")
    return cells.to_pandas()


def _categorical(cells: pl.Series, dtype: pd.CategoricalDtype) -> pd.Series:
    places = {str(level): place for place, level in enumerate(dtype.categories)}
    drawn = sorted(set(cells.drop_nulls().cast(pl.String)) - set(places))
    if drawn:  # levels that this part of the data does not list: without them completed cells would be empty again
        dtype = pd.CategoricalDtype([*dtype.categories, *drawn], dtype.ordered)
        places |= {level: place for place, level in enumerate(drawn, len(places))}
    codes = [places.get(cell, -1) if cell is not None else -1 for cell in cells.cast(pl.String)]
    return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))
