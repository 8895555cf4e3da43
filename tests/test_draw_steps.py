"""The number of steps of a draw is chosen when drawing, from one fitted model."""

from __future__ import annotations

import polars as pl
import pytest

import anew
from anew.core.errors import CapabilityError, UsageError
from anew.testing import example_frame


@pytest.fixture(scope="module")
def model() -> anew.Model:
    return anew.fit(example_frame(300), objective="diffusion", time="1s", width=32, depth=1)


def test_every_number_of_steps_gives_other_rows_of_one_model(model: anew.Model) -> None:
    rows: dict[int, pl.DataFrame] = {steps: model.sample(100, steps=steps) for steps in (1, 4, 32)}
    assert all(frame.height == 100 for frame in rows.values())
    assert not rows[1].equals(rows[4])
    assert rows[4].equals(model.sample(100, steps=4)), "the same seed and steps repeat"
    assert model.sample(100).equals(model.sample(100, steps=8)), "a draw leaves the model as it was"


def test_steps_that_cannot_be(model: anew.Model) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        model.sample(5, steps=0)
    chain = anew.fit(example_frame(100), objective="marginals")
    with pytest.raises(CapabilityError, match=r"marginals draws without steps.*diffusion"):
        chain.sample(5, steps=4)
