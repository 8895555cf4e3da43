"""The front door: any table in, one canonical frame with its schema, and the way back to what came."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PanicException, PolarsError

from anew.core.errors import AnewWarning, DataError, UsageError, did_you_mean
from anew.core.schema import Field, Schema
from anew.data import sample
from anew.data.canonical import canonical
from anew.data.formats.frames import locate, opened
from anew.data.images import picture_bytes, see
from anew.data.infer import check_dtypes, infer
from anew.data.known import applied
from anew.data.numerals import Style
from anew.data.origin import Origin, back, take
from anew.data.restore import restored
from anew.data.unified import Asked

WHOLE = 2**30  # bytes of a table up to which it is read at once, if a quarter of the free memory allows


@dataclass(frozen=True)
class Source:
    """The file that the data came from, so that a later change can be noticed."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class _Brought:
    """A table as it came: rows lazy, whether the cells are still words, and what to tell."""

    frame: pl.LazyFrame
    origin: Origin
    text: bool = False
    notes: tuple[str, ...] = ()
    source: Source | None = None
    texts: tuple[str, ...] = ()
    continues: bool = False
    size: int | None = None  # bytes in memory, where that is known at once


@dataclass(frozen=True)
class Dataset:
    """A table ready to learn from: canonical columns in schema order.

    `rows` counts the source; `frame` may be a stratified sample of it. `notes` are sentences for the user.
    """

    frame: pl.DataFrame
    schema: Schema
    origin: Origin
    rows: int
    notes: tuple[str, ...] = ()
    source: Source | None = None
    labels: Any = None  # of the rows, where the frame has them; never part of a model

    @classmethod
    def open(
        cls,
        data: object,
        schema: Schema | str | Path | None = None,
        *,
        like: Schema | None = None,
        target: str | None = None,
        max_rows: int | None = None,
        seed: int = 0,
        partly: bool = False,
        size: Asked = None,
        skip_bad: bool = False,
    ) -> Dataset:
        """Read a path, a frame (pandas, polars, pyarrow, DuckDB, ...), a dict of arrays or a list of dicts.

        `schema` is the user's word about the columns: kinds are applied, columns that it does not list are left out.
        `like` is the schema of a model: the data for a prediction, a completion or an audit is read by it, row for
        row; the column `target` may be absent then, and `partly` any column, but none may be there that the schema
        does not have. Otherwise the rows are at most `max_rows`, stratified by `target`.

        Pictures have one size: that of the schema, or `size` (height and width, or the pixels of the long side at
        most), or the most common one within 64 pixels. A row with a bad picture is an error, or with `skip_bad` left
        out and told.
        """
        if isinstance(data, Dataset):
            return data
        asked = Schema.read(schema) if isinstance(schema, str | Path) else schema
        with _brought(data) as brought:
            columns, left_out = (
                _some_columns(brought, like)
                if like is not None and partly
                else _columns(brought, like or asked, target, like is not None)
            )
            most = max_rows
            if max_rows is None and like is None:
                most = sample.default_rows(len(columns), picture_bytes(_schema_of(brought), columns, size))
            raw, rows, total, note = _rows(brought, columns, target, most, seed)
            raw = _joined(raw, brought) if partly else raw
            beside = Path(brought.source.path).parent if brought.source else Path()
            seen = see(raw, like or asked, size, skip_bad, beside)
        rows, labels = (
            (rows, brought.origin.rows) if seen.kept is None else (seen.kept if rows is None else rows[seen.kept], None)
        )
        if like is not None:  # these rows get an answer and no report, so that it is told here
            for told in seen.notes:
                warnings.warn(AnewWarning(told), stacklevel=2)
        check_dtypes(seen.frame.drop(field.name for field in seen.fields))
        with _readable():
            decided = _decide(seen.frame, brought.text, like, asked, seen.fields)
            decided = decided if like or asked else _as_texts(decided, brought)
            frame = canonical(seen.frame, decided, brought.text, rows)
        notes = (*brought.notes, *left_out, *note, *seen.notes, *_told(decided, like))
        origin = replace(brought.origin, rows=None)
        bad = len(raw) - len(seen.frame)
        return cls(frame, decided, origin, total - bad, notes, brought.source, labels)

    def give_back(self, frame: pl.DataFrame, schema: Schema | None = None, *, same_rows: bool = False) -> object:
        """A canonical frame (rows created, completed, predicted) as the kind of frame that came, dtypes and all.

        `same_rows` says that the rows are those that came, in their order: then they keep their labels.
        """
        origin = replace(self.origin, rows=self.labels if same_rows else None)
        return back(restored(frame, schema or self.schema), origin)


def give_back(frame: pl.DataFrame, schema: Schema, origin: Origin | None = None) -> object:
    """The same without the data set, for a model that was loaded: pandas where it is installed, else polars."""
    return back(restored(frame, schema), origin or Origin.usual())


@contextmanager
def _brought(data: object) -> Iterator[_Brought]:
    if isinstance(data, str | Path):
        path, _ = locate(data)
        with opened(data) as found:
            source = Source(str(path.absolute()), *_stamp(path))
            parts = (found.texts, found.continues, found.size)
            yield _Brought(found.frame, Origin.usual(), found.text, found.notes, source, *parts)
    else:
        frame, origin = take(data)
        yield _Brought(frame.lazy(), origin, size=0 if isinstance(frame, pl.DataFrame) else None)


def _stamp(path: Path) -> tuple[int, int]:
    """Bytes, and when it was last changed; of a folder, all that lies below it."""
    files = [path] if path.is_file() else [below for below in path.rglob("*") if below.is_file()]
    found = [(status.st_size, status.st_mtime_ns) for status in (file.stat() for file in files)]
    return sum(size for size, _ in found), max((time for _, time in found), default=0)


def _columns(
    brought: _Brought, known: Schema | None, target: str | None, may_lack_target: bool
) -> tuple[list[str], list[str]]:
    """Which columns to read, and a note about those that are not."""
    names = _schema_of(brought).names()
    if not names:
        raise DataError("The table has no columns", do="Give a table with at least one")
    if target is not None and target not in names and not may_lack_target:
        raise UsageError(f"No column is named {target!r}", do=did_you_mean(target, names))
    if known is None:
        return names, []
    lacking = [name for name in known.names if name not in names and not (may_lack_target and name == target)]
    if lacking:
        raise DataError(
            f"The data lacks {len(lacking)} column{'s' * (len(lacking) > 1)} of the schema: {', '.join(lacking[:12])}",
            do=did_you_mean(lacking[0], names),
        )
    extra = [name for name in names if name not in known]
    note = [f"columns left out, since the schema does not have them: {', '.join(extra)}"] if extra else []
    return [name for name in known.names if name in names], note


def _some_columns(brought: _Brought, known: Schema) -> tuple[list[str], list[str]]:
    """Those of the schema that are there; what the schema does not have is refused."""
    names = _schema_of(brought).names()
    strange = [name for name in names if name not in known]
    if strange:
        raise DataError(
            f"The model knows no column {strange[0]!r}",
            found=strange,
            do=f"{did_you_mean(strange[0], known.names)} Leave out what the model does not know",
        )
    if not names:
        raise DataError("The table has no columns", do="Give a table with at least one")
    return [name for name in known.names if name in names], []


def _schema_of(brought: _Brought) -> pl.Schema:
    with _readable():
        return brought.frame.collect_schema()


def _rows(
    brought: _Brought, columns: list[str], target: str | None, most: int | None, seed: int
) -> tuple[pl.DataFrame, pl.Series | None, int, list[str]]:
    """The rows to learn from, their numbers in the source (None: all), how many there are, and a note."""
    frame = brought.frame.select(columns)
    by = target if target in columns else None
    with _readable():
        if most is None or _fits(brought.size):
            frame = frame.collect().lazy()
        strata = None if by is None else frame.select(by).collect(engine="streaming").to_series()
        total = int(frame.select(pl.len()).collect(engine="streaming").item()) if strata is None else len(strata)
        if not total:
            raise DataError("The table has columns but no rows", do="Give at least one row")
        if most is None or total <= most:
            return frame.collect(), None, total, []
        picked = pl.Series(sample.stratified(strata, total, most, seed))
        some = _gather(frame, picked)
    how = "drawn uniformly" if by is None else f"stratified by {by!r}"
    return some, picked, total, [f"{total:,} rows; learned from a sample of {most:,}, {how}"]


@contextmanager
def _readable() -> Iterator[None]:
    """What polars cannot read is the data's fault; a panic is how some of its readers say so."""
    try:
        yield
    except (PolarsError, PanicException) as error:
        raise DataError(
            f"The table cannot be read: {str(error).splitlines()[0]}", do="Repair the file or write it again"
        ) from None


def _gather(frame: pl.LazyFrame, picked: pl.Series) -> pl.DataFrame:
    """The picked rows of a frame that is read piece by piece."""
    row = "__row"
    wanted = pl.LazyFrame({row: picked.cast(pl.UInt32)})
    kept = frame.with_row_index(row).join(wanted, on=row, how="semi")
    return kept.sort(row).drop(row).collect(engine="streaming")


def _fits(size: int | None) -> bool:
    """Whether a table of that many bytes may be read whole before it is sampled."""
    return size is not None and size < min(WHOLE, sample.free_memory() // 4)


def _decide(
    raw: pl.DataFrame, text: bool, like: Schema | None, asked: Schema | None, pictures: tuple[Field, ...]
) -> Schema:
    """The schema of a model as it is; else what was decided about the pictures, and what is found about the rest."""
    if like is not None:
        return like.select(raw.columns)
    rest = raw.drop(field.name for field in pictures)
    decided = infer(rest, text, bool(pictures)) if asked is None else applied(_without(asked, pictures), rest, text)
    fields = {field.name: field for field in (*decided, *pictures)}
    return Schema(fields=tuple(fields[name] for name in raw.columns), rules=decided.rules)


def _joined(raw: pl.DataFrame, brought: _Brought) -> pl.DataFrame:
    """Passages of one text as that text: what surrounds a gap is not to be cut off."""
    return raw.select(pl.col(name).str.join("") for name in raw.columns) if brought.continues else raw


def _as_texts(schema: Schema, brought: _Brought) -> Schema:
    """The columns that were read as texts are texts, however few and short they are."""
    said = "passages of one text" if brought.continues else "a text each"
    told = {"kind": "text", "continues": brought.continues, "pattern": None, "decimals": None, "why": said}
    return schema.replace(*(schema[name].model_copy(update=told) for name in brought.texts))


def _without(schema: Schema, fields: tuple[Field, ...]) -> Schema:
    """A schema without some fields; its rules stay, so that one that cannot be meant is still found."""
    names = {field.name for field in fields}
    return Schema(fields=tuple(field for field in schema if field.name not in names), rules=schema.rules)


def _told(schema: Schema, like: Schema | None) -> list[str]:
    """Decisions that the user should read: both date orders fitted, words taken as missing, columns in a mixture."""
    if like is not None:
        return []
    commas = [field.name for field in schema if field.kind in ("integer", "number") and _has_comma(field)]
    doubtful = ("both fit", "missing", "mixed", "would fit too", "several formats", "nearly all")
    told = [f"{field.name}: {field.why}" for field in schema if any(word in field.why for word in doubtful)]
    return [f"decimal comma in {', '.join(commas)}", *told] if commas else told


def _has_comma(field: Field) -> bool:
    style = Style.parse(field.format)
    return style is not None and style.decimal == ","


__all__ = ["Dataset", "Source", "give_back"]
