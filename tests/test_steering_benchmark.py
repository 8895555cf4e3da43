"""The measures of the steering benchmark against cases worked out by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # benchmarks/ is no part of the installed package

from benchmarks.picture_grid import grid
from benchmarks.retrieval import cosines, hits
from benchmarks.steering import arguments
from benchmarks.steering_masks import MASKS, masks
from benchmarks.steering_page import criteria, section, with_shares
from benchmarks.steering_sets import DIRECTIONS, STYLES, frequent_words, said, smaller, some
from benchmarks.steering_style import Content, recoloured


def test_retrieval_without_dice() -> None:
    scores = np.array([[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0]])
    right = np.array([0, 1])
    assert hits(scores, right, 4) == pytest.approx(0.5)  # the first always, the second never
    assert hits(scores, right, 2) == pytest.approx((1 + 2 / 3) / 2)  # one of three wrong ones beats the second
    assert hits(scores, right, 99) == hits(scores, right, 4)


def test_retrieval_of_noise_is_chance() -> None:
    scores = np.random.default_rng(0).normal(size=(4000, 50))
    assert hits(scores, np.arange(4000) % 50, 10) == pytest.approx(0.1, abs=0.015)


def test_equal_scores_are_no_hit() -> None:
    assert hits(np.ones((3, 5)), np.arange(3), 2) == 0


def test_cosines() -> None:
    assert cosines(np.array([[2.0, 0.0]]), np.array([[0.0, 1.0], [5.0, 0.0]])).tolist() == [[0.0, 1.0]]


def test_each_mask_hides_about_half() -> None:
    for size in ((28, 28), (32, 32), (7, 9)):
        found = masks(*size)
        assert found.shape == (len(MASKS), *size)
        assert np.abs(found.mean((1, 2)) - 0.5).max() < 0.1
    assert not masks(28, 28)[4][[0, -1]].any()


def test_smaller_pictures_are_means_of_blocks() -> None:
    picture = np.array([[0, 10, 4, 4], [20, 10, 4, 4]], np.uint8).reshape(1, 2, 4, 1).repeat(2, 1)
    assert smaller(picture, 2).reshape(2, 2).tolist() == [[5, 4], [15, 4]]
    assert smaller(picture, None) is picture


def test_some_rows_are_the_same_rows() -> None:
    rows = np.arange(100) * 2
    assert some(rows, 10).tolist() == some(rows, 10).tolist()
    assert set(some(rows, 10)) < set(rows)
    assert some(rows, None) is rows


def test_keywords_follow_the_name_once() -> None:
    assert said("Red heart", "heart,love,red love") == "red heart love"
    assert said("moon", None) == "moon"


def test_icons_get_the_commonest_word_as_class() -> None:
    names = [f"sword {i}" for i in range(90)] + ["sword moon", "moon"]
    assert frequent_words(names, np.zeros(len(names), bool))[-2:] == ["sword", "moon"]
    assert frequent_words(names, np.array([False] * 91 + [True]))[-1] == "moon"
    assert frequent_words([f"a{i} b{i}" for i in range(20)], np.ones(20, bool)) == ["other"] * 20


def test_recoloured_takes_the_mean_and_deviation() -> None:
    rng = np.random.default_rng(0)
    own, target = rng.normal(100, 10, (50, 8, 8, 3)), rng.normal(150, 20, (50, 8, 8, 3))
    made = recoloured(own, own, target)
    assert made.mean() == pytest.approx(150, abs=1)
    assert made.std() == pytest.approx(20, abs=1)


def test_content_is_found_across_styles() -> None:
    """Each emoji is one point that every style shifts and blurs: the encoder undoes both."""
    rng = np.random.default_rng(0)
    emoji, loud = rng.normal(size=(300, 20)), 3 * rng.normal(size=(30, 20))
    blind = np.linalg.qr(rng.normal(size=(30, 30)))[0]

    def drawn(style: int) -> np.ndarray:
        noise = np.concatenate([0.1 * rng.normal(size=(300, 20)), 5 * rng.normal(size=(300, 10))], 1)
        return (np.concatenate([emoji, np.zeros((300, 10))], 1) + noise) @ blind + style * loud[0].sum()

    features = {style: drawn(i) for i, style in enumerate(STYLES)}
    content = Content({style: x[:200] for style, x in features.items()})
    codes = [content.codes(features[style][200:], style) for style in STYLES]
    assert hits(cosines(codes[0], codes[1]), np.arange(100), 100) > 0.95
    plain = hits(cosines(features[STYLES[0]][200:], features[STYLES[1]][200:]), np.arange(100), 100)
    assert plain < 0.5


def test_words_are_judged_from_chance_to_the_ceiling() -> None:
    rows = {
        "ceiling": {"retrieval": 0.5},
        "same": {"retrieval": 0.2},
        "caption: steps 4 guidance 2": {"retrieval": 0.34},
    }
    rows |= {"caption: steps 16 guidance 1": {"retrieval": 0.3}, "class: steps 4 guidance 1": {"retrieval": 0.34}}
    assert with_shares("text", rows)["caption: steps 4 guidance 2"]["share"] == pytest.approx(0.6)
    assert [line.passed for line in criteria("text", "icons", rows)] == [True, True, False]


def test_inpainting_is_judged_against_the_best_of_each_kind() -> None:
    row = {"features": 2.0, "pixels": 0.2, "changed": 0.0}
    rows = {name: dict(row) for name in ("telea", "ns", "biharmonic", "masks: anew", "masks: overwriting at the end")}
    rows["masks: anew"] |= {"features": 1.0}
    assert [line.passed for line in criteria("inpainting", "x", rows)] == [True, True, False, False, True]
    assert criteria("inpainting", "x", {"telea": row}) == []


def test_style_is_judged_in_every_direction() -> None:
    each = {f"distance {a}>{b}": 0.5 for a, b in DIRECTIONS}
    rows = {"source": {"distance": 1.0} | dict.fromkeys(each, 1.0), "truth": {"content": 0.9}}
    rows |= {"colours": {"distance": 0.8} | dict.fromkeys(each, 0.8)}
    rows |= {"paired: anew": {"distance": 0.5, "style": 0.95, "content": 0.7} | each}
    assert [line.passed for line in criteria("style", "x", rows)] == [True, True, True, False]
    rows["paired: anew"][next(iter(each))] = 0.9
    assert not criteria("style", "x", rows)[1].passed
    assert "| **anew**, paired | 0.500 |" in "\n".join(section("style", "x", rows))


def test_a_sheet_of_pictures_and_words(tmp_path: Path) -> None:
    from PIL import Image

    picture = np.full((4, 4, 1), 255, np.uint8)
    grid([[picture, picture]], tmp_path / "sheet.png", zoom=2, heads=("a", "b"), words=[["x", "y\nz"]])
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 10, 12 + 8 + 24 + 2)


def test_parts_are_asked_by_name() -> None:
    assert arguments(["--only", "style,text"]).only == ["style", "text"]


def test_overwriting_keeps_what_is_known_and_draws_the_rest() -> None:
    from types import SimpleNamespace

    import polars as pl
    from benchmarks.overwriting import overwritten

    from anew.codecs.image import Image
    from anew.core.pixels import column
    from anew.core.release import exact
    from anew.core.schema import Field, Schema
    from anew.objectives.diffusion import Diffusion

    field = Field(name="image", kind="image", dtype="Binary", size=(8, 8), mode="L")
    pictures = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1)).astype(np.uint8)
    codec = Image(Schema(fields=(field,)))
    codec.fit(pl.DataFrame([column("image", pictures)]), exact())
    learner = Diffusion(codec.space("Real"), {}, network="unet", width=8, depth=1, steps=8)
    factor = SimpleNamespace(
        plan=SimpleNamespace(learn=("image",)),
        learner=learner,
        encode=lambda frame: codec.encode(frame, "Real"),
        decode=lambda x: codec.decode(x, "Real"),
    )
    model = SimpleNamespace(joint=SimpleNamespace(creating=[factor]), schema={"image": field})
    hidden = np.zeros((6, 8, 8), bool)
    hidden[:, :, :4] = True
    made = [overwritten(model, pictures, hidden, seed) for seed in (0, 0, 1)]
    assert np.abs(made[0].astype(int) - pictures)[~hidden].max() <= 1
    assert (made[0] != pictures)[hidden].mean() > 0.5
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2])[hidden].any()
