"""Streams of different purposes have nothing in common, whatever their numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import anew
from anew import joint
from anew.core.seeds import stream
from anew.objectives import chain
from anew.testing import example_frame


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


def test_fitting_and_drawing_share_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fitting column j and drawing block j once did: the draw followed the trees' own random choices."""
    used: dict[str, set[str]] = {"chain": set(), "joint": set()}

    def spy(where: str) -> Callable[..., np.random.Generator]:
        def record(purpose: str, seed: int, *numbers: int) -> np.random.Generator:
            generator = stream(purpose, seed, *numbers)
            used[where].add(str(generator.bit_generator.state["state"]))
            return generator

        return record

    monkeypatch.setattr(chain, "stream", spy("chain"))
    monkeypatch.setattr(joint, "stream", spy("joint"))
    anew.fit(example_frame(100), seed=0).sample(20_000, seed=0)
    assert len(used["chain"]) == 8, "one stream a column, and one that chooses their parents"
    assert len(used["joint"]) == 3, "one stream a block"
    assert not used["chain"] & used["joint"]
