"""What will be learned, by what, for how long: decided once from the fields, the rows and the time, then stored.

The one dial is time. It is turned into a number of steps before training starts, so the seed and the stored plan fix
the model; the clock is only a safety stop. Every value can be overridden.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from anew.core.errors import DataError, UsageError, did_you_mean
from anew.core.learner import Learner, Predicts, Samples, Trained, capabilities
from anew.core.registry import Registry
from anew.core.schema import MADE, Schema
from anew.data.dataset import Dataset

OBJECTIVES: Registry[Learner] = Registry("anew.objectives", Learner)  # type: ignore[type-abstract]
DEFAULT_TIME = 60.0  # seconds for a trained objective when no time is given
FEWEST_ROWS = 3
CLASSES = 10  # whole numbers of at most so many different values are predicted as classes
SAFETY = 3.0  # the clock stops a training that takes so many times longer than planned

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


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

    def __str__(self) -> str:
        learn = _few(self.learn)
        given = f" | {_few(self.given)}" if self.given else ""
        with_ = f" with {self.network}" if self.network else ""
        steps = f", {self.steps:,} steps (about {self.seconds:.0f} s)" if self.steps and self.seconds else ""
        chosen = "".join(f", {key}={value}" for key, value in self.options.items())
        return f"p({learn}{given}) by {self.objective}{with_}{steps}{chosen}"


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
        lines += [f"  create   {factor}" for factor in self.create]
        lines += [f"  predict  {factor}" for factor in self.predict]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]}, {names[1]}, ... {len(names)} columns"


def make_plan(
    dataset: Dataset,
    *,
    learn: str | Sequence[str] | None = None,
    given: str | Sequence[str] | None = None,
    predict: str | None = None,
    objective: str | None = None,
    network: str | None = None,
    time: float | str | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan for a data set; every choice that is not made by the caller is made here, with its reason."""
    schema, n = dataset.schema, len(dataset.frame)
    _enough_rows(n)
    givens = names_of(schema, given)
    wanted = names_of(schema, learn) or tuple(name for name in schema.names if name not in givens)
    fields = tuple(name for name in wanted if schema[name].kind not in MADE)
    features = tuple(name for name in givens if schema[name].kind not in MADE)
    _check(schema, wanted, fields, predict, givens)
    crowded = f"more columns ({len(fields)}) than rows ({n}): dependences are hardly learnable"
    seconds = seconds_of(time)
    plan = Plan(rows=dataset.rows, seed=seed, time=seconds, notes=(crowded,) if len(fields) > n else ())
    factor = _factor(n, _last(fields, predict), features, objective, network, seconds, options or {})
    if not issubclass(OBJECTIVES[factor.objective], Samples):
        return plan.model_copy(update={"predict": (_discriminative(factor, schema),), "target": fields[0]})
    predictors = _predictors(dataset, predict, (*features, *fields)) if predict else ()
    return plan.model_copy(update={"create": (factor,), "predict": predictors, "target": predict})


def _enough_rows(n: int) -> None:
    if n < FEWEST_ROWS:
        raise DataError(
            f"A distribution cannot be learned from fewer than {FEWEST_ROWS} rows",
            found=f"{n} row{'s' * (n != 1)}",
            do="Bring more rows",
        )


def _factor(
    n: int,
    learn: tuple[str, ...],
    given: tuple[str, ...],
    objective: str | None,
    network: str | None,
    seconds: float | None,
    options: Mapping[str, Any],
) -> FactorPlan:
    """The factor of an objective, sized for the rows, the columns and the time."""
    name = OBJECTIVES.canonical(objective) if objective else "chain"
    kind = OBJECTIVES[name]
    _check_options(kind, name, options)
    cpu = None if seconds is None else seconds * len(os.sched_getaffinity(0))
    return FactorPlan(
        learn=learn,
        given=given,
        objective=name,
        options={**kind.sized(n, len(learn) + len(given), cpu), **options},
        network=network or (kind.networks[0] if issubclass(kind, Trained) else None),
        seconds=_seconds(kind, seconds),
    )


def _discriminative(factor: FactorPlan, schema: Schema) -> FactorPlan:
    """A factor that only predicts: one column given all others, or given those that were named."""
    kind = OBJECTIVES[factor.objective]
    if not issubclass(kind, Predicts):
        raise UsageError(f"{factor.objective} can neither create nor predict", found=capabilities(kind))
    if len(factor.learn) != 1:
        raise UsageError(
            f"{factor.objective} learns one column given others",
            found=list(factor.learn),
            do="Name the column with learn= (and what it is predicted from with given=)",
        )
    rest = tuple(field.name for field in schema if field.name not in factor.learn and field.kind not in MADE)
    network = factor.network or "linear"
    return factor.model_copy(update={"given": factor.given or rest, "network": network, "seconds": None})


def names_of(schema: Schema, names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Columns as a user names them: a list, one name, or `a,b`."""
    if names is None:
        return ()
    listed = (
        [part.strip() for part in names.split(",")]
        if isinstance(names, str) and names not in schema
        else ([names] if isinstance(names, str) else list(names))
    )
    for name in listed:
        if name not in schema:
            raise UsageError(f"No column is named {name!r}", do=did_you_mean(name, schema.names))
    return tuple(listed)


def _check(
    schema: Schema, wanted: tuple[str, ...], fields: tuple[str, ...], predict: str | None, givens: tuple[str, ...]
) -> None:
    both = sorted(set(wanted) & set(givens))
    if both:
        raise UsageError("A column is either learned or given", found=both)
    if not fields:
        kinds = {name: schema[name].kind for name in wanted}
        raise DataError(
            "No column has anything to learn",
            found=kinds,
            do="Identifiers, constants and empty columns are made, not learned; change a kind in the "
            "schema file if one is wrong",
        )
    if predict is None:
        return
    if predict not in schema:
        raise UsageError(f"No column is named {predict!r} to predict", do=did_you_mean(predict, schema.names))
    kind = schema[predict].kind
    if kind == "constant":
        raise DataError(f"The target {predict!r} has one class: every row has the same value", do="Predict another")
    if kind in MADE:
        raise DataError(f"The target {predict!r} is {kind}: there is nothing to predict", do="Predict another column")
    if predict not in fields:
        raise UsageError(f"The target {predict!r} must be among the learned columns", found=list(fields))


def _check_options(kind: type[Learner], name: str, options: Mapping[str, Any]) -> None:
    known = kind.settings()
    for option, value in options.items():
        if option not in known:
            raise UsageError(f"{name} has no option {option!r}", do=did_you_mean(option, known) or "It has none")
        if not isinstance(value, int if known[option] is int else (int, float)) or isinstance(value, bool) or value < 0:
            raise UsageError(f"The option {option!r} of {name} is a positive {known[option].__name__}", found=value)


def _last(fields: tuple[str, ...], target: str | None) -> tuple[str, ...]:
    """The target last, so that the chain holds p(target | rest) as its last conditional."""
    return tuple(f for f in fields if f != target) + ((target,) if target in fields else ())


def _seconds(kind: type[Learner], seconds: float | None) -> float | None:
    return (seconds or DEFAULT_TIME) if issubclass(kind, Trained) else seconds


def is_class(dataset: Dataset, target: str) -> bool:
    """Whether a column is predicted as a class: categories, booleans, and whole numbers of few different values."""
    field = dataset.schema[target]
    if not field.ordered:
        return True
    return field.kind == "integer" and dataset.frame[target].drop_nulls().n_unique() <= CLASSES


def _predictors(dataset: Dataset, target: str, fields: tuple[str, ...]) -> tuple[FactorPlan, ...]:
    """The traditional side: a linear model and boosted trees, from all other columns."""
    inputs = tuple(name for name in fields if name != target)
    if not inputs:
        raise DataError(f"There is no column to predict {target!r} from", do="Bring more columns, or leave out predict")
    objective = "cross_entropy" if is_class(dataset, target) else "squared_error"
    return tuple(
        FactorPlan(learn=(target,), given=inputs, objective=objective, network=network)
        for network in ("linear", "boosted")
    )


def seconds_of(time: float | str | None) -> float | None:
    """`60`, `"60s"`, `"10m"`, `"1h"` -> seconds."""
    if time is None:
        return None
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(s|m|min|h|)\s*", str(time))
    if match is None or float(match[1]) <= 0:
        raise UsageError("A time is a positive number of seconds, or like 60s, 10m, 1h", found=time)
    return float(match[1]) * _UNITS[match[2]]
