"""User preferences from ratings: what would this user give that item, and what should be shown next?

Users and items are categories of many levels; what else is known of them joins in as side columns, which is all there
is to go by for a new user. One discriminative model, p(rating | user, item, side columns), by the network `factorised`.
"""

from __future__ import annotations

from pathlib import Path

from anew.api import fit
from anew.core.schema import Schema
from anew.fitting import Tell
from anew.recipes._outcome import saved
from anew.recipes._ratings import Preferences, ratings_of, split_of, story_of


def preferences(
    data: object = None,
    user: str | None = None,
    item: str | None = None,
    rating: str | None = None,
    *,
    users: object = None,
    items: object = None,
    split: str | None = None,
    n: int = 5,
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Preferences:
    """Predict what users would give to items they have not rated, and recommend: from ratings and side columns.

    `users` and `items` are tables of side columns, joined by the columns `user` and `item`. `split` names a column that
    says `test` for the rows to score on; without one a fifth of the rows is held out.
    """
    table = ratings_of(data, user, item, rating, users, items, schema)
    learned, held = split_of(table, split, seed)
    given = [name for name in learned.schema.names if name != table.rating]
    model = fit(
        learned,
        learn=table.rating,
        given=given,
        objective="squared_error",
        network="factorised",
        seed=seed,
        progress=progress,
    )
    story = story_of(table, learned.frame, held, model, seed, n)
    outcome = Preferences(story, model, table=table, learned=learned.frame)
    return saved(outcome.with_lists(n), out)
