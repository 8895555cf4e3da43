"""The laws of codecs: decode(encode(x)) is x."""

from __future__ import annotations

import numpy as np
import polars as pl

from anew.core.codec import Codec
from anew.core.release import exact
from anew.core.schema import Schema
from anew.testing.examples import example_of


def check_codec(
    kind: type[Codec[pl.DataFrame]], schema: Schema | None = None, frame: pl.DataFrame | None = None
) -> None:
    """decode(encode(x)) is x in every view, empty data passes, and a restored codec is the same codec."""
    if schema is None or frame is None:
        schema, frame = example_of(kind.kinds)
    codec = kind(schema)
    codec.fit(frame, exact())
    for view in kind.answers:
        if codec.has(view):
            codec.prepare(view, frame, exact())
    again = kind(schema)
    again.restore(*codec.state())
    for view in kind.views:
        assert_close_frames(codec.decode(codec.encode(frame, view), view), frame, f"decode(encode(x)) in {view}")
        assert_close_frames(again.decode(again.encode(frame, view), view), frame, f"a restored codec in {view}")
        assert codec.decode(codec.encode(frame[:0], view), view).height == 0, f"no rows in {view} are no rows"
    told = {view for view in kind.answers if codec.has(view)}
    for view in told - set(kind.views) - {"Classes", "Values", "Columns", "Meaning"}:
        there, back = codec.encode(frame, view), again.encode(frame, view)
        assert bool((there.x == back.x).all()), f"a restored codec in {view}"
        assert there.x.shape[1:] == codec.space(view).data, f"what is encoded in {view} is data of its space"
        nothing = frame.select(pl.all().is_null()).to_series().to_numpy()
        assert not there.present.numpy()[nothing].any(), f"what is missing is not present in {view}"


def assert_close_frames(a: pl.DataFrame, b: pl.DataFrame, law: str, tolerance: float = 1e-2) -> None:
    """Equal words, times within a day's cell, numbers within a small part of the column's spread."""
    assert a.columns == b.columns, law
    for name in b.columns:
        x, y = a[name], b[name]
        assert (x.is_null() == y.is_null()).all(), f"{law}: missing cells of {name!r} moved"
        if y.dtype.is_numeric():
            spread = float(np.nanstd(y.to_numpy())) or 1.0
            worst = np.nanmax(np.abs(x.cast(pl.Float64).to_numpy() - y.cast(pl.Float64).to_numpy()))
            assert worst <= tolerance * spread, f"{law}: {name!r} is off by {worst}"
        else:
            share = float((x == y).fill_null(True).mean())  # type: ignore[arg-type]
            assert share > 0.999, f"{law}: {name!r} agrees in {share:.1%}"
