"""What an audit needs of a fitted model: new rows, baselines fitted on the same rows, predictions both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anew.core.columns import Floats
from anew.core.errors import AnewError
from anew.core.schema import Schema
from anew.core.seeds import stream
from anew.core.where import Where
from anew.deciding import explaining, explains_words, words_that_decided
from anew.fitting import Tell, quiet
from anew.joint import Joint, candidate_cells
from anew.plan import FactorPlan, Plan
from anew.store import make_factor

if TYPE_CHECKING:
    from anew.audit.report import Report
    from anew.audit.saliency import Reading

BASELINE_ROWS = 20_000  # of a baseline's sample, and of the rows it is fitted on
JOINT_ROWS = 2_000  # held-out rows for which the joint is asked for its posterior


def examine(
    joint: Joint,
    schema: Schema,
    plan: Plan,
    train: pl.DataFrame,
    holdout: pl.DataFrame,
    synthetic: pl.DataFrame,
    *,
    where: Where | None = None,
    seed: int = 0,
    tell: Tell = quiet,
    measures: Sequence[str] | None = None,
    facts: Mapping[str, Any] | None = None,
    cost: Mapping[str, float] | None = None,
) -> Report:
    """The report on synthetic rows of a model, beside its baselines and its predictions."""
    from anew.audit.run import audit

    tell("Fitting the baselines", 0.0)
    baselines = {
        name: baseline(name, joint, train, min(len(synthetic), BASELINE_ROWS), seed)
        for name in (("marginals", "copula") if joint.codec.learned else ())  # of pictures the audit makes its own
    }
    return audit(
        train,
        holdout,
        synthetic,
        schema,
        target=plan.target,
        seed=seed,
        cost=cost,
        facts=facts,
        baselines=baselines,
        log_prob=joint.log_prob if joint.scores() else None,
        where=where or None,
        predictions=predictions(joint, plan, holdout, seed),
        reading=reading(joint, plan),
        given=joint.given,
        measures=measures,
        progress=tell,
    )


def baseline(name: str, joint: Joint, train: pl.DataFrame, n: int, seed: int) -> pl.DataFrame:
    """n rows of a baseline objective fitted on `train`, over the model's own cells."""
    from anew.core.release import exact

    codec = joint.codec
    rows = train.sample(min(len(train), BASELINE_ROWS), seed=seed)
    plan = FactorPlan(learn=tuple(field.name for field in codec.learned), objective=name)
    factor = make_factor(plan, joint.record, "Columns", seed=seed, threads=joint.threads)
    learner: Any = factor.learner
    learner.solve(factor.cells(rows), exact())
    drawn = factor.learned.decode(learner.sample(n, np.random.default_rng(seed)), "Columns")
    return codec.made(drawn, 0, seed)


# ---------------------------------------------------------------- predicting directly and from the joint


def reading(joint: Joint, plan: Plan) -> Reading | None:
    """How the best classifier of the model reads the target off a row, with the labels in words."""
    from anew.audit.saliency import Reading

    if plan.target is None or not joint.predictors or not joint.predictors[0].plan.classifies:
        return None
    cells = np.arange(joint.codec.grids[plan.target].size, dtype=np.int32)
    labels = joint.codec.decode_column(joint.codec.schema[plan.target], cells, np.asarray(cells + 0.5, np.float64))
    words = labels.cast(pl.String).fill_null("unknown").to_list()
    if not explains_words(joint):
        return Reading(lambda frame: joint.predict(frame, None), words)
    method = explaining(joint, None).plan.method
    return Reading(lambda frame: joint.predict(frame, method), words, lambda f: words_that_decided(joint, f, method))


def predictions(joint: Joint, plan: Plan, holdout: pl.DataFrame, seed: int) -> dict[str, tuple[float, float, float]]:
    """Score and 95 % interval on held-out rows of each predictor, and of Bayes' rule on the joint."""
    if plan.target is None or not joint.predictors:
        return {}
    target = plan.target
    known = holdout.filter(pl.col(target).is_not_null())
    scores = {}
    for factor in joint.predictors:
        answer = joint.predict(known, factor.plan.method)
        scores[f"{factor.plan.network} ({factor.plan.objective})"] = _score(joint, target, known, answer, seed)
    if joint.scores() and target in joint.factors[-1].plan.learn and len(known):
        some = known.sample(min(len(known), JOINT_ROWS), seed=seed)
        try:
            chance = joint.posterior(some, target)
        except AnewError:
            return scores
        answer = chance if joint.predictors[0].plan.classifies else chance @ _values(joint, target)
        scores["the joint, by Bayes' rule"] = _score(joint, target, some, answer, seed)
    return scores


def _values(joint: Joint, target: str) -> Floats:
    grid = joint.codec.grids[target]
    cells = candidate_cells(grid.counts)
    return grid.decode(cells.astype(np.int32), np.asarray(cells + 0.5, np.float64))


def _score(joint: Joint, target: str, frame: pl.DataFrame, answer: Floats, seed: int) -> tuple[float, float, float]:
    """AUC of classes (mean of one against the rest) or R2 of numbers, with a bootstrap interval."""
    codes, positions = joint.codec.encode_column(joint.codec.schema[target], frame[target])
    if answer.ndim == 2:
        from anew.audit.statistics import mean_auc

        def measure(rows: np.ndarray[Any, Any]) -> float:
            return mean_auc(codes[rows], answer[rows])
    else:
        truth = joint.codec.grids[target].decode(codes, positions)

        def measure(rows: np.ndarray[Any, Any]) -> float:
            return _explained(truth[rows], answer[rows])

    return _interval(measure, len(frame), seed)


def _interval(measure: Any, n: int, seed: int, draws: int = 40) -> tuple[float, float, float]:
    """The measure on all rows, and the normal 95 % interval by the bootstrap's error."""
    from anew.audit.statistics import bootstrap_error

    value = measure(np.arange(n))
    half = 1.96 * bootstrap_error(measure, n, draws, stream("interval", seed))
    return value, value - half, value + half


def _explained(truth: Floats, answer: Floats) -> float:
    """R2: the share of the variance that is explained."""
    return float(1 - np.mean((truth - answer) ** 2) / max(float(np.var(truth)), 1e-300))
