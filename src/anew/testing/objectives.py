"""The laws of objectives: those of every learner, and those that its capabilities promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from anew.codecs.table import Table
from anew.core.columns import Cells, Floats
from anew.core.learner import Completes, Conditions, Encodes, Learner, Predicts, Samples, Scores, Solved, Trained
from anew.core.release import exact
from anew.testing.examples import example_table
from anew.testing.explaining import check_explanations
from anew.testing.filling import check_completes, check_encodes
from anew.testing.predicting import check_discriminative
from anew.testing.sequences import check_sequences


@dataclass
class Fitted:
    """A learner fitted on the example, with what is needed to ask it."""

    learner: Learner
    table: Table
    frame: pl.DataFrame
    view: str

    @property
    def data(self) -> object:
        return self.table.encode(self.frame, self.view)


def fit_example(kind: type[Learner], *, seed: int = 0, steps: int = 60, n: int = 400) -> Fitted:
    """A small fit of a generative objective."""
    table, frame = example_table(n)
    view = view_of(kind, table)
    if issubclass(kind, Trained):
        learner: Learner = make_trained(kind, table, seed)
        assert isinstance(learner, Trained)
        for _ in _train(learner, table, frame, steps, seed):
            pass
        return Fitted(learner, table, frame, view)
    learner = kind(table.space("Columns"), seed=seed)  # type: ignore[call-arg]
    assert isinstance(learner, Solved)
    learner.solve(table.encode(frame, "Columns"), exact())
    return Fitted(learner, table, frame, view)


def view_of(kind: type[Learner], table: Table) -> str:
    """The best view that the objective reads and the table has."""
    return next(view for view in kind.reads if view in table.views)


def make_trained(kind: type[Trained], table: Table, seed: int = 0, width: int = 32) -> Trained:
    """A small learner of the objective's first network, not trained."""
    return kind(table.space(view_of(kind, table)), {}, network=kind.networks[0], seed=seed, width=width, depth=2)


def _train(learner: Trained, table: Table, frame: pl.DataFrame, steps: int, seed: int) -> Iterator[float]:
    from anew.core.batch import Batch
    from anew.fitting import InMemory
    from anew.train import Schedule, train

    source = InMemory(Batch(table.encode(frame, view_of(type(learner), table))), "cpu")
    for event in train(learner, source, Schedule(steps, batch=64, validate_every=max(steps // 4, 1), seed=seed)):
        yield sum(event.losses.values())


def check_objective(kind: type[Learner]) -> None:
    """All laws that the capabilities of an objective promise."""
    if issubclass(kind, Predicts) and not issubclass(kind, Samples):
        check_discriminative(kind)
        check_explanations(kind)
        return
    if set(kind.reads) == {"Sequence"}:
        check_sequences(kind)
        return
    if not set(kind.reads) & set(Table.views):
        return  # it reads no table: `check_pictures` has its laws
    fitted = fit_example(kind, steps=160 if issubclass(kind, Completes) else 60)
    if issubclass(kind, Trained):
        check_losses(kind)
        check_training_lowers_the_loss(kind)
    if issubclass(kind, Samples):
        check_samples(fitted)
    if issubclass(kind, Scores) and issubclass(kind, Samples):
        check_scores(fitted)
    if issubclass(kind, Conditions):
        check_conditions(fitted)
    if issubclass(kind, Completes):
        check_completes(fitted.learner, fitted.table, fitted.frame, fitted.view)
    if issubclass(kind, Encodes):
        check_encodes(fitted.learner, fitted.table, fitted.frame, fitted.view)
    if issubclass(kind, Predicts):
        check_predicts(fitted)
    if not kind.keeps_rows:
        check_state(fitted, kind)


def check_losses(kind: type[Trained]) -> None:
    """The laws of a loss, on the example."""
    from anew.core.batch import Batch
    from anew.testing.losses import check_loss

    table, frame = example_table(64)
    check_loss(make_trained(kind, table), Batch(table.encode(frame, view_of(kind, table))))


def check_training_lowers_the_loss(kind: type[Trained]) -> None:
    """The mean loss of the last steps is below that of the first.

    With several players one's gain is another's loss, so that together they need not fall: then each phase in turn must
    lower its own loss while the others stand still.
    """
    table, frame = example_table()
    learner = make_trained(kind, table, width=64)
    together = len(learner.phases()) == 1
    runs = [list(_train(learner, table, frame, 150, 0))] if together else _each_alone(learner, table, frame)
    for losses in runs:
        assert np.mean(losses[-20:]) < np.mean(losses[:10]), "training does not lower the loss"


def _each_alone(learner: Trained, table: Table, frame: pl.DataFrame) -> list[list[float]]:
    """The losses of each phase while it alone learns, one after the other."""
    import torch

    from anew.core.batch import Batch

    data = Batch(table.encode(frame, view_of(type(learner), table)))
    runs: list[list[float]] = []
    for phase in learner.phases():
        optimiser, generator = phase.optimiser(phase.parameters), torch.Generator().manual_seed(0)
        runs.append([])
        for _ in range(60):
            optimiser.zero_grad()
            loss = phase.loss(data.take(torch.randint(len(data), (64,), generator=generator)), generator).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            runs[-1].append(float(loss.detach()))
    return runs


def check_samples(fitted: Fitted) -> None:
    """Samples are data; the same seed repeats and another differs."""
    learner = fitted.learner
    assert isinstance(learner, Samples)
    draw = [fitted.table.decode(learner.sample(200, np.random.default_rng(seed)), fitted.view) for seed in (3, 3, 4)]
    assert draw[0].equals(draw[1]), "the same seed gives the same rows"
    assert not draw[0].equals(draw[2]), "another seed gives other rows"
    for field in fitted.table.learned:
        column, real = draw[0][field.name], fitted.frame[field.name]
        assert column.dtype == real.dtype, f"{field.name!r} has another type"
        if field.ordered:
            inside = column.is_between(real.min(), real.max()).fill_null(True).all()
            assert inside, f"{field.name!r} leaves the range of the data"
        else:
            assert set(column.drop_nulls()) <= set(real.drop_nulls()), f"{field.name!r} has levels that are not data"
        assert column.null_count() == 0 or real.null_count() > 0, f"{field.name!r} is missing where data never is"


def check_scores(fitted: Fitted) -> None:
    """Finite on training rows, and the true rows are likelier than rows whose columns were shuffled apart."""
    learner = fitted.learner
    assert isinstance(learner, Scores)
    real = _nats(fitted, fitted.frame)
    assert real.shape == (len(fitted.frame),), "log_prob is one number a row"
    assert np.isfinite(real).all(), "log_prob of training rows is finite"
    apart = pl.DataFrame([column.shuffle(seed=i) for i, column in enumerate(fitted.frame)])
    finite: Floats = np.maximum(_nats(fitted, apart), -1e3)
    assert real.mean() >= finite.mean() - 1e-6, "real rows are not likelier than shuffled ones"


def _nats(fitted: Fitted, frame: pl.DataFrame) -> Floats:
    """log p of rows: the learner's, and that of the values given the data of its view."""
    cells, learner = fitted.table.cells(frame), fitted.learner
    assert isinstance(learner, Scores)
    nats: Floats = learner.log_prob(fitted.table.view_of(cells, fitted.view))
    return nats + fitted.table.log_base(cells, fitted.view)


def check_conditions(fitted: Fitted) -> None:
    """What is asked for holds in every row, and the reported probability is that of free draws."""
    from anew.core.where import where_of

    learner = fitted.learner
    assert isinstance(learner, Conditions)
    where = fitted.table.allow(where_of({"sex": "F", "age": (55, None), "ward": ["a", None]}))
    drawn = learner.sample_where(300, fitted.table.rules(where, fitted.view), np.random.default_rng(0))
    rows = fitted.table.cells_of(drawn.x, fitted.view)
    assert len(rows) == 300, "sampling returns n rows"
    for j, rule in where.items():
        assert rule.holds(rows.codes[:, j], rows.positions[:, j]).all(), "a row breaks the condition"
    free = fitted.table.cells_of(_sampler(fitted).sample(20_000, np.random.default_rng(1)), fitted.view)
    share = np.mean(np.logical_and.reduce([r.holds(free.codes[:, j], free.positions[:, j]) for j, r in where.items()]))
    assert abs(drawn.probability - share) < 0.25 * share + 0.01, (
        f"the probability of the condition is {drawn.probability:.4f}, of free draws {share:.4f}"
    )


def _sampler(fitted: Fitted) -> Samples[object]:
    assert isinstance(fitted.learner, Samples)
    return fitted.learner


def check_predicts(fitted: Fitted) -> None:
    """Classes get probabilities, numbers get values, and both do better on the rows than a constant."""
    learner = fitted.learner
    assert isinstance(learner, Predicts)
    cells: Cells = fitted.table.encode(fitted.frame, "Columns")
    answer: Floats = learner.predict(cells.columns(slice(0, cells.width - 1)))
    assert len(answer) == len(cells), "predictions are one a row"
    assert np.isfinite(answer).all(), "predictions are finite"
    if answer.ndim == 2:
        assert np.allclose(answer.sum(1), 1), "probabilities add to one"
        assert (answer >= 0).all(), "no probability is negative"


def check_state(fitted: Fitted, kind: type[Learner]) -> None:
    """A learner restored from its state answers the same; the state holds no array as long as the data and as wide."""
    config, arrays = fitted.learner.state()
    n, d = fitted.frame.shape
    assert not any(a.shape[:2] in {(n, d), (d, n)} for a in map(np.asarray, arrays.values())), "a state holds rows"
    if isinstance(fitted.learner, Trained):
        twin: Learner = make_trained(type(fitted.learner), fitted.table, seed=99)
    else:
        assert isinstance(fitted.learner, Solved)
        twin = kind(fitted.learner.space, seed=99)  # type: ignore[call-arg]
    twin.restore(config, arrays)
    for a, b in zip(_answers(fitted.learner, fitted), _answers(twin, fitted), strict=True):
        assert np.array_equal(a, b, equal_nan=True), "a restored learner answers differently"


def _answers(learner: Learner, fitted: Fitted) -> list[Floats]:
    answers = []
    if isinstance(learner, Samples):
        frame = fitted.table.decode(learner.sample(50, np.random.default_rng(5)), fitted.view)
        answers.append(fitted.table.encode(frame, "Columns").positions)
    if isinstance(learner, Predicts):
        cells: Cells = fitted.table.encode(fitted.frame, "Columns")
        answers.append(learner.predict(cells.columns(slice(0, cells.width - 1))))
    return answers
