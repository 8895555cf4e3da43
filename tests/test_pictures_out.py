"""Pictures out: what is written is read back the same, and a folder appears whole or not at all."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from anew.core.errors import DataError, UsageError
from anew.data.dataset import Dataset
from anew.data.formats import _pictures_out
from anew.data.formats._sheets import animated_gif, contact_sheet
from anew.data.formats.frames import file_names, write
from made_pictures import SHAPES, pictures, save


def made(mode: str = "L", **more: Any) -> Dataset:
    return Dataset.open(
        {"image": pictures(5, mode), "label": ["a", "b", "a", None, "b"], "age": [1.5, 2.0, None, 4.0, 5.0], **more}
    )


@pytest.mark.parametrize("mode", list(SHAPES))
@pytest.mark.parametrize("name", ["new", "new.npz", "new.parquet", "new.feather"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str, mode: str) -> None:
    data = made(mode)
    write(data.frame, tmp_path / name, data.schema)
    again = Dataset.open(tmp_path / name)
    assert again.schema["image"].mode == mode
    assert again.frame.equals(data.frame.select(again.frame.columns), null_equal=True)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_holds_png_files_and_metadata(tmp_path: Path) -> None:
    data = made()
    write(data.frame, tmp_path / "new", data.schema)
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == [*(f"{i:06d}.png" for i in range(1, 6)), "metadata.csv"]
    table = pl.read_csv(tmp_path / "new" / "metadata.csv")
    assert table.columns == ["file_name", "label", "age"]
    with Image.open(tmp_path / "new" / "000001.png") as picture:
        assert (np.asarray(picture) == pictures(5)[0]).all()
        assert dict(picture.getexif()) == {}
        assert picture.info == {}


def test_two_pictures_a_row_and_missing_ones(tmp_path: Path) -> None:
    two: list[Any] = [*pictures(4, seed=3), None]
    data = made(mask=two)
    write(data.frame, tmp_path / "new", data.schema)
    again = Dataset.open(tmp_path / "new")
    assert again.frame.select(data.frame.columns).equals(data.frame, null_equal=True)
    with pytest.raises(DataError, match=r"1 pictures of 'mask' are missing, which an .npz file cannot say"):
        write(data.frame, tmp_path / "new.npz", data.schema)
    assert not (tmp_path / "new.npz").exists()


def test_a_folder_of_ours_is_replaced_and_another_is_not(tmp_path: Path) -> None:
    data = made()
    write(data.frame, tmp_path / "new", data.schema)
    write(data.frame.head(2), tmp_path / "new", data.schema)
    assert len(list((tmp_path / "new").iterdir())) == 3
    (tmp_path / "mine").mkdir()
    write(data.frame, tmp_path / "mine", data.schema)  # empty: nothing is lost
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match=r"holds other files and is not written over. Found \['thesis.txt'\]"):
        write(data.frame, tmp_path / "mine", data.schema)
    assert (tmp_path / "mine" / "thesis.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "new"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = made()
    write(data.frame.head(2), tmp_path / "new", data.schema)
    png, count = _pictures_out.to_png, iter(range(10))

    def failing(array: Any) -> bytes:
        if next(count) == 3:
            raise OSError(28, "No space left on device")
        return png(array)

    monkeypatch.setattr(_pictures_out, "to_png", failing)
    with pytest.raises(RuntimeError, match="No space left"):
        write(data.frame, tmp_path / "new", data.schema)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert len(list((tmp_path / "new").iterdir())) == 3


def test_one_row_is_written_as_its_picture_and_several_as_a_sheet(tmp_path: Path) -> None:
    data = made("RGBA")
    write(data.frame.head(1), tmp_path / "one.png", data.schema)
    assert (np.asarray(Image.open(tmp_path / "one.png")) == pictures(5, "RGBA")[0]).all()
    write(data.frame, tmp_path / "all.png", data.schema)
    with Image.open(tmp_path / "all.png") as sheet:
        assert sheet.size == (3 * 72 + 2 * 2, 2 * 54 + 2)  # 12 x 9 pixels, six times enlarged
    with pytest.raises(UsageError, match="holds no picture to show"):
        write(data.frame.with_columns(image=pl.lit(None, pl.Binary)), tmp_path / "no.png", data.schema)


def test_the_file_of_each_row(tmp_path: Path) -> None:
    save(tmp_path / "a", pictures(2))
    save(tmp_path / "b", pictures(1))
    names = file_names(tmp_path)
    assert names is not None
    assert names.to_list() == ["a/000.png", "a/001.png", "b/000.png"]
    assert file_names(tmp_path / "a" / "000.png") is None


def test_other_endings_are_refused(tmp_path: Path) -> None:
    data = made()
    with pytest.raises(UsageError, match=r"pictures cannot be written to 'new\.csv'. Found '\.csv'. Name a folder"):
        write(data.frame, tmp_path / "new.csv", data.schema)


@pytest.mark.parametrize("mode", list(SHAPES))
def test_a_contact_sheet_shows_every_picture(mode: str) -> None:
    sheet = Image.open(io.BytesIO(contact_sheet(pictures(7, mode, (16, 16)), columns=3, scale=2)))
    assert sheet.size == (3 * 32 + 2 * 2, 3 * 32 + 2 * 2)
    if mode == "L":
        assert (np.asarray(sheet)[34:66:2, :32:2] == pictures(7, mode, (16, 16))[3]).all()
    assert np.asarray(sheet)[-1, -1].min() == 255  # where no picture is left


def test_an_animation_shows_every_frame() -> None:
    frames = np.stack([np.full((8, 8), 60 * i, np.uint8) for i in range(4)])
    film: Any = Image.open(io.BytesIO(animated_gif(frames, seconds=0.2)))
    assert (film.n_frames, film.size, film.info["duration"], film.info["loop"]) == (4, (64, 64), 200, 0)
    with pytest.raises(UsageError, match="at least one picture"):
        contact_sheet(frames[:0])
