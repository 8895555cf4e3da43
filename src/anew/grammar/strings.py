"""JSON strings: of a length counted in characters, with a pattern in them, of a format (RFC 3339, RFC 4122)."""

from __future__ import annotations

from collections.abc import Sequence

from anew.core.errors import GrammarError, did_you_mean
from anew.grammar.building import automaton_of
from anew.grammar.characters import ANY
from anew.grammar.regex import pattern
from anew.grammar.tree import Chars, Machine, Repeat, Tree, sequence, text

_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_TO28 = "(?:0[1-9]|1[0-9]|2[0-8])"
_DAY = f"(?:(?:0[13578]|1[02])-(?:{_TO28}|29|30|31)|(?:0[469]|11)-(?:{_TO28}|29|30)|02-{_TO28})"
_DATE = f"(?:{_YEAR}-{_DAY}|{_LEAP}-02-29)"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = f"{_CLOCK}:[0-5][0-9](?:\\.[0-9]{{1,6}})?(?:Z|[+-]{_CLOCK})"
_NAME = "[A-Za-z0-9]{1,16}"
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,14}[a-z0-9])?"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}T{_TIME}",
    "email": f"{_NAME}(?:[._+-]{_NAME}){{0,2}}@(?:{_LABEL}\\.){{1,3}}[a-z]{{2,10}}",
    "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "ipv4": f"{_BYTE}(?:\\.{_BYTE}){{3}}",
}


def string(
    least: int, most: int | None, patterns: Sequence[str], formats: Sequence[str], path: str, *, wide: bool = False
) -> Tree:
    """A JSON string with its quotes. With `wide`, formats are remarks and a pattern's classes what any reader takes."""
    length = Repeat(Chars(ANY, quoted=True), least, most)
    held = [pattern(one, wide=wide) for one in patterns]
    held += [pattern(f"^(?:{_format(one, path)})$") for one in formats if not wide]
    if not held:
        return sequence(text('"'), length, text('"'))
    found = held[0]
    for other in held[1:] + ([automaton_of(length)] if least or most is not None else []):
        found = found.both(other)
    if found.empty:
        asked = [f"pattern {one!r}" for one in patterns] + [f"format {one!r}" for one in formats]
        size = f" of {least} to {'any number of' if most is None else most} characters" if least or most else ""
        raise GrammarError(f"No string{size} at {path} has {' and '.join(asked)}")
    return sequence(text('"'), Machine(found), text('"'))


def _format(name: str, path: str) -> str:
    if name not in FORMATS:
        raise GrammarError(
            f"The format at {path} is none that can be held",
            found=name,
            do=did_you_mean(name, FORMATS) + " Or use pattern",
        )
    return FORMATS[name]
