"""How numbers are written in text: decimal point or comma, thousands separators, a currency or percent sign.

A `style` is an example of the writing that a person can read in the schema file: the number 1234.5 with whatever stands
before and after it. "1.234,5" has a decimal comma and thousands dots, "1234.5 %" a percent sign; "1234.50" always has
two decimals; None is plain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

BODIES: dict[str, tuple[str, str]] = {  # the example -> (thousands, decimal)
    "1234.5": ("", "."),
    "1234,5": ("", ","),
    "1,234.5": (",", "."),
    "1.234,5": (".", ","),
    "1 234,5": (" ", ","),
    "1 234.5": (" ", "."),
    "1\u00a0234,5": ("\u00a0", ","),
    "1\u202f234,5": ("\u202f", ","),
    "1'234.5": ("'", "."),
}
BEFORE = r"(?:[$€£¥]|USD|EUR|GBP|CHF)\s?"
AFTER = r"\s?(?:%|[$€£¥]|USD|EUR|GBP|CHF)"
PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
WHOLE = r"^[+-]?\d+$"
LEADING_ZERO = r"^[+-]?0\d"


@dataclass(frozen=True)
class Style:
    """A way to write numbers; `before` and `after` are literal."""

    thousands: str = ""
    decimal: str = "."
    before: str = ""
    after: str = ""
    places: int = 0  # decimals that are always written; 0: as many as needed

    @classmethod
    def parse(cls, example: str | None) -> Style | None:
        """The style of an example, None when it is none: `Style.parse("€ 1.234,5")`."""
        if example is None:
            return cls()
        for body in sorted(BODIES, key=len, reverse=True):
            if body in example:
                before, _, rest = example.partition(body)
                after = rest.lstrip("0")
                zeros = len(rest) - len(after)
                return cls(*BODIES[body], before, after, zeros + 1 if zeros else 0)
        return None

    @property
    def example(self) -> str | None:
        """What `parse` reads; None for plain numbers."""
        body = next(body for body, marks in BODIES.items() if marks == (self.thousands, self.decimal))
        zeros = "0" * (self.places - 1)
        return None if self == Style() else f"{self.before}{body}{zeros}{self.after}"

    @property
    def pattern(self) -> str:
        """A regular expression for every number in this style."""
        whole = r"\d+"
        if self.thousands:
            whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(self.thousands)}\d{{3}})+|\d+)"
        body = rf"(?:{whole}(?:{re.escape(self.decimal)}\d*)?|{re.escape(self.decimal)}\d+)(?:[eE][+-]?\d+)?"
        return rf"^[+-]?{re.escape(self.before)}[+-]?{body}{re.escape(self.after)}$"

    def to_plain(self, words: pl.Series) -> pl.Series:
        """Words in this style as words that a parser reads."""
        if self == Style():
            return words
        plain = words.str.strip_prefix(self.before) if self.before else words
        if self.before:
            plain = plain.str.replace(f"^([+-]){re.escape(self.before)}", "${1}")
        plain = plain.str.strip_suffix(self.after) if self.after else plain
        if self.thousands:
            plain = plain.str.replace_all(self.thousands, "", literal=True)
        return plain.str.replace(self.decimal, ".", literal=True) if self.decimal != "." else plain

    def write(self, numbers: pl.Series) -> pl.Series:
        """Numbers as words in this style."""
        words = numbers.cast(pl.Decimal(38, self.places) if self.places else numbers.dtype).cast(pl.String)
        if numbers.dtype.is_float() and not self.places:
            words = words.str.strip_suffix(".0")
        sign, rest = words.str.extract("^(-?)"), words.str.strip_prefix("-")
        if self.thousands:
            rest = _grouped(rest, self.thousands, self.decimal)
        elif self.decimal != ".":
            rest = rest.str.replace(".", self.decimal, literal=True)
        return pl.select(sign + self.before + rest + self.after).to_series().alias(numbers.name)


def _grouped(words: pl.Series, thousands: str, decimal: str) -> pl.Series:
    def one(word: str) -> str:
        whole, point, part = word.partition(".")
        if not whole.isdigit():
            return word.replace(".", decimal)
        return f"{int(whole):,}".replace(",", thousands) + (decimal + part if point else "")

    return words.map_elements(one, return_dtype=pl.String)


def styles(sample: list[str]) -> list[Style]:
    """The styles in which every word of a small sample is a number; [] when there is none."""
    before, after = _affix(sample, rf"[+-]?({BEFORE})[+-]?[\d.,]"), _affix(sample, rf".*\d({AFTER})$")
    fits = [Style(thousands, decimal, before, after) for thousands, decimal in BODIES.values()]
    return [style for style in fits if all(map(re.compile(style.pattern, re.ASCII).match, sample))]


def fixed_places(words: pl.Series, style: Style) -> int:
    """The number of decimals when all words have as many, at least two, and some end with a zero; else 0."""
    decimals = words.str.extract(rf"{re.escape(style.decimal)}(\d*){re.escape(style.after)}$")
    places = decimals.str.len_chars()
    if decimals.null_count() or places.n_unique() != 1 or places[0] < 2 or not decimals.str.ends_with("0").any():
        return 0
    return int(places[0])


def _affix(sample: list[str], pattern: str) -> str:
    """What stands at that place of every word; "" when it is not the same."""
    first = re.match(pattern, sample[0]) if sample else None
    return first[1] if first else ""
