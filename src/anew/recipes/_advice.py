"""What the goal and the table say about the kind of model: rules, each with a reason that a person can follow.

Generative p(x, y) draws new rows; discriminative p(y | x) answers one question, and with enough rows better (Ng and
Jordan 2002). Neither is right where a formula, a look-up or an experiment gives the answer, or where rows are too few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import Any

import numpy as np
import polars as pl

from anew.core.schema import MADE, NOMINAL
from anew.data.dataset import Dataset
from anew.plan import is_class
from anew.recipes._goal import Goal

FEWEST = 30  # rows below which no model is worth its name
FEWEST_OF_CLASS = 10
SMALL = 500  # rows below which a generative model may predict as well
GROUP = 5  # rows below which a level or a group may point at a person
NUMBERS = 12  # columns searched for a formula
SAME = 0.999  # of the rows must obey a formula or a look-up


@dataclass(frozen=True)
class Reason:
    """`about` is what was looked at; `says` what was found and what follows."""

    about: str
    says: str
    stops: bool = False  # no model: this reason alone decides


@dataclass(frozen=True)
class Advice:
    """`answer` is generative, discriminative, both or neither; `commands` are what to run next."""

    answer: str
    reasons: tuple[Reason, ...]
    commands: tuple[str, ...]


WHY = {
    "explain": "Causes cannot be read from a table that was only watched, by either kind of model: they need an "
    "experiment, or assumptions about what causes what. A model would give associations that look like an answer.",
    "look up": "The answer is already in the table or follows from a formula: a query or a calculation gives it "
    "exactly, where a model would give it about right.",
    "predict": "You ask for one column given the others, p(target | rest). A discriminative model answers that and "
    "nothing else, and needs no idea of how the other columns are distributed.",
    "share": "You want rows that others may see in the place of the real ones: a generative model draws new rows, and "
    "the audit says what they give away. The rows can be shared, the model not.",
    "augment": "You want more rows of some kind: only a generative model has any. Whether they help is an open "
    "question that the recipe `augment` answers by measuring; often class weights do as well.",
    "fill": "You want unknown cells drawn given the known ones, whichever they are: p(unknown | known) for every "
    "pattern of gaps, which a generative model has and a predictor of one column has not.",
    "create": "You want rows that do not exist yet: only a generative model draws them.",
}
GENERATIVE = ("share", "augment", "fill", "create")


def advice_of(table: Dataset, goal: Goal, data: str) -> Advice:
    """The rules, in order: what stops every model, what the goal asks for, what the table adds."""
    reasons = [*_purpose(goal), *_target(table, goal), *_table(table)]
    if any(reason.stops for reason in reasons):
        stops = [reason for reason in reasons if reason.stops]
        return Advice(
            "neither", (*stops, *(r for r in reasons if not r.stops and r.about == "the data")), _neither(goal, data)
        )
    wanted = {"generative" for p in goal.purposes if p in GENERATIVE} | {
        "discriminative" for p in goal.purposes if p == "predict"
    }
    answer = "both" if len(wanted) == 2 else wanted.pop()
    return Advice(answer, tuple(reasons), _commands(table, goal, data))


def _purpose(goal: Goal) -> Iterator[Reason]:
    for purpose in goal.purposes:
        yield Reason("the goal", WHY[purpose], stops=purpose in ("explain", "look up"))


def _neither(goal: Goal, data: str) -> tuple[str, ...]:
    return (f"anew look {data}",)


# ---------------------------------------------------------------- the target


def _target(table: Dataset, goal: Goal) -> Iterator[Reason]:
    name = goal.column
    if name is None:
        return
    values = table.frame[name].drop_nulls()
    kind = table.schema[name].kind
    if kind == "identifier":
        yield Reason(
            "the target", f"{name!r} is an identifier, different in every row: there is nothing to learn.", True
        )
    elif values.n_unique() < 2:
        yield Reason("the target", f"{name!r} has one value in every row: there is nothing to tell apart.", True)
    elif "predict" in goal.purposes:
        yield from _given_by(table, name)
        yield from _classes(table, name)


def _classes(table: Dataset, name: str) -> Iterator[Reason]:
    values = table.frame[name].drop_nulls().cast(pl.String) if is_class(table, name) else None
    if values is None:
        yield Reason("the target", f"{name!r} is a number: it is predicted by the least squared error.")
        return
    counts = values.value_counts().sort(["count", name])
    level, fewest = counts.row(0)
    if fewest < FEWEST_OF_CLASS and len(counts) == 2:
        yield Reason("the target", f"The class {name} = {level} has {fewest} rows: too few to learn it.", stops=True)
    elif fewest < 0.1 * len(values):
        scarce = (
            f"The class {name} = {level} is scarce ({fewest:,} of {len(values):,} rows): judge by average precision"
        )
        yield Reason("the target", f"{scarce} and not by accuracy; `augment` measures whether more rows of it help.")


def _given_by(table: Dataset, name: str) -> Iterator[Reason]:
    """A formula of two columns, or a look-up from one, that gives the target in all rows."""
    found = _formula(table, name) or _look_up(table, name)
    if found:
        yield Reason("the target", f"{name!r} is {found} in every row: write that down, and no model is needed.", True)


def _formula(table: Dataset, name: str) -> str:
    numbers = [f.name for f in table.schema if f.kind in ("integer", "number") and f.name != name][:NUMBERS]
    if table.schema[name].kind not in ("integer", "number"):
        return ""
    target = table.frame[name].cast(pl.Float64).to_numpy()
    columns = {other: table.frame[other].cast(pl.Float64).to_numpy() for other in numbers}
    with np.errstate(all="ignore"):
        for i, (a, x) in enumerate(columns.items()):
            slope = _line(target, x)
            if slope is not None:
                return f"a line in {a!r}, of slope {slope:.4g}"
            for b, y in list(columns.items())[i + 1 :]:
                for sign, made in (("+", x + y), ("-", x - y), ("*", x * y), ("/", x / y)):
                    if _same(target, made) or (sign == "-" and _same(target, -made)):
                        return f"{a} {sign} {b}"
    return ""


def _line(target: Any, x: Any) -> float | None:
    """The slope, if the target is a straight line in x."""
    known = ~np.isnan(target) & np.isfinite(x)
    if known.sum() < FEWEST or np.ptp(x[known]) == 0 or np.ptp(target[known]) == 0:
        return None
    slope, start = np.polyfit(x[known], target[known], 1)
    return float(slope) if _same(target, slope * x + start) else None


def _same(target: Any, made: Any) -> bool:
    known = ~np.isnan(target) & np.isfinite(made)
    near = np.isclose(target[known], made[known], rtol=1e-3, atol=5e-3)
    return bool(known.sum() >= FEWEST and near.mean() >= SAME)


def _look_up(table: Dataset, name: str) -> str:
    """A category each of whose levels (of two rows at least, on average) has one value of the target."""
    for field in table.schema:
        if field.name == name or field.kind not in NOMINAL:
            continue
        groups = table.frame.group_by(field.name).agg(pl.col(name).n_unique().alias("values"), pl.len().alias("rows"))
        if len(groups) <= len(table.frame) / 2 and groups.filter(pl.col("values") > 1).is_empty() and len(groups) > 1:
            return f"given by {field.name!r} (a table of {len(groups)} entries)"
    return ""


# ---------------------------------------------------------------- the table


def _table(table: Dataset) -> Iterator[Reason]:
    rows, learned = table.rows, [field for field in table.schema if field.kind not in MADE]
    if rows < FEWEST:
        yield Reason("the data", f"{rows} rows are too few for any model: bring at least {FEWEST}.", stops=True)
    elif rows < SMALL:
        yield Reason(
            "the data",
            f"{rows:,} rows are few: a generative model may predict as well as a discriminative "
            "one, and held-out figures have wide intervals.",
        )
    else:
        yield Reason("the data", f"{rows:,} rows and {len(learned)} columns to learn are enough for either kind.")
    yield from _gaps(table)
    yield from _people(table, [field.name for field in learned if field.kind in NOMINAL])


def _gaps(table: Dataset) -> Iterator[Reason]:
    share = {name: table.frame[name].null_count() / max(len(table.frame), 1) for name in table.frame.columns}
    empty = float(np.mean(list(share.values())))
    if empty > 0.01:
        most = max(share, key=lambda name: share[name])
        found = f"{empty:.1%} of the cells are missing, most in {most!r} ({share[most]:.0%})"
        means = "Boosted trees read gaps as they are; a generative model draws them as a value, or fills them"
        yield Reason("missing cells", f"{found}. {means}.")


def _people(table: Dataset, nominal: list[str]) -> Iterator[Reason]:
    keys = [repr(field.name) for field in table.schema if field.kind == "identifier"]
    if keys:
        named = ", ".join(keys[:3])
        yield Reason("privacy", f"{named}: keys that identify rows. Synthetic rows get new ones; no model reads them.")
    rare = {name: int((table.frame[name].drop_nulls().value_counts()["count"] < GROUP).sum()) for name in nominal}
    worst = max(rare, key=lambda name: rare[name], default=None)
    if worst is not None and rare[worst]:
        many = sum(rare.values())
        found = f"{many:,} level{'s occur' if many > 1 else ' occurs'} in fewer than {GROUP} rows (most in {worst!r})"
        yield Reason(
            "privacy", f"{found}: they may point at people, and synthetic rows can show them; merge them first."
        )
    few = sorted(nominal, key=lambda name: table.frame[name].n_unique())[:4]
    if len(few) > 1:
        groups = table.frame.group_by(few).len()["len"]
        small = groups.filter(groups < GROUP).sum() / max(len(table.frame), 1)
        if small > 0.001:
            found = f"{small:.1%} of the rows are in groups of fewer than {GROUP} by {', '.join(few)}"
            yield Reason("privacy", f"{found}: so many people could be singled out by who knows these.")


# ---------------------------------------------------------------- what to run


def _commands(table: Dataset, goal: Goal, data: str) -> tuple[str, ...]:
    """The commands, in order, for every purpose of the goal."""
    target = f" --predict {quote(str(goal.column))}" if goal.column else ""
    commands = []
    if "predict" in goal.purposes and not set(goal.purposes) & set(GENERATIVE):
        network = "conv" if any(field.kind == "image" for field in table.schema) else "boosted"
        way = "cross_entropy" if is_class(table, str(goal.column)) else "squared_error"
        commands += [
            f"anew fit {data} -o model/ --learn {quote(str(goal.column))} --objective {way} --network {network}",
            f"anew predict model/ {data} -o predicted.csv",
        ]
    if set(goal.purposes) & {"share", "create"}:
        commands.append(f"anew run {data}{target}")
    if "augment" in goal.purposes:
        named = f" --option target={quote(str(goal.column))}" if goal.column else ""
        commands.append(f"anew run {data} --recipe augment{named}")
    if "fill" in goal.purposes:
        commands += [f"anew fit {data} -o model/", f"anew complete model/ {data} -o full.csv"]
    return tuple(commands)
