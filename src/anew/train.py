"""The only training loop: an iterator of events over a learner's phases.

Every random choice of step s depends on (seed, s) alone, so a run that resumes from a checkpoint is the run that was
never stopped. Weights are averaged along the way with the power profile of Karras et al. (2024, arXiv 2312.02696,
eq. 122): w_t <- b_t w_t-1 + (1 - b_t) w with b_t = (1 - 1/t)^(gamma + 1); what is validated and kept is the average.
"""

from __future__ import annotations

import time as clock
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from anew.core.allocating import keep_freed_memory
from anew.core.batch import Batch
from anew.core.errors import ResourceError
from anew.core.halves import halves
from anew.core.learner import Phase, Trained

GAMMA = 6.94  # the average reaches back over about a tenth of the run
WARM_UP = 100  # steps from zero to the full learning rate


class Source(Protocol):
    """Rows to train on."""

    def __len__(self) -> int: ...

    def take(self, rows: Tensor) -> Batch: ...


class Divided(ABC):
    """A source that knows itself which of its rows may be held out: neighbours may share what they hold."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, rows: Tensor) -> Batch: ...

    @abstractmethod
    def split(self, schedule: Schedule) -> tuple[Tensor, Tensor]:
        """Rows to validate on and rows to learn from: the same tensor twice where there are too few to divide."""


@dataclass(frozen=True)
class Schedule:
    """How long and how: fixed before the first step, and stored with the model."""

    steps: int
    batch: int = 512
    cool_down: float = 0.3  # the last share of the steps, in which the rate falls to zero
    validate_every: int = 250
    patience: int = 8  # validations without improvement
    holdout: float = 0.1
    held: int = 4096  # rows held out, at most
    seed: int = 0
    limit: float = float("inf")  # seconds; only a safety stop


@dataclass
class State:
    """All that the rest of a run depends on."""

    step: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_loss: float = float("inf")
    waited: int = 0
    optimisers: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Event:
    """A step was made. `state` is alive: a consumer that keeps it across steps must copy it (`store.checkpoint`)."""

    step: int
    steps: int
    seconds: float
    losses: dict[str, float]
    state: State
    validation: float | None = None
    stopped: str | None = None  # why, at the last event


def gradient_of(phase: Phase, batch: Batch, generator: torch.Generator) -> Tensor:
    """The plain gradient: of the (weighted) mean of the losses. Privacy injects another."""
    losses = phase.loss(batch, generator)
    weight = torch.ones_like(losses) if batch.weight is None else batch.weight
    mean = (losses * weight).sum() / weight.sum().clamp(min=1e-12)
    mean.backward()  # type: ignore[no-untyped-call]
    return mean.detach()


def train(
    learner: Trained, source: Source, schedule: Schedule, state: State | None = None, gradient: Any = gradient_of
) -> Iterator[Event]:
    """Trains `learner` in place from `state` (or from the start) and leaves the best average in it."""
    keep_freed_memory()
    phases = learner.phases()
    frozen = _frozen(learner.module, phases)
    optimisers = [phase.optimiser(phase.parameters) for phase in phases]
    rates = [[group["lr"] for group in optimiser.param_groups] for optimiser in optimisers]
    state = _resume(learner.module, frozen, optimisers, state)
    held, rows = source.split(schedule) if isinstance(source, Divided) else _split(len(source), schedule)
    device = next(learner.module.parameters()).device.type
    began = clock.monotonic()
    while state.step < schedule.steps:
        losses = {}
        learner.reach(state.step / schedule.steps)
        for index, (phase, optimiser) in enumerate(zip(phases, optimisers, strict=True)):
            first = int(phase.begins * schedule.steps)
            if state.step < first:
                continue
            _set_rate(optimiser, rates[index], state.step, first, schedule)
            generator = _generator(schedule.seed, state.step, index)
            size = max(int(phase.share * min(schedule.batch, len(rows))), 1)
            batch = source.take(rows[torch.randint(len(rows), (size,), generator=generator)])
            _only(phase, phases)
            optimiser.zero_grad(set_to_none=True)
            with halves(device, learner.halves):
                losses[phase.name] = float(gradient(phase, batch, generator))
            optimiser.step()
        state.step += 1
        _average(learner.module, frozen, state)
        validation = _validate(learner, frozen, phases, source, held, state, schedule)
        stop = _why_stop(state, schedule, clock.monotonic() - began)
        _snapshot(learner.module, frozen, optimisers, state)
        yield Event(state.step, schedule.steps, clock.monotonic() - began, losses, state, validation, stop)
        if stop:
            break
    for phase in phases:
        for parameter in phase.parameters:
            parameter.requires_grad_(True)
    _put(learner.module, frozen, state.best or state.average or state.weights)
    if held is not rows:
        learner.settle(source.take(held))


def _frozen(module: nn.Module, phases: Sequence[Phase]) -> frozenset[str]:
    """Parameters that no phase moves: of a base that is learned from by low-rank changes. No state holds them."""
    moved = {id(parameter) for phase in phases for parameter in phase.parameters}
    every = module.named_parameters(remove_duplicate=False)
    return frozenset(name for name, parameter in every if id(parameter) not in moved)


def _weights(module: nn.Module, frozen: frozenset[str]) -> dict[str, Tensor]:
    return {name: value for name, value in module.state_dict().items() if name not in frozen}


def _put(module: nn.Module, frozen: frozenset[str], weights: dict[str, Tensor]) -> None:
    module.load_state_dict(weights, strict=not frozen)


def _only(phase: Phase, phases: Sequence[Phase]) -> None:
    """A phase asks for the gradients of its own parameters alone; with one phase all are its own."""
    if len(phases) > 1:
        for other in phases:
            for parameter in other.parameters:
                parameter.requires_grad_(other is phase)


def _resume(
    module: nn.Module, frozen: frozenset[str], optimisers: Sequence[torch.optim.Optimizer], state: State | None
) -> State:
    if state is None or not state.weights:
        return State()
    _put(module, frozen, state.weights)
    device = next(module.parameters()).device
    state.average = {name: value.to(device) for name, value in state.average.items()}
    for optimiser, saved in zip(optimisers, state.optimisers, strict=True):
        optimiser.load_state_dict(saved)
    return state


def _split(n: int, schedule: Schedule) -> tuple[Tensor, Tensor]:
    """Rows to validate on and rows to learn from; tiny data validate on what they learn from."""
    order = torch.randperm(n, generator=_generator(schedule.seed, -1, 0))
    held = min(int(n * schedule.holdout), schedule.held)
    return (order[:held], order[held:]) if held >= 8 else (order, order)


def _generator(seed: int, step: int, phase: int) -> torch.Generator:
    mixed = (seed * 0x9E3779B97F4A7C15 + (step + 1) * 0xBF58476D1CE4E5B9 + phase * 0x94D049BB133111EB) % 2**63
    return torch.Generator().manual_seed(mixed)


def _set_rate(
    optimiser: torch.optim.Optimizer, rates: Sequence[float], step: int, first: int, schedule: Schedule
) -> None:
    steps = schedule.steps
    warm = min((step - first + 1) / min(WARM_UP, max((steps - first) // 10, 1)), 1.0)
    cool = min((steps - step) / max(schedule.cool_down * steps, 1), 1.0)
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate * warm * cool


@torch.no_grad()
def _average(module: nn.Module, frozen: frozenset[str], state: State) -> None:
    keep = (1 - 1 / state.step) ** (GAMMA + 1)
    weights = _weights(module, frozen)
    if not state.average:
        state.average = {name: value.detach().clone() for name, value in weights.items()}
        return
    moving = [name for name, value in weights.items() if value.is_floating_point()]
    torch._foreach_lerp_([state.average[n] for n in moving], [weights[n] for n in moving], 1 - keep)
    for name in weights.keys() - set(moving):
        state.average[name].copy_(weights[name])


@torch.no_grad()
def _validate(
    learner: Trained,
    frozen: frozenset[str],
    phases: Sequence[Phase],
    source: Source,
    held: Tensor,
    state: State,
    schedule: Schedule,
) -> float | None:
    """The held-out loss of the averaged weights, at every `validate_every` steps and at the end."""
    due = state.step % schedule.validate_every == 0 or state.step == schedule.steps
    if not learner.validates or not due:
        return None
    weights = {name: value.clone() for name, value in _weights(learner.module, frozen).items()}
    _put(learner.module, frozen, state.average)
    total = 0.0
    for part, rows in enumerate(torch.split(held, 1024)):
        batch = source.take(rows)
        total += float(phases[0].loss(batch, _generator(schedule.seed, -2, part)).sum())
    _put(learner.module, frozen, weights)
    loss = total / len(held)
    if loss < state.best_loss:
        state.best_loss, state.waited = loss, 0
        state.best = {name: value.clone() for name, value in state.average.items()}
    else:
        state.waited += 1
    return loss


def _why_stop(state: State, schedule: Schedule, seconds: float) -> str | None:
    if state.waited >= schedule.patience:
        return "the held-out loss no longer fell"
    if state.step >= schedule.steps:
        return "all steps made"
    return "the safety stop of the clock struck" if seconds > schedule.limit else None


def _snapshot(
    module: nn.Module, frozen: frozenset[str], optimisers: Sequence[torch.optim.Optimizer], state: State
) -> None:
    """References, not copies: a step costs nothing more."""
    state.weights = _weights(module, frozen)
    state.optimisers = [optimiser.state_dict() for optimiser in optimisers]


def seconds_a_step(learner: Trained, source: Source, schedule: Schedule) -> float:
    """What one step costs on this machine: the faster half of some steps on a learner that is thrown away.

    Steps in which more phases play are timed apart, and count by their share of a training.
    """
    begins = sorted({0.0, *(phase.begins for phase in learner.phases())})
    spent: list[list[float]] = [[] for _ in begins]
    before = 0.0
    for event in train(learner, source, schedule):
        if event.step > 2:
            spent[sum(event.step > int(b * schedule.steps) for b in begins) - 1].append(event.seconds - before)
        before = event.seconds
    fast = [sum(sorted(part)[: max(len(part) // 2, 1)]) / max(len(part) // 2, 1) for part in spent]
    return sum(cost * (after - b) for cost, b, after in zip(fast, begins, [*begins[1:], 1.0], strict=True))


def device_of(device: str | None) -> str:
    """The device that is asked for, or the best there is."""
    if device in (None, "auto"):
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=str(device))
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ResourceError(
            f"The device {device!r} cannot be used: {reason}", do="Use --device cpu, or leave it out"
        ) from None
    return str(device)
