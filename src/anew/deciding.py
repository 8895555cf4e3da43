"""Which words decided: what a predictor that adds up its evidence found in the texts it was given.

Every n-gram of a text speaks for the answer or against it (`Explains`); its characters share what it says, and a word
has what its characters have. So the words of a row add up to how much surer of its answer the text made the model.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from anew.codecs._bags import TOKEN
from anew.core.columns import Floats
from anew.core.errors import CapabilityError, UsageError
from anew.core.learner import NGRAMS, Explains, Solved
from anew.factor import Factor
from anew.joint import Joint

COLUMNS = {
    "row": pl.Int64,
    "column": pl.String,
    "word": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "share": pl.Float64,
}


def words_that_decided(joint: Joint, frame: pl.DataFrame, method: str | None) -> pl.DataFrame:
    """A line a word: its row and column, where it stands, and its share in the answer, in nats or the target's units.

    The words of a row add up to log p(answer | row) - log p(answer | row without its texts).
    """
    factor = explaining(joint, method)
    rows = [
        (row, name, text[start:stop], start, stop, float(share[start:stop].sum()))
        for name, texts, shares in _spelled(factor, frame)
        for row, (text, share) in enumerate(zip(texts, shares, strict=True))
        for start, stop in (found.span() for found in TOKEN.finditer(text))
    ]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row").sort("row", maintain_order=True)


def explaining(joint: Joint, method: str | None) -> Factor:
    """The predictor of that name, or the best of those that say which words decided."""
    asked = [joint.predictor(method)] if method is not None or not joint.predictors else joint.predictors
    for factor in asked:
        if isinstance(factor.learner, Solved) and isinstance(factor.learner, Explains) and factor.beside:
            return factor
    texts = any("text" in part.kinds for part in joint.record.parts.values())
    raise CapabilityError(
        f"{asked[0].plan.method} does not say which words decided",
        do="Fit with --predictors linear (or hinge)" if texts else "It takes a text that is read by a linear predictor",
    )


def explains_words(joint: Joint) -> bool:
    """Whether one of its predictors says which words decided."""
    try:
        explaining(joint, None)
    except (CapabilityError, UsageError):
        return False
    return True


def _spelled(factor: Factor, frame: pl.DataFrame) -> Iterator[tuple[str, list[str], list[Floats]]]:
    """For each text that is given its cells, and what each of their characters counts."""
    assert isinstance(factor.learner, Explains)
    told = factor.learner.explain(factor.encode_given(frame), NGRAMS)
    ends = np.cumsum([0, *(part.encode(frame[:0], view).bags.shape[1] for part, view in factor.beside.values())])
    for (name, (part, _)), first, last in zip(factor.beside.items(), ends[:-1], ends[1:], strict=True):
        texts = frame[name].cast(pl.String).fill_null("").to_list()
        yield name, texts, part.spelled(frame, told[:, first:last])
