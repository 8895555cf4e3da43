"""Completion over a model: the gaps of a table filled factor after factor, each given what is already there.

Every cell that is given is kept as it is. A level that the model never saw is unknown to it and kept all the same; a
number that no cell holds is read as the nearest. A block of a draw depends on (seed, draw, block) only, so any number
of workers gives the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from anew.codecs.table import Table
from anew.core.columns import MISSING, Bools, Cells
from anew.core.errors import DataError, UsageError
from anew.core.learner import Completes
from anew.core.rules import Rule
from anew.core.schema import MADE, Field, Schema
from anew.core.seeds import stream
from anew.data.restore import column as restored
from anew.factor import Factor
from anew.inpainting import Masks, masks_of, painted
from anew.joint import Joint, cannot
from anew.rulebook import Rulebook
from anew.steer.complete import Rows, complete_existing
from anew.steer.obey import Judged
from anew.writing import filled

BLOCK = 1024  # rows


@dataclass(frozen=True)
class Gaps:
    """A table to complete: canonical rows, and the columns whose empty cells are to be filled.

    `frame` holds every column of the model that was given, and those to fill that were not, empty.
    """

    frame: pl.DataFrame
    fill: tuple[str, ...]
    masks: Masks = field(default_factory=dict)  # the parts of pictures that are to be filled
    mark: str | None = None  # what stands in texts for a gap

    @property
    def count(self) -> int:
        """How many cells are to be filled, wholly or in part."""
        whole = sum(self.frame[name].null_count() for name in self.fill)
        whole += sum(int(self._marked(name).sum()) for name in self.fill)
        return whole + sum(int(mask.any((1, 2)).sum()) for mask in self.masks.values())

    def _marked(self, name: str) -> pl.Series:
        """Which cells have a gap."""
        cells = self.frame[name]
        if self.mark is None or cells.dtype != pl.String:
            return pl.Series([False] * len(cells), dtype=pl.Boolean)
        return cells.str.contains(self.mark, literal=True).fill_null(False)

    def slice(self, start: int, size: int) -> Gaps:
        """The same of some rows that follow each other."""
        return self.take(np.arange(start, min(start + size, len(self.frame))))

    def take(self, rows: Rows) -> Gaps:
        """The same of these rows."""
        return replace(self, frame=self.frame[rows], masks={name: mask[rows] for name, mask in self.masks.items()})


def check_able(joint: Joint) -> None:
    """Before any data is read: whether the model can complete at all."""
    for factor in joint.creating:
        if not isinstance(factor.learner, Completes):
            raise cannot(factor, "complete")


def find_gaps(
    joint: Joint, frame: pl.DataFrame, columns: Sequence[str] | None, masks: object = None, mark: str | None = None
) -> Gaps:
    """What is to be filled of a table; one sentence for a table of which nothing is known.

    Beside pictures only columns that came are filled, unless others are named.
    """
    _check_given(joint, frame)
    if all(cells.null_count() == len(cells) for cells in frame):
        raise DataError(
            "Every cell is empty, so there is nothing to complete from",
            found=f"{len(frame)} row{'s' * (len(frame) != 1)}",
            do="Fill in what is known, or create whole rows with sample() (`anew sample`)",
        )
    names = list(joint.record.schema.names)
    given = [name for name in columns or () if name in joint.given]
    if given:
        raise UsageError("What the model was fitted given is never completed", found=given, do="Name learned columns")
    if joint.record.parts and columns is None:
        columns = frame.columns
    fill = tuple(n for n in names if n not in joint.given and (columns is None or n in columns))
    absent = [pl.lit(None).cast(pl.Null).alias(name) for name in fill if name not in frame.columns]
    whole = frame.with_columns(absent)
    found = {name: mask for name, mask in masks_of(joint, masks, len(frame)).items() if name in fill}
    return Gaps(whole.select(name for name in names if name in whole.columns), fill, found, mark or None)


def _check_given(joint: Joint, frame: pl.DataFrame) -> None:
    """The columns that a model was fitted given are no part of what it completes."""
    if joint.open_given:
        return
    for name in joint.given:
        gaps = frame[name].null_count() if name in frame.columns else len(frame)
        if gaps:
            raise DataError(
                f"The model was fitted given {name!r}, so every row needs its value",
                found=f"{gaps:,} empty cell{'s' * (gaps > 1)}",
                do="Fill them in; only the learned columns are completed",
            )


def complete(joint: Joint, gaps: Gaps, *, seed: int, draw: int = 0, rules: Sequence[Rule] = ()) -> pl.DataFrame:
    """The table with its gaps filled by one draw that obeys the rules; the columns of `gaps.frame`, in its order."""
    frame = gaps.frame
    size = min(BLOCK, joint.block)
    blocks = [gaps.slice(start, size) for start in range(0, len(frame), size)]
    book = Rulebook(joint.codec, rules, among=frame.columns)

    def one(index: int) -> pl.DataFrame:
        return _filled(joint, blocks[index], stream("complete", seed, draw, index))

    if book:
        book.check_given(frame)
        filled = pl.concat(_obeying(joint, block, book, (seed, draw, i)) for i, block in enumerate(blocks))
    else:
        with ThreadPoolExecutor(joint.threads) as pool:
            filled = pl.concat(pool.map(one, range(len(blocks))))
    return with_made(joint.codec, filled, gaps.fill, seed)


def _obeying(joint: Joint, gaps: Gaps, book: Rulebook, numbers: tuple[int, ...]) -> pl.DataFrame:
    """Some rows with their gaps filled, each drawn until it obeys. What came, and what is not to be filled, stays."""
    order, frame, fill = book.order({}), gaps.frame, gaps.fill
    stays = {n: frame[n].is_not_null().to_numpy() | (n not in fill) for n in book.ruling.computed}

    def draw(rows: Rows, attempt: int) -> Judged[pl.DataFrame]:
        rng = stream("complete", *numbers, *([attempt] if attempt else []))
        known = {name: fixed[rows] for name, fixed in stays.items()}
        return order.judged(_filled(joint, gaps.take(rows), rng), known=known)

    return order.tied(len(frame), draw).select(frame.columns)


def _filled(joint: Joint, gaps: Gaps, rng: np.random.Generator) -> pl.DataFrame:
    """Some rows with the gaps of the learned columns filled."""
    frame, drawn = gaps.frame, _block(joint, gaps, rng)
    whole = frame.with_columns(_coalesced(frame[name], drawn[name]) for name in gaps.fill if name in drawn.columns)
    texts = [name for f in joint.factors if f.text for name in f.plan.learn if name in gaps.fill]
    return whole.with_columns(drawn[name] for name in (*gaps.masks, *texts))


def with_made(codec: Table, frame: pl.DataFrame, names: Sequence[str], seed: int) -> pl.DataFrame:
    """The frame with the gaps of those columns filled that are made and not learned; absent ones are added."""
    fields = [field for field in codec.schema if field.name in names and field.kind in MADE]
    absent = [pl.lit(None).cast(pl.Null).alias(field.name) for field in fields if field.name not in frame.columns]
    frame = frame.with_columns(absent)
    return frame.with_columns(_coalesced(frame[f.name], _made(codec, f, frame[f.name], seed)) for f in fields)


def _coalesced(cells: pl.Series, drawn: pl.Series) -> pl.Series:
    """What was drawn where a cell is empty. A dtype that came wins: whole numbers beside 42.5 are floats."""
    if cells.dtype == pl.Null:
        return drawn
    return pl.select(pl.coalesce(cells, drawn.cast(cells.dtype)).alias(cells.name)).to_series()


def _made(codec: Table, field: Field, cells: pl.Series, seed: int) -> pl.Series:
    """The constant, or for each gap a key that no given row has."""
    new = codec.make(field, len(cells), 0, seed)
    if field.kind != "identifier" or cells.dtype == pl.Null:
        return new
    free = new.cast(cells.dtype).filter(~new.cast(cells.dtype).is_in(cells.drop_nulls().implode()))
    gaps = cells.is_null()
    return free.gather((gaps.cum_sum().cast(pl.Int64) - 1).clip(0)).alias(cells.name)


def _block(joint: Joint, gaps: Gaps, rng: np.random.Generator) -> pl.DataFrame:
    """All learned columns of some rows as the model reads them, drawn where they are not known."""
    parts, frame = [], gaps.frame
    for factor in joint.creating:
        if factor.picture:
            parts.append(painted(joint, factor, gaps.frame, frame, gaps.masks, rng))
        elif factor.text:
            parts.append(filled(joint, factor, gaps.frame, frame, gaps.mark, rng))
        else:
            parts.append(_factor(factor, frame, gaps.fill, rng))
        frame = frame.with_columns(
            _coalesced(frame[c.name], c) if c.name in frame.columns else c for c in parts[-1].iter_columns()
        )
    return pl.concat(parts, how="horizontal")


def _factor(factor: Factor, frame: pl.DataFrame, fill: Sequence[str], rng: np.random.Generator) -> pl.DataFrame:
    codec, learner = factor.learned, factor.learner
    assert isinstance(learner, Completes)
    given = factor.encode_given(frame)
    cells, empty = _partial(codec, frame)
    wanted = empty & np.array([field.name in fill for field in codec.learned])

    def once(rows: Rows, x: Cells, known: Bools) -> Cells:
        data, mask = codec.partly(x, known, wanted[rows], factor.view)
        context = _taken(given, rows)
        return codec.cells_of(learner.complete(data, mask, rng, context), factor.view)

    grids = [codec.grids[field.name] for field in codec.learned]
    return codec.decode(complete_existing(once, cells, cells.codes != MISSING, wanted, grids, rng), "Columns")


def _taken(given: Any, rows: Rows) -> Any:
    """What some rows are given: cells, or the tensors of one part or of several by name."""
    if given is None or isinstance(given, Cells):
        return given if given is None else given.take(rows)
    if isinstance(given, dict):
        return {name: _taken(part, rows) for name, part in given.items()}
    import torch

    return given.take(torch.from_numpy(rows))


def _partial(codec: Table, frame: pl.DataFrame) -> tuple[Cells, Bools]:
    """The cells that the model can read, and which are empty or absent.  (n, d)"""
    names = [field.name for field in codec.learned]
    frame = frame.with_columns(pl.lit(None).cast(pl.Null).alias(n) for n in names if n not in frame.columns)
    return codec.cells(frame).nearest(), frame.select(pl.col(names).is_null()).to_numpy()


# -------------------------------------------------------------------- the way back


def faithful(schema: Schema, frame: pl.DataFrame) -> Schema:
    """The schema to write completed rows by: a column whose given cells it would round or cannot hold is loosened."""
    loose = {"kind": "number", "dtype": "Float64", "decimals": None}
    numbers = [f for f in schema if f.name in frame.columns and f.kind in ("integer", "number")]
    changed = [f.model_copy(update=loose) for f in numbers if not _holds(f, frame[f.name])]
    return schema.replace(*changed)


def _holds(field: Field, cells: pl.Series) -> bool:
    try:
        back = restored(cells, field)
    except PolarsError:
        return False
    return back.dtype == pl.String or bool((back.cast(pl.Float64) == cells.cast(pl.Float64)).all())
