"""The verbs on a folder of pictures, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anew.cli.app import serve

SIDE = 12


def picture(label: str, rng: np.random.Generator) -> np.ndarray:
    """A bright square in the upper left, or a bright bar below."""
    pixels = rng.integers(0, 30, (SIDE, SIDE), dtype=np.uint8)
    row = slice(1, 5) if label == "square" else slice(9, 11)
    pixels[row, slice(1, 5) if label == "square" else slice(0, SIDE)] = 220
    return pixels


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with labelled pictures, and a model of them."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for i in range(120):
        label = ("square", "bar")[i % 2]
        (folder / "shapes" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(label, rng)).save(folder / "shapes" / label / f"{i:03d}.png")
    words = ["fit", folder / "shapes", "-o", folder / "model", "--predict", "label", "--predictors", "linear"]
    assert anew(*words, "--network", "mlp", "--time", "8s") == 0
    return folder


def anew(*words: object) -> int:
    return serve([str(word) for word in words])


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_new_pictures_under_a_condition(place: Path) -> None:
    assert anew("sample", place / "model", "-n", 5, "-o", place / "new", "--where", "label=bar") == 0
    assert len(list((place / "new").glob("*.png"))) == 5
    assert (place / "new" / "metadata.csv").read_text().splitlines()[:2] == ["file_name,label", "000001.png,bar"]
    made = np.stack([pixels(path) for path in (place / "new").glob("*.png")])
    assert made.shape == (5, SIDE, SIDE)
    assert made[:, 9:11].mean() > made[:, 1:5].mean()
    assert anew("sample", place / "model", "-n", 9, "--steps", 2, "-o", place / "sheet.png") == 0
    assert pixels(place / "sheet.png").shape[0] > 3 * 64


def test_the_part_under_a_mask_is_filled(place: Path) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, 6:] = 255
    Image.fromarray(mask).save(place / "mask.png")
    source = next((place / "shapes" / "bar").iterdir())
    assert anew("complete", place / "model", source, "--masks", place / "mask.png", "-o", place / "full.png") == 0
    before, after = pixels(source), pixels(place / "full.png")
    assert (before[:, :6] == after[:, :6]).all()
    assert (before[:, 6:] != after[:, 6:]).any()


def test_transparent_pixels_are_the_mask(place: Path) -> None:
    source = pixels(next((place / "shapes" / "bar").iterdir()))
    clear = np.dstack([source, source, source, np.full_like(source, 255)])
    clear[6:, :, 3] = 0
    Image.fromarray(clear).save(place / "clear.png")
    assert anew("complete", place / "model", place / "clear.png", "-o", place / "whole.png") == 0
    assert (pixels(place / "whole.png")[:6] == source[:6]).all()


def test_a_mask_of_another_size_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.full((5, 7), 255, np.uint8)).save(place / "small.png")
    source = next((place / "shapes" / "bar").iterdir())
    assert anew("complete", place / "model", source, "--masks", place / "small.png", "-o", place / "x.png") == 3
    assert "A mask has the size of its picture, which is 12 x 12. Found '5 x 7'" in capsys.readouterr().err


def test_a_way_between_two_pictures(place: Path) -> None:
    a, b = (next((place / "shapes" / label).iterdir()) for label in ("bar", "square"))
    words = ["interpolate", place / "model", "--from", a, "--to", b, "--steps", 5, "--range", "-0.5,1.5"]
    assert anew(*words, "-o", place / "walk") == 0
    assert len(list((place / "walk").glob("*.png"))) == 5
    with Image.open(place / "walk.gif") as gif:
        assert getattr(gif, "n_frames", 1) == 5
    assert (place / "walk.png").exists()


def test_codes_styles_and_predictions(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = next((place / "shapes" / "bar").iterdir())
    how = ("--where", "label=square", "--guidance", 2, "-o", place / "styled.png")
    assert anew("restyle", place / "model", source, *how) == 0
    assert pixels(place / "styled.png").shape == (SIDE, SIDE)
    assert anew("restyle", place / "model", source, "-o", place / "styled.png") == 2
    assert anew("encode", place / "model", source, "-o", place / "z.npy") == 0
    assert np.load(place / "z.npy").shape == (1, SIDE * SIDE)
    assert anew("decode", place / "model", place / "z.npy", "-o", place / "back.png") == 0
    capsys.readouterr()
    assert anew("predict", place / "model", source, "--json") == 0
    assert "bar" in json.dumps(json.loads(capsys.readouterr().out))
    assert anew("sample", place / "model", "-n", 2) == 2
    assert "hold pictures" in capsys.readouterr().err
    assert anew("sample", place / "model", "-n", 2, "--where", "label=circle", "-o", place / "no") != 0
    assert "circle" in capsys.readouterr().err
