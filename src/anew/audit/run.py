"""`audit`: puts every measure to the evidence and binds the findings into a report."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from anew.audit.baselines import make_baselines, with_own
from anew.audit.conditions import meets
from anew.audit.evidence import Evidence, Scored
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.pictures import Pictures
from anew.audit.report import Asked, Report
from anew.audit.saliency import Reading
from anew.audit.statistics import Estimate
from anew.core.columns import Floats
from anew.core.errors import AnewWarning
from anew.core.registry import Registry
from anew.core.schema import Schema

MEASURES: Registry[Measure] = Registry("anew.audit.measures", Measure)  # type: ignore[type-abstract]
WORKERS = 4
FEW = 100  # rows of a baseline below which it says nothing
Progress = Callable[[str, float], None]


def audit(
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    schema: Schema,
    *,
    target: str | None = None,
    seed: int = 0,
    log_prob: Callable[[pl.DataFrame], Floats] | None = None,
    where: Any = None,
    cost: Mapping[str, float] | None = None,
    baselines: Mapping[str, pl.DataFrame] | None = None,
    predictions: Mapping[str, Scored] | None = None,
    reading: Reading | None = None,
    given: Collection[str] = (),
    facts: Mapping[str, Any] | None = None,
    measures: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Every measure (or those named) on rows learned from, rows held out and synthetic rows.

    `baselines` are samples by name; bootstrap and marginals are made when absent. `progress(question, share done)` is
    called after each measure. With `where`, the real rows are those that meet it. `given` are columns that the
    synthetic rows were told, such as captions: they are not judged as texts. The same arguments give the same report,
    but for its seconds.
    """
    rows = min(len(synthetic), max(len(train), 1000))
    samples = with_own(make_baselines(train, schema, rows, seed), baselines or {})
    learned, natural = train, 1.0
    if where:
        train, holdout, samples, natural = _under(where, train, holdout, samples, schema)
    evidence = Evidence(
        train,
        holdout,
        synthetic,
        schema,
        target,
        seed,
        samples,
        where,
        natural,
        cost,
        log_prob,
        predictions,
        learned,
        reading,
        frozenset(given),
    )
    chosen = [MEASURES[name]() for name in (measures if measures is not None else MEASURES.names)]
    chosen.sort(key=lambda measure: (measure.order, measure.name))
    looked = _look_at_all(chosen, evidence, progress)
    findings = tuple(finding for found, _ in looked for finding in found)
    seconds = {measure.name: spent for measure, (_, spent) in zip(chosen, looked, strict=True)}
    start = perf_counter()
    pictures = Pictures.of(evidence)
    seconds["pictures"] = perf_counter() - start
    if progress:
        progress("Writing the report", 1.0)
    asked = tuple(Asked(m.name, m.question, m.chapter) for m in chosen)
    return Report(findings, asked, tuple(schema.fields), _facts(evidence, facts, seconds), pictures)


def _under(
    where: Any, train: pl.DataFrame, holdout: pl.DataFrame, baselines: Mapping[str, pl.DataFrame], schema: Schema
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, pl.DataFrame], float]:
    """The real rows and the baselines' rows that meet a condition: what a conditional sample is to be like.

    Also the share of training rows that do. Where nobody does, the rows stay as they are: only the condition itself
    can then be judged fairly, and the report says how rare it is.
    """
    met = meets(train, where), meets(holdout, where)
    if not (met[0].any() and met[1].any()):
        return train, holdout, dict(baselines), float(met[0].mean())
    samples = {name: frame.filter(meets(frame, where)) for name, frame in baselines.items()}
    few = make_baselines(train.filter(met[0]), schema, 1000, 0)  # for a baseline of which no row is left
    kept = {
        name: frame if len(frame) >= FEW else few["bootstrap" if name == "bootstrap" else "marginals"]
        for name, frame in samples.items()
    }
    return train.filter(met[0]), holdout.filter(met[1]), kept, float(met[0].mean())


def _look_at_all(
    measures: Sequence[Measure], evidence: Evidence, progress: Progress | None
) -> list[tuple[list[Finding], float]]:
    """Findings and seconds of each measure, in order. Measures run side by side, each on one core.

    On a busy machine the threads of one matrix product or one tree wait for each other: measured, 86 s instead of 6.
    """
    from anew.audit.forests import one_thread

    evidence.matrix("train")  # what all of them need first
    if any(measure.reads for measure in measures):
        for album in evidence.albums:
            album.train()

    def one(measure: Measure) -> tuple[list[Finding], float]:
        start = perf_counter()
        with one_thread():  # the limit of OpenMP belongs to a thread
            return look(measure, evidence), perf_counter() - start

    workers = min(os.cpu_count() or 1, WORKERS)
    # The longest first, so that none is left alone at the end.
    longest = sorted(range(len(measures)), key=lambda i: -measures[i].weight)
    with one_thread(), ThreadPoolExecutor(workers) as pool:
        started = {pool.submit(one, measures[i]): i for i in longest}
        for done, future in enumerate(as_completed(started), 1):
            if progress:
                progress(measures[started[future]].question, done / len(measures))
        return [future.result() for future in sorted(started, key=lambda future: started[future])]


def look(measure: Measure, evidence: Evidence) -> list[Finding]:
    """The findings of one measure; one that fails says so, and the others still stand."""
    if not any(field.kind in measure.kinds for field in evidence.schema):
        return []
    if len(evidence.holdout) < measure.needs:
        few = f"Only {len(evidence.holdout)} rows were held out, and this needs {measure.needs}: too few rows to tell."
        return [_unanswered(measure, few)]
    try:
        with np.errstate(all="ignore"):
            return measure.measure(evidence)
    except (ArithmeticError, LookupError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        warnings.warn(f"The measure {measure.name!r} failed and is left out: {error}", AnewWarning, stacklevel=2)
        return [_unanswered(measure, f"This could not be measured: {error}")]


def _unanswered(measure: Measure, words: str) -> Finding:
    return finding(measure.name, "not measured", Estimate.exactly(float("nan")), words)


def _facts(evidence: Evidence, given: Mapping[str, Any] | None, seconds: Mapping[str, float]) -> dict[str, Any]:
    """What the page says about the run: the numbers of rows, then whatever the caller knows."""
    own: dict[str, Any] = {
        "training rows": len(evidence.train),
        "held-out rows": len(evidence.holdout),
        "synthetic rows": len(evidence.synthetic),
        "columns": len(evidence.schema),
        "target": evidence.target,
        "seed": evidence.seed,
    }
    if evidence.where:
        own["real rows that meet the condition"] = f"{100 * evidence.natural:.2f} %"
    return {**own, **(given or {}), "audit seconds": {name: round(value, 2) for name, value in seconds.items()}}
