"""What words in text are: numbers, dates, durations, booleans, or words. One misfit, and all stay words.

Used in both directions: `detect` decides once, `read` follows the decision for new data, `write` goes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from anew.core.schema import Field
from anew.data import dates, durations
from anew.data.dtypes import dtype_of
from anew.data.numerals import LEADING_ZERO, WHOLE, Style, fixed_places, styles

# In a column of numbers or dates these can only mean "missing"; in a column of words they stay words.
MISSING = frozenset({"nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nat", "nil", "?", "-", "--", "."})
SAMPLE = 500
COMPACT = 10  # cells that make eight digits dates
CODES = 5  # different misfits from which a column of numbers and words is a column of codes


@dataclass(frozen=True)
class Reading:
    """How a column of words is read. `why` tells what was noticed; `mixed` is set when most but not all fit."""

    dtype: pl.DataType
    form: str | None = None
    missing_words: tuple[str, ...] = ()
    why: str = ""
    mixed: str = ""


def tidy(words: pl.Series, missing_words: tuple[str, ...] = ()) -> pl.Series:
    """Words without the cells that mean missing: the empty ones and those declared."""
    drop = pl.Series(["", *missing_words])
    return words.set(words.is_in(drop.implode()).fill_null(False), None)


def detect(words: pl.Series, comma: bool = False, only_dates: bool = False) -> Reading:
    """How to read a column of text. `comma` says that other columns of the file have a decimal comma."""
    present = tidy(words.unique(maintain_order=True).str.strip_chars()).drop_nulls()
    marked = present.str.to_lowercase().is_in(pl.Series(list(MISSING)).implode())
    rest = present.filter(~marked)
    if not len(rest):
        return Reading(pl.String())
    found = (None if only_dates else _boolean(rest) or _compact_date(rest) or _number(rest, comma)) or _time(rest)
    if found is None:
        return Reading(pl.String(), mixed=_mixed(words, rest))
    missing = tuple(sorted(present.filter(marked)))
    said = f"{_listed(missing)} mean{'s' * (len(missing) == 1)} missing" if missing else ""
    return Reading(found.dtype, found.form, missing, "; ".join(filter(None, [found.why, said])), found.mixed)


def decimal_comma(words: pl.Series) -> bool:
    """Whether a column can only be read with a decimal comma."""
    sample = [word.strip() for word in _spread(words.drop_nulls()).to_list()]
    fits = styles([word for word in sample if word]) if any("," in word for word in sample) else []
    return bool(fits) and all(style.decimal == "," for style in fits)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(repr(word) for word in words)


def _spread(words: pl.Series) -> pl.Series:
    return words.gather_every(max(len(words) // SAMPLE, 1)).head(SAMPLE)


def _boolean(words: pl.Series) -> Reading | None:
    if len(_spread(words).unique()) > 2:
        return None
    seen = {word.lower(): word for word in words.unique().sort().to_list()}
    if not set(seen) <= {"true", "false"} or words.n_unique() > len(seen):
        return None
    shape = next(iter(seen.values()))
    turn = str.upper if shape.isupper() else str.lower if shape.islower() else str.capitalize
    return Reading(pl.Boolean(), "|".join(seen.get(word, turn(word)) for word in ("true", "false")))


def _compact_date(words: pl.Series) -> Reading | None:
    """Eight digits that are dates of our time in every one of at least ten cells: 20241231."""
    if len(words) < COMPACT or not all(some.str.contains(r"^(19|20)\d{6}$").all() for some in (words.head(9), words)):
        return None
    return _time(words)


def _number(words: pl.Series, comma: bool) -> Reading | None:
    sample = _spread(words)
    fits = styles(sample.to_list())
    if not fits:
        return _plain(words) if _share(sample) == 1.0 else None
    for style in _by_likelihood(sample, fits, comma):
        found = _plain(style.to_plain(words)) if words.str.contains(style.pattern).all() else None
        if found is not None and found.dtype != pl.String():
            style = replace(style, places=fixed_places(words, style)) if found.dtype.is_float() else style
            written = f"written like {style.example}" if style.example else ""
            note = _doubt(words, fits, style)
            return Reading(found.dtype, style.example, why="; ".join(filter(None, [found.why, written, note])))
        if found is not None:
            return found
    return None


def _by_likelihood(sample: pl.Series, fits: list[Style], comma: bool) -> list[Style]:
    """Plain first; where other columns have decimal commas, 1.234 is over a thousand and 1,234 is not."""
    marked = bool(sample.str.contains(r"\d[.,]\d").any())
    return sorted(
        fits, key=lambda style: (marked and (style.decimal == ",") != comma, style != Style(), bool(style.thousands))
    )


def _doubt(words: pl.Series, fits: list[Style], chosen: Style) -> str:
    other = [style for style in fits if style.decimal != chosen.decimal]
    if not other or not words.str.contains(r"[.,]").any():
        return ""
    return "a decimal comma would fit too" if chosen.decimal == "." else "thousands would fit too"


def _plain(words: pl.Series) -> Reading | None:
    """Integers that keep every digit, else floats; codes with leading zeros or signs are words."""
    if words.str.contains(LEADING_ZERO).any() or words.str.starts_with("+").all():
        return Reading(pl.String(), why="digits with leading zeros or signs: codes, not numbers")
    for dtype in (pl.Int64(), pl.Int128()):
        if not words.cast(dtype, strict=False).null_count():
            return Reading(dtype)
    if words.str.contains(WHOLE).all():
        return Reading(pl.String(), why="more than 38 digits: codes, not numbers")
    return None if words.cast(pl.Float64, strict=False).null_count() else Reading(pl.Float64())


def _time(words: pl.Series) -> Reading | None:
    written = dates.detect(words)
    if written is not None:
        return Reading(written.dtype, written.form, why=written.why)
    form = durations.detect(words)
    return Reading(pl.Duration("us"), form, why=f"durations ({form})") if form else None


def _share(words: pl.Series) -> float:
    return 1.0 - words.cast(pl.Float64, strict=False).null_count() / len(words)


def _mixed(words: pl.Series, rest: pl.Series) -> str:
    """A sentence when all but a few words are numbers, or all are dates of several formats; it quotes no cell.

    Many different misfits make a column of codes (250, 250.01, V57), which are words.
    """
    if _share(_spread(rest)) < 0.5:
        return dates.mixed(tidy(words).drop_nulls()) or "" if dates.like_dates(_spread(rest)) else ""
    numbers = words.str.strip_chars().cast(pl.Float64, strict=False)
    misfits = (numbers.is_null() & tidy(words).is_not_null()).arg_true()
    if not len(misfits) or words[misfits].n_unique() > CODES:
        return ""
    many = f"{len(misfits):,} cells are no numbers, the first" if len(misfits) > 1 else "one cell is no number, it is"
    return f"numbers mixed with words: {many} in row {misfits[0] + 1:,}"


def read(words: pl.Series, field: Field) -> pl.Series:
    """Words as the field's dtype; null where a word does not fit (and where it is missing)."""
    kept = tidy(words, field.missing_words)
    return as_dtype(kept, dtype_of(field.dtype), field.format)


def as_dtype(words: pl.Series, dtype: pl.DataType, form: str | None) -> pl.Series:
    """Words as a type, by the format in which they are written; null where one does not fit."""
    plain = words.str.strip_chars()
    if dtype == pl.Boolean:
        return _read_boolean(plain, form)
    if dtype.is_numeric():
        return _read_number(plain, dtype, form)
    if isinstance(dtype, pl.Duration):
        return durations.read(plain, form or "iso")
    if dtype.is_temporal():
        return dates.read(plain, form or "%Y-%m-%d %H:%M:%S", dtype)
    return words


def _read_number(words: pl.Series, dtype: pl.DataType, form: str | None) -> pl.Series:
    style = Style.parse(form) or Style()
    if replace(style, places=0) != Style():
        words = style.to_plain(words.set(~words.str.contains(style.pattern), None))
    numbers = words.cast(dtype, strict=False)
    if dtype.is_integer() and numbers.null_count() > words.null_count():  # 2.0 is a whole number too
        return words.cast(pl.Float64, strict=False)
    return numbers


def _read_boolean(words: pl.Series, form: str | None) -> pl.Series:
    yes, _, no = (form or "true|false").lower().partition("|")
    lower = words.str.to_lowercase()
    made = pl.DataFrame({"w": lower}).select(
        pl.when(pl.col("w") == yes).then(True).when(pl.col("w") == no).then(False).otherwise(None)
    )
    return made.to_series().cast(pl.Boolean).alias(words.name)


def write(series: pl.Series, field: Field) -> pl.Series:
    """Typed values as words, in the field's format."""
    if series.dtype == pl.String or field.format is None:
        return series
    if series.dtype == pl.Boolean:
        yes, _, no = field.format.partition("|")
        return series.replace_strict({True: yes, False: no}, return_dtype=pl.String)
    if series.dtype.is_numeric():
        return (Style.parse(field.format) or Style()).write(series)
    if isinstance(series.dtype, pl.Duration):
        return durations.write(series, field.format)
    return dates.write(series, field.format) if series.dtype.is_temporal() else series
