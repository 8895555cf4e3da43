"""Expressions: what a regular language is built of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from anew.grammar.automaton import Automaton
from anew.grammar.characters import Characters


@dataclass(frozen=True)
class Chars:
    """One character of a set; `quoted`: as it is written inside a JSON string."""

    characters: Characters
    quoted: bool = False


@dataclass(frozen=True)
class Text:
    """These bytes."""

    data: bytes


@dataclass(frozen=True)
class Sequence:
    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Choice:
    """One of several; of none, nothing at all can be written."""

    options: tuple[Tree, ...]


@dataclass(frozen=True)
class Repeat:
    """`least` to `most` times; without `most`, any number."""

    part: Tree
    least: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Members:
    """Parts in their order with commas between those that are there; a part may be left out where it is not needed."""

    parts: tuple[Tree, ...]
    needed: tuple[bool, ...]


@dataclass(frozen=True)
class Edge:
    """The start of the text, or its end: nothing is written, but it holds only there."""

    start: bool


@dataclass(frozen=True)
class Machine:
    """The language of an automaton."""

    automaton: Automaton


Tree = Chars | Text | Sequence | Choice | Repeat | Members | Edge | Machine
NOTHING = Choice(())


def text(written: str) -> Tree:
    return Text(written.encode())


def sequence(*parts: Tree) -> Tree:
    """The parts one after the other; with a part that cannot be written, nothing can."""
    return NOTHING if NOTHING in parts else Sequence(parts)


def choice(options: Iterable[Tree]) -> Tree:
    found = tuple(dict.fromkeys(option for option in options if option != NOTHING))
    return found[0] if len(found) == 1 else Choice(found)


def quoted(tree: Tree) -> Tree:
    """The same characters as they are written inside a JSON string."""
    match tree:
        case Chars():
            return replace(tree, quoted=True)
        case Sequence(parts):
            return Sequence(tuple(map(quoted, parts)))
        case Choice(options):
            return Choice(tuple(map(quoted, options)))
        case Repeat(part):
            return replace(tree, part=quoted(part))
        case _:
            return tree
