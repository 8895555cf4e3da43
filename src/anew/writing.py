"""Texts of which a part is known, and texts that appear while they are written."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anew.codecs.text import Text
from anew.core.errors import CapabilityError
from anew.core.learner import Completes, Samples
from anew.core.seeds import stream
from anew.core.where import Where
from anew.factor import Factor
from anew.joint import Joint, cannot

if TYPE_CHECKING:
    from anew.objectives._sequential import Sequential

AGAIN = 8  # draws of a text that turns out to be missing


def filled(
    joint: Joint, factor: Factor, came: pl.DataFrame, drawn: pl.DataFrame, mark: str | None, rng: np.random.Generator
) -> pl.DataFrame:
    """The text column of a factor: what is empty is written, and what stands at the marks; all else stays."""
    name, learner = factor.plan.learn[0], factor.learner
    assert isinstance(learner, Completes)
    assert isinstance(learner, Samples)
    assert isinstance(factor.part, Text)
    cells = (came[name] if name in came.columns else joint.blank(name, len(came))).cast(pl.String).to_list()
    empty = [i for i, cell in enumerate(cells) if cell is None]
    for _ in range(AGAIN):
        if empty:
            given = factor.encode_given(drawn[empty])
            made = factor.decode(learner.sample(len(empty), rng, given))[name]
            for i, text in zip(empty, made, strict=True):
                cells[i] = text
            empty = [i for i in empty if cells[i] is None]
    while mark and (marked := [i for i, cell in enumerate(cells) if cell is not None and mark in cell]):
        if factor.view != "Sequence":
            raise CapabilityError(
                f"{factor.plan.objective} knows how long a text is, so it cannot fill a gap of any length",
                found=mark,
                do="Fit with the objective next_token and --option infill=0.5",
            )
        parts = [_around(cells[i] or "", mark) for i in marked]
        x, known = factor.part.gaps(pl.DataFrame({name: [near for near, _ in parts]}), mark)
        whole = factor.decode(learner.complete(x, known, rng, factor.encode_given(drawn[marked])))[name]
        for i, text, (_, rest) in zip(marked, whole, parts, strict=True):
            cells[i] = (text or "").replace(mark, "") + rest
    return pl.DataFrame([pl.Series(name, [cell if cell is not None else "" for cell in cells], dtype=pl.String)])


def _around(text: str, mark: str) -> tuple[str, str]:
    """A text up to its second gap, and the rest."""
    before, gap, after = text.partition(mark)
    near, again, rest = after.partition(mark)
    return before + gap + near, again + rest


def pieces(joint: Joint, seed: int, where: Where, given: pl.DataFrame | None) -> Iterator[str]:
    """The first text of a row, as it is written; what stands before it in the model is drawn first."""
    from anew.objectives._sequential import Sequential  # torch

    at = next((i for i, factor in enumerate(joint.creating) if factor.text), None)
    if at is None:
        raise CapabilityError("This model writes no text", do="Fit one on a text, or use sample()")
    factor, rng = joint.factors[at], stream("block", seed, 0)
    if not isinstance(factor.learner, Sequential) or not isinstance(factor.part, Text):
        raise cannot(factor, "write")
    context = joint.first(at, where, given, rng)
    told = None if context is None else factor.encode_given(context)
    return _decoded(factor.part, factor.learner, factor.learner.write([()], rng, told))


def _decoded(codec: Text, learner: Sequential, drafts: Iterator[list[list[int]]]) -> Iterator[str]:
    """What each new token adds: whole letters."""
    decoder, done = getincrementaldecoder("utf-8")(errors="replace"), 0
    yield codec.vocabulary.bytes_of(learner.prompt).decode(errors="replace")
    for rows in drafts:
        new = rows[0][done:]
        done = max(done, len(rows[0]))
        text = decoder.decode(codec.vocabulary.bytes_of(new))
        if text:
            yield text
