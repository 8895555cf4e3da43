"""`oneOf`: what is valid under one schema and under no other of the list.

Strings, numbers, booleans and null: the language of one less the languages of the others, where each value is written
in one way. Objects and arrays: the others must be known never to hold, by a member that tells them apart (a "kind" with
another constant, say), or by a length; else the list is refused, since no difference of texts would say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from anew.core.errors import GrammarError
from anew.grammar.automaton import Automaton
from anew.grammar.building import automaton_of
from anew.grammar.kinds import family, only, types_of
from anew.grammar.merging import Plain
from anew.grammar.tree import NOTHING, Machine, Tree, choice

_DEEPEST = 4  # members of members that are looked at
_SIMPLE = ("string", "number", "boolean", "null")


class Reads(Protocol):
    """What reads plain schemas (`anew.grammar.schema`)."""

    def written(self, found: Plain, path: str) -> Tree: ...

    def within(self, used: Sequence[str], found: Plain, path: str) -> Tree: ...

    def plain(self, node: Any, path: str) -> Plain: ...

    def members(self, found: Plain, path: str) -> dict[str, Any]: ...

    def variant(self, *, wide: bool) -> Reads: ...


def exclusive(reads: Reads, options: list[Plain], used: Sequence[Sequence[str]], path: str) -> Tree:
    """The texts that are valid under one of the options alone; `used` are the references that led to each."""
    for i, option in enumerate(options):
        if option.keys() & {"anyOf", "oneOf"}:
            raise GrammarError(f"A choice within 'oneOf' cannot be held, at {path}.oneOf[{i}]", do="Use anyOf")
    sides = _Sides(reads, path)
    parts = [part for i in range(len(options)) for part in sides.alone(i, options, used[i])]
    found = choice(parts)
    if found == NOTHING and NOTHING not in parts:
        raise GrammarError(f"Nothing is valid under one alone of the schemas of 'oneOf' at {path}", do="Use anyOf")
    return found


class _Sides:
    """What one schema writes, and what another might take as valid."""

    def __init__(self, reads: Reads, path: str) -> None:
        self.reads, self.path = reads, path
        self.narrow, self.wide = reads.variant(wide=False), reads.variant(wide=True)

    def alone(self, i: int, options: list[Plain], used: Sequence[str]) -> Iterator[Tree]:
        """The texts of option i that no other takes, family by family."""
        for kind in sorted({family(one) for one in types_of(options[i])}):
            own = only(options[i], kind)
            others = {j: only(other, kind) for j, other in enumerate(options) if j != i and _speaks(other, kind)}
            if kind in _SIMPLE:
                left = self._language(own, narrow=True)
                for other in others.values():
                    left = left.without(self._language(other, narrow=False))
                if not left.empty:
                    yield Machine(left)
                continue
            for j, other in others.items():
                if not self.apart(own, other, kind):
                    raise GrammarError(
                        f"One {kind} may be valid under both of 'oneOf' at {self.path}",
                        found=f"{self.path}.oneOf[{min(i, j)}] and [{max(i, j)}]",
                        do="Use anyOf, or give both a required member with another constant",
                    )
            yield self.reads.within(used, own, self.path)

    def apart(self, own: Plain, other: Plain, kind: str, depth: int = 0) -> bool:
        """Whether nothing of a family that is written under `own` is ever valid under `other`."""
        if kind in _SIMPLE:
            return self._language(own, narrow=True).both(self._language(other, narrow=False)).empty
        if depth > _DEEPEST or "enum" in own or "enum" in other:
            return False
        if kind == "array":
            return _shorter(own, other) or _shorter(other, own)
        return self._objects(own, other, depth)

    def _objects(self, own: Plain, other: Plain, depth: int) -> bool:
        """The other needs a member that is never written, or a member that is always written is not right for it."""
        ours, theirs = self.reads.members(own, self.path), self.reads.members(other, self.path)
        if set(other.get("required", ())) - set(ours):
            return True
        always = set(own.get("required", ()))
        if other.get("additionalProperties", True) is False and always - set(theirs):
            return True
        return any(self._members(ours[name], theirs[name], depth + 1) for name in sorted(always & set(theirs)))

    def _members(self, ours: Any, theirs: Any, depth: int) -> bool:
        if ours is False or theirs is False:
            return True
        own, other = self.reads.plain(ours, self.path), self.reads.plain(theirs, self.path)
        if (own.keys() | other.keys()) & {"anyOf", "oneOf"}:
            return False
        kinds = {family(one) for one in types_of(own)} & {family(one) for one in types_of(other)}
        return all(self.apart(only(own, kind), only(other, kind), kind, depth) for kind in kinds)

    def _language(self, found: Plain, *, narrow: bool) -> Automaton:
        return automaton_of((self.narrow if narrow else self.wide).written(found, self.path))


def _speaks(found: Plain, kind: str) -> bool:
    return kind in map(family, types_of(found))


def _shorter(a: Plain, b: Plain) -> bool:
    return "maxItems" in a and bool(a["maxItems"] < b.get("minItems", 0))
