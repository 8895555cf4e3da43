"""Bad pictures: one clear sentence each; with skip_bad the good ones are used and the others are listed."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from anew.core.errors import DataError, UsageError
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.formats._decode import Bad, decode
from made_pictures import pictures, save


def _text(path: Path) -> None:
    path.write_text("I am no picture, whatever my name says.\n")


def _truncated(path: Path) -> None:
    Image.fromarray(pictures(1, "RGB", (64, 64))[0]).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:1500])


def _truncated_png(path: Path) -> None:
    Image.fromarray(pictures(1, "RGB", (64, 64))[0]).save(path, "PNG")
    path.write_bytes(path.read_bytes()[:1500])


def _bomb(path: Path, side: int = 12_000) -> None:
    """A PNG of 144 megapixels in a few bytes: its header says so, and there is little behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _floats(path: Path) -> None:
    Image.fromarray(np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)).save(path, "TIFF")


def _broken_header(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100))


def _other(path: Path) -> None:
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(128, 256)) * 2)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "text": (_text, "holds text and no picture"),
    "truncated JPEG": (_truncated, "is truncated"),
    "truncated PNG": (_truncated_png, "is (truncated|damaged)"),
    "bomb": (_bomb, r"has 12,000 x 12,000 pixels \(144 million\), over the limit of 67,108,864"),
    "larger bomb": (lambda path: _bomb(path, 60_000), "has far more than 67,108,864 pixels"),
    "zero bytes": (_empty, r"is empty \(0 bytes\)"),
    "floats": (_floats, "holds floating-point numbers"),
    "broken header": (_broken_header, "is damaged: its header cannot be read"),
    "another format": (_other, "is no picture of a known format"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_named_or_left_out(tmp_path: Path, name: str) -> None:
    make, message = BAD[name]
    save(tmp_path, pictures(4))
    make(tmp_path / "bad.png")
    with pytest.raises(DataError, match=rf"'.*bad\.png' {message}") as caught:
        Dataset.open(tmp_path)
    assert "\n" not in str(caught.value)
    assert "--skip-bad (skip_bad=True)" in str(caught.value)
    data = Dataset.open(tmp_path, skip_bad=True)
    assert (len(data.frame), data.rows) == (4, 4)
    assert "1 row left out, since the picture cannot be used: '" in data.notes[0]
    assert "bad.png" in data.notes[0]


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, pictures(2))
    _bomb(tmp_path / "bad.png")
    loaded = []
    load = Image.Image.load
    monkeypatch.setattr(Image.Image, "load", lambda self: (loaded.append(self.size), load(self))[1])
    assert len(Dataset.open(tmp_path, skip_bad=True).frame) == 2
    assert (12_000, 12_000) not in loaded


def test_all_bad_ones_are_counted_and_twenty_are_named(tmp_path: Path) -> None:
    save(tmp_path / "a", pictures(5))
    for i in range(30):
        _text(tmp_path / "a" / f"b{i:02d}.png")
    with pytest.raises(DataError, match=r"b00\.png' holds text and no picture, and 29 more of 35 pictures cannot"):
        Dataset.open(tmp_path)
    data = Dataset.open(tmp_path, skip_bad=True)
    assert data.frame["label"].to_list() == ["a"] * 5
    assert data.notes[0].count(".png") == 20
    assert data.notes[0].startswith("30 rows left out")
    assert data.notes[0].endswith("; and 10 more")


def test_nothing_but_bad_pictures(tmp_path: Path) -> None:
    for i in range(3):
        _text(tmp_path / f"b{i:02d}.png")
    with pytest.raises(DataError, match="No picture is left: 3 of 3 rows"):
        Dataset.open(tmp_path, skip_bad=True)


def test_a_folder_without_a_picture(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"is a folder without a picture.*notes.csv.*Give one table"):
        Dataset.open(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="is a folder without a picture"):
        Dataset.open(tmp_path / "empty")


def test_one_picture_can_be_looked_at_and_not_learned_from(tmp_path: Path) -> None:
    import anew

    save(tmp_path, pictures(1))
    assert Dataset.open(tmp_path).rows == 1
    with pytest.raises(DataError, match=r"cannot be learned from fewer than 3 rows. Found '1 row'"):
        anew.fit(tmp_path)


def test_twenty_sizes(tmp_path: Path) -> None:
    for i in range(20):
        save(tmp_path, pictures(1, size=(10 + i, 30 - i)), start=i)
    save(tmp_path, pictures(2, size=(24, 24)), start=20)
    data = Dataset.open(tmp_path)
    assert data.schema["image"].size == (24, 24)
    assert "20 other sizes than the most common, 24 x 24: 20 of 22 pictures, fitted inside" in data.notes[0]
    assert (data.frame["image"].bin.size() == 24 * 24).all()


def test_a_label_without_its_picture(tmp_path: Path) -> None:
    save(tmp_path, pictures(3))
    (tmp_path / "metadata.csv").write_text("file_name,age\n000.png,1\n001.png,2\n002.png,3\nlost.png,4\n")
    with pytest.raises(DataError, match=r"lost\.png' does not exist"):
        Dataset.open(tmp_path)
    data = Dataset.open(tmp_path, skip_bad=True)
    assert data.frame["age"].to_list() == [1, 2, 3]
    assert "lost.png' does not exist" in data.notes[0]


def test_a_label_without_a_picture_is_told(tmp_path: Path) -> None:
    save(tmp_path / "well", pictures(3))
    (tmp_path / "ill").mkdir()
    assert Dataset.open(tmp_path).notes == ("labels without a picture, so that nothing is learned of them: ill",)


def test_one_class_only(tmp_path: Path) -> None:
    save(tmp_path / "well", pictures(3))
    assert Dataset.open(tmp_path).schema["label"].kind == "constant"


def test_metadata_without_file_names(tmp_path: Path) -> None:
    save(tmp_path, pictures(3))
    (tmp_path / "metadata.csv").write_text("file,age\n000.png,1\n")
    with pytest.raises(DataError, match=r"has no column 'file_name'.*Found \['file', 'age'\]"):
        Dataset.open(tmp_path)


def test_an_animation_among_pictures_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((8, 8), 60 * i, np.uint8)) for i in range(4)]
    for name in ("a", "b"):
        frames[1].save(tmp_path / f"{name}.gif", save_all=True, append_images=frames[2:])
    data = Dataset.open(tmp_path)
    assert data.frame["image"].to_list() == [bytes([60] * 64)] * 2
    assert data.notes == ("image: 2 pictures: the first frame of several",)


def test_a_damaged_file_given_alone(tmp_path: Path) -> None:
    _truncated(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"'.*a\.jpg' is truncated"):
        Dataset.open(tmp_path / "a.jpg")
    (tmp_path / "a.gif").write_bytes(b"GIF89a" + bytes(10))
    with pytest.raises(DataError, match=r"'.*a\.gif' is damaged"):
        Dataset.open(tmp_path / "a.gif")


def test_arrays_that_are_no_pictures(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 4)))
    with pytest.raises(DataError, match=r"holds no array of pictures. Found \{'x': \(3, 4\)\}"):
        Dataset.open(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", images=np.zeros((3, 8, 8), object))
    with pytest.raises(DataError, match="pickled objects, which are never opened"):
        Dataset.open(tmp_path / "b.npz")
    (tmp_path / "c.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:100])
    with pytest.raises(DataError, match="damaged"):
        Dataset.open(tmp_path / "c.npz")
    with pytest.raises(DataError, match=r"array of shape .3, 8, 8., not"):
        Dataset.open({"image": np.zeros((2, 3, 8, 8), np.uint8)})


def test_a_schema_that_does_not_fit(tmp_path: Path) -> None:
    save(tmp_path, pictures(3))
    wrong = Schema(fields=(Field(name="image", kind="category", dtype="String"),))
    with pytest.raises(DataError, match="'image' holds pictures, and the schema says 'category'"):
        Dataset.open(tmp_path, wrong)
    odd = Schema(fields=(Field(name="image", kind="image", dtype="Binary", mode="CMYK"),))
    with pytest.raises(DataError, match="mode"):
        Dataset.open(tmp_path, odd)
    with pytest.raises(UsageError, match="A size is one number"):
        Dataset.open(tmp_path, size=0)


def test_bytes_that_are_no_pictures_are_refused_as_before() -> None:
    with pytest.raises(DataError, match="Column 'a' holds binary objects"):
        Dataset.open({"a": [b"x", b"y", b"z"]})
    with pytest.raises(DataError, match="Column 'a' holds lists or records"):
        Dataset.open({"a": np.zeros((3, 2))})
    with pytest.raises(DataError, match="no picture at all"):
        Dataset.open({"a": [None, None]}, Schema(fields=(Field(name="a", kind="image", dtype="Binary"),)))


@pytest.mark.parametrize("suffix", ["png", "jpeg", "gif", "tiff", "webp", "bmp", "npy"])
def test_whatever_is_broken_in_a_file_is_one_sentence(suffix: str) -> None:
    rng, file = np.random.default_rng(0), io.BytesIO()
    array = pictures(1, "RGB", (20, 30))[0]
    np.save(file, array) if suffix == "npy" else Image.fromarray(array).save(file, suffix)
    good, refused = np.frombuffer(file.getvalue(), np.uint8), []
    for _ in range(60):
        broken = good[: rng.integers(1, len(good) + 1)].copy()
        broken[rng.integers(0, min(len(broken), 300), 6)] = rng.integers(0, 256, 6)
        try:
            decode(broken.tobytes())
        except Bad as bad:
            refused.append(str(bad))
    assert len(refused) > 10
    assert "\n" not in "".join(refused)


def test_links_that_lead_in_circles_are_followed_once(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere", pictures(2))
    save(tmp_path / "scans" / "a", pictures(2))
    (tmp_path / "scans" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "scans" / "a" / "up").symlink_to(tmp_path / "scans")
    assert Dataset.open(tmp_path / "scans").frame["label"].to_list() == ["a", "a", "b", "b"]
