"""Marketing copy for products from their attributes: what it must say is said, what is banned is not, lengths hold.

A network learns to write the text of a product after its attributes, which stand before it as text, with signs where
its name and keywords go (_signs.py). What is required and banned holds by construction: no text without it can be
finished (grammar/wording.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anew.api import fit
from anew.core.schema import Schema
from anew.fitting import Tell
from anew.job import hold_out
from anew.recipes._copy import Desk, Limits, possible, required_columns, with_signs
from anew.recipes._copy_marks import Marks, held_to
from anew.recipes._copy_roles import briefs, limit, products_of, roles_of
from anew.recipes._copy_story import FREE, HELD, REAL, story_of
from anew.recipes._outcome import Outcome, saved
from anew.recipes._said import products
from anew.recipes._scans import some
from anew.recipes._tables import opened
from anew.recipes._texts import as_said, asked, parted


def copywriting(
    data: object = None,
    product: str | dict[str, str] | None = None,
    *,
    text: str | None = None,
    name: str | None = None,
    category: str | None = None,
    keywords: str | None = None,
    audience: str | None = None,
    require: str | Sequence[str] | None = None,
    avoid: str | Sequence[str] = (),
    least: int = 0,
    most: int | None = None,
    n: int = 3,
    drafts: int = 4,
    tested: int = 100,
    temperature: float = 0.8,
    top_p: float = 0.95,
    guidance: float | None = None,
    mix: int = 1,
    ignore: str | Sequence[str] = (),
    width: int | None = None,
    context: int | None = None,
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Marketing copy for products: required words in, banned words out, lengths held, beside real copy.

    `product` is "name=Chessy; category=Game; keywords=chess, puzzle" (left out: products kept aside); `require` names
    columns whose words must be mentioned (the name), `avoid` words that may not be ("cheap, free*"), `most` is
    characters. `n` texts each, the best of `drafts`; `tested` products that were kept aside say how good the copy is.
    `width` and `context` are of the network; `mix=0` leaves the counts of n-grams out of the model.
    """
    table = opened(products() if data is None else data, "", schema, ignore)
    roles = roles_of(table, text, name, category, keywords, audience)
    table = some(as_said(table, [one for one in roles.told if one != roles.category]), [*roles.told, roles.text])
    learned, held = hold_out(table, roles.category, seed)
    limits = Limits(
        required_columns(roles, require),
        tuple(parted(avoid) if isinstance(avoid, str) else avoid),
        least,
        most or limit(learned.frame[roles.text]),
    )
    given = [one for one in products_of(held, roles) if one[roles.text] and possible(roles, limits, one)][:tested]
    sized = asked(width=width, context=context, mix=mix, time=time)
    model = fit(with_signs(learned, roles), learn=roles.text, given=roles.told, seed=seed, progress=progress, **sized)
    known = learned.frame[roles.text].drop_nulls().to_list()
    how = {"temperature": temperature, "top_p": top_p, **asked(guidance=guidance)}
    desk = Desk(model, roles, known, how)
    made = desk.written(briefs(product, roles, given, n), limits, n=n, drafts=drafts, seed=seed)
    free = Limits((), limits.avoid, least, limits.most)
    trials = {FREE: desk.written(given, free, n=1, drafts=1, seed=seed + 1)}
    trials[HELD] = desk.written(given, limits, n=1, drafts=drafts, seed=seed + 2)
    marks = Marks(roles, known, products_of(learned.frame.filter(pl.col(roles.text).is_not_null()), roles), seed)
    scores = {REAL: marks.of([str(one[roles.text]) for one in given], given)}
    scores |= {way: marks.of([one.text for one in copies], given) for way, copies in trials.items()}
    every = [*made, *trials[HELD]]
    promise = held_to([one.text for one in every], [one.required for one in every], limits.avoid, limits.most)
    story = story_of(roles, limits, made, promise, scores, {"plan": str(model.plan), "drafts": drafts, "seed": seed})
    rows = [{**{c: one.product.get(c) for c in roles.told}, roles.text: one.text} for one in made]
    return saved(Outcome(story, model, {"copy": pl.DataFrame(rows)}), out)
