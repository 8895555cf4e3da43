"""The verbs on data: look, fit, load. What a model can do is in model.py."""

from __future__ import annotations

import datetime as dt
import platform
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from anew import __version__, store
from anew.card import write_card
from anew.core.errors import AnewWarning, UsageError
from anew.core.release import Release, exact
from anew.core.schema import Schema
from anew.data.captions import captioned
from anew.data.dataset import Dataset
from anew.data.describe import describe
from anew.data.notes import to_keep
from anew.data.obeying import Share, shares, with_combinations
from anew.data.origin import Origin
from anew.data.unified import Asked
from anew.fitting import Fitted, Tell, fit_plan, quiet, threads
from anew.model import Model
from anew.plan import Plan, make_plan, names_of

# ---------------------------------------------------------------- look


@dataclass(frozen=True)
class Look:
    """Every decision about every column, and the schema that a person can edit."""

    rows: list[dict[str, Any]]
    notes: tuple[str, ...]
    schema: Schema
    count: int
    rules: tuple[Share, ...] = ()

    def text(self) -> str:
        head = f"{self.count:,} rows, {len(self.rows)} columns"
        wide = max(len(row["column"]) for row in self.rows)
        lines = [
            f"  {row['column']:<{wide}}  {row['kind']:<10}  {row['missing']:>6.1%} missing  {row['why']}"
            for row in self.rows
        ]
        rules = [f"  {rule.rule}: holds in {_percent(rule)} of the rows" for rule in self.rules]
        told = ["rules:", *rules] if rules else []
        return "\n".join([head, *lines, *told, *[f"note: {note}" for note in self.notes]])

    __str__ = text


def look(
    data: object, schema: Schema | str | Path | None = None, *, size: Asked = None, skip_bad: bool = False
) -> Look:
    """Reads the data and decides, without learning anything; `size` and `skip_bad` as in `fit`."""
    dataset = Dataset.open(data, schema, size=size, skip_bad=skip_bad)
    held = tuple(shares(dataset.schema.rules, dataset.schema, dataset.frame))
    return Look([asdict(row) for row in describe(dataset)], dataset.notes, dataset.schema, dataset.rows, held)


def _percent(share: Share) -> str:
    """A share that is not whole never looks as if it were."""
    return "100 %" if share.kept == share.rows else f"{min(100 * share.value, 99.99):.4g} %"


# ---------------------------------------------------------------- fit and load


def fit(
    data: object,
    *,
    learn: str | Sequence[str] | None = None,
    given: str | Sequence[str] | None = None,
    predict: str | None = None,
    predictors: str | Sequence[str] | None = None,
    objective: str | None = None,
    network: str | None = None,
    time: float | str | None = None,
    seed: int = 0,
    schema: Schema | str | Path | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    device: str | None = None,
    progress: Tell | None = None,
    dry_run: bool = False,
    size: Asked = None,
    skip_bad: bool = False,
    **options: Any,
) -> Model:
    """Learns p(learn | given) from data: a path, or a frame of pandas, polars, pyarrow, a dict of arrays.

    `predict` adds the discriminative side for that column, by `predictors`: networks (`["linear", "boosted", "mlp"]`),
    objectives (`"hinge"`) or both (`"hinge:kernel"`). `time` (seconds, or "60s", "10m") is the one dial. With `out` the
    model is saved there, an interrupted training resumes, and a finished one is loaded; `fresh` starts over. `dry_run`
    gives a model that has a plan and nothing else. `size` is that of pictures: (height, width), or the pixels of the
    long side at most (64 if left out); `skip_bad` leaves out rows whose picture cannot be read, and tells which. Other
    options are those of the objective; with `base`, a Hugging Face directory on the disk, texts start from that model,
    and `lora=True` (or a rank) learns low-rank changes of it alone.
    """
    release = exact()
    opened = Dataset.open(data, schema, target=predict, seed=seed, size=size, skip_bad=skip_bad)
    dataset = _under_rules(opened, release)
    dataset = captioned(dataset, names_of(dataset.schema, given))
    plan = make_plan(
        dataset,
        learn=learn,
        given=given,
        predict=predict,
        predictors=predictors,
        objective=objective,
        network=network,
        time=time,
        seed=seed,
        options=options,
    )
    kept = (
        dataset.schema.select({*(n for f in plan.create for n in (*f.learn, *f.given)), *_made(dataset, learn)})
        if plan.create and (learn or given)
        else dataset.schema
    )
    if left := [rule.text for rule in dataset.schema.rules if rule not in kept.rules]:
        warnings.warn(AnewWarning(f"Rules about columns that are not learned are left out: {left}"), stacklevel=2)
    if dry_run:
        return Model(None, kept, plan, dataset.origin, {}, "")
    if out is None:
        part = _part(dataset, kept)
        return _model(fit_plan(part, plan, tell=progress or quiet, device=device, release=release), kept, dataset)
    folder = Path(out)
    with store.lock(folder):
        return _fit_into(folder, _part(dataset, kept), kept, plan, fresh, progress or quiet, device, release)


def _under_rules(dataset: Dataset, release: Release) -> Dataset:
    """Rules that cannot be meant stop here; those that the data break are told; combinations get their lists."""
    schema = with_combinations(dataset.schema, dataset.frame, release)
    for share in shares(schema.rules, schema, dataset.frame):
        if share.kept < share.rows:
            warnings.warn(
                AnewWarning(
                    f"{share.rows - share.kept:,} of {share.rows:,} rows break the rule {share.rule!r}; what the model "
                    "creates obeys it all the same"
                ),
                stacklevel=4,
            )
    return replace(dataset, schema=schema)


def _made(dataset: Dataset, learn: str | Sequence[str] | None) -> tuple[str, ...]:
    """Identifiers, constants and empty columns stay in the model unless the learned columns were named."""
    return () if learn else tuple(f.name for f in dataset.schema if f.kind in ("identifier", "constant", "empty"))


def _part(dataset: Dataset, schema: Schema) -> Dataset:
    return Dataset(
        dataset.frame.select(schema.names), schema, dataset.origin, dataset.rows, dataset.notes, dataset.source
    )


def _fit_into(
    folder: Path,
    dataset: Dataset,
    schema: Schema,
    plan: Plan,
    fresh: bool,
    tell: Tell,
    device: str | None,
    release: Release,
) -> Model:
    store.check_place(folder)
    found = (folder / "config.json").exists()
    if found and not fresh:
        model = load(folder)
        if not _same(model, plan, dataset):
            raise UsageError(
                f"{str(folder)!r} holds another model",
                found=str(model.plan).splitlines()[0],
                do="Start over with --fresh (fresh=True), or name another folder with -o",
            )
        warnings.warn(
            AnewWarning(f"{str(folder)!r} already holds this model; nothing to do (--fresh starts over)"), stacklevel=3
        )
        model.origin = dataset.origin
        return model
    if fresh:
        import shutil

        shutil.rmtree(folder / store.CHECKPOINT, ignore_errors=True)
    fitted = fit_plan(dataset, plan, out=folder, tell=tell, device=device, release=release)
    model = _model(fitted, schema, dataset)
    tell("Saving the model", 1.0)
    model.save(folder)
    return model


def _same(model: Model, plan: Plan, dataset: Dataset) -> bool:
    """Whether a finished model is what the plan asks for; steps and the ranking of predictors come from fitting."""

    def asked(p: Plan) -> Any:
        return (
            p.rows,
            p.seed,
            p.time,
            p.target,
            [f.asked() for f in p.create],
            sorted(str(f.asked()) for f in p.predict),
        )

    return (
        asked(model.plan) == asked(plan)
        and model.provenance.get("source") == _source(dataset)
        and model.schema == dataset.schema
    )


def _source(dataset: Dataset) -> dict[str, Any] | None:
    return None if dataset.source is None else asdict(dataset.source)


def _model(fitted: Fitted, schema: Schema, dataset: Dataset) -> Model:
    source = _source(dataset)
    provenance = {
        "anew": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "data": Path(source["path"]).name if source else "a table in memory",
        "source": source,
        "rows": dataset.rows,
        "fitted_on": len(dataset.frame),
        "notes": list(to_keep(dataset.notes)),
        "training": fitted.notes,
        "cost": fitted.cost,
        "released": [asdict(entry) for entry in fitted.release.record],
    }
    card = write_card(fitted, schema, provenance, to_keep(dataset.notes))
    return Model(fitted.joint, schema, fitted.plan, dataset.origin, provenance, card)


def load(path: str | Path) -> Model:
    """A saved model, in any process. Nothing is unpickled."""
    joint, schema, plan, provenance, card = store.load(Path(path), threads())
    return Model(joint, schema, plan, Origin.usual(), provenance, card)


__all__ = ["Look", "Model", "fit", "load", "look"]
