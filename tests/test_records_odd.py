"""Records that are unusual: odd names, two pictures, pictures that scalars are given, what may be kept of notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import anew
from anew.completion import complete, find_gaps
from anew.core.errors import DataError
from anew.core.pixels import column
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.origin import Origin
from anew.model import Model


def record(n: int = 200, names: tuple[str, str] = ("scan.front", "table"), seed: int = 0) -> Dataset:
    """Two pictures of the same brightness, whether they are bright, and a caption."""
    rng = np.random.default_rng(seed)
    bright = rng.random(n) < 0.5
    fields, columns = [], []
    for name in names:
        pixels = np.where(bright, 200, 50)[:, None, None, None] + rng.normal(0, 10, (n, 4, 4, 1))
        columns.append(column(name, np.clip(pixels, 0, 255).astype(np.uint8)))
        fields.append(Field(name=name, kind="image", dtype="Binary", size=(4, 4), mode="L"))
    columns.append(pl.Series("bright", np.where(bright, "yes", "no")))
    columns.append(pl.Series("leap", ["a bright one" if yes else "a dark one" for yes in bright]))
    fields.append(Field(name="bright", kind="category", dtype="String"))
    fields.append(Field(name="leap", kind="text", dtype="String"))
    return Dataset(pl.DataFrame(columns), Schema(fields=tuple(fields)), Origin.usual(), n)


def rows(model: Model, n: int, **how: object) -> pl.DataFrame:
    return pl.concat(list(model.stream(n, **how)))  # type: ignore[arg-type]


def test_two_pictures_with_names_that_networks_use_themselves(tmp_path: Path) -> None:
    model = anew.fit(record(), network="mlp", given="leap", time=2)
    assert [f.learn for f in model.plan.create] == [("bright",), ("scan.front",), ("table",)]
    assert model.joint.given == ["leap"]
    assert len(model.alike(record(30, seed=1).frame)) == 30
    model.save(tmp_path / "model")
    assert rows(anew.load(tmp_path / "model"), 5).equals(rows(model, 5))


def test_a_name_of_a_network_s_own_method_is_no_trouble() -> None:
    data = record(names=("values", "train"))
    for objective, network in (("diffusion", "unet"), ("elbo", "conv"), ("minimax", "conv")):
        model = anew.fit(data, objective=objective, network=network, given="leap", time=1)
        assert len(rows(model, 3)) == 3, objective


@pytest.fixture(scope="module")
def given_a_picture() -> Model:
    return anew.fit(record(names=("scan", "other")), learn="bright", given="scan")


def test_a_condition_beside_a_given_picture_is_about_its_own_column(given_a_picture: Model) -> None:
    asked = record(40, names=("scan", "other"), seed=3).frame.select("scan")
    assert set(rows(given_a_picture, 40, given=asked, where={"bright": "yes"})["bright"]) == {"yes"}


def test_a_scalar_is_completed_given_a_picture(given_a_picture: Model) -> None:
    test = record(60, names=("scan", "other"), seed=4).frame
    joint = given_a_picture.joint
    full = complete(joint, find_gaps(joint, test.select("scan", pl.lit(None, pl.String).alias("bright")), None), seed=0)
    assert (full["bright"] == test["bright"]).mean() > 0.8  # type: ignore[operator]


def test_captions_of_rare_words_may_be_given_back() -> None:
    data = record(names=("scan", "other"))
    cells = data.frame["leap"].to_list()
    frame = data.frame.with_columns(pl.Series("leap", ["Zubat", *cells[1:]]))
    model = anew.fit(Dataset(frame, data.schema, data.origin, data.rows), network="mlp", given="leap", time=1)
    assert len(rows(model, 1, given=frame[:1].select("leap"))) == 1


def test_codes_and_their_conditions_must_fit(given_a_picture: Model) -> None:
    model = anew.fit(record(names=("scan", "other")), learn="scan", given="bright", network="mlp", time=1)
    test = record(5, names=("scan", "other"), seed=5).frame.select("scan", "bright")
    codes = model.encode(test)
    assert len(model.decode(codes, given=test)) == 5
    assert len(model.decode(codes, given=test[:1])) == 5
    with pytest.raises(anew.UsageError, match="one row for all codes"):
        model.decode(codes, given=test[:3])
    with pytest.raises(DataError, match="without a picture"):
        model.encode(test.with_columns(pl.lit(None, pl.Binary).alias("scan")))


def test_names_of_files_left_out_are_told_and_not_kept(tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / "scans" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), 20 * i, np.uint8)).save(tmp_path / "scans" / "ab"[i % 2] / f"{i}.png")
    (tmp_path / "scans" / "a" / "Smith_John.png").write_text("no picture")
    assert "Smith_John" in str(anew.look(tmp_path / "scans", skip_bad=True))
    model = anew.fit(tmp_path / "scans", skip_bad=True, network="mlp", time=1, out=tmp_path / "model")
    assert model.provenance["notes"][0].startswith("1 row left out")
    for file in (tmp_path / "model").iterdir():
        assert b"Smith_John" not in file.read_bytes(), file.name
