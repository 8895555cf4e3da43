"""JSON schemas (draft 2020-12) read into expressions: the texts written under one are valid, bounds and all.

What is written is one way to write each value: members in the order of `properties` and no others, escapes where they
must be, at most a space after a comma or a colon. A schema that refers to itself is unrolled DEPTH times. What cannot
be held exactly is refused with its path; so are bounds that leave nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from anew.core.errors import GrammarError
from anew.grammar.automaton import Automaton
from anew.grammar.building import automaton_of, compiled
from anew.grammar.exclusive import exclusive
from anew.grammar.kinds import FAMILIES, kind_of, types_of
from anew.grammar.merging import Plain, is_number, is_whole, merged, plain
from anew.grammar.numerals import Interval, numbers
from anew.grammar.strings import string
from anew.grammar.tree import NOTHING, Choice, Machine, Members, Repeat, Tree, choice, sequence, text
from anew.grammar.tree import Sequence as Parts

DEPTH = 3
_LARGEST = 305  # digits of a bound
_COMMA, _COLON = Parts((text(","), Repeat(text(" "), 0, 1))), Parts((text(":"), Repeat(text(" "), 0, 1)))
_EXACT = 10**15  # above, doubles have gaps: a bound is held as it stands and as it is read


def schema(document: object) -> Automaton:
    """The automaton of JSON texts that are valid under a schema: a dict, or the text of one."""
    if isinstance(document, str | bytes):
        try:
            document = json.loads(document, parse_float=Decimal)
        except ValueError as error:
            raise GrammarError(f"The JSON schema is not JSON: {error}", do="Give a dict, or its text") from None
    if not isinstance(document, Mapping | bool):
        raise GrammarError("A JSON schema is an object", found=document)
    tree = Reader(document).tree(document, "$")
    if tree == NOTHING:
        raise GrammarError(f"The schema refers to itself at every turn: nothing ends within {DEPTH} levels")
    return compiled(tree, "the JSON schema")


class Reader:
    """`wide`: what any reader might take as valid; `bare`: numbers in one way of writing, to tell what is the same."""

    def __init__(self, document: Mapping[str, Any] | bool, *, wide: bool = False, bare: bool = False) -> None:
        self.document, self.wide, self.bare = document, wide, bare
        self.open: Counter[str] = Counter()
        self.digits = max([0, *(min(Decimal(str(value)).adjusted(), _LARGEST) + 2 for value in _numbers(document))])

    def tree(self, node: Any, path: str, base: Plain | None = None) -> Tree:
        """The JSON texts of a schema, which hold `base` too."""
        used: list[str] = []
        found = self.plain(node, path, used)
        return self.within(used, merged(base, found, path) if base else found, path)

    def within(self, used: Sequence[str], found: Plain, path: str) -> Tree:
        """The texts of a plain schema that these references led to; nothing, where one has led there DEPTH times."""
        if any(self.open[name] >= DEPTH for name in used):
            return NOTHING
        self.open.update(used)
        tree = self.written(found, path)
        self.open.subtract(used)
        return tree

    def variant(self, *, wide: bool) -> Reader:
        """Another reader of the same document, which writes a number in one way."""
        return Reader(self.document, wide=wide, bare=True)

    def plain(self, node: Any, path: str, used: list[str] | None = None) -> Plain:
        """A schema without `$ref` and `allOf`; the references that were followed are added to `used`."""
        used = [] if used is None else used
        if node is False:
            raise GrammarError(f"The schema allows nothing at {path}", found=False)
        if node is True:
            return {}
        found = plain(node, path)
        parts = [(part, f"{path}.allOf[{i}]") for i, part in enumerate(found.pop("allOf", ()))]
        if "$ref" in found:
            name = found.pop("$ref")
            if name in used:
                raise GrammarError(f"The reference at {path} leads back to itself", found=name)
            used.append(name)
            parts.append((self._referred(name, path), name))
        for part, place in parts:
            found = merged(found, self.plain(part, place, used), path)
        return found

    def _referred(self, name: str, path: str) -> Any:
        node: Any = self.document
        if not name.startswith("#"):
            raise GrammarError(f"A reference must lead to a place of the same schema, at {path}", found=name)
        for part in filter(None, name[1:].split("/")):
            part = part.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(part)] if isinstance(node, list) else node[part]
            except (KeyError, IndexError, ValueError, TypeError):
                raise GrammarError(f"The reference at {path} leads nowhere", found=name) from None
        return node

    # -------------------------------------------------------------------------------------------------------- choices

    def written(self, found: Plain, path: str) -> Tree:
        """The texts of a plain schema."""
        for name in ("anyOf", "oneOf"):
            if name in found:
                base = {key: value for key, value in found.items() if key != name}
                options = [(one, f"{path}.{name}[{i}]") for i, one in enumerate(found[name]) if one is not False]
                if name == "anyOf":
                    return choice(self.tree(one, place, base) for one, place in options)
                used: list[list[str]] = [[] for _ in options]
                sides = [self.plain(*one, names) for one, names in zip(options, used, strict=True)]
                return exclusive(self, [merged(base, side, path) for side in sides], used, path)
        if "enum" in found:
            return self._listed(found, path)
        return choice(self._typed(one, found, path) for one in types_of(found))

    def _listed(self, found: Plain, path: str) -> Tree:
        """The values of `enum` that meet the rest."""
        rest = {name: value for name, value in found.items() if name != "enum"}
        values = [(value, dumped(value, path)) for value in found["enum"]]
        if rest.keys() - {"type"}:
            held = automaton_of(self.written(rest, path))
            kept = [one for _, one in values if held.accepts(one.encode())]
        else:
            kept = [one for value, one in values if "type" not in rest or kind_of(value) & set(rest["type"])]
        if not kept:
            raise GrammarError(f"No value of 'enum' at {path} meets what else is asked there", found=found["enum"])
        return choice(text(one) for one in kept)

    def _typed(self, kind: str, found: Plain, path: str) -> Tree:
        match kind:
            case "object":
                return self._object(found, path)
            case "array":
                return self._array(found, path)
            case "string":
                return self._string(found, path)
            case "boolean":
                return Choice((text("true"), text("false")))
            case "null":
                return text("null")
        return self._number(found, path, whole=kind == "integer")

    # --------------------------------------------------------------------------------------------------------- values

    def _number(self, found: Plain, path: str, *, whole: bool) -> Tree:
        low, low_open = _bound(found, "minimum", "exclusiveMinimum", path, 1)
        high, high_open = _bound(found, "maximum", "exclusiveMaximum", path, -1)
        interval = Interval(low, high, low_open, high_open, found.get("multipleOf"))
        kind = "integer" if whole else "number"
        if "format" in found and "string" not in types_of(found):
            raise GrammarError(
                f"A format of a number cannot be held, at {path}", found=found["format"][0], do="Use bounds"
            )
        asked = ", ".join(f"{name} {found[name]}" for name in FAMILIES["number"] if name in found)
        if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
            raise GrammarError(f"The bounds of the {kind} at {path} exclude each other", found=asked)
        automaton = numbers(interval, whole=whole, digits=self.digits if self.wide else None, bare=self.bare)
        if automaton.empty:
            raise GrammarError(
                f"No {kind} of at most 15 significant digits lies within the bounds at {path}", found=asked
            )
        return Machine(automaton)

    def _string(self, found: Plain, path: str) -> Tree:
        least, most = _counts(found, "minLength", "maxLength", path)
        patterns, formats = found.get("pattern", ()), found.get("format", ())
        return string(least, most, patterns, formats, path, wide=self.wide)

    def _array(self, found: Plain, path: str) -> Tree:
        least, most = _counts(found, "minItems", "maxItems", path)
        first = [self.tree(one, f"{path}.prefixItems[{i}]") for i, one in enumerate(found.get("prefixItems", ()))]
        first = first[: next((i for i, one in enumerate(first) if one == NOTHING), most)]
        whole = len(first) == len(found.get("prefixItems", ()))
        most_after = (None if most is None else most - len(first)) if whole else 0
        rest, least_after = found.get("items", True), max(least - len(first), 0)
        item = NOTHING if most_after == 0 or rest is False else self.tree(rest, f"{path}.items")
        if rest is False and least_after:
            raise GrammarError(f"More items are asked for at {path} than are allowed", found=least)
        if item == NOTHING and least_after:
            return NOTHING
        tail: Tree = Parts(())
        if item != NOTHING and first:
            tail = Repeat(sequence(_COMMA, item), least_after, most_after)
        elif item != NOTHING:
            more = Repeat(
                sequence(_COMMA, item), max(least_after - 1, 0), None if most_after is None else most_after - 1
            )
            tail = Repeat(sequence(item, more), min(least_after, 1), 1)
        for i in reversed(range(len(first))):
            tail = sequence(*([_COMMA] if i else []), first[i], tail)
            tail = tail if i < least else Repeat(tail, 0, 1)
        return sequence(text("["), tail, text("]"))

    def _object(self, found: Plain, path: str) -> Tree:
        members, needed = self.members(found, path), set(found.get("required", ()))
        parts, flags = [], []
        for name, node in members.items():
            if node is False and name not in needed:
                continue
            value = self.tree(node, f"{path}.properties.{name}")
            if value != NOTHING:
                parts.append(sequence(text(dumped(name, path)), _COLON, value))
                flags.append(name in needed)
            elif name in needed:
                return NOTHING
        return sequence(text("{"), Members(tuple(parts), tuple(flags)), text("}"))

    def members(self, found: Plain, path: str) -> dict[str, Any]:
        """The members that may be written; one that is required and not described is what others may be."""
        members, others = dict(found.get("properties", {})), found.get("additionalProperties", True)
        for name in found.get("required", ()):
            if name not in members and others is False:
                raise GrammarError(f"A member is required at {path} and not allowed there", found=name)
            members.setdefault(name, others)
        return members


def dumped(value: object, path: str) -> str:
    """A value as it is written; a number in the shortest way, so that 1.0 is 1."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{dumped(str(k), path)}: {dumped(v, path)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(dumped(one, path) for one in value) + "]"
    if is_number(value) and not isinstance(value, int):
        exact = Decimal(str(value))
        return str(int(exact)) if is_whole(exact) and exact.adjusted() < 15 else str(exact)
    try:
        found = json.dumps(value, ensure_ascii=False, allow_nan=False)
        found.encode()
    except (TypeError, ValueError):
        raise GrammarError(f"A value at {path} cannot be written as JSON", found=value) from None
    return found


def _decimal(value: Any, path: str) -> Decimal:
    exact = Decimal(str(value))
    if exact and not -_LARGEST < exact.adjusted() < _LARGEST:
        raise GrammarError(f"A number at {path} has more than {_LARGEST} digits", found=str(value))
    return exact


def _bound(found: Plain, closed: str, opened: str, path: str, side: int) -> tuple[Decimal | None, bool]:
    """The stricter of two bounds, and whether it is open; `side` 1 for one below, -1 for one above."""
    strictest: Callable[..., Decimal] = max if side > 0 else min
    bounds: list[tuple[Decimal, bool]] = []
    for name in (closed, opened):
        if name in found:
            value = _decimal(found[name], path)
            rounded = value.copy_abs() >= _EXACT and not isinstance(found[name], int)
            read = Decimal(float(value)) if rounded else value
            bounds.append((strictest(value, read), name == opened))
    if not bounds:
        return None, False
    limit = strictest(value for value, _ in bounds)
    return limit, any(is_open for value, is_open in bounds if value == limit)


def _counts(found: Plain, least: str, most: str, path: str) -> tuple[int, int | None]:
    low, high = found.get(least, 0), found.get(most)
    if high is not None and high < low:
        raise GrammarError(f"'{least}' is above '{most}' at {path}", found=f"{least} {low}, {most} {high}")
    return low, high


def _numbers(node: Any) -> Iterator[Any]:
    """Every number of a document."""
    if isinstance(node, Mapping):
        node = list(node.values())
    if isinstance(node, list | tuple):
        for one in node:
            yield from _numbers(one)
    elif is_number(node) and node:
        yield node
