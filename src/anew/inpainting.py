"""Pictures of which a part is known: the rest is drawn by the factor that learned them; known pixels are not touched.

Shapes: n pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from anew.core.columns import Bools
from anew.core.errors import DataError
from anew.core.learner import Completes
from anew.core.pixels import column, shape_of, stack
from anew.core.schema import Field
from anew.factor import Factor
from anew.joint import Joint

Masks = Mapping[str, Bools]  # (n, H, W) by picture column: True where it is to be filled


def painted(
    joint: Joint, factor: Factor, came: pl.DataFrame, drawn: pl.DataFrame, masks: Masks, rng: np.random.Generator
) -> pl.DataFrame:
    """The picture column of a factor with its unknown parts drawn.

    A picture that is partly there is drawn given what came beside it, and nothing else: a label that was drawn
    without a look at it could contradict it. A wholly missing one is drawn given all that is there by now.
    """
    name = factor.plan.learn[0]
    field, learner = joint.record.schema[name], factor.learner
    assert isinstance(learner, Completes)
    cells = came[name] if name in came.columns else joint.blank(name, len(came))
    gone, pixels = cells.is_null().to_numpy(), stack(cells, field)
    unknown = np.broadcast_to(gone[:, None, None], pixels.shape[:3]) | masks.get(name, np.zeros(pixels.shape[:3], bool))
    rows = np.flatnonzero(unknown.any((1, 2)))
    if not len(rows):
        return came.select(name)
    context = _context(joint, factor, came[rows], drawn[rows], gone[rows])
    x, known = factor.encode_partly(pl.DataFrame([cells])[rows], unknown[rows])
    made = learner.complete(x, known, rng, factor.encode_given(context))
    whole = pixels.copy()
    whole[rows] = np.where(unknown[rows][..., None], stack(factor.decode(made)[name], field), pixels[rows])
    return pl.DataFrame([column(name, whole)])


def _context(joint: Joint, factor: Factor, came: pl.DataFrame, drawn: pl.DataFrame, gone: Bools) -> pl.DataFrame:
    """What each picture is given: what was drawn by now where it is missing, else only what came."""
    columns = []
    for name in factor.plan.given:
        there = came[name] if name in came.columns else joint.blank(name, len(came))
        by_now = drawn[name] if name in drawn.columns else there
        columns.append(pl.select(pl.when(pl.Series(gone)).then(by_now).otherwise(there).alias(name)).to_series())
    return pl.DataFrame(columns)


def masks_of(joint: Joint, masks: object, rows: int) -> dict[str, Bools]:
    """Masks as a user gives them: one (H, W), one for each picture (n, H, W), or such by the name of the column."""
    names = [factor.plan.learn[0] for factor in joint.factors if factor.picture]
    if masks is None:
        return {}
    given = masks if isinstance(masks, Mapping) else dict.fromkeys(names[:1], masks)
    if not names or not set(given) <= set(names):
        raise DataError(
            "Masks are for columns of pictures", found=list(given) or "a model without pictures", do=str(names)
        )
    return {name: _mask(joint.record.schema[name], mask, rows) for name, mask in given.items()}


def _mask(field: Field, mask: object, rows: int) -> Bools:
    found = np.asarray(mask) != 0
    height, width, _ = shape_of(field)
    if found.shape[-2:] != (height, width) or found.ndim not in (2, 3) or (found.ndim == 3 and len(found) != rows):
        raise DataError(
            f"A mask of {field.name!r} has the size of its picture, one for all or one for each",
            found=found.shape,
            do=f"Give {height} x {width}, or {rows} x {height} x {width}",
        )
    return np.broadcast_to(found, (rows, height, width))


__all__ = ["Masks", "masks_of", "painted"]
