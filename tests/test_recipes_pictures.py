"""Recipes of pictures: their parts by hand, what they leave, and real data beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
import anew.recipes as recipes
from anew.core.errors import DataError, UsageError
from anew.data.dataset import Dataset
from anew.recipes import _atlas, _brand, _drawn, _judged, _pairs, _prompted, _reading, _scans, _shown, _sprites, _styled

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*safety stop.*"),  # beside other work a second of training takes long
    pytest.mark.usefixtures("without_minilm"),
]

# ---------------------------------------------------------------- examples


@pytest.mark.parametrize("make", [_drawn.scans, _drawn.sprites, _drawn.signs])
def test_examples_are_pictures_and_the_same_each_time(make: object) -> None:
    frame = make(40, seed=1)  # type: ignore[operator]
    assert frame.equals(make(40, seed=1))  # type: ignore[operator]
    assert not frame.equals(make(40, seed=2))  # type: ignore[operator]
    assert Dataset.open(frame).schema["image"].kind == "image"


def test_the_ill_have_a_bright_spot_and_signs_come_in_pairs() -> None:
    scans = _drawn.scans()
    most = np.sort(scans["image"].to_numpy()[:, 3:12, 2:14].reshape(len(scans), -1), 1)
    dark = most[:, : most.shape[1] // 3].mean(1)
    ill = (scans["diagnosis"] == "ill").to_numpy()
    assert dark[ill].mean() > dark[~ill].mean(), "less of the fields is dark"
    signs = _drawn.signs(20)
    assert signs.group_by("sign").agg(pl.col("style").n_unique())["style"].to_list() == [2] * 20


# ---------------------------------------------------------------- parts of the table


def table(frame: pl.DataFrame | None = None) -> Dataset:
    return Dataset.open(_drawn.scans(100) if frame is None else frame)


def test_the_diagnosis_is_about_the_ill() -> None:
    data = table()
    assert _scans.positive_of(data, "diagnosis", None) == "ill"
    assert _scans.positive_of(data, "diagnosis", "healthy") == "healthy"
    with pytest.raises(UsageError, match="never is"):
        _scans.positive_of(data, "diagnosis", "sick")


def test_twins_of_learned_pictures_are_not_tested_on() -> None:
    frame = _drawn.scans(100)
    data = table(pl.concat([frame, frame[:50]]))
    parts = _scans.parted(data, data.schema["image"], "diagnosis", seed=3)
    learned = set(parts.learned.frame["image"])
    assert parts.twins > 0
    assert not learned & set(parts.held["image"])
    with pytest.raises(DataError, match="Every picture to test on was also learned from"):
        _scans.parted(data, data.schema["image"], "diagnosis", test=frame[:5])


def test_no_patient_is_on_both_sides() -> None:
    frame = _drawn.scans(100).with_columns(patient=pl.Series([f"P{i // 4}" for i in range(100)]))
    data = table(frame)
    parts = _scans.parted(data, data.schema["image"], "diagnosis", group="patient")
    assert len(parts.held) == 20
    assert not set(parts.learned.frame["patient"]) & set(parts.held["patient"])


def test_a_table_without_pictures_is_refused() -> None:
    with pytest.raises(DataError, match="no column of pictures"):
        recipes.assets(pl.DataFrame({"a": [1, 2, 3]}))


def test_a_diagnosis_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(UsageError, match="a share above 0"):
        recipes.diagnose(_drawn.scans(100), sensitivity=1.5)
    few = _drawn.scans(100).with_columns(diagnosis=pl.Series(["ill"] * 2 + ["healthy"] * 98))
    with pytest.raises(DataError, match="The scans set aside lack diagnosis = ill"):
        recipes.diagnose(few, time=1)


def test_the_calibration_error_by_hand() -> None:
    chance = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8]])
    answers = np.array([0, 1, 1, 1])
    error = _reading.calibration_error(chance, answers)
    assert error.value == pytest.approx((2 * abs(0.5 - 0.9) + 2 * abs(1 - 0.8)) / 4)
    assert error.low <= error.value <= error.high


# ---------------------------------------------------------------- assets


def test_the_atlas_says_where_each_sprite_lies_at_every_scale() -> None:
    rng = np.random.default_rng(0)
    sprites = rng.integers(0, 256, (7, 5, 6, 4), dtype=np.uint8)
    names = [f"s{i}" for i in range(7)]
    sheet = _atlas.sheet_of(sprites)
    for scale in _atlas.SCALES:
        large = _atlas.enlarged(sheet, scale)
        assert (large[::scale, ::scale] == sheet).all()
        assert large.shape == (sheet.shape[0] * scale, sheet.shape[1] * scale, 4)
        atlas = _atlas.atlas_of(sprites, names, scale)
        assert atlas["meta"]["size"] == {"w": large.shape[1], "h": large.shape[0]}
        for name, sprite in zip(names, sprites, strict=True):
            at = atlas["frames"][name]["frame"]
            cut = large[at["y"] : at["y"] + at["h"], at["x"] : at["x"] + at["w"]]
            assert (cut == _atlas.enlarged(sprite, scale)).all()


def book(colours: int | None = None) -> _sprites.Book:
    data = Dataset.open(_drawn.sprites(60))
    return _sprites.Book.of(data, _scans.picture_of(data), "kind", colours)


def test_sprites_are_reduced_to_the_palette() -> None:
    known = book(2)
    noisy = np.clip(known.pixels[0].astype(int) + np.random.default_rng(0).integers(-30, 30, (12, 12, 4)), 0, 255)
    clean = _sprites.reduced(noisy.astype(np.uint8), known)
    seen = {tuple(c) for c in clean.reshape(-1, 4)}
    assert len(seen - {(0, 0, 0, 0)}) <= 2
    assert seen <= {tuple(c) for c in known.palette} | {(0, 0, 0, 0)}
    assert set(clean[..., 3].ravel()) <= {0, 255}


def test_copies_are_told_mirrored_and_in_other_clothes() -> None:
    known = book()
    flat = known.flat
    mirrored = np.ascontiguousarray(known.pixels[:5, :, ::-1])
    shape = known.pixels.shape[1:]
    assert (_sprites.distances(_sprites._flat(mirrored), flat, shape)[0] < 1e-6).all()
    other = _drawn.sprites(5, seed=9)["image"].to_numpy().copy()
    other[..., :3] = 255 - other[..., :3]
    assert (_sprites.distances(_sprites._flat(other), flat, shape)[0] > _sprites.COPY).all()


def test_noise_is_told_from_what_was_learned() -> None:
    real = _drawn.signs(30)["image"].to_numpy()
    noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype=np.uint8)
    grey = np.full_like(real, 200)
    assert _shown.rough_words(real[:20], real) == ""
    assert "noisy" in _shown.rough_words(noise, real)
    assert "blurred" in _shown.rough_words(grey, real)


def test_assets_leave_sprites_sheets_and_an_atlas(tmp_path: Path) -> None:
    from PIL import Image

    done = recipes.assets(_drawn.sprites(60), where="kind=gem", n=6, time=1, out=tmp_path)
    atlas = json.loads((tmp_path / "sheet@2x.json").read_text())
    assert sorted(atlas["frames"]) == [f"gem_{i:03d}" for i in range(1, 7)]
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert (np.asarray(Image.open(tmp_path / "sheet@4x.png")) == _atlas.enlarged(sheet, 4)).all()
    assert len(list((tmp_path / "sprites").glob("*.png"))) == 6
    known = {tuple(c) for c in _drawn.sprites(60)["image"].to_numpy().reshape(-1, 4)}
    assert {tuple(c) for c in sheet.reshape(-1, 4)} <= known
    assert done.figures["drawn"] >= 6 + done.figures["copies"]


# ---------------------------------------------------------------- visuals


def test_colours_go_to_lab_and_back() -> None:
    assert _brand.to_lab(np.array([255, 0, 0], np.uint8)) == pytest.approx([53.24, 80.09, 67.20], abs=0.01)
    some = np.random.default_rng(0).integers(0, 256, (200, 3), dtype=np.uint8)
    assert (_brand.to_rgb(_brand.to_lab(some)) == some).all()


def test_a_brand_recolours_hues_and_keeps_lightness_and_greys() -> None:
    brand = _brand.Brand.of("#12355b, e4572e,#fb1")
    assert brand.names == ("#12355b", "#e4572e", "#ffbb11")
    signs = _drawn.signs(30)["image"].to_numpy()
    tinted, flat = brand.tinted(signs), brand.flat(signs)
    assert brand.off_hue(tinted) < 2 < brand.off_hue(signs)
    assert _brand.lightness_moved(signs, tinted) < 1
    assert (tinted[signs.min(-1) == 255] == 255).all(), "white stays white"
    allowed = {*map(tuple, brand.colours.tolist()), (0, 0, 0), (255, 255, 255)}
    assert set(map(tuple, flat.reshape(-1, 3).tolist())) <= allowed
    assert _brand.Brand.of(123456).names == ("#123456",)
    with pytest.raises(UsageError, match="hexadecimal"):
        _brand.Brand.of("#12355b,blue")


def test_which_words_of_a_prompt_are_known() -> None:
    captions = pl.Series(["a red ring", "a red cross", "a blue ring", None])
    words = _prompted.known_words(captions, "The RED ring, zebra ring")
    assert [(w.word, w.captions, w.known) for w in words] == [
        ("the", 0, False),
        ("red", 2, True),
        ("ring", 2, True),
        ("zebra", 0, False),
    ]
    assert _prompted.together(captions, words) == 1
    with pytest.raises(UsageError, match="no word"):
        _prompted.known_words(captions, "?!")


def test_visuals_follow_the_prompt_and_the_brand(tmp_path: Path) -> None:
    done = recipes.visuals(_drawn.signs(60), "a red zebra", "#12355b,#e4572e", n=4, time=1, out=tmp_path)
    assert done.figures["off hue"]["flat"] < 1
    assert "'zebra' is not known" in done.story.headline
    assert (tmp_path / "contact_sheet.png").stat().st_size > 0
    for name in ("drawn", "tinted", "flat"):
        assert len(list((tmp_path / name).glob("*.png"))) == 4
    with pytest.raises(UsageError, match="No word of this"):
        recipes.visuals(_drawn.signs(60), "zebra", n=4, time=1)


# ---------------------------------------------------------------- style


def styles() -> _pairs.Styles:
    frame = _drawn.signs(40)
    return _pairs.styles_of(Dataset.open(frame), None, None, None, None, 0)


def test_contents_are_found_and_split_whole() -> None:
    found = styles()
    assert (found.style, found.content, found.names) == ("style", "sign", ("filled", "outline"))
    assert not set(found.learned.frame["sign"]) & set(found.held["sign"])
    assert len(found.held) == 16


def test_pairs_show_the_same_content_in_two_styles() -> None:
    found = styles()
    pairs = _pairs.pairs_of(found, 20, 0)
    assert len(pairs.frame) == 20
    where = {cell: (sign, style) for cell, sign, style in found.learned.frame.select("image", "sign", "style").rows()}
    for source, style, picture in pairs.frame.select("source", "style", "image").rows():
        (first, one), (second, other) = where[source], where[picture]
        assert first == second
        assert one != other == style


def test_what_is_tested_is_aligned_with_its_truth() -> None:
    found = styles()
    source, truth = _pairs.tested(found, "filled", "outline", 5, 0)
    assert truth is not None
    assert source["sign"].equals(truth["sign"])
    assert set(source["style"]) == {"filled"}
    assert set(truth["style"]) == {"outline"}
    assert len(source) == 5


def test_a_split_column_says_what_is_tested() -> None:
    frame = _drawn.signs(20).with_columns(
        part=pl.when(pl.col("sign") < "S0003").then(pl.lit("test")).otherwise(pl.lit("train"))
    )
    found = _pairs.styles_of(Dataset.open(frame), "style", "sign", "part", None, 0)
    assert set(found.held["sign"]) == {"S0000", "S0001", "S0002"}
    with pytest.raises(DataError, match="one style"):
        _pairs.styles_of(Dataset.open(frame.filter(pl.col("style") == "filled")), "style", "sign", None, None, 0)


def test_colours_are_moved_to_those_of_the_target() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.integers(0, 100, (9, 4, 4, 3)), rng.integers(100, 200, (9, 4, 4, 3))
    free = _styled._free(source.astype(np.uint8), target.astype(np.uint8))
    assert free[_styled.COLOURS].mean((0, 1, 2)) == pytest.approx(target.mean((0, 1, 2)), abs=1)
    assert free[_styled.COLOURS].std((0, 1, 2)) == pytest.approx(target.std((0, 1, 2)), abs=1)


def test_the_judges_of_style_transfer_know_the_truth() -> None:
    found = styles()
    judges = _judged.Judges.of(found, 0)
    assert judges.accuracy > 0.9
    source, truth = _pairs.tested(found, "filled", "outline", 8, 0)
    assert truth is not None
    first, real = found.pixels(source), found.pixels(truth)
    marks = judges.scores({"copy": first, "truth": real}, first, real, "outline")
    assert marks["truth"]["distance"] == marks["truth"]["pixels"] == 0
    assert marks["truth"]["style"] > marks["copy"]["style"]
    assert marks["copy"]["content"] == 1
    assert marks["truth"]["content"] > 2 / 8, "far above chance"


def test_the_model_of_a_recipe_is_saved_and_draws_again(tmp_path: Path) -> None:
    recipes.assets(_drawn.sprites(60), n=4, time=1, out=tmp_path)
    frame = anew.load(tmp_path / "model").sample(3)
    assert frame["image"][0].shape == (12, 12, 4)


# ---------------------------------------------------------------- real data


def images(shared: Path, name: str, file: str = "images.npz") -> Path:
    found = shared / "data" / "images" / name / file
    if not found.exists():
        pytest.skip(f"no pictures at {found}")
    return found


def with_captions(file: Path, columns: list[str], some: slice) -> pl.DataFrame:
    table = pl.read_parquet(file.with_name("captions.parquet")).select(columns)
    return pl.DataFrame({"image": np.load(file)["images"][some]}).hstack(table[some])


@pytest.mark.slow
def test_a_diagnosis_of_real_lungs(shared: Path) -> None:
    file = images(shared, "pneumonia_mnist", "data.npz")
    found = recipes.diagnose(f"{file}#train", test=f"{file}#test", time=10).figures
    assert found["positive"] == "label = 1"
    assert found["conv"]["auc"]["value"] > 0.92
    assert found["conv"]["sensitivity"]["value"] > 0.9
    assert found["conv"]["calibration error"]["value"] < 0.1


@pytest.mark.slow
def test_synthetic_blood_cells_have_their_control(shared: Path) -> None:
    with np.load(images(shared, "blood_cells", "data.npz")) as file:  # half the side of every second one: it is slow
        pictures, labels = file["images"][::2, ::2, ::2], file["labels"][::2]
    frame = {"image": list(pictures), "label": [f"kind {label}" for label in labels]}
    found = recipes.scans(frame, keep=120, splits=2, time=5)
    assert found.figures["verdict"] in ("helps", "does not help", "cannot tell")
    assert len(found.tables["synthetic"]) == 120
    assert all(0 <= one["value"] <= 1 for ways in found.figures["scores"].values() for one in ways.values())


@pytest.mark.slow
def test_assets_from_real_tiles_keep_their_palette(shared: Path) -> None:
    tiles = with_captions(images(shared, "game_tiles"), ["category"], slice(None, None, 8))
    made = recipes.assets(tiles, n=8, time=5).tables["sprites"]["image"].to_numpy()
    known = {tuple(c) for c in tiles["image"].to_numpy().reshape(-1, 4).tolist()} | {(0, 0, 0, 0)}
    assert {tuple(c) for c in made.reshape(-1, 4).tolist()} <= known


@pytest.mark.slow
def test_visuals_from_real_captions(shared: Path) -> None:
    emoji = with_captions(images(shared, "emoji_captions"), ["caption"], slice(None, None, 6))
    found = recipes.visuals(emoji, "red heart glitter", size=16, n=4, time=5).figures
    assert [(w["word"], w["known"]) for w in found["words"]] == [("red", True), ("heart", True), ("glitter", False)]
    assert found["off hue"]["tinted"] < found["off hue"]["drawn"]


@pytest.mark.slow
def test_styles_of_real_emoji_are_judged(shared: Path) -> None:
    file = images(shared, "emoji_styles")
    arrays, table = np.load(file), pl.read_parquet(file.with_name("captions.parquet"))[::8]
    parts = [
        pl.DataFrame({"image": arrays[name][::8]}).hstack(table.select("hexcode", "split", style=pl.lit(name)))
        for name in ("noto", "fluent")
    ]
    found = recipes.style(pl.concat(parts), content="hexcode", split="split", size=16, n=10, time=5).figures
    assert found["style judge"] > 0.7
    assert found["marks"]["the true picture"]["content"] > 2 / 10
    assert set(found["kept"]) == {"unpaired", "paired"}
