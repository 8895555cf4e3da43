"""Style transfer: the content of a picture in another style, learned unpaired, and paired where the data have pairs.

Unpaired: p(picture | style) is learned; a picture's code under its own style is decoded under another (Su et al. 2023,
arXiv 2203.08382). Paired, where the same content was drawn in several styles: p(picture in a style | the picture in
another, style). Both are asked about contents that nothing has seen, in every direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from anew.api import fit
from anew.core.schema import Schema
from anew.fitting import Tell
from anew.recipes._drawn import signs as drawn
from anew.recipes._judged import Judges
from anew.recipes._outcome import Outcome, saved
from anew.recipes._pairs import SOURCE, pairs_of, styles_of
from anew.recipes._scans import opened_pictures
from anew.recipes._styled import story_of, styled


def style(
    data: object = None,
    column: str | None = None,
    *,
    content: str | None = None,
    split: str | None = None,
    keep: int | None = None,
    pairs: int = 3000,
    n: int = 100,
    steps: int | None = None,
    size: int | None = None,
    ignore: str | Sequence[str] = (),
    out: str | Path | None = None,
    schema: Schema | str | Path | None = None,
    time: float | str | None = None,
    seed: int = 0,
    progress: Tell | None = None,
) -> Outcome:
    """Style transfer between the styles of a column, unpaired and (where there are pairs) paired, with judges.

    `column` holds the style, `content` what a picture shows: pairs share it. `split` says "test" for the contents to
    test on, else a fifth is held out. At most `keep` contents, `pairs` pairs and `n` tested contents are used.
    """
    table = opened_pictures(data, drawn, schema, ignore, size)
    styles = styles_of(table, column, content, split, keep, seed)
    judges = Judges.of(styles, seed)
    learn = partial(fit, learn=styles.picture.name, time=time, seed=seed, progress=progress)
    models = {"unpaired": learn(styles.alone, given=styles.style)}
    if styles.content is not None:
        models["paired"] = learn(pairs_of(styles, pairs, seed), given=[SOURCE, styles.style])
    directions = styled(models, styles, n, steps, seed)
    story = story_of(models, styles, judges, directions, seed)
    best = models.get("paired", models["unpaired"])
    return saved(Outcome(story, best), out)
