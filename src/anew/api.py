"""The verbs, data in and data out: look, fit, load; and on a model sample, log_prob, predict, audit, save."""

from __future__ import annotations

import datetime as dt
import platform
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew import __version__, store
from anew.card import write_card
from anew.core.columns import OUTSIDE, Floats
from anew.core.errors import AnewWarning, CapabilityError, UsageError
from anew.core.schema import Schema
from anew.core.where import Where, where_of
from anew.data.dataset import Dataset, give_back
from anew.data.describe import describe
from anew.data.origin import Origin
from anew.fitting import Fitted, Tell, fit_plan, quiet, threads
from anew.joint import Draw, Joint, candidate_cells
from anew.plan import Plan, is_class, make_plan

if TYPE_CHECKING:
    from anew.audit.report import Report


# ---------------------------------------------------------------- look


@dataclass(frozen=True)
class Look:
    """Every decision about every column, and the schema that a person can edit."""

    rows: list[dict[str, Any]]
    notes: tuple[str, ...]
    schema: Schema
    count: int

    def text(self) -> str:
        head = f"{self.count:,} rows, {len(self.rows)} columns"
        wide = max(len(row["column"]) for row in self.rows)
        lines = [f"  {row['column']:<{wide}}  {row['kind']:<10}  {row['missing']:>6.1%} missing  {row['why']}"
                 for row in self.rows]
        return "\n".join([head, *lines, *[f"note: {note}" for note in self.notes]])

    __str__ = text


def look(data: object, schema: Schema | str | Path | None = None) -> Look:
    """Reads the data and decides, without learning anything."""
    dataset = Dataset.open(data, schema)
    return Look([asdict(row) for row in describe(dataset)], dataset.notes, dataset.schema, dataset.rows)


# ---------------------------------------------------------------- fit and load


def fit(data: object, *, learn: str | Sequence[str] | None = None, given: str | Sequence[str] | None = None,
        predict: str | None = None, objective: str | None = None, network: str | None = None,
        time: float | str | None = None, seed: int = 0, schema: Schema | str | Path | None = None,
        out: str | Path | None = None, fresh: bool = False, device: str | None = None, progress: Tell | None = None,
        dry_run: bool = False, **options: Any) -> Model:
    """Learns p(learn | given) from data: a path, or a frame of pandas, polars, pyarrow, a dict of arrays.

    `predict` adds the discriminative side for that column. `time` (seconds, or "60s", "10m") is the one dial. With
    `out` the model is saved there, an interrupted training resumes, and a finished one is loaded; `fresh` starts over.
    `dry_run` gives a model that has a plan and nothing else.
    """
    dataset = Dataset.open(data, schema, target=predict, seed=seed)
    plan = make_plan(dataset, learn=learn, given=given, predict=predict, objective=objective, network=network,
                     time=time, seed=seed, options=options)
    kept = dataset.schema.select({*(n for f in plan.create for n in (*f.learn, *f.given)), *_made(dataset, learn)}) \
        if plan.create and (learn or given) else dataset.schema
    if dry_run:
        return Model(None, kept, plan, dataset.origin, {}, "")
    if out is None:
        return _model(fit_plan(_part(dataset, kept), plan, tell=progress or quiet, device=device), kept, dataset)
    folder = Path(out)
    with store.lock(folder):
        return _fit_into(folder, _part(dataset, kept), kept, plan, fresh, progress or quiet, device)


def _made(dataset: Dataset, learn: str | Sequence[str] | None) -> tuple[str, ...]:
    """Identifiers, constants and empty columns stay in the model unless the learned columns were named."""
    return () if learn else tuple(f.name for f in dataset.schema if f.kind in ("identifier", "constant", "empty"))


def _part(dataset: Dataset, schema: Schema) -> Dataset:
    return Dataset(dataset.frame.select(schema.names), schema, dataset.origin, dataset.rows, dataset.notes,
                   dataset.source)


def _fit_into(folder: Path, dataset: Dataset, schema: Schema, plan: Plan, fresh: bool, tell: Tell,
              device: str | None) -> Model:
    store.check_place(folder)
    found = (folder / "config.json").exists()
    if found and not fresh:
        model = load(folder)
        if not _same(model, plan, dataset):
            raise UsageError(f"{str(folder)!r} holds another model", found=str(model.plan).splitlines()[0],
                             do="Start over with --fresh (fresh=True), or name another folder with -o")
        warnings.warn(AnewWarning(f"{str(folder)!r} already holds this model; nothing to do (--fresh starts over)"),
                      stacklevel=3)
        model.origin = dataset.origin
        return model
    if fresh:
        import shutil

        shutil.rmtree(folder / store.CHECKPOINT, ignore_errors=True)
    model = _model(fit_plan(dataset, plan, out=folder, tell=tell, device=device), schema, dataset)
    tell("Saving the model", 1.0)
    model.save(folder)
    return model


def _same(model: Model, plan: Plan, dataset: Dataset) -> bool:
    """Whether a finished model is what the plan asks for; steps and the ranking of predictors come from fitting."""

    def asked(p: Plan) -> Any:
        return (p.rows, p.seed, p.time, p.target, [f.model_dump(exclude={"steps", "seconds"}) for f in p.create],
                sorted(str(f) for f in p.predict))

    return asked(model.plan) == asked(plan) and model.provenance.get("source") == _source(dataset) \
        and model.schema == dataset.schema


def _source(dataset: Dataset) -> dict[str, Any] | None:
    return None if dataset.source is None else asdict(dataset.source)


def _model(fitted: Fitted, schema: Schema, dataset: Dataset) -> Model:
    source = _source(dataset)
    provenance = {
        "anew": __version__, "python": platform.python_version(), "numpy": np.__version__,
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "data": Path(source["path"]).name if source else "a table in memory", "source": source,
        "rows": dataset.rows, "fitted_on": len(dataset.frame), "notes": list(dataset.notes),
        "training": fitted.notes, "cost": fitted.cost,
        "released": [asdict(entry) for entry in fitted.release.record],
    }
    card = write_card(fitted, schema, provenance, dataset.notes)
    return Model(fitted.joint, schema, fitted.plan, dataset.origin, provenance, card)


def load(path: str | Path) -> Model:
    """A saved model, in any process. Nothing is unpickled."""
    joint, schema, plan, provenance, card = store.load(Path(path), threads())
    return Model(joint, schema, plan, Origin.usual(), provenance, card)


# ---------------------------------------------------------------- a model


@dataclass
class Model:
    """A fitted model: its verbs take and give tables of the kind that it was fitted on."""

    _joint: Joint | None
    schema: Schema
    plan: Plan
    origin: Origin
    provenance: dict[str, Any]
    card: str
    last: Draw | None = None

    @property
    def joint(self) -> Joint:
        if self._joint is None:
            raise UsageError("A dry run has a plan and no model", do="Fit without dry_run")
        return self._joint

    def save(self, path: str | Path) -> None:
        """Writes the model folder, whole or not at all."""
        store.save(Path(path), joint=self.joint, schema=self.schema, plan=self.plan, card=self.card,
                   provenance=self.provenance)

    # ------------------------------------------------------------ creating

    def sample(self, n: int | None = None, *, where: Mapping[str, object] | Iterable[str] | None = None, seed: int = 0,
               given: object = None) -> Any:
        """n new rows, as a table of the kind fitted on; `where` sets conditions on any columns.

        `where={"sex": "F", "age": (60, None), "ward": ["a", "b"]}`: a value, an interval, any of a list; or
        expressions as on the command line, `["age>=60"]`. `last` then tells the probability of the condition.
        """
        frame = pl.concat(list(self.stream(n, where=where, seed=seed, given=given)))
        return give_back(frame, self.schema, self.origin)

    def stream(self, n: int | None = None, *, where: Mapping[str, object] | Iterable[str] | None = None, seed: int = 0,
               given: object = None) -> Iterator[pl.DataFrame]:
        """The same rows as `sample`, block by block, as canonical polars frames."""
        context = None if given is None else self._givens(given)
        n = len(context) if n is None and context is not None else 1000 if n is None else n
        if n < 1:
            raise UsageError("The number of rows must be at least 1", found=n)
        if context is not None and len(context) == 1:
            context = pl.concat([context] * n)
        if context is not None and len(context) != n:
            raise UsageError("The given rows set how many rows are drawn", found=(n, len(context)), do="Leave out n")
        draws: list[Draw] = []
        for frame, draw in self.joint.blocks(n, seed=seed, where=where_of(where), given=context):
            draws.append(draw)
            yield frame
        self.last = _together(draws)
        if (self.last.effective or n) < 0.5 * n:
            warnings.warn(AnewWarning(f"The condition is so rare that the {n:,} rows are worth "
                                      f"{self.last.effective:,.0f} independent ones: some repeat each other in part"),
                          stacklevel=3)

    def _givens(self, given: object) -> pl.DataFrame:
        names = [name for factor in self.joint.factors for name in factor.plan.given]
        if not names:
            raise UsageError("The model was fitted without given columns", do="Use where= for conditions")
        return Dataset.open(given, like=self.schema.select(names)).frame

    # ------------------------------------------------------------ scoring and predicting

    def log_prob(self, data: object) -> Floats:
        """(n,) log-probability of each row in nats: mass for discrete and rounded columns, density for continuous."""
        return self.joint.log_prob(self._read(data))

    @property
    def classes(self) -> list[Any]:
        """The values of the target, in the order of the columns of `predict_proba`."""
        return list(self._labels())

    def predict(self, data: object, method: str | None = None) -> npt.NDArray[Any]:
        """(n,) the likeliest class, or the expected number, of the target.

        `method` is `linear` or `boosted` (the discriminative side; the one better on held-out rows by default), or
        `joint`: Bayes' rule on the generative model.
        """
        answer = self._answer(data, method)
        if answer.ndim == 1:
            return answer
        labels = self._labels().to_numpy()
        return np.asarray(labels[answer.argmax(1)]) if self._classifies() else answer @ labels.astype(np.float64)

    def predict_proba(self, data: object, method: str | None = None) -> Floats:
        """(n, K) probabilities of `classes`."""
        if not self._classifies():
            raise CapabilityError(f"{self._target()!r} is predicted as a number, which has no classes",
                                  do="Use predict()")
        return self._answer(data, method)

    def _answer(self, data: object, method: str | None) -> Floats:
        frame = self._read(data, lacking=self._target())
        if method != "joint":
            return self.joint.predict(frame, method)
        if self._target() not in frame.columns:
            frame = frame.with_columns(pl.lit(None).cast(pl.Null).alias(self._target()))
        return self.joint.posterior(frame, self._target())

    def _target(self) -> str:
        if self.plan.target is None:
            raise CapabilityError("This model has no target", do="Fit again with predict=COLUMN")
        return self.plan.target

    def _classifies(self) -> bool:
        objective = self.plan.predict[0].objective if self.plan.predict else ""
        return objective == "cross_entropy"

    def _labels(self) -> pl.Series:
        """The target's cells as values of its own dtype."""
        name = self._target()
        grid = self.joint.codec.grids[name]
        cells = np.arange(grid.size) if self._classifies() else candidate_cells(grid.counts)
        middle = np.asarray(cells + 0.5, np.float64)
        column = self.joint.codec.decode_column(self.schema[name], cells.astype(np.int32), middle)
        return column if not self._classifies() else pl.Series(
            give_back(column.to_frame(), self.schema.select([name]), Origin("polars"))[name])  # type: ignore[index]

    def _read(self, data: object, lacking: str | None = None) -> pl.DataFrame:
        frame = Dataset.open(data, like=_loose(self.schema), target=lacking).frame
        for field in self.schema:
            if field.name in frame.columns and field.name in self.joint.codec.levels:
                codes, _ = self.joint.codec.encode_column(field, frame[field.name])
                unseen = frame[field.name].filter(pl.Series(codes == OUTSIDE)).unique().sort()
                if len(unseen):
                    warnings.warn(AnewWarning(f"{field.name!r} has {len(unseen)} value(s) never seen in training, "
                                              f"such as {unseen[0]!r}; they are read as unknown"), stacklevel=4)
        return frame

    # ------------------------------------------------------------ evidence

    def audit(self, train: object, holdout: object, synthetic: object = None, *,
              where: Mapping[str, object] | Iterable[str] | None = None, seed: int = 0, progress: Tell | None = None,
              measures: Sequence[str] | None = None, facts: Mapping[str, Any] | None = None) -> Report:
        """Evidence on rows that this model creates (or on `synthetic`) against rows it learned from and fresh ones."""
        from anew.examine import examine

        frames = {name: Dataset.open(data, like=self.schema).frame for name, data in
                  (("train", train), ("holdout", holdout))}
        rules = where_of(where)
        new = Dataset.open(synthetic, like=self.schema).frame if synthetic is not None else pl.concat(
            list(self.stream(len(frames["train"]), where=where, seed=seed)))
        cost = self.provenance.get("cost")
        return examine(self.joint, self.schema, self.plan, frames["train"], frames["holdout"], new, where=rules,
                       seed=seed, tell=progress or quiet, measures=measures, cost=cost,
                       facts={"name": self.provenance.get("data"), "plan": str(self.plan), **(facts or {})})


def _loose(schema: Schema) -> Schema:
    """The schema to read new rows by: a column that was whole numbers in training may hold others now."""
    whole = [f.model_copy(update={"kind": "number", "dtype": "Float64"}) for f in schema if f.kind == "integer"]
    return schema.replace(*whole)


def _together(draws: list[Draw]) -> Draw:
    """The report of a whole draw from the reports of its blocks."""
    rows = sum(draw.rows for draw in draws)
    if not draws[0].condition:
        return Draw(rows)
    chance = float(np.mean([draw.probability or 0.0 for draw in draws]))
    effective = float(sum(draw.effective or 0.0 for draw in draws))
    return Draw(rows, draws[0].condition, chance, effective, draws[0].density)


__all__ = ["Look", "Model", "Where", "fit", "is_class", "load", "look"]
