"""Numbers, dates and durations in words: what is written is read back, whatever the style."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anew.core.schema import Field
from anew.data import dates, durations, words
from anew.data.numerals import BODIES, Style

START = datetime.fromisoformat("1995-01-01")


def moments(many: int = 60) -> pl.Series:
    """Random seconds over thirty years; every reading of day and month but one is impossible."""
    seconds = np.random.default_rng(1).integers(0, 30 * 365 * 86400, many)
    return pl.Series([START + timedelta(seconds=int(one)) for one in seconds], dtype=pl.Datetime("us"))


@pytest.mark.parametrize("day", [*dates.DAYS, "%H", "%I"])
def test_every_date_format_is_found_and_read(day: str) -> None:
    for form in dates.formats():
        if form.startswith(day):
            _check_found_and_read(form)


def _check_found_and_read(form: str) -> None:
    zone = "UTC" if form.endswith(("Z", "UTC", "z")) else None
    stamps = moments().dt.replace_time_zone(zone)
    written = dates.write(stamps, form)
    found = dates.detect(written)
    assert found is not None, written[0]
    read = dates.read(written, found.form, found.dtype)
    assert dates.write(read, form).equals(written)
    assert dates.write(read, found.form).equals(written)
    dropped = [part for part in ("%d", "%H", "%S") if part not in form.replace("%I", "%H")]
    assert read.dtype == (pl.Time if "%d" in dropped else pl.Date if "%H" in dropped else pl.Datetime("us", zone))


NO_DATES = [["12.5", "13.25"], ["1-2", "3-4"], ["10:75", "11:20"], ["abc", "def"], ["99/99/9999"], ["2024-02-30"],
            ["5 apples"], ["192.168.0.1", "10.0.0.1"], ["1/2", "3/4"], ["095923", "101112"]]  # fmt: skip


@pytest.mark.parametrize("cells", NO_DATES)
def test_what_is_no_date(cells: list[str]) -> None:
    assert dates.detect(pl.Series(cells)) is None


STYLES = [
    Style(*marks, before, after, places)
    for marks in BODIES.values()
    for before, after in (("", ""), ("$", ""), ("", " %"), ("€ ", ""), ("", " EUR"))
    for places in (0, 2, 3)
]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: str(style.example))
def test_a_style_is_its_example(style: Style) -> None:
    assert Style.parse(style.example) == style


@pytest.mark.parametrize("style", STYLES, ids=lambda style: str(style.example))
def test_numbers_are_read_as_they_are_written(style: Style) -> None:
    numbers = pl.Series([0.25, -1.5, 1234.75, -1234567.0, 999.0, 0.0, None, 12.5])
    field = Field(name="x", kind="number", dtype="Float64", format=style.example)
    written = words.write(numbers, field)
    assert written.drop_nulls().cast(pl.String).str.contains(style.pattern).all() or style.example is None
    kept = numbers.round(style.places) if style.places else numbers
    assert words.read(written.cast(pl.String), field).equals(kept)


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=20))
def test_money_is_found_in_any_european_writing(amounts: list[object]) -> None:
    written = pl.Series([f"{amount:,.2f}".translate(str.maketrans(",.", ".,")) for amount in amounts])
    reading = words.detect(written)
    assert reading.dtype == pl.Float64
    read = words.as_dtype(written, reading.dtype, reading.form)
    assert read.to_list() == [float(str(amount)) for amount in amounts]


@given(st.lists(st.timedeltas(timedelta(days=-10**5), timedelta(days=10**5)), min_size=1, max_size=20),
       st.sampled_from(["iso", "days"]))  # fmt: skip
def test_durations_are_read_as_they_are_written(spans: list[timedelta], form: str) -> None:
    series = pl.Series(spans, dtype=pl.Duration("us"))
    written = durations.write(series, form)
    assert durations.detect(written) == form
    assert durations.read(written, form).equals(series)


def test_pandas_writes_durations_this_way() -> None:
    pd = pytest.importorskip("pandas")
    spans = [timedelta(days=1, hours=2), -timedelta(seconds=1), timedelta(microseconds=5)]
    written = pl.Series([str(pd.Timedelta(span)) for span in spans])
    assert durations.read(written, "days").to_list() == spans


@pytest.mark.parametrize("word", ["nan", "NaN", "NA", "N/A", "null", "None", "-", "?", "#N/A", "<NA>"])
def test_words_that_mean_missing_among_numbers(word: str) -> None:
    reading = words.detect(pl.Series(["1", word, "2.5"]))
    assert (reading.dtype, reading.missing_words) == (pl.Float64(), (word,))
    assert repr(word) in reading.why
    assert words.detect(pl.Series(["x", word, "y"])).dtype == pl.String


NO_NUMBERS = [["1", "x"], ["1.5", "2,5"], ["1_000", "2"], ["0x10", "1"], ["1 2", "3"], ["--1", "1"], ["1e", "2"],
              ["$1", "2 €"], ["12%", "13"], ["1,23,456", "7"], ["٣", "1"], ["1.2.3", "1.2.4"]]  # fmt: skip


@pytest.mark.parametrize("cells", NO_NUMBERS)
def test_what_is_no_column_of_numbers(cells: list[str]) -> None:
    assert words.detect(pl.Series(cells)).dtype == pl.String


def test_every_format_has_one_reading() -> None:
    """No directive twice, and a clock that is whole."""
    for form in dates.formats():
        parts = re.findall(r"%\.?:?[a-zA-Z]", form)
        assert len(parts) == len(set(parts)), form
