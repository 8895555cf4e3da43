"""What each column is: one decision a column, with its reason in `Field.why`.

A reason quotes no value of the data: the schema is saved with the model, and what it says is let out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from polars import selectors as cs

from anew.core.errors import DataError
from anew.core.schema import Field, Kind, Schema
from anew.data import words
from anew.data.dtypes import dtype_name
from anew.data.identifiers import is_sequence, named_as_key, pattern_of

SMALL = 20  # rows under which "all different" says little
DECIMALS = 9
SENTENCE = 4.0  # words in a cell, on average, from which a column of different cells is text
CAPTION = 1.5  # the same where the column stands beside pictures
CAPTIONS = frozenset({"caption", "captions", "prompt", "text", "description", "title", "tags", "alt"})
CLASSES = frozenset({"label", "class", "target", "y"})  # beside pictures, whole numbers of that name are classes
MOST_CLASSES = 100
UNIQUE = 0.9  # share of different cells from which words are keys: to learn them would be to hand them out
NUMERIC_WORDS = 30  # different cells up to which numbers mixed with words are a category


def infer(frame: pl.DataFrame, text: bool = False, beside_pictures: bool = False) -> Schema:
    """Decide about every column. `text`: the cells are words as a file wrote them, so types are decided as well.

    Beside pictures, words of which most cells differ and that hold more than one word are captions.
    """
    check_dtypes(frame)
    strings = frame.select(cs.string())
    comma = text and any(words.decimal_comma(column) for column in strings)
    return Schema(fields=tuple(_field(column, text, comma, beside_pictures) for column in frame))


def check_dtypes(frame: pl.DataFrame) -> None:
    """Refuse types that are no scalar."""
    for name, dtype in frame.schema.items():
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            raise DataError(
                f"Column {name!r} holds {'lists or records' if dtype.is_nested() else 'binary objects'}",
                found=str(dtype),
                do="Give each of its parts a column of its own, or leave it out",
            )


@dataclass(frozen=True)
class _Facts:
    """What the decision needs to know about a column; `typed` has no missing cells."""

    name: str
    typed: pl.Series
    rows: int
    distinct: int
    mixed: str = ""
    beside_pictures: bool = False

    @property
    def missing(self) -> bool:
        return len(self.typed) < self.rows

    @property
    def all_differ(self) -> bool:
        return self.distinct == len(self.typed) and not self.missing

    @property
    def many(self) -> str:
        return f"{self.distinct:,} distinct in {len(self.typed):,} rows"


@dataclass(frozen=True)
class _Decision:
    kind: Kind
    why: str
    decimals: int | None = None
    pattern: str | None = None


def _field(column: pl.Series, text: bool, comma: bool, beside_pictures: bool) -> Field:
    reading = words.Reading(column.dtype)
    if column.dtype == pl.String:
        reading = words.detect(column, comma, only_dates=not text)
    typed = _typed(column, reading, text)
    present = drop_missing(typed)
    facts = _Facts(column.name, present, len(column), present.n_unique(), reading.mixed, beside_pictures)
    chosen = _decide(facts)
    came = reading.dtype if text or column.dtype != pl.String else column.dtype
    return Field(
        name=column.name,
        kind=chosen.kind,
        dtype=dtype_name(came),
        missing=facts.missing,
        decimals=chosen.decimals,
        pattern=chosen.pattern,
        format=reading.form,
        missing_words=reading.missing_words,
        time_zone=getattr(reading.dtype, "time_zone", None),
        unit=getattr(reading.dtype, "time_unit", None),
        why="; ".join(filter(None, [chosen.why, reading.why])),
    )


def _typed(column: pl.Series, reading: words.Reading, text: bool) -> pl.Series:
    if column.dtype != pl.String:
        return column
    kept = words.tidy(column, reading.missing_words) if text else column
    return words.as_dtype(kept, reading.dtype, reading.form)


def drop_missing(column: pl.Series) -> pl.Series:
    """Without nulls and NaN, which pandas uses for missing."""
    return column.drop_nans().drop_nulls() if column.dtype.is_float() else column.drop_nulls()


def _decide(facts: _Facts) -> _Decision:
    if not len(facts.typed):
        return _Decision("empty", "every cell is missing" if facts.rows else "no rows")
    if facts.distinct == 1 and not facts.missing and facts.rows > 1:
        return _Decision("constant", f"one value in all {facts.rows:,} rows")
    for holds, decide in _BY_DTYPE:
        if holds(facts.typed.dtype):
            return decide(facts)
    return _words(facts)


def _boolean(facts: _Facts) -> _Decision:
    return _Decision("boolean", "true or false")


def _datetime(facts: _Facts) -> _Decision:
    return _Decision("datetime", f"points in time, {facts.many}")


def _duration(facts: _Facts) -> _Decision:
    return _Decision("duration", f"lengths or times of day, {facts.many}")


def _integer(facts: _Facts) -> _Decision:
    if facts.all_differ and named_as_key(facts.name):
        return _Decision("identifier", "whole numbers, all different, and named as a key", pattern="integer")
    if facts.beside_pictures and facts.name.lower() in CLASSES and facts.distinct <= MOST_CLASSES:
        return _Decision("category", f"numbers of classes, since the column is named {facts.name!r}, {facts.many}")
    if facts.all_differ and facts.rows >= SMALL and is_sequence(facts.typed):
        return _Decision("identifier", "whole numbers that run through without a gap", pattern="integer")
    return _Decision("integer", f"whole numbers, {facts.many}")


def _number(facts: _Facts) -> _Decision:
    values = facts.typed.cast(pl.Float64).to_numpy()
    decimals = decimals_of(values, facts.typed.dtype == pl.Float32)
    if decimals == 0:
        return _Decision("integer", f"whole numbers written as decimals, {facts.many}")
    said = "continuous" if decimals is None else f"{decimals} decimal{'s' * (decimals > 1)}"
    return _Decision("number", f"{said}, {facts.many}", decimals)


def decimals_of(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], single: bool = False) -> int | None:
    """The smallest d <= 9 such that every value is the float nearest to a decimal of d places; None if none is."""
    values = values[np.isfinite(values)]
    for decimals in range(DECIMALS + 1):
        scaled = values * 10.0**decimals
        if np.abs(scaled).max(initial=0.0) >= 2.0**53:
            return None
        near = np.rint(scaled) / 10.0**decimals
        if (near.astype(np.float32) == values.astype(np.float32) if single else near == values).all():
            return decimals
    return None


def _words(facts: _Facts) -> _Decision:
    cells = facts.typed.cast(pl.String)
    share = facts.distinct / len(cells)
    if facts.mixed and facts.distinct > NUMERIC_WORDS:
        return _Decision(
            "text", f"{facts.mixed}; declare the words in missing_words and set the kind, or set the kind to category"
        )
    said = "; ".join(filter(None, [f"words, {facts.many}", facts.mixed]))
    length = float(cells.str.count_matches(r"\S+").mean() or 0.0)  # type: ignore[arg-type]
    if share > 0.5 and length >= SENTENCE and len(cells) >= SMALL:
        return _Decision("text", f"sentences of {length:.0f} words on average, {facts.many}")
    if facts.beside_pictures and _captions(facts, share, length):
        return _Decision("text", f"captions of {length:.1f} words on average, {facts.many}")
    if share >= UNIQUE and (len(cells) >= SMALL or (share == 1.0 and named_as_key(facts.name))):
        why = "all different" if share == 1.0 else f"nearly all different ({facts.many})"
        return _Decision("identifier", f"words, {why}: keys, made anew", pattern=pattern_of(cells))
    return _Decision("category", said)


def _captions(facts: _Facts, share: float, length: float) -> bool:
    """Whether words say what is in a picture: by their name, or because most differ and hold several words."""
    if facts.name.lower() in CAPTIONS:
        return facts.distinct > NUMERIC_WORDS or length >= CAPTION
    return share > 0.4 and length >= CAPTION and len(facts.typed) >= SMALL and not named_as_key(facts.name)


_BY_DTYPE: tuple[tuple[Callable[[pl.DataType], bool], Callable[[_Facts], _Decision]], ...] = (
    (lambda dtype: dtype == pl.Boolean, _boolean),
    (lambda dtype: dtype.is_integer(), _integer),
    (lambda dtype: dtype.is_float() or dtype.is_decimal(), _number),
    (lambda dtype: isinstance(dtype, pl.Datetime | pl.Date), _datetime),
    (lambda dtype: isinstance(dtype, pl.Duration | pl.Time), _duration),
)
