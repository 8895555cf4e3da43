"""New scenes for given characters: only the cast speaks, beside the evidence of what is new in them.

A network learns scenes after their cast; who may speak holds while it writes. A scene reads like the plays, line by
line; it has no plot.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from anew.api import fit
from anew.data.dataset import Dataset
from anew.fitting import Tell
from anew.recipes._outcome import Outcome, saved
from anew.recipes._play import cast_of, form, scenes_of, script, speeches_of, told
from anew.recipes._play_marks import parted, story_of
from anew.recipes._said import play
from anew.recipes._texts import as_said, asked


def scripts(
    data: object = None,
    cast: str | Sequence[str] | None = None,
    *,
    speaker: str | None = None,
    scene: str | None = None,
    speeches: int = 6,
    n: int = 3,
    temperature: float = 0.7,
    top_p: float = 0.95,
    guidance: float | None = None,
    mix: int = 1,
    width: int | None = None,
    context: int | None = None,
    out: str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """New scenes of a play: only the cast that you name speaks, with a heading, as a script to be read.

    `data` is a text of plays: a line `NAME:`, the words below it, a blank line. `cast` is "ROMEO, JULIET", `speaker`
    opens, `scene` is the heading. `width` and `context` are of the network; `mix=0` leaves the counts of n-grams out of
    the model.
    """
    plays = speeches_of(play() if data is None else data)
    names = cast_of(plays, cast)
    first = cast_of(plays, [speaker])[0] if speaker else None
    learned, held = parted(scenes_of(plays))
    givens = [name for name in learned.columns if name != "text"]
    table = as_said(Dataset.open(learned), learned.columns)
    sized = asked(width=width, context=context, mix=mix, time=time)
    model = fit(table, learn="text", given=givens, seed=seed, progress=progress, **sized)
    how = {"temperature": temperature, "top_p": top_p, **asked(guidance=guidance)}
    where = told(names, first, scene, givens)
    drawn = model.stream(n, where=where, regex=form(names, first, max(speeches, 1)), seed=seed, **how)
    texts = pl.concat(list(drawn))["text"].to_list()
    pages = [script(i, scene, text) for i, text in enumerate(texts, 1)]
    facts = {"plan": str(model.plan), "seed": seed}
    story = story_of(names, texts, pages, learned["text"].to_list(), held["text"].to_list(), facts)
    files = {"script.txt": "\n\n".join(pages).encode()}
    return saved(Outcome(story, model, {"scenes": pl.DataFrame({"text": texts})}, files=files), out)
