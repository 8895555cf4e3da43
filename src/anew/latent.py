"""A model's latent space: tables to codes and back, and the straight line between two rows.

A table is one factor, so its codes are those of that factor's learner; `given` columns are no part of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from anew.core.columns import OUTSIDE, Floats
from anew.core.errors import DataError, UsageError
from anew.core.learner import Encodes, Samples
from anew.factor import Factor
from anew.joint import Joint, cannot
from anew.steer.interpolate import interpolated, on_arc


def encode(joint: Joint, frame: pl.DataFrame) -> Floats:
    """(n, k) latent codes of rows with all columns of the model."""
    factor, learner = encoder(joint)
    frame = blanked(joint, factor, frame)
    _check_there(factor, frame)
    return np.asarray(learner.encode(_data(factor, frame), factor.encode_given(frame)), np.float64)


def decode(joint: Joint, z: Floats, given: pl.DataFrame | None) -> pl.DataFrame:
    """The learned columns of the rows at codes (n, k)."""
    factor, learner = encoder(joint)
    if factor.picture:
        open_ = pl.DataFrame([joint.blank(name, len(z)) for name in factor.plan.given])
        given = open_ if given is None else blanked(joint, factor, given)
    context = None if given is None else factor.encode_given(given)
    _check_codes(factor, learner, z, given)
    return factor.decode(learner.decode(z, context))


def line(joint: Joint, a: pl.DataFrame, b: pl.DataFrame, at: Sequence[float]) -> list[pl.DataFrame]:
    """The learned columns of the rows at each place between a (0) and b (1); what is given must be the same in both."""
    factor, learner = encoder(joint)
    if factor.picture:
        return _arc(joint, factor, learner, a, b, at)
    given = list(factor.plan.given)
    if not a.select(given).equals(b.select(given)):
        raise DataError(
            "Two rows can be joined only where the model was given the same of both",
            found={name: (a[name][0], b[name][0]) for name in given},
            do="Make the given columns equal",
        )
    points = interpolated(learner, _data(factor, a), _data(factor, b), at, factor.encode_given(a))
    return [factor.decode(x) for x in points]


def blanked(joint: Joint, factor: Factor, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows, with what a picture is given left open where they do not have it."""
    lacking = [name for name in factor.plan.given if name not in frame.columns]
    return frame.with_columns(joint.blank(name, len(frame)) for name in lacking) if factor.picture else frame


def encoder(joint: Joint) -> tuple[Factor, Encodes[Any]]:
    """The factor whose latent space is the model's, and its learner; an error that names who can."""
    factor = joint.creating[-1]
    if not isinstance(factor.learner, Encodes):
        raise cannot(factor, "encode")
    return factor, factor.learner


def _check_there(factor: Factor, frame: pl.DataFrame) -> None:
    """A picture that is not there has no code."""
    for name in factor.plan.learn if factor.picture else ():
        if name not in frame.columns or frame[name].null_count():
            raise DataError(
                f"Rows without a picture in {name!r} have no place in the latent space",
                found=f"{frame[name].null_count()} of {len(frame)}" if name in frame.columns else "no such column",
                do="Leave them out, or fill them first: complete() (`anew complete`)",
            )


def _arc(
    joint: Joint, factor: Factor, learner: Encodes[Any], a: pl.DataFrame, b: pl.DataFrame, at: Sequence[float]
) -> list[pl.DataFrame]:
    """Pictures on the way, each given what the nearer end is given."""
    first, last = (blanked(joint, factor, end) for end in (a, b))
    start, stop = (learner.encode(factor.encode(end), factor.encode_given(end)) for end in (first, last))
    nearer = [factor.encode_given(last if t >= 0.5 else first) for t in at]
    return [factor.decode(learner.decode(on_arc(start, stop, t), given)) for t, given in zip(at, nearer, strict=True)]


def _data(factor: Factor, frame: pl.DataFrame) -> Any:
    """Rows as the learner reads them. A level never seen has no place in the space."""
    if factor.part is not None:
        return factor.encode(frame)
    cells = factor.learned.cells(frame)
    for j, field in enumerate(factor.learned.learned):
        strange = frame[field.name].filter(pl.Series(cells.codes[:, j] == OUTSIDE))
        if len(strange) and not field.ordered:
            raise DataError(
                f"{field.name!r} has a value never seen in training, which has no place in the latent space",
                found=strange[0],
                do="Replace it by a known one, or empty the cell and complete it first",
            )
    return factor.learned.view_of(cells.nearest(), factor.view)


def _check_codes(factor: Factor, learner: Encodes[Any], z: Floats, given: pl.DataFrame | None) -> None:
    assert isinstance(learner, Samples)
    context = None if given is None else factor.encode_given(given[:1])
    wide = learner.encode(learner.sample(1, np.random.default_rng(0), context), context).shape[1]
    if z.ndim != 2 or z.shape[1] != wide or not np.isfinite(z).all():
        raise UsageError(
            f"Latent codes of this model are finite numbers in {wide} columns",
            found=f"shape {z.shape}" if z.ndim != 2 or z.shape[1] != wide else "codes that are not finite",
            do="Make them with encode() (`anew encode`)",
        )
