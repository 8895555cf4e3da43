"""Pictures in: every format and every way in which they come."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from anew.core.errors import DataError
from anew.core.pixels import Pixels
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.describe import describe
from anew.data.formats.frames import file_names
from anew.data.formats.pictures import CELL
from made_pictures import SHAPES, content, pictures, save, stack

MODES = list(SHAPES)


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_a_folder_is_read_exactly(tmp_path: Path, mode: str, suffix: str) -> None:
    came = pictures(4, mode)
    save(tmp_path / "a", came, suffix)
    data = Dataset.open(tmp_path / "a")
    assert (data.schema["image"].kind, data.schema["image"].mode, data.schema["image"].size) == ("image", mode, (9, 12))
    assert (stack(data) == came).all()
    assert data.rows == 4
    assert data.notes == ()


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".bmp", {}), (".gif", {}), (".webp", {"lossless": True}), (".jpg", {"quality": 95}), (".ppm", {})],
)
def test_other_formats(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    flat = np.full((3, 8, 16, 3), (200, 40, 90), np.uint8)
    save(tmp_path, flat, suffix, **options)
    data = Dataset.open(tmp_path)
    assert data.schema["image"].mode == "RGB"
    assert np.abs(stack(data).astype(int) - flat).max() <= (4 if suffix == ".jpg" else 0)


def test_sub_folders_are_labels(tmp_path: Path) -> None:
    save(tmp_path / "ill", pictures(3))
    save(tmp_path / "well", pictures(2, seed=1))
    (tmp_path / "README.md").write_text("about")
    (tmp_path / ".hidden").write_text("x")
    data = Dataset.open(tmp_path)
    assert data.frame["label"].to_list() == ["ill"] * 3 + ["well"] * 2
    assert data.schema["label"].kind == "category"
    assert data.notes == ("1 file left out, no pictures: README.md",)


def test_a_picture_beside_sub_folders_has_no_label(tmp_path: Path) -> None:
    save(tmp_path / "ill", pictures(3))
    save(tmp_path, pictures(1), start=9)
    assert sorted(Dataset.open(tmp_path).frame["label"].to_list(), key=str) == [None, "ill", "ill", "ill"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_metadata_name_the_pictures(tmp_path: Path, kind: str) -> None:
    came = pictures(4)
    save(tmp_path / "scans", came)
    table = pl.DataFrame(
        {"age": [31, 45, 60, 22], "file_name": ["scans/000.png", "scans/002.png", None, "scans/001.png"]}
    )
    {"csv": table.write_csv, "jsonl": table.write_ndjson, "parquet": table.write_parquet}[kind](
        tmp_path / f"metadata.{kind}"
    )
    data = Dataset.open(tmp_path)
    assert data.frame.columns == ["image", "age"]
    assert data.frame["age"].to_list() == [31, 45, 60, 22]
    assert data.frame["image"].is_null().to_list() == [False, False, True, False]
    assert data.schema["image"].missing
    assert (stack(data)[[0, 1, 3]] == came[[0, 2, 1]]).all()
    assert data.notes == (f"1 file left out, not named in metadata.{kind}: scans/003.png",)


def test_a_row_may_have_two_pictures(tmp_path: Path) -> None:
    save(tmp_path, pictures(2))
    (tmp_path / "metadata.csv").write_text("file_name,mask_file_name\n000.png,001.png\n001.png,000.png\n")
    data = Dataset.open(tmp_path)
    assert data.frame.columns == ["image", "mask"]
    assert data.frame["image"][0] == data.frame["mask"][1]


def test_of_splits_the_training_part_is_read(tmp_path: Path) -> None:
    save(tmp_path / "train" / "a", pictures(3))
    save(tmp_path / "test" / "a", pictures(2))
    data = Dataset.open(tmp_path)
    assert data.rows == 3
    assert "only the part 'train' is read, not test" in data.notes[0]
    assert Dataset.open(f"{tmp_path}::test").rows == 2


@pytest.mark.parametrize("suffix", [".gif", ".tiff"])
def test_frames_of_one_file_are_rows(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(np.full((8, 8), 60 * i, np.uint8)) for i in range(4)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    data = Dataset.open(tmp_path / f"a{suffix}")
    assert stack(data)[:, 0, 0].tolist() == [0, 60, 120, 180]
    assert data.notes[0] == "4 frames of one file, a row each"


def test_one_picture_is_one_row(tmp_path: Path) -> None:
    save(tmp_path, pictures(1, "RGBA"))
    data = Dataset.open(tmp_path / "000.png")
    assert (stack(data) == pictures(1, "RGBA")).all()


@pytest.mark.parametrize("mode", MODES)
def test_arrays_of_numpy(tmp_path: Path, mode: str) -> None:
    came = pictures(5, mode)
    np.savez(tmp_path / "a.npz", images=came, labels=np.arange(5)[:, None] % 2, age=np.arange(5) / 2, odd=np.zeros(3))
    data = Dataset.open(tmp_path / "a.npz")
    assert (stack(data) == came).all()
    assert data.frame["label"].to_list() == ["0", "1", "0", "1", "0"]
    assert data.frame["age"].to_list() == [0, 0.5, 1, 1.5, 2]
    assert data.notes == ("arrays left out, no column of 5 values: odd (3,)",)
    np.save(tmp_path / "a.npy", came)
    assert (stack(Dataset.open(tmp_path / "a.npy")) == came).all()


def test_arrays_of_several_splits(tmp_path: Path) -> None:
    arrays = {f"{name}_images": pictures(n) for name, n in (("train", 5), ("val", 2), ("test", 3))}
    np.savez(tmp_path / "a.npz", **arrays, test_labels=np.array([1, 2, 3]))  # type: ignore[arg-type]
    assert Dataset.open(tmp_path / "a.npz").rows == 5
    assert "only the part 'train' is read, not val, test" in Dataset.open(tmp_path / "a.npz").notes[0]
    test = Dataset.open(f"{tmp_path}/a.npz#test")
    assert (test.rows, test.frame.columns, test.notes) == (3, ["image", "label"], ())
    with pytest.raises(DataError, match="no part 'tset'"):
        Dataset.open(f"{tmp_path}/a.npz#tset")


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("nested", [False, True])
def test_tables_of_bytes(tmp_path: Path, kind: str, nested: bool) -> None:
    came = pictures(3, "RGB")
    cells: list[Any] = [content(one) for one in came]
    cells = [{"bytes": cell, "path": None} for cell in cells] if nested else cells
    table = pl.DataFrame({"picture": [*cells, None], "age": [1, 2, 3, 4]})
    (table.write_parquet if kind == "parquet" else table.write_ipc)(tmp_path / f"a.{kind}")
    data = Dataset.open(tmp_path / f"a.{kind}")
    assert (stack(data, "picture")[:3] == came).all()
    assert data.frame["picture"].null_count() == 1


def frames(came: Pixels) -> dict[str, Any]:
    label = ["a", "b", "a", "b"]
    objects = pd.Series(list(came), dtype=object)
    return {
        "dict": {"image": came, "label": label},
        "rows": [{"image": one, "label": word} for one, word in zip(came, label, strict=True)],
        "pandas, arrays": pd.DataFrame({"image": objects, "label": label}),
        "pandas, Pillow": pd.DataFrame({"image": [Image.fromarray(one) for one in came], "label": label}),
        "pandas, bytes": pd.DataFrame({"image": [content(one) for one in came], "label": label}),
        "polars, array": pl.DataFrame({"image": came, "label": label}),
        "polars, objects": pl.DataFrame({"image": pl.Series(list(came), dtype=pl.Object), "label": label}),
        "polars, bytes": pl.DataFrame({"image": [content(one) for one in came], "label": label}),
        "arrow": pl.DataFrame({"image": [content(one) for one in came], "label": label}).to_arrow(),
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", list(frames(pictures(4))))
def test_frames_in_and_out(kind: str, mode: str) -> None:
    came = pictures(4, mode)
    data = Dataset.open(frames(came)[kind])
    assert (stack(data) == came).all()
    given: Any = data.give_back(data.frame)
    cells = [row["image"] for row in given] if kind == "rows" else given["image"]
    if kind == "arrow":
        cells = [np.asarray(Image.open(io.BytesIO(cell.as_py()))) for cell in cells]
    elif kind.startswith("polars"):
        cells = cells.to_numpy()
    assert (np.stack(list(cells)) == came).all()
    assert np.asarray(next(iter(cells))).dtype == came.dtype


def test_pictures_of_pillow_that_cannot_be_used(tmp_path: Path) -> None:
    bright = Image.fromarray(np.full((4, 4), 300.0, np.float32))
    with pytest.raises(DataError, match="values outside 0 to 1"):
        Dataset.open(pd.DataFrame({"image": [bright] * 3}))
    file = tmp_path / "a.png"
    file.write_bytes(content(pictures(1, "RGB", (64, 64))[0])[:2000])
    with Image.open(file) as broken, pytest.raises(DataError, match="A picture of Pillow in the data cannot be read"):
        Dataset.open(pd.DataFrame({"image": [broken, broken]}))


def test_missing_pictures_are_given_back_as_none() -> None:
    came = pictures(3)
    data = Dataset.open({"image": [came[0], None, came[2]], "n": [1, 2, 3]})
    given: Any = data.give_back(data.frame)
    assert given["image"][1] is None
    assert (given["image"][2] == came[2]).all()
    nothing = data.frame.with_columns(pl.lit(None, pl.Binary).alias("image"))
    assert data.give_back(nothing)["image"] == [None] * 3  # type: ignore[index]


def test_fractions_are_brightness() -> None:
    array = np.linspace(0, 1, 5 * 4 * 4).reshape(5, 4, 4)
    data = Dataset.open({"image": array})
    assert (stack(data) == np.rint(array * 255)).all()
    with pytest.raises(DataError, match="outside 0 to 1"):
        Dataset.open({"image": array * 255})


def test_words_beside_pictures() -> None:
    rng = np.random.default_rng(0)
    names = [f"red thing {i}" for i in range(40)]
    data = Dataset.open({"image": pictures(40), "caption": names, "label": rng.integers(0, 3, 40), "n": range(40)})
    assert {field.name: field.kind for field in data.schema} == {
        "image": "image", "caption": "text", "label": "category", "n": "identifier"
    }  # fmt: skip
    given: Any = data.give_back(data.frame)
    assert given["label"].dtype == np.int64
    row = describe(data)[0]
    assert (row.kind, row.missing, row.distinct) == ("image", 0.0, 40)
    assert row.why == "40 pictures of 12 x 9 pixels, grey"
    assert json.loads(data.schema.to_json())["fields"][0]["size"] == [9, 12]


def test_a_table_may_name_files_beside_it(tmp_path: Path) -> None:
    came = pictures(3)
    save(tmp_path / "scans", came)
    (tmp_path / "a.csv").write_text("scan,age\nscans/002.png,1\nscans/000.png,2\n,3\n")
    asked = Schema(
        fields=(Field(name="scan", kind="image", dtype=""), Field(name="age", kind="integer", dtype="Int64"))
    )
    data = Dataset.open(tmp_path / "a.csv", asked)
    assert (stack(data, "scan")[:2] == came[[2, 0]]).all()
    assert data.frame["scan"].null_count() == 1
    table = pl.DataFrame({"scan": [{"bytes": None, "path": "scans/001.png"}]}, schema={"scan": CELL})
    table.write_parquet(tmp_path / "a.parquet")
    assert (stack(Dataset.open(tmp_path / "a.parquet"), "scan") == came[1:2]).all()


def test_names_are_relative_to_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came = pictures(2)
    save(tmp_path / "all" / "scans", came)
    (tmp_path / "all" / "scans" / "x.png").write_text("text")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"^'all/scans/x\.png' holds text"):
        Dataset.open("all/scans")
    assert (stack(Dataset.open("all/scans", skip_bad=True)) == came).all()
    assert (stack(Dataset.open("all/scans/001.png")) == came[1:]).all()
    names = file_names("all/../all/scans")
    assert names is not None
    assert names.to_list() == ["000.png", "001.png", "x.png"]
    (tmp_path / "all" / "metadata.csv").write_text("file_name\nscans/001.png\nscans/000.png\n")
    assert (stack(Dataset.open("all")) == came[::-1]).all()


def test_of_many_pictures_some_are_read_in_proportion(tmp_path: Path) -> None:
    came = pictures(40)
    label = np.arange(40) // 30
    np.savez(tmp_path / "a.npz", images=came, labels=label)
    for name in ("0", "1"):
        save(tmp_path / "b" / name, came[label == int(name)])
    for path in (tmp_path / "a.npz", tmp_path / "b"):
        data = Dataset.open(path, target="label", max_rows=20)
        assert (len(data.frame), data.rows) == (20, 40)
        assert data.frame["label"].value_counts(sort=True).rows() == [("0", 15), ("1", 5)]
        known = [one.tobytes() for one in came]
        places = [known.index(cell) for cell in data.frame["image"]]
        assert [str(label[i]) for i in places] == data.frame["label"].to_list()


# ---------------------------------------------------------------- DICOM


def dicom(path: Path, values: Pixels, **tags: Any) -> None:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    file.PatientName = "Smith^Ann"
    file.Rows, file.Columns = values.shape[-2:]
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
    file.PixelRepresentation = 0
    file.PixelData = values.astype("<u2").tobytes()
    for name, value in tags.items():
        setattr(file, name, value)
    file.save_as(path, enforce_file_format=True)


def test_dicom_is_rescaled_windowed_and_inverted(tmp_path: Path) -> None:
    stored = np.array([[0, 1024], [1064, 4095]])
    window = {"RescaleSlope": 1, "RescaleIntercept": -1024, "WindowCenter": 40, "WindowWidth": 81}
    dicom(tmp_path / "a.dcm", stored, **window)
    dicom(tmp_path / "b.dcm", stored, **window, PhotometricInterpretation="MONOCHROME1")
    dicom(tmp_path / "c.dcm", stored)
    data = Dataset.open(tmp_path)
    assert data.schema["image"].mode == "I;16"
    found = stack(data) / 65535
    half = (40 - 39.5) / 80 + 0.5
    np.testing.assert_allclose(found[0], [[0, (0 - 39.5) / 80 + 0.5], [half, 1]], atol=1e-4)
    np.testing.assert_allclose(found[1], 1 - found[0], atol=1e-4)
    np.testing.assert_allclose(found[2], stored / 4095, atol=1e-4)
    assert "Smith" not in str(data.schema) + str(data.notes) + str(data.frame)


def test_dicom_of_eight_bits_and_of_several_frames(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dcm", np.full((4, 4), 9), BitsStored=8, HighBit=7)
    assert (stack(Dataset.open(tmp_path / "a.dcm")) == 9).all()
    dicom(tmp_path / "b.dcm", np.arange(3 * 16).reshape(3, 4, 4), NumberOfFrames=3)
    assert Dataset.open(tmp_path / "b.dcm").rows == 3


def test_dicom_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dicom(tmp_path / "a.dcm", np.zeros((4, 4)))
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(ValueError, match=r"need the package pydicom, .* pip install 'anew\[dicom\]'"):
        Dataset.open(tmp_path, skip_bad=True)
