"""Rows that obey rules: formulas computed, every rule judged row by row, no two rows alike across a whole draw.

As in the checks of a database, a comparison with a missing cell is not false, so the rule is not broken; two keys of
which a part is missing are not alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from anew.core.columns import Bools
from anew.core.errors import UsageError
from anew.core.release import Release
from anew.core.rules import Cell, Rule, Together
from anew.core.ruling import Condition, Formula, Ruling, ruling
from anew.core.schema import Field, Schema
from anew.core.typed import moment_of, native, span_of, type_of
from anew.data import restore
from anew.data.compiled import agrees, cell, compiled, result

_ROW = "__obeys"


class Obeying:
    """Rules over canonical frames of a schema."""

    def __init__(self, ruling: Ruling, schema: Schema) -> None:
        self.ruling, self.schema = ruling, schema
        self._listed = [None if rule.allowed is None else _listed(rule, schema) for rule in ruling.together]

    def __bool__(self) -> bool:
        return bool(self.ruling)

    @property
    def texts(self) -> tuple[str, ...]:
        """The rules that are judged row by row, in the order of the columns of `judged`."""
        expressed = tuple(rule.text for rule in self.ruling.expressed)
        return (*expressed, *(rule.text for rule in self.ruling.together))

    def computed(self, frame: pl.DataFrame, known: Mapping[str, Bools] | None = None) -> pl.DataFrame:
        """The frame with every formula computed, but for the cells that are `known` and stay as they are."""
        for formula in self.ruling.formulas:
            name = formula.target
            value = result(self._value(formula), self.schema[name], frame.schema[name])
            fixed = (known or {}).get(name)
            made = value if fixed is None else pl.when(pl.Series(fixed)).then(pl.col(name)).otherwise(value)
            frame = frame.with_columns(made.alias(name))
        return frame

    def _value(self, formula: Formula) -> pl.Expr:
        return compiled(formula.expression, self.schema)

    def judged(self, frame: pl.DataFrame, known: Mapping[str, Bools] | None = None) -> Bools:
        """Which rows obey which of `texts`; a cell that is `known` to be empty is no missing result.  (n, rules)"""
        frame = comparable(frame, self.schema)
        rules = self.ruling.expressed
        tests = [self._test(rule).fill_null(True).alias(f"{i}") for i, rule in enumerate(rules)]
        tests = [test & self._result_there(rule) for test, rule in zip(tests, rules, strict=True)]
        met = frame.select(tests).to_numpy().astype(bool) if tests else np.ones((len(frame), 0), bool)
        for i, formula in enumerate(self.ruling.formulas):
            met[:, i] |= (known or {}).get(formula.target, False) & frame[formula.target].is_null().to_numpy()
        return np.column_stack([met, *(_among(frame, listed, self.schema) for listed in self._listed)])

    def _test(self, rule: Formula | Condition) -> pl.Expr:
        """Whether a row obeys; null where that is not known."""
        value = compiled(rule.expression, self.schema)
        if isinstance(rule, Condition):
            return value
        field = self.schema[rule.target]
        return agrees(cell(field), value, field)

    def _result_there(self, rule: Formula | Condition) -> pl.Expr:
        """A formula without a result breaks its rule where the column is never missing."""
        if isinstance(rule, Condition) or self.schema[rule.target].missing:
            return pl.lit(True)
        return pl.col(rule.target).is_not_null()

    def broken(self, frame: pl.DataFrame) -> dict[str, int]:
        """How many rows break a rule by the cells that are there: an empty cell is unknown here and breaks none."""
        frame = comparable(frame, self.schema)
        counts: dict[str, int] = {}
        for rule in self.ruling.expressed:
            if set(rule.columns) <= set(frame.columns) and not rule.asks_for_blanks:
                held = frame.select(self._test(rule).fill_null(True).alias(_ROW))[_ROW]
                counts[rule.text] = int((~held).sum())
        for among, listed in zip(self.ruling.together, self._listed, strict=True):
            if set(among.together) <= set(frame.columns):
                counts[among.text] = int((~_among(frame, listed, self.schema)).sum())
        if all(set(rule.unique) <= set(frame.columns) for rule in self.ruling.unique):
            for unique, key in zip(self.ruling.unique, self.keys(frame), strict=True):
                counts[unique.text] = len(key.drop_nulls()) - key.drop_nulls().n_unique()
        return {text: count for text, count in counts.items() if count}

    def keys(self, frame: pl.DataFrame) -> list[pl.Series]:
        """For each uniqueness rule the hash of every row's key; null where a part of it is missing."""
        frame = comparable(frame, self.schema)
        found = []
        for rule in self.ruling.unique:
            cells = frame.select(_key(self.schema[name]).alias(name) for name in rule.unique)
            blank = cells.select(pl.any_horizontal(pl.all().is_null()).alias(_ROW))[_ROW]
            found.append(cells.hash_rows(seed=0).set(blank, None))
        return found


def _among(frame: pl.DataFrame, listed: pl.DataFrame | None, schema: Schema) -> Bools:
    """Which rows hold one of the listed combinations, or a blank; all where nothing is listed."""
    if listed is None:
        return np.ones(len(frame), bool)
    names = listed.columns[:-1]
    cells = frame.select(cell(schema[name]).alias(name) for name in names)
    found = cells.join(listed, on=names, how="left", maintain_order="left")
    blank = pl.any_horizontal(pl.col(name).is_null() for name in names)
    return np.array(found.select((pl.col(_ROW).is_not_null() | blank).alias(_ROW))[_ROW].to_numpy(), dtype=bool)


def _key(field: Field) -> pl.Expr:
    return pl.col(field.name).cast(pl.String) if type_of(field) is None else cell(field)


class Seen:
    """The keys of rows that were already kept, so that each stays the only one of its kind."""

    def __init__(self, obeying: Obeying) -> None:
        self.obeying = obeying
        self.keys: list[set[int]] = [set() for _ in obeying.ruling.unique]

    def fresh(self, frame: pl.DataFrame, good: Bools) -> Bools:
        """Which of the good rows repeat no key of an earlier one, in order; they are then seen too."""
        if not self.keys:
            return good
        columns = [key.to_list() for key in self.obeying.keys(frame)]
        kept = good.copy()
        for i in np.flatnonzero(good):
            own = [column[i] for column in columns]
            if any(key in seen for key, seen in zip(own, self.keys, strict=True)):
                kept[i] = False
                continue
            for key, seen in zip(own, self.keys, strict=True):
                if key is not None:
                    seen.add(key)
        return kept


# ---------------------------------------------------------------- columns as rules compare them


def comparable(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Constant columns as the type that they stand for; a canonical frame keeps them as they came."""
    constant = [f for f in schema if f.kind == "constant" and f.name in frame.columns]
    return frame.with_columns([_constant(frame[field.name], field) for field in constant]) if constant else frame


def _constant(cells: pl.Series, field: Field) -> pl.Series:
    if type_of(field) not in ("time", "span"):
        return cells
    cells = restore.column(cells, field)
    if cells.dtype in (pl.Date, pl.Time):
        return cells.cast(pl.Datetime("us") if cells.dtype == pl.Date else pl.Duration("us"))
    return cells.dt.cast_time_unit("us")


def _listed(rule: Together, schema: Schema) -> pl.DataFrame:
    """The combinations of a rule as the cells that they are compared with."""
    columns = []
    for i, name in enumerate(rule.together):
        dtype = _DTYPES[type_of(schema[name]) or "word"]
        columns.append(pl.Series(name, [_read(row[i], schema[name]) for row in rule.allowed or ()], dtype))
    listed = pl.DataFrame(columns).unique(maintain_order=True)
    return listed.with_columns(pl.lit(True).alias(_ROW))


_DTYPES: dict[str, type[pl.DataType]] = {
    "number": pl.Float64, "time": pl.Float64, "span": pl.Float64, "word": pl.String, "truth": pl.Boolean,
}  # fmt: skip


def _read(value: Cell, field: Field) -> float | str | bool | None:
    """A listed value as rules see it; what it cannot be is refused."""
    kind = type_of(field)
    if value is None or (kind == "truth" and isinstance(value, bool)):
        return value
    if kind == "word":
        return str(value)
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    read = moment_of(str(value), field.time_zone) if kind == "time" else span_of(str(value)) if kind == "span" else None
    if read is None:
        raise UsageError(f"A combination lists a value that {field.name!r}, a {field.kind}, cannot hold", found=value)
    return read


# ---------------------------------------------------------------- what the training rows show


def with_combinations(schema: Schema, frame: pl.DataFrame, release: Release) -> Schema:
    """The schema whose fixed combinations without a list have that of the training rows."""
    rules = [
        rule.model_copy(update={"allowed": _combinations(rule, schema, frame, release)})
        if isinstance(rule, Together) and rule.allowed is None
        else rule
        for rule in schema.rules
    ]
    return schema.model_copy(update={"rules": tuple(rules)})


def _combinations(
    rule: Together, schema: Schema, frame: pl.DataFrame, release: Release
) -> tuple[tuple[Cell, ...], ...]:
    cells = comparable(frame, schema).select(cell(schema[name]).alias(name) for name in rule.together).drop_nulls()
    counted = cells.group_by(rule.together).len(name=_ROW).sort(rule.together)
    rows = [[_written(value, schema[name]) for name, value in zip(rule.together, row, strict=True)]
            for row in counted.select(rule.together).iter_rows()]  # fmt: skip
    words = [json.dumps(row, ensure_ascii=False) for row in rows]
    kept = set(release.levels(rule.text, words, counted[_ROW].to_numpy().astype(np.int64)))
    return tuple(tuple(row) for row, word in zip(rows, words, strict=True) if word in kept)


def _written(value: float | str | bool, field: Field) -> Cell:
    kind = type_of(field)
    if kind == "time":
        return str(native(float(value), field))
    if kind == "span":
        return f"{int(value)} microseconds"
    return int(value) if kind == "number" and float(value).is_integer() else value


@dataclass(frozen=True)
class Share:
    """How many of some rows obey one rule."""

    rule: str
    kept: int
    rows: int

    @property
    def value(self) -> float:
        return self.kept / max(self.rows, 1)


def shares(rules: Iterable[Rule], schema: Schema, frame: pl.DataFrame) -> list[Share]:
    """How many rows obey each rule; of a uniqueness rule those that repeat no earlier row."""
    obeying = Obeying(ruling(rules, schema), schema)
    judged, n = obeying.judged(frame), len(frame)
    found = [Share(text, int(judged[:, i].sum()), n) for i, text in enumerate(obeying.texts)]
    for rule, key in zip(obeying.ruling.unique, obeying.keys(frame), strict=True):
        found.append(Share(rule.text, int((key.is_first_distinct() | key.is_null()).sum()), n))
    return found
