"""Tables: records of scalar fields as `Columns` for solvers, and as `Tokens` or `Mixed` for networks.

`Columns`: each field is a released grid (see core.columns). Categories are nominal grids whose cells are the levels,
most frequent first; a category of any number of levels stays one integer code, never a one-hot.

`Mixed`: numbers as normal scores of their ranks beside tokens for spikes, missing and categories (see _mixed.py).

`Tokens`: every field as tokens, an ordered one by the cells of its grid (see _tokens.py).

Identifiers are made anew, constants repeated, empty columns stay empty: no learner sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.codecs._allow import allow, number_of
from anew.codecs._answers import answer, answer_space
from anew.codecs._identifiers import make_keys
from anew.codecs._mixed import MixedView
from anew.codecs._tokens import TokenView
from anew.core.codec import Codec
from anew.core.columns import MISSING, OUTSIDE, Allowed, Bools, Cells, Codes, Columns, Floats, Grid
from anew.core.cut import Cut
from anew.core.errors import UsageError, did_you_mean
from anew.core.learner import Arrays, Config
from anew.core.release import Release
from anew.core.schema import MADE, NOMINAL, ORDERED, SCALAR, Field, Schema
from anew.core.where import Constraint, OneOf, Where

_TIMES = (86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000, 1_000, 1)  # a day ... a microsecond


class Table(Codec[pl.DataFrame]):
    """Scalar fields, together."""

    kinds = SCALAR
    views = ("Columns", "Tokens", "Mixed")
    answers = ("Classes", "Values")

    def __init__(self, schema: Schema, cut: Cut | None = None) -> None:
        super().__init__(schema)
        self.cut = cut
        self.learned = tuple(field for field in schema if field.kind not in MADE)
        self.grids: dict[str, Grid] = {}
        self.levels: dict[str, list[str]] = {}
        self.constants: dict[str, Any] = {}

    # ---------------------------------------------------------------- fit

    def fit(self, data: pl.DataFrame, release: Release) -> None:
        cut = self.cut or Cut()
        for field in self.schema:
            column = data[field.name]
            if field.kind in ORDERED:
                self.grids[field.name] = _number_grid(field, column, cut, release)
            elif field.kind in NOMINAL:
                self.grids[field.name], self.levels[field.name] = _level_grid(field, column, release)
            elif field.kind == "constant":
                self.constants[field.name] = _plain(column.drop_nulls().first())
                release.note("the constant", field.name, 1)

    def select(self, names: Sequence[str]) -> Table:
        """A codec of some fields, in the order named, that shares the fitted grids."""
        part = Table(Schema(fields=tuple(self.schema[name] for name in names)), self.cut)
        part.grids, part.levels, part.constants = self.grids, self.levels, self.constants
        return part

    # ---------------------------------------------------------------- spaces

    def space(self, view: str) -> Any:
        if view == "Columns":
            return Columns(tuple(self.grids[f.name] for f in self.learned), tuple(f.name for f in self.learned))
        if view in self.answers:
            return answer_space(self.learned, self.grids, view)
        return self.view(view).space

    def view(self, view: str) -> MixedView | TokenView:
        """How cells become the tensors of a view, and back."""
        return TokenView(self.learned, self.grids) if view == "Tokens" else MixedView(self.learned, self.grids)

    def mask(self, known: Bools, view: str) -> Bools:
        """Which of the learned fields are known (n, fields) -> which places of the data are (n, *data)."""
        return known if view == "Columns" else self.view(view).mask(known)

    def partly(self, cells: Cells, known: Bools, wanted: Bools, view: str) -> tuple[Any, Bools]:
        """Rows of which some fields are known (n, fields), in a view, and the mask over their data.

        Of what is `wanted` (n, fields) the view says that it exists, where it has a place for that.
        """
        x, mask = self.view_of(cells, view), self.mask(known, view)
        if view == "Mixed":
            MixedView(self.learned, self.grids).existing(x, mask, wanted)
        return x, mask

    # ---------------------------------------------------------------- encode and decode

    def encode(self, data: pl.DataFrame, view: str) -> Any:
        return self.view_of(self.cells(data), view)

    def cells(self, data: pl.DataFrame) -> Cells:
        """The rows in "Columns"."""
        cells = Cells.empty(len(data), len(self.learned))
        for j, field in enumerate(self.learned):
            cells.codes[:, j], cells.positions[:, j] = self.encode_column(field, data[field.name])
        return cells

    def view_of(self, cells: Cells, view: str) -> Any:
        """Cells in another view."""
        if view in self.answers:
            return answer(self.grids[self.learned[0].name], cells, view)
        return cells if view == "Columns" else self.view(view).encode(cells)

    def cells_of(self, x: Any, view: str) -> Cells:
        """The inverse of `view_of`."""
        return x if view == "Columns" else self.view(view).decode(x)

    def encode_column(self, field: Field, column: pl.Series) -> tuple[Codes, Floats]:
        """Codes and positions (n,) of one field."""
        grid = self.grids[field.name]
        if field.ordered:
            return grid.encode(_floats(field, column))
        codes = _level_codes(column, self.levels[field.name])
        return codes, np.where(codes >= 0, codes + 0.5, np.nan)

    def decode(self, x: Any, view: str) -> pl.DataFrame:
        cells = self.cells_of(x, view)
        return pl.DataFrame(
            [self.decode_column(f, cells.codes[:, j], cells.positions[:, j]) for j, f in enumerate(self.learned)]
        )

    def decode_column(self, field: Field, codes: Codes, positions: Floats) -> pl.Series:
        if field.ordered:
            return from_floats(field, self.grids[field.name].decode(codes, positions))
        return _from_codes(field, codes, self.levels[field.name])

    def made(self, frame: pl.DataFrame, start: int, seed: int) -> pl.DataFrame:
        """The learned columns and those that are made (keys for rows `start`...), in the schema's order."""
        n = len(frame)
        columns = {field.name: self.make(field, n, start, seed) for field in self.schema if field.kind in MADE}
        return pl.DataFrame([columns[f.name] if f.name in columns else frame[f.name] for f in self.schema])

    def with_constants(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the constant columns beside those that it has."""
        constant = [f for f in self.schema if f.kind == "constant" and f.name not in frame.columns]
        return frame.with_columns(self.make(field, len(frame), 0, 0) for field in constant) if constant else frame

    def make(self, field: Field, n: int, start: int, seed: int) -> pl.Series:
        """n cells of a field that is made: keys for rows `start` ..., the constant, or nothing."""
        if field.kind == "identifier":
            return make_keys(field, n, start, seed)
        value = self.constants.get(field.name)
        if value is not None and field.dtype.startswith(("Datetime", "Date", "Duration", "Time")):
            return pl.Series(field.name, [value] * n, pl.Int64)
        return pl.Series(field.name, [value] * n, None if value is not None else pl.Null)

    # ---------------------------------------------------------------- conditions

    def allow(self, where: Where) -> dict[int, Allowed]:
        """Constraints by column name -> the allowed part of each learned column, by its index."""
        names = [field.name for field in self.learned]
        allowed: dict[int, Allowed] = {}
        for name, rules in where.items():
            if name not in names:
                self._refuse(name)
            allowed[names.index(name)] = allow(self.schema[name], self.grids[name], self.levels.get(name), rules)
        return allowed

    def rules(self, allowed: Mapping[int, Allowed], view: str) -> Mapping[int, Allowed]:
        """What `allow` found as rules over the data of a view."""
        tokens = self.view(view) if view == "Tokens" else None
        return tokens.allow(allowed) if isinstance(tokens, TokenView) else allowed

    def log_base(self, cells: Cells, view: str) -> Floats:
        """(n,) what is to be added to a learner's log_prob over a view: nats of the values given the view's data."""
        tokens = self.view(view) if view == "Tokens" else None
        return tokens.log_base(cells) if isinstance(tokens, TokenView) else np.zeros(len(cells))

    def density(self, allowed: Mapping[int, Allowed], view: str) -> float:
        """What turns the mass of bins into the density of the values asked for, where the learner cannot know it."""
        if view != "Tokens":
            return 1.0
        grids = {j: self.grids[self.learned[j].name] for j in allowed}
        return float(np.exp(sum(grids[j].log_base[rule.cell[0]] for j, rule in allowed.items() if rule.density)))

    def exact(self, name: str, rules: tuple[Constraint, ...]) -> float | None:
        """The value that a continuous number is asked to equal, if it is."""
        field = self.schema[name]
        if field.kind != "number" or len(rules) != 1 or not isinstance(rules[0], OneOf) or rules[0].negated:
            return None
        only = rules[0].values
        return number_of(field, only[0]) if len(only) == 1 and only[0] is not None else None

    def _refuse(self, name: str) -> None:
        if name in self.schema:
            raise UsageError(
                f"Column {name!r} is {self.schema[name].kind}: it is not learned, so no condition can be set on it"
            )
        raise UsageError(f"No column is named {name!r}", do=did_you_mean(name, self.schema.names))

    # ---------------------------------------------------------------- state

    def state(self) -> tuple[Config, Arrays]:
        config: Config = {"levels": self.levels, "constants": self.constants, "grids": {}}
        arrays: Arrays = {}
        for i, (name, grid) in enumerate(self.grids.items()):
            config["grids"][name] = {"missing": grid.missing, "ordered": grid.ordered, "step": grid.step}
            arrays |= {f"{i}.lower": grid.lower, f"{i}.upper": grid.upper, f"{i}.counts": grid.counts}
        return config, arrays

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.levels, self.constants = config["levels"], config["constants"]
        self.grids = {
            name: Grid(arrays[f"{i}.lower"], arrays[f"{i}.upper"], arrays[f"{i}.counts"], **rest)
            for i, (name, rest) in enumerate(config["grids"].items())
        }


# -------------------------------------------------------------------- columns to numbers and back


def _floats(field: Field, column: pl.Series) -> Floats:
    """A column as float64 with NaN for missing; times in microseconds."""
    if field.kind in ("datetime", "duration"):
        column = column.to_physical()
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def from_floats(field: Field, values: Floats) -> pl.Series:
    gone = np.isnan(values)
    if field.kind == "number":
        rounded = values if field.decimals is None else np.round(values, field.decimals)
        return pl.Series(field.name, rounded, pl.Float64, nan_to_null=True)
    whole = pl.Series(field.name, np.where(gone, 0, np.round(values)).astype(np.int64))
    if gone.any():
        whole = pl.select(pl.when(pl.Series(~gone)).then(whole).alias(field.name)).to_series()
    if field.kind == "datetime":
        return whole.cast(pl.Datetime("us", field.time_zone))
    return whole.cast(pl.Duration("us")) if field.kind == "duration" else whole


def _step(field: Field, distinct: Floats) -> float:
    """The distance between representable values: the largest unit of which all values are multiples."""
    if field.kind == "number":
        if field.decimals is None:
            return 0.0
        scale = 10.0**-field.decimals
        return float(_common(np.round(distinct / scale))) * scale
    if field.kind == "integer":
        return float(_common(distinct))
    return float(next(unit for unit in _TIMES if (np.mod(distinct - distinct[:1], unit) == 0).all()))


def _common(values: Floats) -> int:
    """The greatest common divisor of the differences; 1 for values too large to be whole in int64."""
    if len(values) < 2 or np.abs(values).max() > 2**53:
        return 1
    return max(int(np.gcd.reduce(np.diff(values).astype(np.int64))), 1)


def _number_grid(field: Field, column: pl.Series, cut: Cut, release: Release) -> Grid:
    values = _floats(field, column)
    gone = np.isnan(values)

    def make(distinct: Floats, counts: npt.NDArray[np.int64]) -> Grid:
        return cut(distinct, counts, step=_step(field, distinct) if len(distinct) else 1.0, missing=float(gone.sum()))

    return release.grid(field.name, values[~gone], make)


# -------------------------------------------------------------------- levels


def _words(column: pl.Series) -> pl.Series:
    return column.cast(pl.String)


def _level_grid(field: Field, column: pl.Series, release: Release) -> tuple[Grid, list[str]]:
    """Levels, most frequent first (ties in alphabetical order), and their grid."""
    words = _words(column).drop_nulls()
    table = words.value_counts().rename({words.name: "level"} if words.name != "level" else {})
    table = table.sort(["count", "level"], descending=[True, False])
    levels = release.levels(field.name, table["level"].to_list(), table["count"].to_numpy().astype(np.int64))
    counts = release.counts(field.name, _level_codes(column, levels), len(levels))
    index = np.arange(len(levels), dtype=np.float64)
    return Grid(index, index, counts, float(column.null_count()), ordered=False, step=1.0), levels


def _level_codes(column: pl.Series, levels: list[str]) -> Codes:
    """Index of each level (n,), MISSING for null and OUTSIDE for words never seen."""
    words = _words(column)
    if not levels:
        return np.where(words.is_null().to_numpy(), MISSING, OUTSIDE).astype(np.int32)
    codes = words.cast(pl.Enum(levels), strict=False).to_physical().cast(pl.Int32)
    filled = pl.select(pl.when(words.is_null()).then(MISSING).otherwise(codes.fill_null(OUTSIDE))).to_series()
    return filled.cast(pl.Int32).to_numpy().copy()


def _from_codes(field: Field, codes: Codes, levels: list[str]) -> pl.Series:
    known = pl.Series(levels, dtype=pl.String)
    words = (
        known.gather(pl.Series(np.where(codes >= 0, codes, 0)))
        if levels
        else pl.Series([None] * len(codes), dtype=pl.String)
    )
    if (codes < 0).any():
        words = pl.select(pl.when(pl.Series(codes >= 0)).then(words)).to_series()
    words = words.alias(field.name)
    return words == "true" if field.kind == "boolean" else words


def _plain(value: Any) -> Any:
    """A constant as JSON: times as whole microseconds."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    physical = pl.Series([value])
    if physical.dtype.is_temporal():
        physical = physical.cast(pl.Datetime("us") if physical.dtype == pl.Datetime else physical.dtype).to_physical()
    return physical[0] if isinstance(physical[0], int | float) else str(value)
