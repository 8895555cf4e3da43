"""Regular expressions in Python's notation, read into expressions of a regular language.

The language is that of `re.fullmatch`, over whole characters: `.` or `[^a]` is never half of one. What a class holds is
asked of `re` itself, for every character there is. Groups, alternatives, repeats, classes, the flags i and s and the
anchors `^ $ \\A \\Z` are read; `$` is the end of the text, also where Python would let a line end follow. What looks
around or back (lookahead, lookbehind, `\\b`, references, atomic groups, possessive repeats) is refused. Lazy repeats
have the same texts as greedy ones.

`portable` reads a `pattern` of a JSON schema: found anywhere in the text, and of each class only what Python's and
JavaScript's readers (ECMA-262) both take.
"""

from __future__ import annotations

import re
import warnings
from typing import NoReturn

from anew.core.errors import GrammarError
from anew.grammar import characters
from anew.grammar.automaton import Automaton
from anew.grammar.building import automaton_of, compiled
from anew.grammar.characters import ANY, Characters
from anew.grammar.tree import Chars, Edge, Repeat, Sequence, Tree, choice, quoted

_COUNT = re.compile(r"\{(\d*)(?:(,)(\d*))?\}")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|[0-7]{3}|0[0-7]?|.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?:P?<(?P<name>[^>=!]+)>|(?P<flags>[a-zA-Z]*)(?:-(?P<off>[a-zA-Z]+))?(?P<end>[:)])))?")
_FLAGS = {"i": re.IGNORECASE, "s": re.DOTALL, "a": re.ASCII, "u": 0}
_UNKNOWN = {
    "(?=": "a lookahead",
    "(?!": "a negative lookahead",
    "(?<=": "a lookbehind",
    "(?<!": "a negative lookbehind",
    "(?P=": "a reference back to a group",
    "(?>": "an atomic group",
    "(?(": "a condition on a group",
    "\\b": "a word boundary",
    "\\B": "a word boundary",
}
_LINES = characters.union([characters.of("\n", "\r", "\u2028", "\u2029")])
_SPACES = characters.of("\x1c\x1f", "\x85", "\ufeff")  # a space to one of the two readers only
_MOST = 10_000  # of a repeat


def regex(expression: str) -> Automaton:
    """The automaton of the texts that `re.fullmatch(expression, text)` takes."""
    return compiled(_Reader(expression, portable=False).whole(), f"the regular expression {expression!r}")


def pattern(expression: str, *, wide: bool = False) -> Automaton:
    """The automaton of the JSON strings, without their quotes, in which `expression` is found.

    With `wide`, of each class what either reader takes instead of what both take.
    """
    found = _Reader(expression, portable=True, wide=wide).whole()
    around = Repeat(Chars(ANY))
    return automaton_of(quoted(Sequence((around, found, around))))


class _Reader:
    """One pass from left to right."""

    def __init__(self, expression: str, *, portable: bool, wide: bool = False) -> None:
        self.source = expression
        self.portable, self.wide = portable, wide
        self.at, self.flags = 0, 0
        wrong = _wrong(expression)
        if wrong and portable:  # JavaScript writes (?<name>...) what Python writes (?P<name>...)
            self.source = re.sub(r"\(\?<(?![=!])", "(?P<", expression)
            wrong = _wrong(self.source)
        if wrong:
            raise GrammarError(f"This is not a regular expression: {wrong}", found=expression)

    def whole(self) -> Tree:
        return self._choice()

    def _choice(self) -> Tree:
        options = [self._sequence()]
        while self._next("|"):
            options.append(self._sequence())
        return choice(options) if len(options) > 1 else options[0]

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            part = self._atom()
            if part is not None:
                parts.append(self._repeated(part))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    # ------------------------------------------------------------------------------------------------------- one atom

    def _atom(self) -> Tree | None:
        for mark, name in _UNKNOWN.items():
            if self.source.startswith(mark, self.at):
                self._refuse(name)
        match self.source[self.at]:
            case "(":
                return self._group()
            case "[":
                return Chars(self._class(self._take(_CLASS)))
            case ".":
                self.at += 1
                return Chars(self._dot())
            case "^" | "$":
                self.at += 1
                return Edge(self.source[self.at - 1] == "^")
            case "\\":
                return self._escape()
        self.at += 1
        return self._letter(self.source[self.at - 1])

    def _group(self) -> Tree | None:
        if self.source.startswith("(?#", self.at):
            self.at = self.source.index(")", self.at) + 1
            return None
        opened = _GROUP.match(self.source, self.at)
        if opened is None:
            self._refuse("a group of this kind")
        before, self.at = self.flags, opened.end()
        for flag in opened["flags"] or "":
            self.flags |= self._flag(flag)
        for flag in opened["off"] or "":
            self.flags &= ~self._flag(flag)
        if opened["end"] == ")":  # flags for all that follows
            return None
        inner = self._choice()
        self.at, self.flags = self.at + 1, before
        return inner

    def _flag(self, flag: str) -> int:
        if flag not in _FLAGS:
            self._refuse(f"the flag {flag!r}")
        return int(_FLAGS[flag])

    def _escape(self) -> Tree:
        written = self._take(_ESCAPE)
        kind = written[1]
        if kind in "AZ":
            return Edge(kind == "A")
        if kind in "123456789" and not re.fullmatch(r"\\[0-7]{3}", written):
            self._refuse("a reference back to a group")
        return Chars(self._class(written))

    def _letter(self, letter: str) -> Tree:
        if self.flags & re.IGNORECASE:
            return Chars(self._class(re.escape(letter)))
        if 0xD800 <= ord(letter) <= 0xDFFF:
            self._refuse("half of a surrogate pair")
        return Chars(characters.of(letter))

    def _class(self, atom: str) -> Characters:
        """The characters of an escape or a class."""
        found = characters.matching(atom, self.flags)
        if not self.portable:
            return found
        other = characters.matching(atom, self.flags | re.ASCII)
        if self.wide:
            return characters.union([found, other, _SPACES if re.search(r"\\[sS]", atom) else ()])
        common = characters.both(found, other)
        return characters.both(common, characters.complement(_SPACES)) if re.search(r"\\[sS]", atom) else common

    def _dot(self) -> Characters:
        if self.flags & re.DOTALL:
            return ANY
        strict = self.portable and not self.wide
        return characters.complement(_LINES if strict else characters.of("\n"))

    # -------------------------------------------------------------------------------------------------------- repeats

    def _repeated(self, part: Tree) -> Tree:
        bounds = self._bounds()
        if bounds is None:
            return part
        if self._next("+"):
            self._refuse("a possessive repeat")
        self._next("?")
        least, most = bounds
        if max(least, most or 0) > _MOST:
            raise GrammarError(f"A repeat of at most {_MOST:,} times can be held", found=self.source)
        return Repeat(part, least, most)

    def _bounds(self) -> tuple[int, int | None] | None:
        for mark, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._next(mark):
                return bounds
        count = _COUNT.match(self.source, self.at)
        if count is None or count[0] == "{}":
            return None
        self.at = count.end()
        least = int(count[1] or 0)
        return least, (least if count[2] is None else int(count[3]) if count[3] else None)

    # ---------------------------------------------------------------------------------------------------------- places

    def _next(self, mark: str) -> bool:
        found = self.source.startswith(mark, self.at)
        self.at += len(mark) * found
        return found

    def _take(self, kind: re.Pattern[str]) -> str:
        found = kind.match(self.source, self.at)
        if found is None:
            self._refuse("this")
        self.at = found.end()
        return found[0]

    def _refuse(self, what: str) -> NoReturn:
        raise GrammarError(
            f"The regular expression has {what} at place {self.at}, which cannot be held while a text is written",
            found=self.source,
            do="Use groups, alternatives, repeats, classes and the anchors ^ and $",
        )


def _wrong(expression: str) -> str:
    """What Python has against an expression."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a later Python may read otherwise
        try:
            re.compile(expression)
        except (re.error, OverflowError, RecursionError) as error:
            return str(error) or type(error).__name__
    return ""
