"""Durations in text: ISO 8601 ("P1DT2H3.5S", which polars writes) and "1 days 02:00:03.5" (which pandas writes)."""

from __future__ import annotations

import polars as pl

ISO = r"^(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6})\d*)?S)?)?$"
DAYS = r"^(-?)()(\d+) days?,? ?(?:\+?(\d+):(\d+):(\d+)(?:\.(\d{1,6})\d*)?)?$"
PATTERNS = {"iso": ISO, "days": DAYS}
SECONDS = (604800, 86400, 3600, 60, 1)
MICRO = 1_000_000


def detect(words: pl.Series) -> str | None:
    """The form of every word, or None."""
    for name, pattern in PATTERNS.items():
        if all((some.str.contains(pattern) & some.str.contains(r"\d")).all() for some in (words.head(100), words)):
            return name
    return None


def read(words: pl.Series, form: str) -> pl.Series:
    """Words as Duration(us); null where a word has another form."""
    pattern = PATTERNS.get(form, ISO)
    parts = [words.str.extract(pattern, i + 2).cast(pl.Int64, strict=False).fill_null(0) for i in range(5)]
    micro = words.str.extract(pattern, 7).str.pad_end(6, "0").cast(pl.Int64, strict=False).fill_null(0)
    clock = sum(part * seconds for part, seconds in zip(parts[2:], SECONDS[2:], strict=True)) * MICRO + micro
    days = sum(part * seconds for part, seconds in zip(parts[:2], SECONDS[:2], strict=True)) * MICRO
    sign = (words.str.extract(pattern, 1) == "-").cast(pl.Int8) * -2 + 1
    # pandas writes minus one second as "-1 days +23:59:59": there the sign is that of the days alone
    whole = days * sign + clock * (1 if form == "days" else sign)
    fits = pl.DataFrame({"w": whole, "ok": words.str.contains(pattern)})
    return fits.select(pl.when("ok").then("w").cast(pl.Duration("us"))).to_series().alias(words.name)


def write(durations: pl.Series, form: str | None) -> pl.Series:
    """Durations as words."""
    if form != "days":
        return durations.dt.to_string("iso")
    micro = durations.cast(pl.Duration("us")).to_physical()
    day = SECONDS[1] * MICRO
    days, rest = micro // day, micro % day
    clock = (rest * 1000).cast(pl.Time)
    written = pl.select(days.cast(pl.String) + " days " + clock.dt.strftime("%H:%M:%S%.f"))
    return written.to_series().alias(durations.name)
