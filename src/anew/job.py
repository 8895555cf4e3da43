"""The main job, `anew run`: look, hold out, learn, create, audit, report; one folder with all of it."""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anew import store
from anew.api import Model, fit
from anew.core.errors import CapabilityError, DataError
from anew.core.learner import Samples
from anew.core.schema import MADE, SCALAR, Schema
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.data.examples import DEFAULT, example
from anew.data.formats.frames import write
from anew.data.notes import to_keep
from anew.data.unified import Asked
from anew.fitting import Tell, quiet
from anew.model import MOST_PICTURES
from anew.plan import CLASSES, OBJECTIVES

if TYPE_CHECKING:
    from anew.audit.report import Report

HOLDOUT = 0.2
FEWEST = 10  # rows from which some can be held out
MOST_HELD = 20_000
MOST_MADE = 100_000
MOST_TEXTS = 200  # they are written token after token
TARGETS = (
    "target",
    "label",
    "class",
    "outcome",
    "y",
    "diagnosis",
    "disease",
    "income",
    "default",
    "churn",
    "status",
    "survived",
    "death",
    "price",
    "progression",
)


@dataclass(frozen=True)
class Run:
    """What a run left in its folder."""

    folder: Path
    model: Model
    synthetic: Path
    report: Report | None
    held_out: int
    seconds: float

    def __str__(self) -> str:
        if self.report is None:
            return str(self.model.plan)
        return "\n".join(
            [
                str(self.model.plan),
                "",
                f"{self.report.verdict}",
                "",
                f"  {self.synthetic}   the synthetic rows",
                f"  {self.folder / 'report.html'}   the evidence, to open in a browser",
                f"  {self.folder / 'model'}   the model, for `anew sample`",
                f"  {self.held_out:,} rows were held out before learning; {self.seconds:.0f} s in all",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        report = self.report
        return {
            "folder": str(self.folder),
            "synthetic": str(self.synthetic),
            "plan": self.model.plan.to_dict(),
            "held_out": self.held_out,
            "passed": report.passed if report else None,
            "verdict": report.verdict if report else None,
            "seconds": self.seconds,
        }


def run(
    data: object = None,
    *,
    out: str | Path | None = None,
    learn: str | Sequence[str] | None = None,
    given: str | Sequence[str] | None = None,
    predict: str | None = None,
    predictors: str | Sequence[str] | None = None,
    objective: str | None = None,
    network: str | None = None,
    time: float | str | None = None,
    seed: int = 0,
    schema: Schema | str | Path | None = None,
    fresh: bool = False,
    device: str | None = None,
    progress: Tell | None = None,
    dry_run: bool = False,
    rows: int | None = None,
    size: Asked = None,
    skip_bad: bool = False,
    **options: Any,
) -> Run:
    """Look, hold out rows, learn, create, audit and report; without data, on an example that comes with scikit-learn.

    `size` and `skip_bad` are about pictures, as in `fit`.
    Everything lands in the folder `out` (the data's name with `-anew` by default): the synthetic rows in the data's
    format, `model/`, `report.html` and `report.json`.
    """
    began, tell = clock.monotonic(), progress or quiet
    _creates(objective)
    tell("Reading the data", 0.0)
    name, suffix = _name(data)
    dataset = Dataset.open(
        example(DEFAULT) if data is None else data, schema, target=predict, seed=seed, size=size, skip_bad=skip_bad
    )
    suffix = "" if any(field.kind == "image" for field in dataset.schema) else suffix  # a folder
    target, why = (predict, "") if predict else guess_target(dataset)
    target = target if predict or (objective is None and learn is None) else None
    folder = Path(out) if out is not None else Path(f"{name}-anew")
    learned, held = hold_out(dataset, target, seed)
    settings: dict[str, Any] = {
        "learn": learn,
        "given": given,
        "predict": target,
        "predictors": predictors,
        "objective": objective,
        "network": network,
        "time": time,
        "seed": seed,
        "device": device,
        **options,
    }
    if dry_run:
        return Run(folder, fit(learned, dry_run=True, **settings), folder, None, len(held), 0.0)
    _make(folder)
    model = fit(learned, out=folder / "model", fresh=fresh, progress=progress, **settings)
    (folder / "schema.json").write_text(dataset.schema.to_json(), encoding="utf-8")
    tell("Creating rows", 0.5)
    made = model.alike(learned.frame, rows or _rows_made(dataset, model), seed=seed)
    synthetic = folder / f"synthetic{suffix}"
    write(made, synthetic, model.schema)
    report = model.audit(learned.frame, held, made, seed=seed, progress=progress, facts=_facts(dataset, why, model))
    _write_report(folder, report)
    return Run(folder, model, synthetic, report, len(held), clock.monotonic() - began)


def _creates(objective: str | None) -> None:
    if objective is None or issubclass(OBJECTIVES[objective], Samples):
        return
    raise CapabilityError(
        f"A run creates rows, and {objective} creates none",
        do=f"Use `anew fit --objective {objective}`, or let it predict beside a generator: --predictors {objective}",
    )


def _name(data: object) -> tuple[str, str]:
    """The name of the folder and the ending of the synthetic file."""
    if data is None:
        return DEFAULT, ".csv"
    if not isinstance(data, str | Path):
        return "table", ".csv"
    path = Path(str(data).split("::")[0])
    suffix = "".join(path.suffixes[-2:]) if path.suffix in (".gz", ".zst") else path.suffix
    known = {
        ".txt",
        ".csv",
        ".tsv",
        ".parquet",
        ".jsonl",
        ".ndjson",
        ".feather",
        ".arrow",
        ".xlsx",
        ".csv.gz",
        ".csv.zst",
    }
    return path.name.split(".")[0] or "table", suffix if suffix in known else ".csv"


def _make(folder: Path) -> None:
    with store.guarded(f"the folder {str(folder)!r}"):
        folder.mkdir(parents=True, exist_ok=True)


def guess_target(dataset: Dataset) -> tuple[str | None, str]:
    """The column that looks like what one would predict: by its name, else the last column if it holds classes."""
    usable = [field for field in dataset.schema if field.kind in SCALAR and field.kind not in MADE]
    for field in usable:
        if field.name.lower() in TARGETS and dataset.frame[field.name].drop_nulls().n_unique() > 1:
            return field.name, f"{field.name!r} is taken as the column to predict, because of its name"
    if len(usable) > 1 and 2 <= dataset.frame[usable[-1].name].drop_nulls().n_unique() <= CLASSES:
        return usable[-1].name, f"{usable[-1].name!r} is taken as the column to predict: the last, with few values"
    return None, "no column looks like one to predict; name one with --predict"


def hold_out(dataset: Dataset, target: str | None, seed: int) -> tuple[Dataset, pl.DataFrame]:
    """A fifth of the rows kept aside, the classes of the target in proportion; the rest to learn from."""
    n = len(dataset.frame)
    together = any(field.continues for field in dataset.schema)
    if n < FEWEST:
        raise DataError(
            f"A run holds out a fifth of the rows for the audit and needs at least {FEWEST} rows",
            found=f"{n} row{'s' * (n != 1)}",
            do="Bring more rows, or use `anew fit`, which needs 3",
        )
    order = stream("held out", seed).permutation(n)
    if target is not None and dataset.frame[target].n_unique() <= n // 5:
        classes = dataset.frame[target].rank("dense").fill_null(0).to_numpy()[order]
        order = order[np.argsort(classes, kind="stable")]
    step = max(round(1 / HOLDOUT), -(-n // MOST_HELD))
    held = np.zeros(n, bool)
    held[order[step // 2 :: step]] = True
    if together:  # passages of one text: the last part of it
        held = np.arange(n) >= n - held.sum()
    learned = Dataset(
        dataset.frame.filter(~pl.Series(held)),
        dataset.schema,
        dataset.origin,
        int((~held).sum()),
        dataset.notes,
        dataset.source,
    )
    return learned, dataset.frame.filter(pl.Series(held))


def _rows_made(dataset: Dataset, model: Model) -> int:
    """As many rows as there are real ones, or of pictures a few thousand, of texts a few hundred."""
    pictures = any(field.kind == "image" for field in dataset.schema)
    texts = any(field.kind == "text" and field.name in model.schema for field in dataset.schema)
    return min(dataset.rows, MOST_TEXTS if texts else MOST_PICTURES if pictures else MOST_MADE)


def _facts(dataset: Dataset, why: str, model: Model) -> dict[str, Any]:
    decided = [why, *to_keep(dataset.notes), *model.plan.notes, *model.provenance.get("training", [])]
    return {"rows in the data": dataset.rows, "decided": [line for line in decided if line]}


def _write_report(folder: Path, report: Report) -> None:
    with store.guarded(f"the report in {str(folder)!r}"):
        store.write_bytes(folder / "report.html", report.to_html().encode())
        store.write_bytes(folder / "report.json", report.to_json().encode())


__all__ = ["Run", "guess_target", "hold_out", "run"]
