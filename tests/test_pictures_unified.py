"""Pictures of a column have one mode and one size, by a stated rule, and new data are read the same way."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from anew.core.errors import AnewWarning
from anew.core.pixels import Pixels
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.formats._decode import decode
from made_pictures import SHAPES, pictures, save, stack

MODES = list(SHAPES)


# ---------------------------------------------------------------- modes


def one(tmp_path: Path, image: Image.Image, suffix: str = "png", **options: Any) -> tuple[str, Pixels]:
    image.save(tmp_path / f"a.{suffix}", **options)
    found = decode(tmp_path / f"a.{suffix}")
    return found.mode, found.pixels


def test_modes_become_the_smallest_that_loses_nothing(tmp_path: Path) -> None:
    grey = pictures(1)[0]
    assert one(tmp_path, Image.fromarray(grey).convert("1"))[0] == "L"
    assert one(tmp_path, Image.fromarray(grey).convert("LA"))[0] == "L"
    assert one(tmp_path, Image.fromarray(grey).convert("P"))[0] == "L"
    assert one(tmp_path, Image.fromarray(grey).convert("RGB"))[0] == "RGB"
    opaque = np.dstack([pictures(1, "RGB")[0], np.full((9, 12), 255, np.uint8)])
    mode, pixels_ = one(tmp_path, Image.fromarray(opaque))
    assert mode == "RGB"
    assert (pixels_ == opaque[..., :3]).all()


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    colours = np.array([[250, 10, 10], [10, 250, 10], [10, 10, 250]], np.uint8)
    places = np.random.default_rng(0).integers(0, 3, (8, 8))
    image = Image.fromarray(places.astype(np.uint8)).copy()
    image = Image.frombytes("P", (8, 8), places.astype(np.uint8).tobytes())
    image.putpalette(colours.tobytes())
    mode, found = one(tmp_path, image)
    assert mode == "RGB"
    assert (found == colours[places]).all()
    mode, found = one(tmp_path, image, transparency=1)
    assert mode == "RGBA"
    assert (found[..., 3] == np.where(places == 1, 0, 255)).all()
    assert (found[places != 1][:, :3] == colours[places][places != 1]).all()


def test_cmyk_becomes_rgb_and_is_told(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / f"{i}.tiff")
    data = Dataset.open(tmp_path)
    assert stack(data)[0, 0, 0].tolist() == [255, 0, 0]
    assert data.notes == ("image: 3 pictures: CMYK read as RGB",)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_the_orientation_is_obeyed(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: turn by a quarter, clockwise
    exif[0x010E] = "Mrs Smith"
    lying = np.zeros((8, 16), np.uint8)
    lying[:, :8] = 255
    for i in range(3):
        Image.fromarray(lying).save(tmp_path / f"{i}.{suffix}", exif=exif)
    data = Dataset.open(tmp_path)
    assert data.schema["image"].size == (16, 8)
    assert stack(data)[0, 0].mean() > 250
    assert stack(data)[0, -1].mean() < 5
    assert "Smith" not in str(data.schema) + str(data.notes)


def test_mixed_modes_are_read_as_one_that_loses_nothing(tmp_path: Path) -> None:
    grey, colour, alpha = pictures(2), pictures(1, "RGB"), pictures(1, "RGBA")
    save(tmp_path, grey)
    save(tmp_path, colour, start=2)
    save(tmp_path, alpha, start=3)
    data = Dataset.open(tmp_path)
    assert data.schema["image"].mode == "RGBA"
    found = stack(data)
    assert (found[:2, :, :, :3] == grey[..., None]).all()
    assert (found[2, ..., :3] == colour[0]).all()
    assert (found[3] == alpha[0]).all()
    assert "2 grey, 1 colour, 1 colour with transparency: all are read as colour with transparency" in data.notes[0]


def test_eight_and_sixteen_bits_of_grey(tmp_path: Path) -> None:
    save(tmp_path, np.full((2, 8, 8), 255, np.uint8))
    save(tmp_path, np.full((2, 8, 8), 1000, np.uint16), start=2)
    data = Dataset.open(tmp_path)
    assert data.schema["image"].mode == "I;16"
    assert stack(data)[:, 0, 0].tolist() == [65535, 65535, 1000, 1000]


# ---------------------------------------------------------------- sizes


def test_other_sizes_are_fitted_inside_and_padded_never_cropped(tmp_path: Path) -> None:
    save(tmp_path, pictures(3, "RGB", (20, 20)))
    wide = np.full((1, 10, 40, 3), 200, np.uint8)
    wide[:, :, 0] = wide[:, :, -1] = (10, 0, 0)
    wide[:, 0] = wide[:, -1] = (10, 0, 0)
    save(tmp_path, wide, start=3)
    data = Dataset.open(tmp_path)
    assert data.schema["image"].size == (20, 20)
    found = stack(data)[3]
    assert (found[:7] == (10, 0, 0)).all()  # the colour of its border, above and below
    assert (found[13:] == (10, 0, 0)).all()
    assert found[10, 10, 0] > 150
    assert len(data.notes) == 1
    assert "another size than the most common, 20 x 20: 1 of 4 pictures, fitted inside 20 x 20" in data.notes[0]
    assert "padded with the colour of the border or transparency; nothing is cropped" in data.notes[0]


def test_transparency_pads_where_there_is_alpha(tmp_path: Path) -> None:
    save(tmp_path, pictures(3, "RGBA", (16, 16)))
    save(tmp_path, pictures(1, "RGBA", (8, 16)), start=3)
    found = stack(Dataset.open(tmp_path))[3]
    assert (found[:4] == 0).all()
    assert (found[12:] == 0).all()


def test_what_is_transparent_does_not_bleed_into_what_is_not(tmp_path: Path) -> None:
    smooth = np.zeros((3, 40, 40, 4), np.uint8)
    smooth[..., 3] = np.clip(np.hypot(*np.mgrid[-20:20, -20:20]) * 12, 0, 255)
    smooth[..., :3] = np.where(smooth[..., 3:] > 0, 250, 0)  # white where it can be seen, black where not
    save(tmp_path, smooth)
    found = stack(Dataset.open(tmp_path, size=20))
    assert (found[..., :3][found[..., 3] > 16] >= 240).all()  # 8 bits of little alpha are coarse


def test_pixel_art_keeps_its_colours_when_it_is_enlarged(tmp_path: Path) -> None:
    save(tmp_path, pictures(3, "RGB", (16, 16)))
    art = np.random.default_rng(0).choice(np.array([0, 90, 255], np.uint8), (1, 6, 6, 1)).repeat(3, 3)
    save(tmp_path, art, start=3)
    found = stack(Dataset.open(tmp_path))[3]
    assert (found[2:14, 2:14] == art[0].repeat(2, 0).repeat(2, 1)).all()


def test_large_pictures_are_reduced_and_told(tmp_path: Path) -> None:
    save(tmp_path, np.full((3, 96, 192), 77, np.uint8))
    data = Dataset.open(tmp_path)
    assert data.schema["image"].size == (32, 64)
    assert (stack(data) == 77).all()
    assert "pictures of 192 x 96 pixels are reduced to 64 x 32; for another size give --size" in data.notes[0]
    assert Dataset.open(tmp_path, size=128).schema["image"].size == (64, 128)
    assert Dataset.open(tmp_path, size=(48, 48)).schema["image"].size == (48, 48)
    edited = Schema(fields=(Field(name="image", kind="image", dtype="Binary", size=(96, 192)),))
    assert Dataset.open(tmp_path, edited).schema["image"].size == (96, 192)


def test_new_pictures_are_read_as_the_schema_says(tmp_path: Path) -> None:
    save(tmp_path / "a", pictures(3, "L", (16, 16)))
    learned = Dataset.open(tmp_path / "a").schema
    colour = np.zeros((1, 32, 32, 3), np.uint8)
    colour[..., 1] = 255
    save(tmp_path / "b", colour)
    with pytest.warns(AnewWarning) as told:
        new = Dataset.open(tmp_path / "b", like=learned)
    assert new.schema["image"].mode == "L"
    assert (stack(new) == 150).all()  # how bright green is: .587 of 255
    assert [str(one.message).partition(",")[0] for one in told] == [
        "image: another size than 16 x 16: 1 of 1 pictures",
        "image: 1 of 1 pictures: colour is read as grey",
    ]
    again = Dataset.open(new.frame, like=learned)  # canonical rows are read as they are
    assert again.frame.equals(new.frame)


def test_what_is_cut_out_of_grey_pictures_is_no_loss(tmp_path: Path) -> None:
    save(tmp_path / "a", pictures(3, "L", (16, 16)))
    learned = Dataset.open(tmp_path / "a").schema
    cut = pictures(2, "L", (16, 16))[..., None].repeat(4, 3)
    cut[..., 3] = 255
    cut[:, 4:8, 4:8, 3] = 0
    save(tmp_path / "b", cut)
    assert (stack(Dataset.open(tmp_path / "b", like=learned))[:, 4:8, 4:8] == 255).all()
    cut[:, 4:8, 4:8, 3] = 100
    save(tmp_path / "c", cut)
    with pytest.warns(AnewWarning, match="image: 2 of 2 pictures: transparency is laid on white"):
        Dataset.open(tmp_path / "c", like=learned)
