"""Records of typed fields: what a column is, decided once, written to a file that a person can edit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from anew.core.errors import DataError, UsageError, did_you_mean
from anew.core.rules import AnyRule, rules_of

Kind = Literal[
    "integer",
    "number",
    "category",
    "boolean",
    "datetime",
    "duration",
    "identifier",
    "constant",
    "empty",
    "text",
    "image",
]
KINDS: tuple[str, ...] = get_args(Kind)
ORDERED: frozenset[str] = frozenset({"integer", "number", "datetime", "duration"})
NOMINAL: frozenset[str] = frozenset({"category", "boolean"})
SCALAR: frozenset[str] = frozenset(KINDS) - {"text", "image"}  # one cell of a table
MADE: frozenset[str] = frozenset({"identifier", "constant", "empty"})  # made anew or repeated, never learned


class Field(BaseModel):
    """One column: its kind, how it is written, and why that was decided.

    `dtype` is the polars type it came in and goes out as. `decimals` is the number of decimals that all values keep
    (None: continuous). `pattern` is the shape of an identifier (see `codecs.table`). `format` is the text form of a
    date that came as text, so that it goes out the same way. `unit` is the resolution of a datetime or duration.
    `continues`: the rows of a text are passages of one, each going on where the one before ends.
    `size` (height, width) and `mode` are those of all pictures of an image column (see core.pixels).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    dtype: str
    missing: bool = False
    decimals: int | None = None
    time_zone: str | None = None
    unit: str | None = None
    format: str | None = None
    pattern: str | None = None
    missing_words: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    mode: str | None = None
    continues: bool = False
    why: str = ""

    @property
    def ordered(self) -> bool:
        """Whether differences and intervals mean something."""
        return self.kind in ORDERED


class Schema(BaseModel):
    """The fields of a record, in the order of the data, and the rules that its cells obey."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[Field, ...]
    rules: tuple[AnyRule, ...] = ()
    format: int = 1

    def __iter__(self) -> Iterator[Field]:  # type: ignore[override]
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise UsageError(f"No column is named {name!r}", do=did_you_mean(name, self.names))

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def select(self, names: Iterable[str]) -> Schema:
        """The named fields, in the schema's order, and the rules that speak of no other."""
        wanted = {self[name].name for name in names}
        rules = tuple(rule for rule in self.rules if wanted.issuperset(rule.columns))
        return Schema(fields=tuple(field for field in self.fields if field.name in wanted), rules=rules)

    def replace(self, *fields: Field) -> Schema:
        """The schema with each of `fields` in the place of the one of its name."""
        new = {self[field.name].name: field for field in fields}
        return Schema(fields=tuple(new.get(field.name, field) for field in self.fields), rules=self.rules)

    def with_rules(self, rules: object) -> Schema:
        """The schema with these rules in the place of its own: texts, dicts or objects, one or several."""
        return Schema(fields=self.fields, rules=rules_of(rules))

    def to_json(self) -> str:
        """A file that a person can edit: a block a column without the settings at their default, a line a rule."""
        fields = [field.model_dump(mode="json", exclude_defaults=True) for field in self.fields]
        text = json.dumps({"format": self.format, "fields": fields}, indent=2, ensure_ascii=False)
        rules = ",\n".join(f"    {json.dumps(rule.to_dict(), ensure_ascii=False)}" for rule in self.rules)
        return f'{text[:-2]},\n  "rules": [\n{rules}\n  ]\n}}\n' if rules else text + "\n"

    @classmethod
    def from_json(cls, text: str, source: str = "schema") -> Schema:
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            if where.startswith("rules") and first["type"] == "value_error":
                raise DataError(f"{source}: {first['msg'].removeprefix('Value error, ')}") from None
            raise DataError(
                f"{source} is not a schema: {where}: {first['msg']}",
                found=first.get("input"),
                do=f"The kinds are {', '.join(KINDS)}; `anew look DATA` writes a correct file to start from",
            ) from None

    @classmethod
    def read(cls, path: str | Path) -> Schema:
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"), str(path))
        except OSError as error:
            raise DataError(f"Cannot read the schema file {str(path)!r}: {error.strerror}") from None
