"""The laws of discriminative objectives, with every network that serves them, solved or trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anew.codecs.table import Table
from anew.core.columns import Floats
from anew.core.learner import Learner, Predicts, Scores, Solved, Trained
from anew.core.network import NETWORKS
from anew.core.release import exact
from anew.factor import Factor
from anew.plan import FactorPlan
from anew.record import Record
from anew.store import factor_of
from anew.testing.examples import example_table

if TYPE_CHECKING:
    from anew.core.batch import Batch

STEPS = 150
SMALL = {"width": 32, "depth": 1}


def check_discriminative(kind: type[Learner], rows: int = 500) -> None:
    """All laws of an objective that predicts and does not create, with each network that serves it."""
    table, frame = example_table(rows)
    name = kind.__name__
    serving = [network for network in NETWORKS if kind.serves(NETWORKS[network])]
    assert serving, f"{name}: no network serves it"
    assert set(kind.networks) <= set(serving), f"{name}: a network it names does not serve it"
    for network in serving:
        variant = kind.variant(network)
        assert issubclass(variant, Predicts), f"{name} with {network} does not predict"
        assert issubclass(variant, Scores), f"{name} with {network} does not score"
        target = "weight" if variant.ordered else "smoker"
        plan = _plan(name, network, target, table, variant)
        factor = fit_factor(variant, plan, table, frame)
        check_answers(factor, frame)
        check_nothing_is_peeked_at(factor, frame)
        check_restored(factor, _unfitted(variant, plan, table, seed=99), frame)
        if isinstance(factor.learner, Trained):
            from anew.testing.losses import check_loss

            check_loss(factor.learner, _batch(factor, frame[:64]))


def _plan(name: str, network: str, target: str, table: Table, variant: type[Learner]) -> FactorPlan:
    given = tuple(field.name for field in table.learned if field.name != target)
    options = {key: value for key, value in SMALL.items() if key in variant.settings()}
    return FactorPlan(learn=(target,), given=given, objective=name, network=network, options=options)


def fit_factor(variant: type[Learner], plan: FactorPlan, table: Table, frame: pl.DataFrame, seed: int = 0) -> Factor:
    """A factor fitted on the example, by a short training or a computation."""
    factor = _unfitted(variant, plan, table, seed)
    if isinstance(factor.learner, Solved):
        factor.learner.solve(factor.cells(frame), exact())
    else:
        losses = list(_train(factor, frame))
        assert np.mean(losses[-20:]) < np.mean(losses[:10]), "training does not lower the loss"
    return factor


def _unfitted(variant: type[Learner], plan: FactorPlan, table: Table, seed: int) -> Factor:
    record = Record(table.schema)
    record.table = table
    return factor_of(variant, plan, record, table.best_view(variant.reads), seed=seed, threads=1)


def _batch(factor: Factor, frame: pl.DataFrame) -> Batch:
    from anew.core.batch import Batch

    return Batch(factor.learned.encode(frame, factor.view), given={"table": factor.encode_given(frame)})


def _train(factor: Factor, frame: pl.DataFrame) -> Iterator[float]:
    from anew.fitting import InMemory
    from anew.train import Schedule, train

    assert isinstance(factor.learner, Trained)
    source = InMemory(_batch(factor, frame), "cpu")
    for event in train(factor.learner, source, Schedule(STEPS, batch=128, validate_every=50)):
        yield sum(event.losses.values())


def check_answers(factor: Factor, frame: pl.DataFrame) -> None:
    """Probabilities are probabilities, better than a constant, and what log_prob says; values explain the target."""
    learner: Any = factor.learner
    answer: Floats = learner.predict(factor.encode_given(frame))
    nats: Floats = learner.log_prob(factor.learned.encode(frame, factor.view), factor.encode_given(frame))
    cells = factor.learned.encode(frame, "Columns")
    codes, known = cells.codes[:, 0], cells.codes[:, 0] >= 0
    assert np.isfinite(answer).all(), "predictions are finite"
    assert nats.shape == (len(frame),), "log_prob is one number a row"
    assert (nats[~known] == -np.inf).all(), "an answer that is missing has probability zero"
    if learner.ordered:
        values = factor.learned.grids[factor.learned.learned[0].name].decode(codes, cells.positions[:, 0])[known]
        assert answer.shape == (len(frame),), "predictions are one value a row"
        assert np.mean((values - answer[known]) ** 2) < np.var(values), "the mean of the target does better"
        near = np.abs(values - answer[known]) < np.median(np.abs(values - answer[known]))
        assert nats[known][near].mean() > nats[known][~near].mean(), "what lies near the prediction is less likely"
        return
    assert answer.shape[0] == len(frame), "predictions are one a row"
    assert np.allclose(answer.sum(1), 1), "probabilities add to one"
    assert (answer >= 0).all(), "no probability is negative"
    said = np.log(answer[np.flatnonzero(known), codes[known]])
    assert np.allclose(nats[known], said, atol=1e-4), "log_prob is another than that of the prediction"
    share = np.bincount(codes[known]) / known.sum()
    assert said.mean() > np.log(share[codes[known]]).mean(), "the shares of the classes do better"


def check_nothing_is_peeked_at(factor: Factor, frame: pl.DataFrame) -> None:
    """A row is predicted from what is given in it alone, not from other rows; no row is fine."""
    learner: Any = factor.learner
    whole: Floats = learner.predict(factor.encode_given(frame))
    some: Floats = learner.predict(factor.encode_given(frame[3:9]))
    assert np.allclose(whole[3:9], some, atol=1e-5), "other rows changed a prediction"
    assert len(learner.predict(factor.encode_given(frame[:0]))) == 0, "no rows are no predictions"
    shuffled = frame.with_columns([frame[name].reverse() for name in factor.plan.given])
    assert not np.allclose(whole, learner.predict(factor.encode_given(shuffled)), atol=1e-5), "what is given is ignored"


def check_restored(factor: Factor, other: Factor, frame: pl.DataFrame) -> None:
    """A learner restored from its state answers the same, and the state holds no array as long as the data."""
    learner: Any = factor.learner
    config, arrays = learner.state()
    assert not any(len(frame) in np.asarray(a).shape for a in arrays.values()), "a state holds rows"
    twin: Any = other.learner
    twin.restore(config, arrays)
    given, learned = factor.encode_given(frame), factor.learned.encode(frame, factor.view)
    assert np.array_equal(learner.predict(given), twin.predict(given)), "a restored learner answers differently"
    assert np.array_equal(learner.log_prob(learned, given), twin.log_prob(learned, given)), "... and scores differently"
