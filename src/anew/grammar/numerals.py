"""The numbers of an interval as texts: exactly those whose value lies in it.

A number is `-?(0|[1-9][0-9]*)(\\.[0-9]+)?`, without an exponent and never `-0`. From the left, a magnitude of n digits
is compared with a bound of N digits by their common beginning: it is smaller, equal so far, or greater; when the
whole part ends, n < N and n > N decide, and on n = N the decimals go on where the digits stopped. So a state needs the
sign, n and the comparison with both bounds.

A number with decimals has at most 15 significant digits: two such numbers are never one double (IEEE 754), so a
bound that holds for the text holds for whoever reads it as a double.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from anew.core.errors import GrammarError
from anew.grammar.automaton import Automaton, explored

SIGNIFICANT = 15
WHOLE = 18  # digits of an integer that nothing bounds: it fits 64 bits
_RESIDUES = 10_000
_LETTERS = "-.0123456789"


@dataclass(frozen=True)
class Interval:
    """low <= x <= high, without the ends that are open; multiples of `step` alone where there is one."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False
    step: Fraction | None = None

    @property
    def digits(self) -> int:
        """Of the whole part, such that there is room beyond both bounds."""
        return max([0, *(bound.adjusted() + 2 for bound in (self.low, self.high) if bound)])


@dataclass(frozen=True)
class _Bound:
    """A magnitude: digits before the point, after it; `side` -1: nothing may be below, 1: above; open or not."""

    whole: str
    decimals: str
    side: int
    open: bool


class _State(NamedTuple):
    """`n` digits of the whole part, `d` decimals (-1: no point yet), `significant` digits, comparisons, the last letter
    where it matters."""

    negative: bool = False
    n: int = 0
    d: int = -1
    significant: int = 0
    compared: tuple[int, ...] = ()
    last: str = ""


class _Numbers:
    """The rule by which a number is written on; `whole` without decimals, `bare` without zeros at their end."""

    def __init__(self, interval: Interval, *, whole: bool, digits: int, bare: bool) -> None:
        self.whole, self.digits, self.bare = whole, digits, bare
        self.bounds = {False: _magnitudes(interval), True: _magnitudes(_mirrored(interval))}
        written = [len(bound.decimals) for bounds in self.bounds.values() for bound in bounds or ()]
        self.decimals = max([SIGNIFICANT, *written])

    def after(self, state: _State, letter: str) -> _State | None:
        if letter == "-":
            return None if state.negative or state.n or state.d >= 0 else _State(negative=True)
        if letter == ".":
            return self._point(state)
        bounds = self.bounds[state.negative]
        if bounds is None or state.last == "stop":
            return None
        return self._whole(state, letter, bounds) if state.d < 0 else self._decimal(state, letter, bounds)

    def _whole(self, state: _State, letter: str, bounds: tuple[_Bound, ...]) -> _State | None:
        if state.n >= self.digits:
            return None
        before = state.compared or (0,) * len(bounds)
        zero = state.n == 0 and letter == "0"
        significant = 0 if zero or self.whole else state.significant + 1
        compared = tuple(_compare(c, bound.whole, state.n, letter) for c, bound in zip(before, bounds, strict=True))
        # nothing but a point follows a leading zero
        return _State(state.negative, state.n + 1, -1, significant, compared, "stop" if zero else "")

    def _point(self, state: _State) -> _State | None:
        bounds = self.bounds[state.negative]
        if self.whole or state.d >= 0 or state.n == 0 or bounds is None:
            return None
        return _State(state.negative, 0, 0, state.significant, self._settled(state, bounds))

    def _decimal(self, state: _State, letter: str, bounds: tuple[_Bound, ...]) -> _State | None:
        significant = state.significant + (letter != "0" or state.significant > 0)
        if state.d >= self.decimals or significant > SIGNIFICANT:
            return None
        compared = tuple(
            c or _compare(0, bound.decimals.ljust(state.d + 1, "0"), state.d, letter)
            for c, bound in zip(state.compared, bounds, strict=True)
        )
        last = "0" if self.bare and letter == "0" else ""
        return _State(state.negative, 0, state.d + 1, significant, compared, last)

    def _settled(self, state: _State, bounds: tuple[_Bound, ...]) -> tuple[int, ...]:
        """The comparisons once the whole part is complete: fewer digits are a smaller number."""
        return tuple(
            c if state.n == len(bound.whole) else (1 if state.n > len(bound.whole) else -1)
            for c, bound in zip(state.compared, bounds, strict=True)
        )

    def ends(self, state: _State) -> bool:
        bounds = self.bounds[state.negative]
        if bounds is None or state.d == 0 or (state.n == 0 and state.d < 0) or state.last == "0":
            return False
        compared = self._settled(state, bounds) if state.d < 0 else state.compared
        return all(_held(c, bound, max(state.d, 0)) for c, bound in zip(compared, bounds, strict=True))


def numbers(interval: Interval, *, whole: bool = False, digits: int | None = None, bare: bool = False) -> Automaton:
    """The automaton of the texts of an interval's numbers: integers with `whole`; `digits` before the point."""
    room = max(WHOLE if whole else SIGNIFICANT, interval.digits, digits or 0)
    rule = _Numbers(interval, whole=whole, digits=room, bare=bare)
    found = explored(_State(), rule.after, rule.ends, _LETTERS)
    return found if interval.step is None else found.both(_multiples(interval.step, whole=whole))


def _multiples(step: Fraction, *, whole: bool) -> Automaton:
    """The multiples of p / 10^q with at most q decimals: the digits modulo p, and how many of them are decimals."""
    modulus, places = _scaled(Fraction(step.numerator) if whole else step)

    def after(state: tuple[int, int], letter: str) -> tuple[int, int] | None:
        residue, decimals = state
        if letter == "-":
            return state if residue == 0 and decimals < 0 else None
        if letter == ".":
            return (residue, 0) if decimals < 0 < places else None
        if decimals >= places:
            return None
        return (residue * 10 + int(letter)) % modulus, decimals + (decimals >= 0)

    def ends(state: tuple[int, int]) -> bool:
        return bool(state[0] * 10 ** (places - max(state[1], 0)) % modulus == 0)

    return explored((0, -1), after, ends, _LETTERS)


def _compare(before: int, bound: str, place: int, letter: str) -> int:
    """A digit beside the one of a bound: the first that differs decides; beyond the bound, what was."""
    if before or place >= len(bound):
        return before
    return (letter > bound[place]) - (letter < bound[place])


def _held(compared: int, bound: _Bound, decimals: int) -> bool:
    """Whether a number that is complete keeps a bound; equal so far is smaller where the bound has digits left."""
    if compared == 0 and bound.decimals[decimals:].strip("0"):
        compared = -1
    return not bound.open if compared == 0 else compared != bound.side


def _magnitudes(interval: Interval) -> tuple[_Bound, ...] | None:
    """The bounds of the numbers that are not negative; None where there is no such number."""
    low, high = interval.low, interval.high
    if high is not None and (high < 0 or (high == 0 and interval.high_open)):
        return None
    bounds = []
    if low is not None and low >= 0:
        bounds.append(_bound(low, -1, interval.low_open))
    if high is not None:
        bounds.append(_bound(high, 1, interval.high_open))
    return tuple(bounds)


def _mirrored(interval: Interval) -> Interval:
    """-x for the x below zero: zero itself is written without a sign."""
    low = None if interval.low is None else interval.low.copy_negate()  # a minus would round
    high = Decimal(0) if interval.high is None or interval.high >= 0 else interval.high.copy_negate()
    opened = interval.high_open or interval.high is None or interval.high >= 0
    return Interval(high, low, opened, interval.low_open, interval.step)


def _bound(value: Decimal, side: int, opened: bool) -> _Bound:
    whole, _, decimals = format(value.copy_abs(), "f").partition(".")
    return _Bound(whole.lstrip("0") or "0", decimals.rstrip("0"), side, opened)


def _scaled(step: Fraction) -> tuple[int, int]:
    """p and q of a step p / 10^q."""
    places = 0
    while (step * 10**places).denominator != 1:
        places += 1
    modulus = (step * 10**places).numerator
    if modulus > _RESIDUES:
        raise GrammarError(
            f"A multiple of {step} has more than {_RESIDUES:,} remainders to be kept", do="List the values with enum"
        )
    return modulus, places
