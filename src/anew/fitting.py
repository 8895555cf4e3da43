"""From a plan and data to fitted factors: codecs first, then each factor solved or trained, then the predictors."""

from __future__ import annotations

import copy
import dataclasses
import os
import resource
import time as clock
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.core.columns import Cells, Floats
from anew.core.errors import AnewWarning, Interrupted
from anew.core.learner import Counted, Learner, Solved, Trained
from anew.core.release import Release, exact
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.factor import Factor
from anew.joint import Joint
from anew.plan import OBJECTIVES, SAFETY, FactorPlan, Plan
from anew.record import Record
from anew.rulebook import Rulebook
from anew.starting import adopted
from anew.store import beside_of, make_factor, view_of

if TYPE_CHECKING:
    from anew.core.batch import Batch
    from anew.train import Schedule, State
    from anew.windows import Windows

Rows = npt.NDArray[np.intp]
Tell = Callable[[str, float], None]  # what is being done, and the share that is done
CHECKPOINT_EVERY = 5.0  # seconds
FEWEST_STEPS = 500  # that a learner with a limit of passes may make
TRIAL = 12  # steps that tell what a step costs
VALIDATION = 0.2  # the share of rows on which predictors are ranked
ENOUGH = 50  # rows from which that ranking means something


@dataclass
class Fitted:
    """What a fit leaves: the joint, the plan with its steps, what was released, and what it cost."""

    joint: Joint
    plan: Plan
    release: Release
    cost: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def threads() -> int:
    return len(os.sched_getaffinity(0))


def quiet(what: str, share: float) -> None:
    """Tells nobody."""


def fit_plan(
    dataset: Dataset,
    plan: Plan,
    *,
    out: Path | None = None,
    tell: Tell = quiet,
    device: str | None = None,
    release: Release | None = None,
) -> Fitted:
    """Fits every factor of the plan; trained ones resume from `out` when it holds their checkpoint."""
    release, began = release or exact(), (clock.monotonic(), _cpu())
    schema = dataset.schema
    tell("Reading the columns", 0.0)
    record = Record(schema)
    adopted(plan.create, record.parts)
    record.fit(dataset.frame, release)
    _fit_columns(record, plan, dataset.frame, release)
    Rulebook(record.table)  # rules that no row can obey stop here, before anything is learned
    joint = Joint(record, [], [], threads())
    fitted = Fitted(joint, plan, release)
    done = []
    for index, factor_plan in enumerate(plan.create):
        tell(f"Learning by {factor_plan.objective}", 0.1)
        factor, factor_plan = _factor(dataset.frame, factor_plan, record, plan, index, fitted, out, tell, device)
        joint.factors.append(factor)
        done.append(factor_plan)
    ranked = _predictors(dataset.frame, plan, record, fitted, out, tell, device)
    fitted.plan = plan.model_copy(update={"create": tuple(done), "predict": tuple(f.plan for f in ranked)})
    joint.predictors.extend(ranked)
    fitted.cost |= {
        "seconds": clock.monotonic() - began[0],
        "cpu_seconds": _cpu() - began[1],
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0,
    }
    return fitted


def _fit_columns(record: Record, plan: Plan, frame: pl.DataFrame, release: Release) -> None:
    """What only some networks read is made first: of pictures and texts columns, of texts their words in order."""
    views = {(n, v): part for f in (*plan.create, *plan.predict) for n, (part, v) in beside_of(f, record).items()}
    for (_, view), part in views.items():
        part.prepare(view, frame, release)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _factor(
    frame: pl.DataFrame,
    plan: FactorPlan,
    record: Record,
    whole: Plan,
    index: int | str,
    fitted: Fitted,
    out: Path | None,
    tell: Tell,
    device: str | None,
) -> tuple[Factor, FactorPlan]:
    front = None
    if plan.front:
        tell(f"Learning to compress by {plan.front.objective}", 0.0)
        first, done = _factor(frame, plan.front, record, whole, f"{index}.front", fitted, out, tell, device)
        front, plan = first.learner, plan.model_copy(update={"front": done})
    factor = _unfitted(plan, record, whole, front)
    if isinstance(factor.learner, Solved):
        factor.learner.solve(factor.cells(frame), fitted.release)
        return factor, plan
    if not isinstance(factor.learner, Trained):
        assert isinstance(factor.learner, Counted)
        factor.learner.count(factor.encode(frame), fitted.release)
        return factor, plan
    return _train(factor, factor.learner, frame, whole, index, fitted, out, tell, device)


def _unfitted(plan: FactorPlan, record: Record, whole: Plan, front: Learner | None = None) -> Factor:
    view = view_of(OBJECTIVES[plan.objective].variant(plan.network), plan, record, front)
    return make_factor(plan, record, view, seed=whole.seed, threads=threads(), front=front)


# ---------------------------------------------------------------- trained factors


def _train(
    factor: Factor,
    learner: Trained,
    frame: pl.DataFrame,
    whole: Plan,
    index: int | str,
    fitted: Fitted,
    out: Path | None,
    tell: Tell,
    device: str | None,
) -> tuple[Factor, FactorPlan]:
    from anew.checkpoint import Checkpoint, tag_of
    from anew.train import Schedule, device_of

    place = device_of(device)
    source = _source(factor, learner, frame, place)
    learner.begin()
    learner.module.to(place)
    checkpoint = Checkpoint(out, index, tag_of(factor.plan, whole.seed, frame)) if out else None
    found = checkpoint.read() if checkpoint else None
    state, plan = found or (None, _with_steps(factor, learner, source, whole, tell))
    limit = SAFETY * (plan.seconds or learner.usual_seconds) + 30.0
    schedule = Schedule(
        plan.steps or 1,
        batch=source.batch(learner.batch),
        cool_down=learner.cool_down,
        validate_every=learner.validate_every,
        held=learner.held,
        patience=learner.patience,
        seed=whole.seed,
        limit=limit,
    )
    if found:
        fitted.notes.append(f"resumed {plan.objective} at step {state.step:,} of {plan.steps:,}" if state else "")
    if isinstance(learner, Counted) and not isinstance(source, InMemory):
        source.split(schedule)
        learner.count(source.rest, fitted.release)
    _run(learner, source, schedule, state, plan, checkpoint, fitted, tell)
    learner.finish()
    learner.module.to("cpu")
    fitted.release.note("network weights", "all columns", sum(v.size for v in learner.state()[1].values()))
    fitted.release.note("held-out losses", "all columns", schedule.steps // schedule.validate_every + 1)
    return dataclasses.replace(factor, plan=plan), plan


def _run(
    learner: Trained,
    source: AnySource,
    schedule: Schedule,
    state: State | None,
    plan: FactorPlan,
    checkpoint: Any,
    fitted: Fitted,
    tell: Tell,
) -> None:
    """Consumes the events of the loop: tells, writes checkpoints, notes why it stopped."""
    from anew.train import train

    saved, event = clock.monotonic(), None
    try:
        for event in train(learner, source, schedule, state):
            tell(
                f"Training {plan.objective}, step {event.step:,}, {source.said(event.losses)}", event.step / event.steps
            )
            if checkpoint and (clock.monotonic() - saved > CHECKPOINT_EVERY or event.step == 1):
                checkpoint.write(event.state, plan)
                saved = clock.monotonic()
    except KeyboardInterrupt:
        kept = checkpoint is not None and checkpoint.path.exists()
        where = "the checkpoint is kept and the same command resumes" if kept else "nothing was kept"
        raise Interrupted(
            f"The training was interrupted at step {event.step if event else 0:,} of {schedule.steps:,}; {where}"
        ) from None
    if event is not None:
        fitted.notes.append(f"{plan.objective}: {event.stopped} (step {event.step:,} of {event.steps:,})")
        fitted.notes.extend(source.judged(event.state.best_loss))
        if "clock" in str(event.stopped):
            warnings.warn(
                AnewWarning(f"{plan.objective}: {event.stopped}; the model depends on this machine's speed"),
                stacklevel=2,
            )
        fitted.cost["flops"] = fitted.cost.get("flops", 0.0) + _flops(learner, source, schedule) * event.step


def _with_steps(factor: Factor, learner: Trained, source: AnySource, whole: Plan, tell: Tell) -> FactorPlan:
    """The plan with its time turned into steps, by the cost of some steps of a twin that is thrown away."""
    from anew.train import Schedule, seconds_a_step

    if factor.plan.steps:
        return factor.plan
    tell("Timing a training step", 0.0)
    batch = source.batch(learner.batch)
    twin = copy.deepcopy(learner)
    cost = seconds_a_step(twin, source, Schedule(TRIAL, batch=batch, validate_every=TRIAL + 1, seed=whole.seed))
    seconds = factor.plan.seconds or learner.usual_seconds
    enough = max(learner.passes / (source.share * batch), FEWEST_STEPS)
    steps = max(int(min(seconds / cost, enough)), 20)
    return factor.plan.model_copy(update={"steps": steps, "seconds": seconds})


AnySource = Union["InMemory", "Windows"]


def _source(factor: Factor, learner: Trained, frame: pl.DataFrame, device: str) -> AnySource:
    """Rows in memory; of sequences, windows: of one stream, or beside what they are given."""
    from anew.core.batch import Batch
    from anew.core.sequences import Sequences, Told
    from anew.windows import Documents, Stream

    given = factor.encode_given(frame)
    parts = {} if given is None else given if isinstance(given, dict) else dict.fromkeys(_names(factor), given)
    x, space = factor.encode(frame), learner.space
    if not isinstance(space, Sequences):
        return InMemory(Batch(x, given=parts), device)
    texts = frame[factor.plan.learn[0]].cast(pl.String)
    size = (float(texts.str.len_bytes().sum()), float(texts.str.len_chars().sum()))
    if not parts:
        return Stream(x, space, learner.window, device, size)
    told = {name for name, part in learner.given.items() if isinstance(part, Told)}
    return Documents(x, space, learner.window, parts, device, size, told)


def _names(factor: Factor) -> list[str]:
    """The parts of what a trained factor is given."""
    assert isinstance(factor.learner, Trained)
    return list(factor.learner.given)


class InMemory:
    """A source whose rows are tensors in memory; batches go to the device."""

    def __init__(self, batch: Batch, device: str) -> None:
        self.data = batch
        self.device = device

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: Any) -> Batch:
        taken = self.data.take(rows)
        return taken if self.device == "cpu" else taken.to(self.device)

    def batch(self, usual: int) -> int:
        return usual

    @property
    def share(self) -> float:
        """Of all rows that one is."""
        return 1 / max(len(self.data), 1)

    def said(self, losses: Mapping[str, float]) -> str:
        return "loss " + " ".join(f"{name} {value:.3f}" for name, value in losses.items())

    def judged(self, loss: float) -> list[str]:
        """What is worth keeping of the held-out loss."""
        return []


def _flops(learner: Trained, source: AnySource, schedule: Schedule) -> float:
    """Operations of one step, counted by torch over one batch (forward and backward)."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    rows = torch.arange(min(schedule.batch, len(source)))
    with FlopCounterMode(display=False) as counter:
        for phase in learner.phases():
            phase.loss(source.take(rows), torch.Generator().manual_seed(0)).mean().backward()  # type: ignore[no-untyped-call]
    learner.module.zero_grad(set_to_none=True)
    return float(counter.get_total_flops())


# ---------------------------------------------------------------- predictors


def _predictors(
    frame: pl.DataFrame, plan: Plan, record: Record, fitted: Fitted, out: Path | None, tell: Tell, device: str | None
) -> list[Factor]:
    """Each predicting factor fitted, the best on held-out rows first.

    What is solved is fitted again on all rows after the ranking; what is trained holds rows out in any case, to know
    when to stop, so it is trained once, without the rows of the ranking.
    """
    learn, held = _ranking_rows(len(frame), plan)
    factors, losses = [], []
    for index, factor_plan in enumerate(plan.predict, len(plan.create)):
        tell(f"Learning to predict with {factor_plan.network}", 0.8)
        trained = issubclass(OBJECTIVES[factor_plan.objective].variant(factor_plan.network), Trained)
        seen = frame[np.setdiff1d(np.arange(len(frame)), held)] if trained else frame
        factor, _ = _factor(seen, factor_plan, record, plan, index, fitted, out, tell, device)
        if len(held):
            trial = factor if trained else _trial(factor_plan, frame[learn], record, plan)
            losses.append(np.inf if trial is None else _held_out_loss(trial, frame[held]))
            fitted.notes.append(
                f"held-out loss of {factor.plan.objective} with {factor.plan.network}: {losses[-1]:.4g}"
            )
        factors.append(factor)
    if not losses:
        return factors
    fitted.release.note("held-out losses", plan.target or "", len(losses))
    return [factors[i] for i in np.argsort(losses, kind="stable")]


def _ranking_rows(n: int, plan: Plan) -> tuple[Rows, Rows]:
    """Rows to learn from and rows to rank by; none of either when there is nothing to rank, or too little."""
    if len(plan.predict) < 2 or n < ENOUGH:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    order = stream("ranking", plan.seed).permutation(n)[:20_000]
    held = max(int(len(order) * VALIDATION), 10)
    return order[held:], order[:held]


def _trial(factor_plan: FactorPlan, learn: pl.DataFrame, record: Record, plan: Plan) -> Factor | None:
    """A solved predictor fitted on the rows to learn from; None when a class is too rare to be among them."""
    trial = _unfitted(factor_plan, record, plan)
    assert isinstance(trial.learner, Solved)
    try:
        trial.learner.solve(trial.cells(learn), exact())
    except ValueError:
        return None
    return trial


def _held_out_loss(factor: Factor, held: pl.DataFrame) -> float:
    learner: Any = factor.learner
    return loss_of(learner.predict(factor.encode_given(held)), factor.learned.cells(held), factor)


def loss_of(answer: Floats, cells: Cells, factor: Factor) -> float:
    """Mean cross-entropy in nats of classes, or the share of the variance left of numbers."""
    codes = cells.codes[:, -1]
    if answer.ndim == 2:
        known = codes >= 0
        chance = answer[np.flatnonzero(known), codes[known]]
        return float(-np.log(np.maximum(chance, 1e-6)).mean())
    values = factor.learned.space("Columns").grids[-1].decode(codes, cells.positions[:, -1])
    known = ~np.isnan(values)
    return float(np.mean((values[known] - answer[known]) ** 2) / max(float(np.var(values[known])), 1e-300))
