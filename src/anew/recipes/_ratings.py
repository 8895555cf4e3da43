"""Ratings as a table: which columns are the user, the item and the rating; rows to test on; lists of what is unrated.

r_ui is predicted and compared with the biases alone: mean + b_u + b_i, each bias shrunk by five ratings (Koren 2009,
section 2.1).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from anew.api import Model, look
from anew.audit.statistics import Estimate, bootstrap_error
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.core.errors import AnewWarning, DataError, UsageError, did_you_mean
from anew.core.schema import Schema
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.data.examples import example
from anew.job import hold_out
from anew.recipes._outcome import Outcome

NAMES = {
    "user": ("user", "user_id", "customer", "customer_id", "reader", "member", "respondent", "person"),
    "item": ("item", "item_id", "movie", "movie_id", "product", "product_id", "book", "title", "dish"),
    "rating": ("rating", "stars", "score", "grade", "value"),
}
SHRINK = 5.0
LISTED = 50  # users whose lists are written


@dataclass(frozen=True)
class Table:
    """Ratings with their side columns, and the columns that play the three parts."""

    data: Dataset
    user: str
    item: str
    rating: str


def ratings_of(
    data: object, user: str | None, item: str | None, rating: str | None, users: object, items: object, schema: Any
) -> Table:
    """The table, joined with what is known about users and items; user and item are read as categories."""
    frame = Dataset.open(example("ratings") if data is None else data, schema).frame
    parts = {part: _named(frame, part, given) for part, given in (("user", user), ("item", item), ("rating", rating))}
    for part, side in (("user", users), ("item", items)):
        if side is not None:
            frame = _joined(frame, Dataset.open(side).frame, parts[part])
    asked = Schema.read(schema) if isinstance(schema, str | Path) else schema or look(frame).schema
    category = [asked[parts[part]].model_copy(update={"kind": "category"}) for part in ("user", "item")]
    opened = Dataset.open(frame, asked.replace(*category))
    if opened.schema[parts["rating"]].kind not in ("integer", "number"):
        raise DataError(
            f"The rating {parts['rating']!r} is no number", found=opened.schema[parts["rating"]].kind, do="Name another"
        )
    return Table(opened, **parts)


def _named(frame: pl.DataFrame, part: str, given: str | None) -> str:
    if given is not None and given not in frame.columns:
        raise UsageError(f"No column is named {given!r} for the {part}", do=did_you_mean(given, frame.columns))
    found = given or next((name for name in frame.columns if name.lower() in NAMES[part]), None)
    if found is None:
        raise UsageError(f"No column looks like the {part}", found=frame.columns, do=f"Name it: --option {part}=COLUMN")
    return found


def _joined(frame: pl.DataFrame, side: pl.DataFrame, key: str) -> pl.DataFrame:
    if key not in side.columns:
        raise UsageError(f"The side table has no column {key!r} to join by", do=did_you_mean(key, side.columns))
    keys = side[key].cast(frame[key].dtype, strict=False)
    return frame.join(side.with_columns(keys).unique(key, keep="first"), on=key, how="left")


def split_of(table: Table, split: str | None, seed: int) -> tuple[Dataset, pl.DataFrame]:
    """Rows to learn from and rows to test on: by a column that says `test`, else a fifth held out."""
    data = table.data
    if split is not None and split not in data.schema:
        raise UsageError(f"No column is named {split!r}", do=did_you_mean(split, data.schema.names))
    name = split or ("split" if "split" in data.schema else None)
    if name is None:
        return hold_out(data, None, seed)
    tested = data.frame[name].cast(pl.String) == "test"
    if not tested.any() or tested.all():
        raise DataError(
            f"The column {name!r} must say 'test' in some rows", found=data.frame[name].unique().to_list()[:5]
        )
    kept = data.schema.select([field for field in data.schema.names if field != name])
    learned = data.frame.filter(~tested).select(kept.names)
    return replace(data, frame=learned, schema=kept, rows=len(learned)), data.frame.filter(tested).select(kept.names)


# ---------------------------------------------------------------- how well


def biases(table: Table, learned: pl.DataFrame, held: pl.DataFrame) -> Floats:
    """mean + b_i + b_u of each held-out row, the opponent that knows no taste.  (n,)"""
    mean, left, out = float(learned[table.rating].mean()), learned[table.rating], np.zeros(len(held))  # type: ignore[arg-type]
    out += mean
    left = left - mean
    for name in (table.item, table.user):
        bias = (
            pl.DataFrame({"key": learned[name], "left": left})
            .group_by("key")
            .agg((pl.col("left").sum() / (pl.len() + SHRINK)).alias("bias"))
        )
        lookup = dict(zip(bias["key"].to_list(), bias["bias"].to_list(), strict=True))
        out += np.array([lookup.get(key, 0.0) for key in held[name].to_list()])
        left = left - pl.Series([lookup[key] for key in learned[name].to_list()])
    return np.clip(out, float(learned[table.rating].min()), float(learned[table.rating].max()))  # type: ignore[arg-type]


def story_of(table: Table, learned: pl.DataFrame, held: pl.DataFrame, model: Model, seed: int, n: int) -> Story:
    """RMSE on the held-out ratings beside the mean and the biases; of users never seen, by their side columns."""
    held = held.filter(pl.col(table.rating).is_not_null())
    truth = held[table.rating].cast(pl.Float64).to_numpy()
    mean = np.full(len(held), float(learned[table.rating].mean()))  # type: ignore[arg-type]
    with quietly():
        guesses = {
            "tastes (factorised)": model.predict(held),
            "biases of user and item": biases(table, learned, held),
            "as if each user were new": model.predict(
                held.with_columns(pl.lit(None).cast(pl.String).alias(table.user))
            ),
            "the mean rating": mean,
        }
    scores = {name: _rmse(truth, guess, guess, seed) for name, guess in guesses.items()}
    gain = _rmse(truth, guesses["biases of user and item"], guesses["tastes (factorised)"], seed, less=True)
    best = scores["tastes (factorised)"]
    better = "better" if gain.low > 0 else "worse" if gain.high < 0 else "no clearly better"
    sentence = (
        f"Ratings are predicted with an error of {best.value:.3f}, {better} than by who rates high and what is liked."
    )
    counts = {what: learned[name].n_unique() for what, name in (("users", table.user), ("items", table.item))}
    return Story(
        title=f"What users would give: {table.rating} by {table.user} and {table.item}",
        headline=sentence,
        lead=[
            f"{len(learned):,} ratings of {counts['items']:,} items by {counts['users']:,} users were learned from.",
            f"{len(held):,} others, of which nothing was learned, are predicted.",
            "The error is the root of the mean squared difference, in the units of the rating.",
        ],
        tiles=[
            Tile("error of a predicted rating", f"{best.value:.3f}", f"95 %: {best.low:.3f} to {best.high:.3f}"),
            Tile("error by biases alone", f"{scores['biases of user and item'].value:.3f}", "mean + user + item"),
            Tile("gained over the biases", f"{gain.value:+.3f}", f"95 %: {gain.low:+.3f} to {gain.high:+.3f}"),
        ],
        sections=[
            Section(
                "How well are ratings predicted?",
                "Error on held-out ratings; further left is better. As if each user were new: from side columns alone.",
                [(name, one.low, one.value, one.high) for name, one in scores.items()],
            ),
        ],
        figures={"rmse": {name: vars(one) for name, one in scores.items()}, "gain": vars(gain)},
        facts={
            "plan": str(model.plan),
            "user, item, rating": f"{table.user}, {table.item}, {table.rating}",
            "seed": seed,
        },
    )


def _rmse(truth: Floats, first: Floats, second: Floats, seed: int, less: bool = False) -> Estimate:
    """The error of `first` (or, with `less`, how much more it is than that of `second`), bootstrapped over ratings."""

    def one(rows: Any) -> float:
        errors = [float(np.sqrt(np.mean((truth[rows] - guess[rows]) ** 2))) for guess in (first, second)]
        return errors[0] - errors[1] if less else errors[0]

    return Estimate.around(one(np.arange(len(truth))), bootstrap_error(one, len(truth), 200, stream("rmse", seed)))


@contextmanager
def quietly() -> Iterator[None]:
    """A user who is not in the training rows is no surprise here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnewWarning)
        yield


# ---------------------------------------------------------------- what to show


@dataclass(frozen=True)
class Preferences(Outcome):
    """The outcome, which can also recommend; the ratings that it holds for that are never saved."""

    table: Table | None = None
    learned: pl.DataFrame | None = None

    def recommend(self, user: object = None, n: int = 10, **known: object) -> pl.DataFrame:
        """The n items that the user has not rated, best first, with the predicted rating.

        Without `user` a new one: `known` are side columns, such as `age="18-29"`; others count as missing.
        """
        table, learned = self.table, self.learned
        assert table is not None
        assert learned is not None
        assert self.model is not None
        for name in known:
            if name not in learned.columns:
                raise UsageError(f"No column is named {name!r}", do=did_you_mean(name, learned.columns))
        mine = learned.filter(pl.col(table.user).cast(pl.String) == str(user)) if user is not None else learned[:0]
        if user is not None and not len(mine) and not known:
            raise UsageError(f"No user is named {user!r}", do="Leave the user out and name side columns for a new one")
        fresh = self._items(table, learned).filter(~pl.col(table.item).is_in(mine[table.item].implode()))
        rows = fresh.with_columns(
            *[_cell(learned, name, _known(name, mine, known)) for name in learned.columns if name not in fresh.columns]
        ).select(learned.columns)
        with quietly():
            guess = np.asarray(self.model.predict(rows), np.float64)
        listed = pl.DataFrame({table.item: fresh[table.item], f"predicted {table.rating}": guess.round(3)})
        return listed.sort([listed.columns[1], table.item], descending=[True, False])[:n]

    @staticmethod
    def _items(table: Table, learned: pl.DataFrame) -> pl.DataFrame:
        """One row an item, with the columns that are the same in all of its rows."""
        counts = learned.group_by(table.item).agg(pl.exclude(table.item).n_unique())
        side = [name for name in counts.columns if name != table.item and (counts[name] == 1).all()]
        own = [name for name in side if name not in (table.user, table.rating)]
        return learned.select([table.item, *own]).unique(table.item, keep="first").sort(table.item)

    def with_lists(self, n: int) -> Preferences:
        """Recommendations for the first users as a table, and three of them on the page."""
        assert self.table is not None
        assert self.learned is not None
        who = self.learned[self.table.user].unique(maintain_order=True).drop_nulls().to_list()[:LISTED]
        lists = [
            self.recommend(user, n).select(pl.lit(user).alias(self.table.user), pl.all()) for user in who
        ]  # a user who has rated everything has an empty list
        shown = [
            {self.table.user: str(user), "would like, best first": _words(one)}
            for user, one in zip(who[:3], lists[:3], strict=True)
        ]
        shown.append({self.table.user: "somebody new", "would like, best first": _words(self.recommend(None, n))})
        section = Section("What to show them", "Items not rated yet, with the rating that is expected.", rows=shown)
        story = replace(self.story, sections=[*self.story.sections, section])
        return replace(self, story=story, tables={"recommendations": pl.concat(lists)} if lists else {})


def _known(name: str, mine: pl.DataFrame, known: dict[str, object]) -> object:
    return known[name] if name in known else mine[name][0] if len(mine) else None


def _cell(learned: pl.DataFrame, name: str, value: object) -> pl.Expr:
    return pl.lit(value).cast(learned[name].dtype).alias(name)


def _words(listed: pl.DataFrame) -> str:
    return (
        ", ".join(f"{item} ({value:.1f})" for item, value in listed.select(listed.columns[-2:]).iter_rows())
        or "everything is rated"
    )
