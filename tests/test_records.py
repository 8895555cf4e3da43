"""Records of several kinds of field: scalars, pictures and captions in one model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew import latent
from anew.codecs.image import Image
from anew.completion import complete, find_gaps
from anew.core.errors import DataError, UsageError
from anew.core.pixels import column, stack
from anew.core.release import exact
from anew.core.schema import Field, Schema
from anew.core.where import where_of
from anew.data.dataset import Dataset
from anew.data.origin import Origin
from anew.interpolation import path
from anew.model import Model
from anew.restyling import restyled

pytestmark = pytest.mark.usefixtures("without_minilm")

SCAN = Field(name="scan", kind="image", dtype="Binary", size=(6, 6), mode="L")
SCHEMA = Schema(
    fields=(
        SCAN,
        Field(name="ill", kind="category", dtype="String"),
        Field(name="caption", kind="text", dtype="String"),
    )
)


def scans(n: int = 400, seed: int = 0) -> Dataset:
    """Dark scans of the healthy, bright ones of the ill, and captions that say so."""
    rng = np.random.default_rng(seed)
    ill = rng.random(n) < 0.5
    pixels = np.clip(np.where(ill, 200, 50)[:, None, None, None] + rng.normal(0, 15, (n, 6, 6, 1)), 0, 255)
    said = [f"a {'bright' if yes else 'dark'} scan" for yes in ill]
    words = pl.Series("ill", np.where(ill, "yes", "no"))
    frame = pl.DataFrame([column("scan", pixels.astype(np.uint8)), words, pl.Series("caption", said)])
    return Dataset(frame, SCHEMA, Origin.usual(), n)


def brightness(frame: pl.DataFrame) -> np.ndarray:
    return stack(frame["scan"], SCAN).mean((1, 2, 3))


def rows(model: Model, n: int, **how: object) -> pl.DataFrame:
    return pl.concat(list(model.stream(n, **how)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model() -> Model:
    return anew.fit(scans(), network="mlp", given="caption", predict="ill", predictors="linear,mlp", time=12)


def test_a_record_is_scalars_then_pictures(model: Model) -> None:
    assert [(f.learn, f.given) for f in model.plan.create] == [(("ill",), ()), (("scan",), ("caption", "ill"))]
    assert [f.given for f in model.plan.predict] == [("scan",)] * 2


def test_pictures_go_with_their_labels(model: Model) -> None:
    frame = rows(model, 130)
    ill = (frame["ill"] == "yes").to_numpy()
    assert brightness(frame)[ill].mean() > brightness(frame)[~ill].mean() + 60
    assert frame["scan"].null_count() == 0


def test_conditions_on_created_and_on_given_columns(model: Model) -> None:
    frame = rows(model, 40, where={"ill": "yes", "caption": "a bright scan"})
    assert set(frame["ill"]) == {"yes"}
    assert set(frame["caption"]) == {"a bright scan"}
    assert brightness(frame).mean() > 140


def test_a_caption_without_a_known_word_is_refused(model: Model) -> None:
    with pytest.raises(UsageError, match="No word of this 'caption' was seen"):
        rows(model, 2, where={"caption": "zebra"})


def test_predictors_read_the_picture(model: Model) -> None:
    test = scans(100, seed=1).frame
    for method in ("linear", "mlp"):
        chance = model.joint.predict(test, method)
        levels = model.joint.codec.levels["ill"]
        assert ([levels[k] for k in chance.argmax(1)] == test["ill"].to_numpy()).mean() > 0.95, method


def test_the_same_after_saving(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = anew.load(tmp_path / "model")
    assert rows(again, 70, seed=3).equals(rows(model, 70, seed=3))
    test = scans(20, seed=1).frame
    assert (again.joint.predict(test, "linear") == model.joint.predict(test, "linear")).all()


def test_objectives_that_learn_no_pictures_say_so() -> None:
    with pytest.raises(UsageError, match="chain does not learn pictures"):
        anew.fit(scans(), objective="chain", given="caption")


def test_texts_are_written_given_the_scalars_and_before_the_pictures() -> None:
    plan = anew.fit(scans(), learn="scan,caption,ill", dry_run=True).plan
    assert [factor.learn for factor in plan.create] == [("ill",), ("caption",), ("scan",)]
    assert [factor.given for factor in plan.create] == [(), ("ill",), ("ill", "caption")]
    assert [factor.objective for factor in plan.create] == ["chain", "next_token", "diffusion"]


def test_pixel_art_keeps_its_colours_and_its_transparency() -> None:
    rng = np.random.default_rng(0)
    colours = np.array([[0, 0, 0, 0], [255, 0, 0, 255], [20, 200, 30, 255], [9, 9, 9, 128]], np.uint8)
    pixels = colours[rng.integers(0, 4, (20, 5, 5))]
    field = Field(name="art", kind="image", dtype="Binary", size=(5, 5), mode="RGBA")
    frame = pl.DataFrame([column("art", pixels)])
    codec = Image(Schema(fields=(field,)))
    codec.fit(frame, exact())
    noisy = codec.encode(frame, "Real")
    made = stack(codec.decode(type(noisy)(noisy.x + 0.1, noisy.present), "Real")["art"], field)
    assert codec.palette is not None
    assert {tuple(c) for c in made.reshape(-1, 4)} <= {tuple(c) for c in codec.palette}
    assert (stack(codec.decode(noisy, "Real")["art"], field) == pixels).all()


def test_half_of_a_picture_is_completed_and_the_other_half_stays(model: Model) -> None:
    test = scans(40, seed=2).frame
    masks = np.zeros((40, 6, 6), bool)
    masks[:20, :, 3:] = True
    full = complete(model.joint, find_gaps(model.joint, test, None, masks), seed=0)
    before, after = stack(test["scan"], SCAN)[..., 0], stack(full["scan"], SCAN)[..., 0]
    assert (after[~masks] == before[~masks]).all()
    assert (after[masks] != before[masks]).mean() > 0.5
    ill = (test["ill"] == "yes").to_numpy()[:20]
    right = after[:20, :, 3:].mean((1, 2))
    assert right[ill].mean() > right[~ill].mean() + 60
    assert full["ill"].equals(test["ill"])


def test_a_missing_picture_is_drawn_and_masks_must_fit(model: Model) -> None:
    rows = scans(6, seed=2).frame.with_columns(pl.lit(None, pl.Binary).alias("scan"))
    full = complete(model.joint, find_gaps(model.joint, rows, None), seed=0)
    assert full["scan"].null_count() == 0
    with pytest.raises(DataError, match="has the size of its picture"):
        find_gaps(model.joint, rows, None, np.zeros((5, 5), bool))


def test_pictures_have_codes_ways_and_styles(model: Model) -> None:
    test = scans(30, seed=4).frame
    codes = latent.encode(model.joint, test)
    back = latent.decode(model.joint, codes, test.select("ill", "caption"))
    assert np.abs(brightness(back) - brightness(test)).mean() < 12
    ill = (test["ill"] == "yes").to_numpy()
    a, b = test.filter(~pl.Series(ill))[:1], test.filter(pl.Series(ill))[:1]
    way = path(model.joint, a, b, 4, (-0.5, 1.5))
    assert way["t"].to_list() == pytest.approx([-0.5, 1 / 6, 5 / 6, 1.5])
    assert brightness(way)[2] > brightness(way)[1] + 30
    bare = path(model.joint, a.select("scan"), b.select("scan"), 3, (0, 1))
    assert bare.columns == ["t", "scan"]
    assert bare["scan"][0] == a["scan"][0]
    styled = restyled(model.joint, test, where_of({"ill": "yes", "caption": "a bright scan"}))
    assert set(styled["ill"]) == {"yes"}
    assert brightness(styled).min() > 100
    strongly = restyled(model.joint, test, where_of({"ill": "yes"}), guidance=2.0)
    assert not strongly.equals(restyled(model.joint, test, where_of({"ill": "yes"})))
    assert restyled(model.joint, test, where_of({"ill": "yes"}), guidance=1.0).equals(
        restyled(model.joint, test, where_of({"ill": "yes"}))
    )
    with pytest.raises(UsageError, match="was not learned given"):
        restyled(model.joint, test, where_of({"scan": "x"}))
