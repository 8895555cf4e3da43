"""Rules that every row must obey, as a person writes them in the schema file or on the command line.

    {"rule": "admitted <= discharged"}            a condition
    {"rule": "total = net + tax"}                 a formula: the column on the left is computed
    {"together": ["city", "zip"]}                 only combinations seen in the training data
    {"together": ["city", "zip"], "allowed": [["Rome", "00100"], ["Bonn", "53111"]]}
    {"unique": ["ticket"]}                        no two rows alike

The same as text: 'admitted <= discharged', 'total = net + tax', 'together: city, zip', 'unique: ticket'.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializeAsAny, ValidationError

from anew.core.errors import DataError, UsageError
from anew.core.expressions import Statement, columns, parse

Cell = str | int | float | bool | None


class Rule(BaseModel, ABC):
    """One rule: its text, and the columns that it speaks of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    @abstractmethod
    def text(self) -> str: ...

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]: ...

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True)


class Holds(Rule):
    """A condition on the cells of a row, or a formula for one of them."""

    rule: str

    def model_post_init(self, context: object) -> None:
        parse(self.rule)  # a rule that cannot be read is refused where it is written

    @cached_property
    def statement(self) -> Statement:
        return parse(self.rule)

    @property
    def text(self) -> str:
        return self.rule

    @property
    def columns(self) -> tuple[str, ...]:
        target = self.statement.target
        return tuple(dict.fromkeys([*([target] if target is not None else []), *columns(self.statement.expression)]))


class Together(Rule):
    """Cells that occur only in certain combinations: those listed, or those that the training rows show."""

    together: tuple[str, ...]
    allowed: tuple[tuple[Cell, ...], ...] | None = None

    def model_post_init(self, context: object) -> None:
        _distinct(self.together, 2, self.text)
        odd = [row for row in self.allowed or () if len(row) != len(self.together)]
        if odd:
            raise UsageError(
                f"Each combination of {self.text!r} needs {len(self.together)} values, one a column", found=list(odd[0])
            )

    @property
    def text(self) -> str:
        return f"together: {_named(self.together)}"

    @property
    def columns(self) -> tuple[str, ...]:
        return self.together


class Unique(Rule):
    """No two rows have the same cells in these columns."""

    unique: tuple[str, ...]

    def model_post_init(self, context: object) -> None:
        _distinct(self.unique, 1, self.text)

    @property
    def text(self) -> str:
        return f"unique: {_named(self.unique)}"

    @property
    def columns(self) -> tuple[str, ...]:
        return self.unique


_FORMS: dict[str, type[Rule]] = {"rule": Holds, "together": Together, "unique": Unique}
_LISTED = re.compile(r"\s*(together|unique)\s*:(.*)", re.DOTALL)
_NAMES = re.compile(r"\s*(?:`([^`]+)`|([^,`]+?))\s*(?:,|$)")
_HELP = (
    "A rule is {'rule': 'a <= b'}, {'rule': 'total = net + tax'}, {'together': ['city', 'zip']} or "
    "{'unique': ['ticket']}; as text 'a <= b', 'total = net + tax', 'together: city, zip', 'unique: ticket'"
)


def rule_of(written: object) -> Rule:
    """One rule from a text, a dict or a rule."""
    if isinstance(written, Rule):
        return written
    if isinstance(written, str):
        written = _from_text(written)
    if not isinstance(written, Mapping) or len(found := [form for form in _FORMS if form in written]) != 1:
        raise UsageError("This is not a rule", found=written, do=_HELP)
    try:
        return _FORMS[found[0]].model_validate(dict(written))
    except ValidationError as error:
        first = error.errors()[0]
        ours = first.get("ctx", {}).get("error")
        if isinstance(ours, UsageError):
            raise ours from None
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"This is not a rule: {place}: {first['msg']}", found=dict(written), do=_HELP) from None


def _from_text(text: str) -> dict[str, object]:
    listed = _LISTED.fullmatch(text)
    if listed is None:
        return {"rule": text.strip()}
    names = [match[1] or match[2] for match in _NAMES.finditer(listed[2])]
    if not names:
        raise UsageError(f"The rule {text!r} names no column", do=_HELP)
    return {listed[1]: names}


def rules_of(written: object) -> tuple[Rule, ...]:
    """Rules from what a user gives: one, several, or none; each once."""
    if written is None:
        return ()
    if isinstance(written, str | Mapping | Rule):
        written = [written]
    if not isinstance(written, Iterable):
        raise UsageError("Rules are a list", found=written, do=_HELP)
    return tuple(dict.fromkeys(rule_of(one) for one in written))


def read_rules(path: str | Path) -> tuple[Rule, ...]:
    """The rules of a file: a schema file, or a JSON file with {"rules": [...]}."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"Cannot read the file of rules {str(path)!r}: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{str(path)!r} is not JSON: {error}", do=_HELP) from None
    listed = content.get("rules") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        raise DataError(f"{str(path)!r} holds no rules", do='Write {"rules": [...]}; ' + _HELP)
    return rules_of(listed)


def _distinct(names: tuple[str, ...], fewest: int, text: str) -> None:
    if len(names) < fewest or len(set(names)) < len(names):
        many = "one column" if fewest == 1 else f"{fewest} columns"
        raise UsageError(f"The rule {text!r} needs at least {many}, each named once", found=list(names))


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" if "," in name else name for name in names)


AnyRule = Annotated[SerializeAsAny[Rule], BeforeValidator(rule_of)]
