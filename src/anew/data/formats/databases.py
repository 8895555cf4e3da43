"""SQLite and DuckDB files: one table of the database is the data; `file.db::table` names it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from anew.core.errors import DataError
from anew.data.formats.columnar import values
from anew.data.formats.found import Found, check_names, choose_part, need

TABLE = "data"  # the name of the table in a new database
BATCH = 50_000
T = TypeVar("T")


def read_sqlite(path: Path, part: str | None, shown: str) -> Found:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            listed = database.execute(
                "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite_%'"
            )
            table = choose_part(shown, sorted(name for (name,) in listed), part, "table")
            return Found(_sqlite_table(database, table, shown).lazy(), notes=(f"table {table!r}",))
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise DataError(f"{shown!r} is a damaged SQLite file: {error}", do="Restore it, or export the table") from None


def _sqlite_table(database: sqlite3.Connection, table: str, shown: str) -> pl.DataFrame:
    """SQLite types cells, not columns: integers beside reals are numbers, numbers beside words are words."""
    cursor = database.execute(f"select * from {quoted(table)}")
    names = [column[0] for column in cursor.description]
    check_names(names, shown)
    columns: dict[str, list[pl.Series]] = {name: [] for name in names}
    while rows := cursor.fetchmany(BATCH):
        for name, cells in zip(names, zip(*rows, strict=True), strict=True):
            columns[name].append(_cells(name, list(cells)))
    return pl.DataFrame({name: _joined(batches) for name, batches in columns.items()})


def _joined(batches: list[pl.Series]) -> pl.Series:
    """The batches of a column, in the type that holds all of them."""
    dtypes = {batch.dtype for batch in batches} - {pl.Null()}
    if len(dtypes) > 1:
        common = pl.String() if pl.String() in dtypes else pl.Float64()
        batches = [batch.cast(common) for batch in batches]
    return pl.concat(
        [batch.cast(next(iter(dtypes))) if len(dtypes) == 1 else batch for batch in batches]
        or [pl.Series([], dtype=pl.Null)]
    )


def _cells(name: str, cells: list[object]) -> pl.Series:
    if any(isinstance(cell, bytes) for cell in cells):
        raise DataError(f"Column {name!r} holds binary data", do="Leave it out, for example with a view")
    return values(cells)


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def read_duckdb(path: Path, part: str | None, shown: str) -> Found:
    table = choose_part(shown, _answer(path, shown, _duckdb_tables), part, "table")
    frame = _answer(path, shown, lambda database: _duckdb_table(database, table))
    check_names(frame.columns, shown)
    return Found(frame.lazy(), notes=(f"table {table!r}",))


def _answer(path: Path, shown: str, ask: Callable[[Any], T]) -> T:
    """What the database says. An error is raised here, where no object of DuckDB is in sight: one that an exception
    keeps alive fills stderr when Python ends."""
    answer, wrong = _asked(path, ask)
    if answer is None:
        raise DataError(
            f"{shown!r} cannot be read as a DuckDB file: {wrong}",
            do="Close other programs that have it open, or export the table to Parquet",
        )
    return answer


def _asked(path: Path, ask: Callable[[Any], T]) -> tuple[T | None, str]:
    duckdb = _duckdb()
    try:
        with duckdb.connect(str(path), read_only=True) as database:
            return ask(database), ""
    except duckdb.Error as error:
        return None, str(error).splitlines()[0]


def _duckdb_tables(database: Any) -> list[str]:
    listed = database.execute("select table_name from information_schema.tables order by 1")
    return [name for (name,) in listed.fetchall()]


def _duckdb_table(database: Any, table: str) -> pl.DataFrame:
    """With intervals as microseconds: the Arrow type of an interval has months, which polars does not read."""
    columns = database.sql(f"select column_name, column_type from (describe {quoted(table)})").fetchall()
    spans = [name for name, kind in columns if kind == "INTERVAL"]
    rows = database.sql(f"select *{_replacing('epoch_us', spans)} from {quoted(table)}").arrow().read_all()
    frame = pl.DataFrame(rows)  # by way of Arrow: handing the relation to polars makes DuckDB complain at exit
    return frame.with_columns(pl.col(spans).cast(pl.Duration("us")))


def _replacing(function: str, names: list[str]) -> str:
    """The part of a select that puts a function of some columns in their places."""
    calls = ", ".join(f"{function}({quoted(name)}) as {quoted(name)}" for name in names)
    return f" replace ({calls})" if names else ""


def _duckdb() -> Any:
    return need("duckdb", "DuckDB files")


def write_sqlite(frame: pl.DataFrame, path: Path) -> None:
    """One table; booleans are 0 and 1, dates, times and durations ISO 8601 words, larger integers words too."""
    columns = ", ".join(f"{quoted(name)} {_sqlite_type(dtype)}" for name, dtype in frame.schema.items())
    marks = ", ".join("?" * frame.width)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"create table {TABLE} ({columns})")
        database.executemany(f"insert into {TABLE} values ({marks})", _plain_rows(frame))


def _sqlite_type(dtype: pl.DataType) -> str:
    if dtype in (pl.UInt64, pl.Int128):
        return "text"
    if dtype.is_integer() or dtype == pl.Boolean:
        return "integer"
    return "real" if dtype.is_float() or dtype.is_decimal() else "text"


def _plain_rows(frame: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    from polars import selectors as cs

    words = frame.with_columns(
        cs.duration().dt.to_string("iso"),
        cs.by_dtype(pl.Boolean).cast(pl.Int64),
        (cs.date() | cs.datetime() | cs.time() | cs.categorical() | cs.enum()).cast(pl.String),
        cs.decimal().cast(pl.Float64),
        cs.by_dtype(pl.UInt64, pl.Int128).cast(pl.String),
    )
    return words.iter_rows()


def write_duckdb(frame: pl.DataFrame, path: Path) -> None:
    duckdb = _duckdb()
    path.unlink()  # DuckDB refuses the empty file that holds the name
    with tempfile.TemporaryDirectory(prefix="anew-") as folder, duckdb.connect(str(path)) as database:
        spans = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Duration)]
        numbers = frame.with_columns(pl.col(spans).cast(pl.Duration("us")).to_physical())
        numbers.write_parquet(f"{folder}/frame.parquet")
        columns = f"*{_replacing('to_microseconds', spans)}"
        database.execute(f"create table {TABLE} as select {columns} from '{folder}/frame.parquet'")
