"""The way from one row to another: the straight line between their codes, with the rows themselves at its ends."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from anew.completion import with_made
from anew.core.errors import DataError, UsageError, did_you_mean
from anew.core.schema import MADE
from anew.joint import Joint
from anew.latent import encoder, line


def path(joint: Joint, a: pl.DataFrame, b: pl.DataFrame, steps: int, ends: tuple[float, float]) -> pl.DataFrame:
    """The rows at `steps` places from ends[0] to ends[1], pair by pair, after a column t (and `pair`, if several).

    At t = 0 and 1 stand the rows of a and b; between, identifiers are made anew.
    """
    at = _places(steps, ends)
    _check(joint, a, b)
    own = {0.0: a, 1.0: b}
    frames = [
        own[t] if t in own else pl.concat([_beside(joint, b if t >= 0.5 else a), frame], how="horizontal")
        for t, frame in zip(at, line(joint, a, b, at), strict=True)
    ]
    whole = pl.concat(frames, how="diagonal_relaxed")
    n = len(a)
    order = np.arange(n * steps).reshape(steps, n).T.ravel()  # pair by pair
    whole = with_made(joint.codec, whole[order], joint.codec.schema.names, seed=0)
    names = [name for name in joint.record.schema.names if name in whole.columns]
    whole = whole.select(names)
    pairs = [pl.Series(free_name("pair", names), np.repeat(np.arange(1, n + 1), steps))] if n > 1 else []
    return pl.DataFrame([pl.Series(free_name("t", names), np.tile(at, n)), *pairs, *whole.iter_columns()])


def _beside(joint: Joint, end: pl.DataFrame) -> pl.DataFrame:
    """What stands beside the columns on the way: what both ends are given, or for a picture all that its end has."""
    factor, _ = encoder(joint)
    names = [n for n in end.columns if n not in factor.plan.learn] if factor.picture else joint.given
    return end.select(names)


def free_name(name: str, taken: list[str]) -> str:
    """The name, with as many _ after it as make it no column of the table."""
    return name if name not in taken else free_name(name + "_", taken)


def _places(steps: int, ends: tuple[float, float]) -> list[float]:
    if steps < 2:
        raise UsageError("An interpolation takes at least 2 steps", found=steps)
    if not all(map(math.isfinite, ends)) or len(set(ends)) != 2:
        raise UsageError(
            "The range of an interpolation is two different numbers", found=ends, do="0 is the first row, 1 the second"
        )
    return [float(t) for t in np.round(np.linspace(*ends, steps), 12) + 0.0]  # so that 0 and 1 are themselves


def _check(joint: Joint, a: pl.DataFrame, b: pl.DataFrame) -> None:
    if set(a.columns) != set(b.columns):
        raise DataError(
            "The two rows have different columns",
            found={
                "only the first": [*set(a.columns) - {*b.columns}],
                "only the second": [*set(b.columns) - {*a.columns}],
            },
            do="Give both the same columns",
        )
    if len(a) != len(b):
        raise DataError(
            "One row is joined with one row, or each of several with its partner",
            found=f"{len(a)} and {len(b)} rows",
            do="Give as many rows on both sides",
        )
    for name in _needed(joint):
        if name not in a.columns:
            raise DataError(f"The rows lack the column {name!r}", do=did_you_mean(name, a.columns))
        if a[name].null_count() or b[name].null_count():
            raise DataError(
                f"The rows have an empty cell in {name!r}, which has no place on a line",
                do="Fill it first: complete() (`anew complete`)",
            )


def _needed(joint: Joint) -> list[str]:
    """The columns that both ends must have: a picture stands for itself, a row of scalars is whole."""
    factor, _ = encoder(joint)
    learned = list(factor.plan.learn) if factor.picture else joint.record.schema.names
    return [name for name in learned if joint.record.schema[name].kind not in MADE]
