"""What will be learned, by what, for how long: decided once from the fields, the rows and the time, then stored.

The one dial is time. It is turned into a number of steps before training starts, so the seed and the stored plan fix
the model; the clock is only a safety stop. Every value can be overridden.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from anew.compressing import NETWORK, OBJECTIVE, SHARE, compression, read_as
from anew.core.errors import DataError, UsageError, did_you_mean
from anew.core.learner import Learner, Predicts, Samples, Trained, capabilities
from anew.core.network import NETWORKS, Based
from anew.core.schema import MADE, SCALAR, Schema
from anew.data.dataset import Dataset
from anew.planned import OBJECTIVES, FactorPlan, Plan
from anew.starting import asked, described
from anew.suited import USUAL, about, check_reads, in_positions

PREDICTORS = ("linear", "boosted")  # beside a generative factor, when none are named
PREDICTORS_OF_PICTURES = ("linear", "conv")
SENTENCES = "sentences"  # the predictor that reads them by MiniLM
READ_A_SECOND, ENOUGH_READING = 50.0, 60.0  # texts of a review's length on one core (100 measured), and seconds
PREDICTING = 5.0  # a trained predictor beside a generative factor takes the time divided by so much
FEWEST_ROWS = 3
CLASSES = 10  # whole numbers of at most so many different values are predicted as classes
SAFETY = 3.0  # the clock stops a training that takes so many times longer than planned

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def make_plan(
    dataset: Dataset,
    *,
    learn: str | Sequence[str] | None = None,
    given: str | Sequence[str] | None = None,
    predict: str | None = None,
    predictors: str | Sequence[str] | None = None,
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
    alone = objective is not None and not issubclass(OBJECTIVES[objective], Samples)
    learn = predict if alone and learn is None else learn
    wanted = names_of(schema, learn) or tuple(name for name in schema.names if name not in givens)
    captions = () if learn else tuple(n for n in wanted if schema[n].kind == "text" and pictures_of(schema, wanted))
    givens, wanted = (*givens, *captions), tuple(name for name in wanted if name not in captions)
    fields = tuple(name for name in wanted if schema[name].kind not in MADE)
    out = MADE - {"identifier"} if all(schema[name].kind == "text" for name in fields) else MADE  # a name may be told
    features = tuple(name for name in givens if schema[name].kind not in out)
    _check(schema, wanted, fields, predict, givens)
    scalars = tuple(name for name in fields if schema[name].kind in SCALAR)
    notes = (
        [f"{', '.join(captions)}: words are given to what is learned; name them in learn= to create them"]
        if captions
        else []
    )
    if len(scalars) > n:
        notes.append(f"more columns ({len(scalars)}) than rows ({n}): dependences are hardly learnable")
    seconds = seconds_of(time)
    plan = Plan(rows=dataset.rows, seed=seed, time=seconds, notes=tuple(notes))
    how = (objective, network, options or {})
    if alone:
        factor = _factor(n, schema, fields, features or _others(schema, fields), seconds, *how)
        factor = factor.model_copy(update={"given": _readable(schema, factor.given, factor.network)})
        return plan.model_copy(update={"predict": (_discriminative(factor, schema),), "target": fields[0]})
    beside = _predictors(dataset, predict, (*features, *fields), predictors, seconds)
    left = None if seconds is None else seconds - sum(p.seconds or 0.0 for p in beside)
    create = _creating(n, dataset, _last(fields, predict), features, left, how)
    return plan.model_copy(update={"create": create, "predict": beside, "target": predict})


How = tuple[str | None, str | None, Mapping[str, Any]]  # objective, network, options, as far as they were chosen


def pictures_of(schema: Schema, names: Sequence[str]) -> tuple[str, ...]:
    """The pictures among these fields."""
    return tuple(name for name in names if schema[name].kind == "image")


def _creating(
    n: int, dataset: Dataset, fields: tuple[str, ...], given: tuple[str, ...], seconds: float | None, how: How
) -> tuple[FactorPlan, ...]:
    """Scalars together, then each text, then each picture, given all that is there already.

    In a record with pictures or texts the choices of objective and network are about those they are made for.
    """
    schema = dataset.schema
    texts = tuple(name for name in fields if schema[name].kind == "text")
    later = (*texts, *pictures_of(schema, fields))
    scalars = tuple(name for name in fields if name not in later)
    if not later:
        return (_factor(n, schema, scalars, given, seconds, *how),)
    theirs = about(schema, fields, how[0])
    none: How = (None, None, {})
    first = tuple(name for name in given if schema[name].kind in SCALAR)
    made = [_factor(n, schema, scalars, first, seconds, *(how if theirs is None else none))] if scalars else []
    share = None if seconds is None else seconds / len(later)
    for i, name in enumerate(later):
        size = int(dataset.frame[name].cast(pl.String).str.len_bytes().sum()) if name in texts else n
        mine = how if schema[name].kind == theirs else none
        made.append(_factor(size, schema, (name,), (*given, *scalars, *later[:i]), share, *mine))
    return tuple(made)


def _enough_rows(n: int) -> None:
    if n < FEWEST_ROWS:
        raise DataError(
            f"A distribution cannot be learned from fewer than {FEWEST_ROWS} rows",
            found=f"{n} row{'s' * (n != 1)}",
            do="Bring more rows",
        )


def _factor(
    n: int,
    schema: Schema,
    learn: tuple[str, ...],
    given: tuple[str, ...],
    seconds: float | None,
    objective: str | None,
    network: str | None,
    options: Mapping[str, Any],
) -> FactorPlan:
    """The factor of an objective, sized for the rows, the columns and the time."""
    kind_learned = schema[learn[0]].kind
    name = OBJECTIVES.canonical(objective) if objective else USUAL.get(kind_learned, "chain")
    check_reads(name, kind_learned, learn)
    view, front = read_as(OBJECTIVES[name].reads) if kind_learned == "image" else None, None
    if view is not None:
        coded, options = compression(schema[learn[0]], view, options)
        front = None if coded is None else _front(learn, coded, seconds)
    read = learn if issubclass(OBJECTIVES[name], Samples) else (*learn, *given)
    network, options = asked(network, options, kind_learned)
    alike = view == "Tokens" or in_positions(name, kind_learned)
    network = _network(name, network, bool(pictures_of(schema, read)), alike=alike)
    kind = OBJECTIVES[name].variant(network)
    _check_options(kind, name, options)
    seconds = seconds - (front.seconds or 0.0) if front and seconds else seconds
    cpu = None if seconds is None else seconds * len(os.sched_getaffinity(0))
    return FactorPlan(
        learn=learn,
        given=given,
        objective=name,
        options={**_sized(kind, network, n, len(learn) + len(given), cpu), **described(options)},
        network=network,
        seconds=_seconds(kind, seconds, network),
        front=front,
    )


def _front(learn: tuple[str, ...], options: dict[str, Any], seconds: float | None) -> FactorPlan:
    """What compresses a picture before it is learned."""
    kind = OBJECTIVES[OBJECTIVE]
    _check_options(kind, OBJECTIVE, options)
    share = _seconds(kind, None if seconds is None else SHARE * seconds, NETWORK)
    return FactorPlan(learn=learn, objective=OBJECTIVE, network=NETWORK, options=options, seconds=share)


def _sized(kind: type[Learner], network: str | None, rows: int, columns: int, cpu: float | None) -> dict[str, Any]:
    """The size for so many columns; networks for pictures have sizes of their own, and so has a base."""
    own = network is not None and (NETWORKS[network].pictures or issubclass(NETWORKS[network], Based))
    return {} if own else kind.sized(rows, columns, cpu)


def _network(objective: str, network: str | None, pictures: bool = False, alike: bool = False) -> str | None:
    """The network of an objective: its usual one, or the one that was asked for if it can be fitted with that."""
    kind = OBJECTIVES[objective]
    if network is None:
        found = [(name, NETWORKS[name]) for name in kind.networks]
        usual = (name for name, made in found if (made.alike if alike else made.pictures == pictures))
        return next(usual, next(iter(kind.networks), None))
    if kind.serves(NETWORKS[network]):
        return network
    able = [name for name in NETWORKS if kind.serves(NETWORKS[name])]
    others = [name for name in OBJECTIVES if OBJECTIVES[name].serves(NETWORKS[network])]
    raise UsageError(
        f"The objective {objective} cannot be fitted with the network {network!r}",
        found=f"{network}, which serves {', '.join(others)}" if others else network,
        do=f"Networks that can: {', '.join(able)}" if able else f"{objective} has no network to choose: leave it out",
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
    return factor.model_copy(update={"given": _inputs(factor.learn[0], factor.given, factor.network)})


def _others(schema: Schema, names: tuple[str, ...]) -> tuple[str, ...]:
    """All other columns that something can be predicted from."""
    return tuple(field.name for field in schema if field.name not in names and field.kind not in MADE)


def _readable(schema: Schema, names: Sequence[str], network: str | None) -> tuple[str, ...]:
    """These columns, less the texts where the network reads none; captions tell of a picture what it should find."""
    reads = network is not None and NETWORKS[network].texts and not pictures_of(schema, names)
    return tuple(name for name in names if reads or schema[name].kind != "text")


def _inputs(target: str, names: Sequence[str], network: str | None) -> tuple[str, ...]:
    """What a target is predicted from: all the others of these."""
    others = tuple(name for name in names if name != target)
    if not others:
        raise DataError(
            f"There is no column that {network} could predict {target!r} from",
            do="Bring more columns, leave out predict, or use linear where there are texts",
        )
    return others


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
        if known[option] is str and isinstance(value, str):
            continue
        if not isinstance(value, int if known[option] is int else (int, float)) or isinstance(value, bool) or value < 0:
            raise UsageError(f"The option {option!r} of {name} is a positive {known[option].__name__}", found=value)


def _last(fields: tuple[str, ...], target: str | None) -> tuple[str, ...]:
    """The target last, so that the chain holds p(target | rest) as its last conditional."""
    return tuple(f for f in fields if f != target) + ((target,) if target in fields else ())


def _seconds(kind: type[Learner], seconds: float | None, network: str | None) -> float | None:
    """What a trained learner takes of the time; a solved one takes what it takes."""
    if not issubclass(kind, Trained):
        return None
    own = NETWORKS[network].usual_seconds if network and issubclass(kind, Predicts) else None
    return seconds or own or kind.usual_seconds


def is_class(dataset: Dataset, target: str) -> bool:
    """Whether a column is predicted as a class: categories, booleans, and whole numbers of few different values."""
    field = dataset.schema[target]
    if not field.ordered:
        return True
    return field.kind == "integer" and dataset.frame[target].drop_nulls().n_unique() <= CLASSES


def _predictors(
    dataset: Dataset,
    target: str | None,
    fields: tuple[str, ...],
    asked: str | Sequence[str] | None,
    seconds: float | None,
) -> tuple[FactorPlan, ...]:
    """The discriminative side of a generative model: the predictors asked for, or a linear model and boosted trees.

    A trained one takes a fifth of the time, and no more than is usual.
    """
    if target is None:
        if asked is not None:
            raise UsageError("predictors= says how to predict, and nothing is to be predicted", do="Add predict=COLUMN")
        return ()
    words = _usual_predictors(dataset, fields, seconds) if asked is None else asked
    words = words.split(",") if isinstance(words, str) else words
    usual = "cross_entropy" if is_class(dataset, target) else "squared_error"
    found: dict[str, FactorPlan] = {}
    for word in words:
        objective, network = _method(word.strip(), usual)
        share = None if seconds is None else seconds / PREDICTING
        plan = _factor(len(dataset.frame), dataset.schema, (target,), fields, share, objective, network, {})
        read = _readable(dataset.schema, fields, plan.network)
        plan = plan.model_copy(update={"given": _inputs(target, read, plan.network)})
        found[plan.method] = plan.model_copy(update={"seconds": _at_most_usual(plan)})
    return tuple(found.values())


def _usual_predictors(dataset: Dataset, fields: Sequence[str], seconds: float | None) -> tuple[str, ...]:
    """What reads these fields; where there are texts, boosted trees only beside columns of their own.

    Texts are read as sentences too, where MiniLM is there and reading them takes no longer than learning.
    """
    schema = dataset.schema
    if pictures_of(schema, fields):
        return PREDICTORS_OF_PICTURES
    if not any(schema[name].kind == "text" for name in fields):
        return PREDICTORS
    from anew.core.minilm import installed

    columns = sum(schema[name].kind in SCALAR for name in fields)
    read = installed() and dataset.rows <= READ_A_SECOND * (seconds or ENOUGH_READING)
    return (*(PREDICTORS if columns > 1 else PREDICTORS[:1]), *([SENTENCES] if read else []))


def _at_most_usual(plan: FactorPlan) -> float | None:
    usual = _seconds(OBJECTIVES[plan.objective].variant(plan.network), None, plan.network)
    return min(plan.seconds, usual) if plan.seconds and usual else None


def _method(word: str, usual: str) -> tuple[str, str | None]:
    """`boosted`, `hinge` or `hinge:kernel` -> (objective, network); a network alone takes the usual objective."""
    objective, colon, network = word.partition(":")
    if not colon and word in NETWORKS.names:
        return usual, word
    able = {name: kind.ordered for name in OBJECTIVES for kind in [OBJECTIVES[name]] if issubclass(kind, Predicts)}
    names = {other: name for name in able for other in (name, *OBJECTIVES[name].aliases)}
    if objective not in names:
        raise UsageError(
            f"No predictor is named {word!r}: a network, an objective or OBJECTIVE:NETWORK",
            do=did_you_mean(word, [*NETWORKS.names, *names]),
        )
    if able[names[objective]] != able[usual]:
        what = "a number" if able[usual] else "a class"
        fit = [name for name in able if able[name] == able[usual]]
        raise UsageError(f"The target is {what}, which {names[objective]} does not predict", do=f"Use {', '.join(fit)}")
    return names[objective], network or None


def seconds_of(time: float | str | None) -> float | None:
    """`60`, `"60s"`, `"10m"`, `"1h"` -> seconds."""
    if time is None:
        return None
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*(s|m|min|h|)\s*", str(time))
    if match is None or float(match[1]) <= 0:
        raise UsageError("A time is a positive number of seconds, or like 60s, 10m, 1h", found=time)
    return float(match[1]) * _UNITS[match[2]]


__all__ = ["OBJECTIVES", "FactorPlan", "Plan", "is_class", "make_plan", "names_of", "pictures_of", "seconds_of"]
