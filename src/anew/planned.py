"""What a plan is: for every factor of a model what is learned given what, by what, for how long (`plan.py` decides)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from anew.core.learner import Learner, Predicts
from anew.core.registry import Registry

OBJECTIVES: Registry[Learner] = Registry("anew.objectives", Learner)  # type: ignore[type-abstract]


class FactorPlan(BaseModel):
    """One factor p(learn | given): its objective, its network, its options and, when it is trained, its steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learn: tuple[str, ...]
    given: tuple[str, ...] = ()
    objective: str
    network: str | None = None
    options: dict[str, Any] = {}
    steps: int | None = None
    seconds: float | None = None
    front: FactorPlan | None = None  # what compresses the data first, so that this learns codes

    @property
    def method(self) -> str:
        """The name of a predictor among others: objective:network."""
        return f"{self.objective}:{self.network}"

    @property
    def names(self) -> tuple[str, ...]:
        """The objective's name and its aliases."""
        return (self.objective, *OBJECTIVES[self.objective].aliases)

    @property
    def classifies(self) -> bool:
        """Whether it predicts a class: the probability of each; otherwise a number."""
        kind = OBJECTIVES[self.objective]
        return issubclass(kind, Predicts) and not kind.ordered

    def __str__(self) -> str:
        learn = _few(self.learn)
        given = f" | {_few(self.given)}" if self.given else ""
        return f"p({learn}{given}) by {self.how}"

    @property
    def how(self) -> str:
        """The objective, the network, the steps and the options."""
        with_ = f" with {self.network}" if self.network else ""
        steps = f", {self.steps:,} steps (about {self.seconds:.0f} s)" if self.steps and self.seconds else ""
        chosen = "".join(f", {key}={value}" for key, value in self.options.items() if not isinstance(value, dict))
        return f"{self.objective}{with_}{steps}{chosen}"

    def asked(self) -> dict[str, Any]:
        """What was asked for, without what fitting fills in."""
        spent = {"steps", "seconds"}
        return self.model_dump(mode="json", exclude={**dict.fromkeys(spent, True), "front": spent})


class Plan(BaseModel):
    """`create` holds the generative factors in order, `predict` the discriminative ones for `target`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    seed: int = 0
    time: float | None = None
    create: tuple[FactorPlan, ...] = ()
    predict: tuple[FactorPlan, ...] = ()
    target: str | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"Plan for {self.rows:,} rows, seed {self.seed}:"]
        for factor in self.create:
            if factor.front:
                lines.append(f"  compress {_few(factor.learn)} by {factor.front.how}{_share(factor.front)}")
            lines.append(f"  create   {factor}{_share(factor) if factor.front else ''}")
        lines += [f"  predict  {factor}" for factor in self.predict]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def _share(plan: FactorPlan) -> str:
    """What one of two fits takes of the time, where its steps are not known yet."""
    return f", about {plan.seconds:.0f} s" if plan.seconds and not plan.steps else ""


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]}, ... {len(names)} columns"
