"""The codecs of a whole record: its scalar fields together in a table, and one codec for each picture and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import polars as pl

from anew.codecs.table import Table
from anew.core.codec import Codec
from anew.core.learner import Arrays, Config
from anew.core.registry import Registry
from anew.core.release import Release
from anew.core.schema import SCALAR, Schema
from anew.core.where import Where

Part = Codec[pl.DataFrame]  # of one picture or text
CODECS: Registry[Part] = Registry("anew.codecs", Codec)  # type: ignore[type-abstract]


class Record:
    """The fitted codecs of all fields; `parts` holds those of the pictures and texts, by name."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        others = [field for field in schema if field.kind not in SCALAR]
        self.table = Table(schema.select(f.name for f in schema if f.kind in SCALAR)) if others else Table(schema)
        self.parts: dict[str, Part] = {f.name: _codec(f.kind)(schema.select([f.name])) for f in others}

    def fit(self, frame: pl.DataFrame, release: Release) -> None:
        self.table.fit(frame, release)
        for part in self.parts.values():
            part.fit(frame, release)

    def learned(self, names: Sequence[str]) -> Table | Part:
        """The codec of the fields that one factor learns: one picture, or some scalars."""
        return self.parts[names[0]] if names and names[0] in self.parts else self.scalars(names)

    def scalars(self, names: Sequence[str]) -> Table:
        """The scalars among these fields."""
        return self.table.select([name for name in names if name not in self.parts])

    def beside(self, names: Sequence[str]) -> dict[str, Part]:
        """The pictures and texts among these fields."""
        return {name: self.parts[name] for name in names if name in self.parts}

    def made(self, frame: pl.DataFrame, start: int, seed: int) -> pl.DataFrame:
        """What was learned or given and what is made, in the order of the schema."""
        if not self.parts:
            return self.table.made(frame, start, seed)
        whole = len(self.table.schema) and all(field.name in frame.columns for field in self.table.learned)
        table = self.table.made(frame, start, seed) if whole else frame
        names = [name for name in self.schema.names if name in table.columns or name in frame.columns]
        keys = {f.name for f in self.schema if f.kind == "identifier" and f.name in frame.columns}  # that were given
        return pl.DataFrame([frame[n] if n in keys or n not in table.columns else table[n] for n in names])

    def check(self, where: Where) -> None:
        """Conditions on columns that can bear one; a word that tells why of others."""
        for name in where:
            if name in self.parts:
                self.parts[name].allow(where)
        self.table.allow({name: rules for name, rules in where.items() if name not in self.parts})

    def state(self) -> tuple[Config, Arrays]:
        """The table's own, with the parts beside it where there are any."""
        config, arrays = self.table.state()
        if not self.parts:
            return config, arrays
        config = {**config, "parts": {}}
        for i, (name, part) in enumerate(self.parts.items()):
            config["parts"][name], more = part.state()
            arrays |= {f"part{i}.{key}": value for key, value in more.items()}
        return config, arrays

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.table.restore(config, arrays)
        for i, (name, part) in enumerate(self.parts.items()):
            mine = {k.removeprefix(f"part{i}."): v for k, v in arrays.items() if k.startswith(f"part{i}.")}
            part.restore(config["parts"][name], mine)


def _codec(kind: str) -> type[Part]:
    return next(CODECS[name] for name in CODECS if kind in CODECS[name].kinds)
