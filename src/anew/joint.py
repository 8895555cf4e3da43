"""A model is an ordered list of factors p(learn | given). This file alone knows the list.

It samples factor after factor, adds log-probabilities, and asks predicting factors. Rows are drawn in blocks, and a
block depends on (seed, block) only, so any number of workers gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from anew.codecs.table import Table
from anew.core.columns import Allowed, Bools, Cells, Floats
from anew.core.errors import CapabilityError, UsageError
from anew.core.learner import Conditions, Predicts, Samples, Scores, capabilities
from anew.core.seeds import stream
from anew.core.where import Where, describe
from anew.drawing import drawing
from anew.factor import Factor
from anew.plan import OBJECTIVES
from anew.record import Record
from anew.rulebook import Order, Rulebook
from anew.steer.condition import draw_where
from anew.steer.obey import Judged, Rows

BLOCK = 8192  # rows of a free block
BLOCK_PARTS = 64  # rows of a block with pictures or texts, which take more room and longer
BLOCK_WHERE = 1024  # rows of a block under conditions, whose particles take more room


@dataclass(frozen=True)
class Draw:
    """What the last draw was like: the condition, its probability under the model and the effective sample size.

    `obeyed` is the share of the draws that obeyed the rules, where there are any; the others were drawn again.
    """

    rows: int
    condition: str = ""
    probability: float | None = None
    effective: float | None = None
    density: bool = False
    obeyed: float | None = None

    def __str__(self) -> str:
        rules = "" if self.obeyed is None else f"; a share of {self.obeyed:.3f} of the draws obeyed the rules"
        if not self.condition:
            return f"{self.rows:,} rows{rules}"
        what = "density" if self.density else "probability"
        return (
            f"{self.rows:,} rows where {self.condition}: the condition has {what} {self.probability:.4g} under the "
            f"model; effective sample size {self.effective:,.0f}{rules}"
        )


def together(draws: list[Draw]) -> Draw:
    """The report of a whole draw from the reports of its blocks."""
    rows = sum(draw.rows for draw in draws)
    if not draws[0].condition:
        return Draw(rows, obeyed=draws[-1].obeyed)
    chance = float(np.mean([draw.probability or 0.0 for draw in draws]))
    effective = float(sum(draw.effective or 0.0 for draw in draws))
    return Draw(rows, draws[0].condition, chance, effective, draws[0].density, draws[-1].obeyed)


@dataclass
class Joint:
    """Generative factors in order, and predicting factors beside them."""

    record: Record
    factors: list[Factor]
    predictors: list[Factor] = field(default_factory=list)
    threads: int = 2

    @property
    def codec(self) -> Table:
        """The codec of the scalar fields."""
        return self.record.table

    @property
    def creating(self) -> list[Factor]:
        """The generative factors, for verbs that need them."""
        if not self.factors:
            raise CapabilityError(
                "This model predicts only; it has no factor that creates",
                do="Fit without objective=, or with a generative one (`anew list`)",
            )
        return self.factors

    @property
    def given(self) -> list[str]:
        """The columns that the user gives, whatever is asked."""
        made = {name for factor in self.factors for name in factor.plan.learn}
        names = (name for factor in self.factors for name in factor.plan.given if name not in made)
        return list(dict.fromkeys(names))

    @property
    def open_given(self) -> bool:
        """Whether what is given may be left out: beside pictures a blank is learned as well."""
        return bool(self.given) and all(factor.learner.open_given for factor in self.factors if factor.plan.given)

    def blank(self, name: str, rows: int) -> pl.Series:
        """A column of which nothing is said."""
        kinds = {"image": pl.Binary, "text": pl.String}
        return pl.Series(name, [None] * rows, kinds.get(self.record.schema[name].kind, pl.Null))

    def drawing(self, **options: Any) -> Joint:
        """The same model with other options of drawing, such as `steps=4`, where a factor's objective has them."""
        return replace(self, factors=drawing(self.creating, options))

    # ------------------------------------------------------------ sampling

    def blocks(
        self,
        n: int,
        *,
        seed: int,
        where: Where | None = None,
        given: pl.DataFrame | None = None,
        rules: Rulebook | None = None,
    ) -> Iterator[tuple[pl.DataFrame, Draw]]:
        """n rows, block by block, in the schema's order, with the report of each draw; they obey the rules.

        `rules` are those of the schema when there is no other rulebook.
        """
        n = n if given is None else len(given)
        book = Rulebook(self.codec) if rules is None else rules
        if book:
            yield from self._obeying(n, seed, where or {}, given, book)
            return
        plain = self._plain(where or {}, given)
        size = self._size(plain)
        starts = range(0, n, size)

        def one(start: int) -> tuple[pl.DataFrame, Draw]:
            rows, rng = min(size, n - start), stream("block", seed, start // size)
            frame, draw = self._block(rows, size, rng, plain, None if given is None else given[start : start + rows])
            return self.record.made(frame, start, seed), draw

        with ThreadPoolExecutor(self.threads) as pool:
            waiting = [pool.submit(one, start) for start in starts[: 2 * self.threads]]
            for i in range(len(starts)):
                if i + len(waiting) < len(starts):
                    waiting.append(pool.submit(one, starts[i + len(waiting)]))
                yield waiting.pop(0).result()

    def _obeying(
        self, n: int, seed: int, where: Where, given: pl.DataFrame | None, book: Rulebook
    ) -> Iterator[tuple[pl.DataFrame, Draw]]:
        """The same under rules: what breaks one is drawn again."""
        able = [f for f in self.factors if isinstance(f.learner, Conditions) and given is None]
        plain = self._plain(book.learnable(where, frozenset(name for f in able for name in f.plan.learn)), given)
        size = self._size(plain)
        order, start = book.order(where), 0
        book.check_rows(n)
        parts = self._free(n, seed, size, plain, order) if given is None else self._tied(seed, plain, order, given)
        for frame, draw in parts:
            yield self.record.made(frame, start, seed), _obedient(draw, len(frame), {**where, **plain}, order)
            start += len(frame)

    def _free(self, n: int, seed: int, size: int, where: Where, order: Order) -> Iterator[tuple[pl.DataFrame, Draw]]:
        def block(index: int) -> Judged[pl.DataFrame]:
            return order.judged(*self._block(size, size, stream("block", seed, index), where, None))

        return order.free(n, size, block, self.threads)

    def _tied(self, seed: int, where: Where, order: Order, given: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, Draw]]:
        """Rows beside given ones, block by block; uniqueness makes each block wait for the one before."""
        order.book.check_given(given)
        for index, rows in enumerate(given.iter_slices(self._size({}))):

            def draw(which: Rows, attempt: int, rows: pl.DataFrame = rows, index: int = index) -> Judged[pl.DataFrame]:
                rng = stream("block", seed, index, attempt) if attempt else stream("block", seed, index)
                known = dict.fromkeys(given.columns, np.ones(len(which), bool))
                return order.judged(*self._block(len(which), len(which), rng, where, rows[which]), known)

            yield order.tied(len(rows), draw), Draw(len(rows))

    @property
    def block(self) -> int:
        """Rows of a free block."""
        return BLOCK_PARTS if any(factor.part for factor in self.factors) else BLOCK

    def _size(self, where: Where) -> int:
        return min(BLOCK_WHERE, self.block) if where else self.block

    def _plain(self, where: Where, given: pl.DataFrame | None) -> dict[str, Any]:
        """The conditions by name, checked; values for given columns must come by `given` or by an equality."""
        self.record.check(where)
        lacking = [name for name in self.given if (given is None or name not in given.columns)]
        if lacking:
            raise UsageError(
                "The model was fitted given some columns, so a draw needs their values",
                found=lacking,
                do="Pass given= a table with these columns (the command line: --given FILE)",
            )
        return dict(where)

    def _block(
        self, rows: int, size: int, rng: np.random.Generator, where: Where, given: pl.DataFrame | None
    ) -> tuple[pl.DataFrame, Draw]:
        """The learned columns of a block beside the given ones."""
        draw = Draw(rows)
        parts: list[pl.DataFrame] = [] if given is None else [given]
        for factor in self.creating:
            context = pl.concat(parts, how="horizontal") if parts else None
            mine = {name: rule for name, rule in where.items() if name in factor.plan.learn}
            drawn = size if not parts and not factor.learner.apart else rows
            frame, draw = _draw(factor, drawn, rows, mine, context, rng, draw)
            parts.append(frame)
        return pl.concat(parts, how="horizontal"), draw

    def first(
        self, many: int, where: Where, given: pl.DataFrame | None, rng: np.random.Generator
    ) -> pl.DataFrame | None:
        """One row of what the first factors make, beside what is given."""
        plain = self._plain(where, given)
        if many == 0:
            return given
        return replace(self, factors=self.factors[:many])._block(1, 1, rng, plain, given)[0]

    # ------------------------------------------------------------ scoring

    def log_prob(self, frame: pl.DataFrame) -> Floats:
        """(n,) nats of the learned columns given the given ones: the sum over factors."""
        total = np.zeros(len(frame))
        for factor in self.factors or self.predictors[:1]:  # a model that only predicts scores its answers
            if not isinstance(factor.learner, Scores):
                raise cannot(factor, "log_prob")
            if factor.part:
                total += factor.learner.log_prob(factor.encode(frame), factor.encode_given(frame))
            else:
                total += _nats(factor, factor.learned.cells(frame), factor.encode_given(frame))
        return total

    def scores(self) -> bool:
        return bool(self.factors) and all(isinstance(factor.learner, Scores) for factor in self.factors)

    # ------------------------------------------------------------ predicting

    def predictor(self, method: str | None) -> Factor:
        """The predicting factor of that network or objective; the first (the best on held-out rows) by default."""
        if not self.predictors:
            raise CapabilityError("This model has no predicting factor", do="Fit again with predict=COLUMN")
        for factor in self.predictors:
            if method in (None, factor.plan.method, factor.plan.network, *factor.plan.names):
                return factor
        known = [factor.plan.method for factor in self.predictors]
        raise UsageError(f"No predictor is named {method!r}", found=known, do="Or use 'joint'")

    def predict(self, frame: pl.DataFrame, method: str | None) -> Floats:
        """(n, K) class probabilities or (n,) values, from one of the predictors."""
        factor = self.predictor(method)
        learner = factor.learner
        if not isinstance(learner, Predicts):
            raise cannot(factor, "predict")
        return np.asarray(learner.predict(factor.encode_given(frame)))

    def posterior(self, frame: pl.DataFrame, target: str) -> Floats:
        """(n, K) probabilities of the target's cells given the rest, by Bayes' rule from the joint density.

        The candidates of a number with many cells are a hundred of them, equally spaced in rank, with their mass.
        """
        factor = next((f for f in self.factors if target in f.plan.learn), self.creating[-1])
        if not isinstance(factor.learner, Scores) or target not in factor.plan.learn:
            raise cannot(factor, "log_prob")
        cells, given = factor.learned.encode(frame, "Columns"), factor.encode_given(frame)
        names = [f.name for f in factor.learned.learned]
        candidates = candidate_cells(factor.learned.grids[target].counts)
        score = np.empty((len(frame), len(candidates)))
        for k, cell in enumerate(candidates):
            codes, positions = cells.codes.copy(order="F"), cells.positions.copy(order="F")
            codes[:, names.index(target)] = cell
            positions[:, names.index(target)] = cell + 0.5
            score[:, k] = _nats(factor, Cells(codes, positions), given)
        score -= factor.learned.grids[target].log_base[candidates]  # mass of the cell, not density in it
        top = np.maximum(score.max(1, keepdims=True), -1e300)
        chance = np.exp(score - top)
        return np.asarray(chance / np.maximum(chance.sum(1, keepdims=True), 1e-300))


CANDIDATES = 100


def candidate_cells(counts: Floats) -> np.ndarray[Any, np.dtype[np.intp]]:
    """All cells, or CANDIDATES of them at equal ranks."""
    if len(counts) <= CANDIDATES:
        return np.arange(len(counts))
    ranks = (np.arange(CANDIDATES) + 0.5) / CANDIDATES * counts.sum()
    return np.unique(np.searchsorted(np.cumsum(counts), ranks))


def _nats(factor: Factor, cells: Cells, given: Any) -> Floats:
    """(n,) log-probability of rows under one factor."""
    learner, codec = factor.learner, factor.learned
    assert isinstance(learner, Scores)
    return np.asarray(learner.log_prob(codec.view_of(cells, factor.view), given) + codec.log_base(cells, factor.view))


def _draw(
    factor: Factor,
    size: int,
    rows: int,
    where: Where,
    context: pl.DataFrame | None,
    rng: np.random.Generator,
    draw: Draw,
) -> tuple[pl.DataFrame, Draw]:
    """One factor's columns of a block. A whole block is drawn and cut, so that fewer rows are the first of more."""
    learner = factor.learner
    if not isinstance(learner, Samples):
        raise cannot(factor, "sample")
    given = None if context is None else factor.encode_given(context)
    allowed = factor.learned.allow(where)
    if not allowed:
        return factor.decode(learner.sample(size, rng, given))[:rows], draw
    shift = factor.columns_given
    drawn = draw_where(
        learner,
        size,
        {shift + j: rule for j, rule in factor.learned.rules(allowed, factor.view).items()},
        rng,
        given,
        holds=lambda x: _holds(factor, x, allowed),
        take=_take,
        stack=_stack,
    )
    frame = exact_values(factor.learned, factor.learned.decode(drawn.x, factor.view), where)
    chance = drawn.probability * factor.learned.density(allowed, factor.view)
    return frame[:rows], Draw(rows, describe(where), chance, drawn.effective * rows / size, drawn.density)


def _obedient(draw: Draw, rows: int, where: Where, order: Order) -> Draw:
    """The report of rows that were kept, from that of the block which they come from."""
    if not where:
        return Draw(rows, obeyed=order.obeyed)
    effective = rows if draw.effective is None else draw.effective * rows / draw.rows
    chance = (1.0 if draw.probability is None else draw.probability) * order.asked_share
    return Draw(rows, describe(where), chance, effective, draw.density, order.obeyed)


def _holds(factor: Factor, x: Any, allowed: Mapping[int, Allowed]) -> Bools:
    """Which rows of the learner's own data satisfy the condition: decoded, and read back as cells."""
    cells = factor.learned.cells(factor.learned.decode(x, factor.view))
    good = np.ones(len(cells), bool)
    for j, rule in allowed.items():
        good &= rule.holds(cells.codes[:, j], cells.positions[:, j])
    return good


def _take(x: Any, good: Bools) -> Any:
    if isinstance(x, Cells):
        return x.take(np.flatnonzero(good))
    import torch

    return x.take(torch.from_numpy(np.flatnonzero(good)))


def _stack(parts: list[Any]) -> Any:
    if isinstance(parts[0], Cells):
        return Cells.stack(parts)
    import torch

    from anew.core.batch import Encoded

    return Encoded(torch.cat([part.x for part in parts]), torch.cat([part.present for part in parts]))


def exact_values(codec: Table, frame: pl.DataFrame, where: Where) -> pl.DataFrame:
    """A continuous column that was asked to equal one value has exactly that value, without a rounding error."""
    for name, rules in where.items():
        value = codec.exact(name, rules)
        if value is not None:
            frame = frame.with_columns(pl.lit(value).cast(frame[name].dtype).alias(name))
    return frame


def cannot(factor: Factor, verb: str) -> CapabilityError:
    """The error for a verb that a factor's objective does not have, with those that do."""
    able = [name for name in OBJECTIVES if verb in capabilities(OBJECTIVES[name])]
    said = {"log_prob": "score rows (log_prob)"}.get(verb, verb)
    return CapabilityError(f"{factor.plan.objective} cannot {said}", do=f"Objectives that can: {', '.join(able)}")
