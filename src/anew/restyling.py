"""Style transfer: a row's code under what it was given, decoded under something else; the code keeps the content.

The code of a picture says what its conditions leave open (inversion: Song et al. 2021, arXiv 2010.02502; style by
decoding it under another condition: Su et al. 2023, arXiv 2203.08382).
"""

from __future__ import annotations

import polars as pl

from anew.context import repeated, said
from anew.core.errors import UsageError
from anew.core.where import Where, describe
from anew.joint import Joint
from anew.latent import blanked, decode, encode, encoder


def restyled(joint: Joint, frame: pl.DataFrame, where: Where, guidance: float | None = None) -> pl.DataFrame:
    """The rows with the columns of `where` changed, and what the last factor learned drawn again to match.

    Codes are those of the plain path, whatever the guidance: only the way back is guided.
    """
    factor, _ = encoder(joint)
    if not where:
        raise UsageError("A style is said by where=, such as {'style': 'line art'}", found=describe(where) or "nothing")
    if strange := [name for name in where if name not in factor.plan.given]:
        raise UsageError(
            f"{', '.join(factor.plan.learn)} was not learned given {', '.join(strange)}",
            found=list(factor.plan.given),
            do="Change a column that it was given",
        )
    whole = blanked(joint, factor, frame)
    context = whole.select(factor.plan.given)
    changed = context.with_columns(repeated(cell, len(frame)) for cell in said(joint, where).values())
    back = joint if guidance is None else joint.drawing(guidance=guidance)
    made = decode(back, encode(joint, whole), changed)
    kept = [name for name in joint.record.schema.names if name in frame.columns or name in where]
    new = {column.name: column for column in (*changed, *made)}
    return pl.DataFrame([new.get(name, frame[name] if name in frame.columns else None) for name in kept])
