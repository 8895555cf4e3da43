"""`audit`: puts every measure to the evidence and binds the findings into a report."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

from anew.audit.evidence import Evidence, Scored, make_baselines
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.pictures import Pictures
from anew.audit.report import Asked, Report
from anew.audit.statistics import Estimate
from anew.core.columns import Floats
from anew.core.errors import AnewWarning
from anew.core.registry import Registry
from anew.core.schema import Schema

MEASURES: Registry[Measure] = Registry("anew.audit.measures", Measure)  # type: ignore[type-abstract]
Progress = Callable[[str, float], None]


def audit(train: pl.DataFrame, holdout: pl.DataFrame, synthetic: pl.DataFrame, schema: Schema, *,
          target: str | None = None, seed: int = 0, log_prob: Callable[[pl.DataFrame], Floats] | None = None,
          where: Mapping[str, Any] | Callable[[pl.DataFrame], Any] | None = None,
          cost: Mapping[str, float] | None = None, baselines: Mapping[str, pl.DataFrame] | None = None,
          predictions: Mapping[str, Scored] | None = None, facts: Mapping[str, Any] | None = None,
          measures: Sequence[str] | None = None, progress: Progress | None = None) -> Report:
    """Every measure (or those named) on rows learned from, rows held out and synthetic rows.

    `baselines` are samples by name; bootstrap and marginals are made when absent. `progress(question, share done)` is
    called before each measure. The same arguments give the same report, but for its seconds.
    """
    trivial = make_baselines(train, min(len(synthetic), max(len(train), 1000)), seed)
    evidence = Evidence(train, holdout, synthetic, schema, target, seed, {**trivial, **(baselines or {})}, where, cost,
                        log_prob, predictions)
    chosen = [MEASURES[name]() for name in (measures if measures is not None else MEASURES.names)]
    chosen.sort(key=lambda measure: (measure.order, measure.name))
    findings: list[Finding] = []
    seconds: dict[str, float] = {}
    for i, measure in enumerate(chosen):
        if progress:
            progress(measure.question, i / len(chosen))
        start = perf_counter()
        findings += look(measure, evidence)
        seconds[measure.name] = perf_counter() - start
    start = perf_counter()
    pictures = Pictures.of(evidence)
    seconds["pictures"] = perf_counter() - start
    if progress:
        progress("Writing the report", 1.0)
    asked = tuple(Asked(m.name, m.question, m.chapter) for m in chosen)
    return Report(tuple(findings), asked, tuple(schema.fields),
                  _facts(evidence, facts, seconds), pictures)


def look(measure: Measure, evidence: Evidence) -> list[Finding]:
    """The findings of one measure; one that fails says so, and the others still stand."""
    if not any(field.kind in measure.kinds for field in evidence.schema):
        return []
    if len(evidence.holdout) < measure.needs:
        return [_unanswered(measure, f"Only {len(evidence.holdout)} rows were held out, and this needs {measure.needs}: "
                                     f"too few rows to tell.")]
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
    own = {"training rows": len(evidence.train), "held-out rows": len(evidence.holdout),
           "synthetic rows": len(evidence.synthetic), "columns": len(evidence.schema), "target": evidence.target,
           "seed": evidence.seed}
    return {**own, **(given or {}), "audit seconds": {name: round(value, 2) for name, value in seconds.items()}}
