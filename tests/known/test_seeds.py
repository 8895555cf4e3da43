"""Streams of different purposes have nothing in common, whatever their numbers."""

from __future__ import annotations

import numpy as np
import polars as pl

import anew
from anew.core.seeds import stream


def test_a_purpose_is_a_stream() -> None:
    a, same, other, block = (
        stream("column", 3, 1).random(2000),
        stream("column", 3, 1).random(2000),
        stream("column", 3, 2).random(2000),
        stream("block", 3, 1).random(2000),
    )
    assert np.array_equal(a, same)
    for stranger in (other, block):
        assert abs(np.corrcoef(a, stranger)[0, 1]) < 0.1
        assert not np.isin(a, stranger).any()


def test_a_draw_with_the_seed_of_the_fit_is_as_good_as_another() -> None:
    """Fitting column j and drawing block j once shared a stream: the draw followed the trees' own random choices."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 8, 4000)
    data = pl.DataFrame(
        {"group": group, "other": rng.integers(0, 30, 4000), "value": group * 10 + rng.normal(size=4000)}
    )
    model = anew.fit(data, seed=0)
    gaps = []
    for seed in (0, 1, 2, 3, 4):
        shares = model.sample(8000, seed=seed)["group"].value_counts().sort("group")["count"].to_numpy() / 8000
        gaps.append(np.abs(shares - np.bincount(group) / 4000).sum())
    assert gaps[0] < 2 * np.mean(gaps[1:]) + 0.01
