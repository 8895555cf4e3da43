"""Dates and times in text: one format must fit every cell; where two do, the data decides and the reason is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import polars as pl
from polars.exceptions import PolarsError

from anew.data.dtypes import time_unit

DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
    "%b %d %Y", "%B %d %Y",    "%d-%b-%Y", "%d-%b-%y", "%Y%m%d",
)  # fmt: skip
CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p", "%H%M%S")
ZONES = ("", "Z", " UTC", "%:z", "%z", " %z")
SHORT_YEAR = r"^\s*\d{1,2}[-/.]\w{1,3}[-/.]\d{2}(\D|$)"  # two digits: 1.2.3 is a version, not a date
LOOKED = 200  # words that shortlist the formats


@dataclass(frozen=True)
class Written:
    """How a column of dates is written, and what to tell about it."""

    form: str
    dtype: pl.DataType
    why: str


@cache
def formats() -> tuple[str, ...]:
    """Every format that is tried, dates alone first."""
    stamps = [f"{day}{gap}{clock}{zone}" for day in DAYS for gap in (" ", "T") for clock in CLOCKS for zone in ZONES]
    return (*DAYS, *stamps, *(clock for clock in CLOCKS if ":" in clock))


@cache
def _by_marks() -> dict[str, list[str]]:
    """The formats by what their words hold besides letters and digits, which tells most of them apart at once."""
    table: dict[str, list[str]] = {}
    for name in formats():
        plain = re.sub(r"%[YymdbBHMSIp]|[TZUC]", "", name)
        for fraction in ("", ".") if "%.f" in name else ("",):
            for sign in "+-" if "z" in name else "":
                zoned = plain.replace("%.f", fraction).replace("%:z", sign + ":").replace("%z", sign)
                table.setdefault(zoned, []).append(name)
            if "z" not in name:
                table.setdefault(plain.replace("%.f", fraction), []).append(name)
    return table


def _candidates(sample: pl.Series) -> list[str]:
    marks = sample.str.strip_chars().str.replace_all(r"[\p{L}\d]", "").unique().to_list()
    found = {name for mark in marks for name in _by_marks().get(mark, ())}
    return [name for name in formats() if name in found]


def read(words: pl.Series, form: str, dtype: pl.DataType) -> pl.Series:
    """Words as `dtype` (Date, Time or Datetime with its zone); null where a word has another format."""
    words = words.str.strip_chars()
    if dtype == pl.Date:
        return words.str.strptime(pl.Date, form, strict=False)
    if dtype == pl.Time:
        return words.str.strptime(pl.Time, form, strict=False)
    unit = time_unit(getattr(dtype, "time_unit", None))
    zone = getattr(dtype, "time_zone", None)
    read = words.str.strptime(pl.Datetime(unit), form, strict=False)
    if zone is None:
        return read
    zoned = read.dtype.time_zone is not None  # type: ignore[attr-defined]
    return read.dt.convert_time_zone(zone) if zoned else read.dt.replace_time_zone(zone)


def write(times: pl.Series, form: str) -> pl.Series:
    """Dates or times as words."""
    return times.dt.strftime(form)


def detect(words: pl.Series) -> Written | None:
    """The format of a column of words (no nulls), or None; the shortlist comes from a sample, the proof from all."""
    sample = _sample(words)
    if not like_dates(sample):
        return None
    fits = [found for name in _candidates(sample) if (found := _fits(sample, name))]
    fits = [found for found in fits if _fits(words, found.form)]
    if not fits:
        return None
    chosen, why = _choose(words, fits)
    return Written(_as_padded(sample, chosen), chosen.dtype, why)


def mixed(words: pl.Series) -> str | None:
    """A sentence about a column that is dates in more than one format, or None when it is something else."""
    left = words.unique(maintain_order=True)
    seen: list[str] = []
    while len(left) and len(seen) < 4:
        sample = left.head(LOOKED)
        best = max(_candidates(sample), key=lambda name: _count(sample, name), default="")
        read_ = _read_any(left, best)
        if read_ is None or not _count(sample, best):
            return None
        many = int(words.is_in(left.filter(read_.is_not_null()).implode()).sum())
        seen.append(f"{many:,} like {best}")
        left = left.filter(read_.is_null())
    return f"dates in several formats: {', '.join(seen)}" if len(seen) > 1 and not len(left) else None


def _sample(words: pl.Series) -> pl.Series:
    return words.gather_every(max(len(words) // LOOKED, 1)).unique(maintain_order=True).head(LOOKED)


def like_dates(sample: pl.Series) -> bool:
    """Digits with a mark between them (or eight digits): a cheap test before many formats are tried."""
    return bool(sample.str.contains(r"^\s*(\d{1,4}[-/.:\s]|\d{8}(T|\b)|[A-Za-z]{3,9} \d{1,2},? \d)").all())


def _dtype(form: str) -> pl.DataType:
    if "%d" not in form:
        return pl.Time()
    if "%H" not in form and "%I" not in form:
        return pl.Date()
    zoned = form.endswith(("Z", "UTC", "z"))
    return pl.Datetime("us", "UTC" if zoned else None)


def _read_any(words: pl.Series, form: str) -> pl.Series | None:
    try:
        return read(words, form, _dtype(form))
    except PolarsError:
        return None


def _count(words: pl.Series, form: str) -> int:
    found = _read_any(words, form)
    return 0 if found is None else len(found) - found.null_count()


def _fits(words: pl.Series, form: str) -> Written | None:
    found = _read_any(words, form)
    if found is None or found.null_count() or not len(found):
        return None
    if found.dtype != pl.Time and not _sensible(found, form):
        return None
    if "%y" in form and not words.str.contains(SHORT_YEAR).all():
        return None
    return Written(form, _dtype(form), "")


def _sensible(dates: pl.Series, form: str) -> bool:
    """Years of four digits must have four; eight bare digits must be dates of our time."""
    years = dates.dt.year()
    low, high = (1900, 2100) if form.startswith("%Y%m%d") else (1000, 9999)
    return bool((years.min() >= low) & (years.max() <= high))  # type: ignore[operator]


def _choose(words: pl.Series, fits: list[Written]) -> tuple[Written, str]:
    """The only format, or of day-first and month-first the one under which the rows are in order, else day-first."""
    if len(fits) == 1:
        return fits[0], f"all are {fits[0].form}"
    first, other = fits[0], fits[1]
    if not _swapped(first.form, other.form):
        return first, f"all are {first.form}"
    in_order = [fit for fit in (first, other) if _ordered(words, fit)]
    if len(in_order) == 1:
        return in_order[0], f"{first.form} and {other.form} both fit; under {in_order[0].form} rows are in order"
    return first, f"{first.form} and {other.form} both fit every value; taken as {first.form}, day first"


def _swapped(one: str, other: str) -> bool:
    return one.replace("%d", "?").replace("%m", "%d").replace("?", "%m") == other


def _ordered(words: pl.Series, fit: Written) -> bool:
    found = read(words, fit.form, fit.dtype)
    return len(found) > 2 and found.n_unique() > 2 and (found.is_sorted() or found.is_sorted(descending=True))


def _as_padded(sample: pl.Series, fit: Written) -> str:
    """The variant of the format (no leading zeros, milli- or microseconds) that writes the sample as it was."""
    loose = fit.form.replace("%d", "%-d").replace("%m", "%-m")
    hour = fit.form.replace("%I", "%-I").replace("%H", "%-H")
    bases = (fit.form, loose, hour, loose.replace("%I", "%-I").replace("%H", "%-H"))
    variants = [base.replace("%.f", part) for base in bases for part in ("%.f", "%.3f", "%.6f")]
    times = read(sample, fit.form, fit.dtype)
    for variant in dict.fromkeys(variants):
        if (write(times, variant) == sample.str.strip_chars()).all():
            return variant
    return fit.form
