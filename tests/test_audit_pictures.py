"""The audit of pictures must be able to fail: fresh real pictures pass, and each bad generator is caught by the measure
that is meant for it."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import audit_pictures as pictures
from anew.audit import MEASURES, Evidence, Finding, Report, audit, reader
from anew.audit.baselines import gaussian, make_baselines
from anew.audit.labels import labels_of
from anew.audit.measures import lessons
from anew.audit.measures.frechet import frechet
from anew.audit.measures.kernel import kernel_distance
from anew.audit.measures.lookalikes import copies
from anew.audit.measures.manifold import manifold
from anew.audit.reader import fit_reader
from anew.audit.saliency import Reading, looked_at, warmed
from anew.audit.scaled import scaled
from anew.audit.statistics import balanced_accuracy
from anew.audit.traits import Traits
from anew.core.pixels import column, stack
from anew.core.schema import Field

N, REAL = 240, 500  # pictures a side, drawn ones and those of ../shared
OF_PICTURES = [name for name in MEASURES.names if MEASURES[name].kinds == {"image"}]


@cache
def parts(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Training, held-out and fresh pictures with their labels."""
    pixels, labels = pictures.shapes(3 * N, 0) if name == "shapes" else pictures.load(name)
    n = N if name == "shapes" else REAL
    return [(pixels[k * n : (k + 1) * n], labels[k * n : (k + 1) * n]) for k in range(3)]


def made(name: str, control: str) -> pl.DataFrame:
    """A sample of a generator."""
    rng = np.random.default_rng(7)
    (train, known), _, (fresh, labels) = parts(name)
    draw = rng.integers(0, len(train), len(train))
    noisy = np.clip(train + rng.normal(0, 4, train.shape), 0, 255).astype(np.uint8)
    pixels, shown = {
        "fresh": (fresh, labels),
        "copier": (train[draw], known[draw]),
        "mirrored copier": (noisy[:, :, ::-1], known),
        "gaussian": (gaussian(train, len(train), rng), known),
        "shuffled": (fresh, rng.permutation(labels)),
    }[control]
    return pictures.frame(pixels, shown)


def report(name: str, control: str, measures: Sequence[str] | None = None) -> Report:
    (train, known), (held, labels), _ = parts(name)
    schema = pictures.schema(train, pictures.LABEL)
    frames = (pictures.frame(train, known), pictures.frame(held, labels), made(name, control))
    return audit(*frames, schema, target="shape", measures=measures)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """These pictures are easy: a reader needs few steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "STEPS", (80, 80))
        patch.setattr(lessons, "STEPS", 80)
        yield


@pytest.fixture(scope="module")
def fresh() -> Report:
    return report("shapes", "fresh")


CAUGHT = [
    ("copier", "copies", "exact copies"),
    ("copier", "lookalikes", "copies of training"),
    ("copier", "membership", "strongest attack, all"),
    ("mirrored copier", "lookalikes", "copies of training"),
    ("gaussian", "detectable", "telling"),
    ("gaussian", "frechet", "Frechet distance, features of an own"),
    ("gaussian", "kernel", "kernel distance, features of an own"),
    ("gaussian", "manifold", "pictures that could be real"),
    ("gaussian", "lessons", "reading shape"),
    ("shuffled", "legible", "shape read back"),
    ("shuffled", "lessons", "reading shape"),
]


def test_fresh_pictures_pass_everything(fresh: Report) -> None:
    assert fresh.passed, fresh.verdict
    assert {found.measure for found in fresh.findings} >= set(OF_PICTURES) - {"captions"}
    assert [found.name for found in fresh.findings if found.verdict == "poor"] == []


@pytest.mark.parametrize(("control", "measure", "starts"), CAUGHT)
def test_control_is_caught(control: str, measure: str, starts: str) -> None:
    _poor(_caught("shapes", control), measure, starts)


@pytest.mark.slow
@pytest.mark.parametrize("control", ["copier", "gaussian", "shuffled"])
@pytest.mark.parametrize("name", ["fashion_mnist", "blood_cells"])
def test_control_of_real_pictures_is_caught(name: str, control: str) -> None:
    for other, measure, starts in CAUGHT:
        if other == control:
            _poor(_caught(name, control), measure, starts)


@cache
def _caught(name: str, control: str) -> Report:
    """What the measures that are meant for a control say of it."""
    return report(name, control, sorted({measure for other, measure, _ in CAUGHT if other == control}))


def _poor(found: Report, measure: str, starts: str) -> None:
    one = found.find(measure, starts)
    assert isinstance(one, Finding)
    assert one.verdict == "poor", one
    assert not found.passed


# ---------------------------------------------------------------- the page


def test_the_page_stands_alone_and_shows_pictures(fresh: Report) -> None:
    from PIL import Image

    page = fresh.to_html()
    shown = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(shown) == 3
    assert not re.search(r"(src|href)\s*=(?!\"data:image/png;base64,)|url\(|@import|https?://", page)
    sheet, _, twins = (Image.open(io.BytesIO(base64.b64decode(one))) for one in shown)
    assert sheet.size == (11 * 18 - 2, 6 * 18 - 2)  # three labels, two lines each, 16 pixels and a gap of 2
    assert twins.size == (12 * 18 - 2, 3 * 18 - 2)
    assert json.loads(fresh.to_json())["figures"]["sheets"][0]["real"] == shown[0]


def test_real_pictures_are_left_out_where_rows_are(fresh: Report) -> None:
    page = fresh.to_html(rows=False)
    sheet = fresh.pictures.sheets[0]
    assert sheet.synthetic in page
    assert sheet.real not in page
    assert sheet.twins not in page


def test_the_nearest_relative_of_a_copy_is_the_copied_picture() -> None:
    from PIL import Image

    sheet = report("shapes", "copier", ["lookalikes"]).pictures.sheets[0]
    twins = np.array(Image.open(io.BytesIO(base64.b64decode(sheet.twins))))
    np.testing.assert_array_equal(twins[:16], twins[18:34])


# ---------------------------------------------------------------- records of other kinds


def test_pictures_without_any_label() -> None:
    (train, _), (held, _), (other, _) = parts("shapes")
    frames = [pictures.frame(pixels) for pixels in (train, held, other)]
    found = audit(*frames, pictures.schema(train), measures=["frechet", "detectable", "legible", "lessons", "copies"])
    assert found.passed
    assert {one.measure for one in found.findings} == {"frechet", "detectable", "copies"}


def test_missing_pictures_and_two_columns_of_them() -> None:
    (train, known), (held, labels), (other, shown) = parts("shapes")
    gone = np.arange(N) % 3 == 0
    colour = np.repeat(train, 3, axis=3)
    second = Field(name="photo", kind="image", dtype="Binary", size=(16, 16), mode="RGB", missing=True)
    schema = pictures.schema(train, pictures.LABEL, second)
    frames = [
        pictures.frame(pixels, classes).with_columns(column("photo", np.roll(colour, k, 0), gone))
        for k, (pixels, classes) in enumerate([(train, known), (held, labels), (other, shown)])
    ]
    found = audit(*frames, schema, target="shape", measures=["sliced", "legible", "detectable", "membership", "copies"])
    names = [one.name for one in found.findings if one.measure == "sliced"]
    assert names == ["sliced distance of the pixels (scan)", "sliced distance of the pixels (photo)"]
    assert [sheet.name for sheet in found.pictures.sheets] == ["scan", "photo"]
    photos = Evidence(*frames, schema).albums[1]
    assert len(photos.numbers("train")) == N - gone.sum()


def test_a_condition_is_read_back_by_a_reader_that_knows_all_labels() -> None:
    (train, known), (held, labels), (other, shown) = parts("shapes")
    frames = [pictures.frame(train, known), pictures.frame(held, labels)]
    for wanted, verdict in ((other[shown == 0], "good"), (other[shown == 1], "poor")):
        drawn = pictures.frame(wanted, np.zeros(len(wanted), int))
        found = audit(
            *frames,
            drawn,
            pictures.schema(train, pictures.LABEL),
            where={"shape": pictures.SHAPES[0]},
            measures=["legible"],
        )
        assert [one.verdict for one in found.findings] == [verdict], found.findings


def test_the_same_arguments_give_the_same_findings() -> None:
    first, second = (report("shapes", "gaussian", ["frechet", "sliced"]).findings for _ in range(2))
    assert first == second


# ---------------------------------------------------------------- the mathematics


def test_frechet_of_gaussians_is_known() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (200_000, 3)), rng.normal([1, 0, 0], [2, 1, 1], (200_000, 3))
    assert frechet(a, b) == pytest.approx(1 + (2 - 1) ** 2, rel=0.02)
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_kernel_distance_is_unbiased() -> None:
    rng = np.random.default_rng(0)
    same = [kernel_distance(*rng.normal(0, 1, (2, 60, 8))) for _ in range(200)]
    other = [kernel_distance(rng.normal(0, 1, (60, 8)), rng.normal(0.5, 1, (60, 8))) for _ in range(20)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(len(same))
    assert np.mean(other) > 5 * np.std(same)


def test_manifold_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(0, 1, (50, 4)), rng.normal(0.7, 1, (60, 4))
    far = np.linalg.norm(real[:, None] - fake, axis=2)
    reach = np.sort(np.linalg.norm(real[:, None] - real, axis=2), axis=1)[:, 5]
    other = np.sort(np.linalg.norm(fake[:, None] - fake, axis=2), axis=1)[:, 5]
    found = {name: one.value for name, one in manifold(real, fake).items()}
    assert found == pytest.approx(
        {
            "precision": (far < reach[:, None]).any(0).mean(),
            "recall": (far < other).any(1).mean(),
            "density": (far < reach[:, None]).sum(0).mean() / 5,
            "coverage": (far.min(1) < reach).mean(),
        }
    )


def test_copies_are_found_and_symmetric_originals_are_not_taken_for_two() -> None:
    rng = np.random.default_rng(0)
    train = rng.normal(0, 1, (40, 6)).astype(np.float32)
    both = np.concatenate([train, train])  # each its own mirror image
    assert copies(train + np.float32(0.01), both, 40).all()
    assert not copies(rng.normal(0, 1, (40, 6)).astype(np.float32), both, 40).any()


def test_a_gaussian_of_pixels_has_their_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal(128, 20, (400, 3, 3, 1)) + rng.normal(0, 20, (400, 1, 1, 1)), 0, 255).astype(np.uint8)
    drawn = gaussian(pixels, 20_000, rng)
    real, fake = (part.reshape(len(part), -1).astype(float) for part in (pixels, drawn))
    np.testing.assert_allclose(fake.mean(0), real.mean(0), atol=1)
    np.testing.assert_allclose(np.cov(fake.T), np.cov(real.T), atol=30)


def test_baselines_keep_what_is_missing() -> None:
    (pixels, labels), *_ = parts("shapes")
    frame = pictures.frame(pixels, labels).with_columns(column("scan", pixels, np.arange(N) % 4 == 0))
    drawn = make_baselines(frame, pictures.schema(pixels, pictures.LABEL), 1000, 0)
    assert drawn["marginals"].schema == frame.schema
    assert 0.18 < drawn["marginals"]["scan"].null_count() / 1000 < 0.32
    assert drawn["bootstrap"]["scan"].drop_nulls().is_in(frame["scan"].implode()).all()


def test_scaled_means_squares_and_hides_what_is_transparent() -> None:
    pixels = np.arange(2 * 5 * 4, dtype=np.uint8).reshape(2, 5, 4, 1)
    small = (scaled(pixels, 3)[:, 0] + 1) / 2 * 255
    np.testing.assert_allclose(small[0, 0, 0], pixels[0, :2, :2].mean(), atol=1e-4)
    np.testing.assert_allclose(small[0, 2, 1], pixels[0, 4, 2:].mean(), atol=1e-4)
    seen = np.full((1, 2, 2, 4), 200, np.uint8)
    seen[..., 3] = 0
    np.testing.assert_allclose(scaled(seen, 8), -1)
    deep = np.full((1, 2, 2, 1), 65535, np.dtype("<u2"))
    np.testing.assert_allclose(scaled(deep, 8), 1)


def test_traits_see_blur_and_distances_have_a_unit() -> None:
    (pixels, _), (others, _), _ = parts("shapes")
    traits = Traits.fitted(np.concatenate([pixels, others]))
    blurred = ((pixels.astype(int) + np.roll(pixels, 1, 1) + np.roll(pixels, 1, 2)) // 3).astype(np.uint8)
    assert (traits.of(blurred)[:, -3] < traits.of(pixels)[:, -3]).mean() > 0.9
    for how in ("range", "rank"):
        a, b = (traits.placed(traits.of(part), how) for part in (pixels, others))
        assert np.sqrt(((a - b) ** 2).sum(1).mean()) == pytest.approx(1, abs=0.15)


def test_a_number_is_read_by_its_quarter() -> None:
    frame = pl.DataFrame({"age": [*np.arange(100.0), None]}, schema={"age": pl.Float64})
    schema = pictures.schema(parts("shapes")[0][0], Field(name="age", kind="number", dtype="Float64", missing=True))
    labels = labels_of(frame, schema, "age")
    assert labels is not None
    assert np.bincount(labels.of(frame) + 1).tolist() == [1, 25, 25, 25, 25]
    assert labels_of(frame, schema, None) is None


def test_balanced_accuracy_gives_every_label_the_same_weight() -> None:
    truth, guess = np.array([0, 0, 0, 1, -1]), np.array([0, 0, 0, 0, 1])
    found = balanced_accuracy(truth, guess)
    assert found.value == 0.5
    assert found.low < 0.5 < found.high


def test_a_reader_reads_pictures_of_any_size() -> None:
    rng = np.random.default_rng(0)
    for shape in ((40, 1, 3, 5), (40, 4, 9, 30)):
        labels = np.arange(40) % 2
        shown = (rng.normal(0, 0.1, shape) + (labels * 0.8)[:, None, None, None]).astype(np.float32)
        found = fit_reader(shown, labels, 2, 0)
        assert (found.chances(shown).argmax(1) == labels).all()
        assert found.features(shown).std(0).max() < 1.01


def test_a_stack_of_a_column_is_what_came() -> None:
    (pixels, _), *_ = parts("shapes")
    schema = pictures.schema(pixels)
    np.testing.assert_array_equal(stack(pictures.frame(pixels)["scan"], schema["scan"]), pixels)


# ---------------------------------------------------------------- where a classifier looks


def test_occlusion_finds_the_place_that_decides() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (6, 16, 20, 1)).astype(np.uint8)
    pixels[:3, 2:5, 14:17] = 255  # the sign is there or not

    def chances(rows: pl.DataFrame) -> np.ndarray:
        lit = stack(rows["scan"], pictures.schema(pixels)["scan"])[:, 2:5, 14:17].mean((1, 2, 3)) > 200
        return np.column_stack([~lit, lit]) * 0.8 + 0.1

    loss, answers = looked_at(pictures.frame(pixels), pictures.schema(pixels)["scan"], Reading(chances, ("no", "yes")))
    assert answers.tolist() == [1, 1, 1, 0, 0, 0]
    assert loss[3:].max() == 0
    row, place = np.unravel_index(loss[0].argmax(), loss[0].shape)
    assert row in (0, 1, 2)
    assert place in (5, 6, 7)
    warm = warmed(np.repeat(pixels, 3, 3), loss)
    assert warm[0, 3, 15, 0] > warm[0, 14, 2, 0] + 50
    assert warm.shape == (6, 16, 20, 3)


def test_the_page_says_what_the_classifier_looked_at() -> None:
    (train, known), (held, labels), _ = parts("shapes")

    def chances(rows: pl.DataFrame) -> np.ndarray:
        return np.full((len(rows), 3), [0.5, 0.3, 0.2])

    found = audit(
        pictures.frame(train, known),
        pictures.frame(held, labels),
        made("shapes", "fresh"),
        pictures.schema(train, pictures.LABEL),
        target="shape",
        reading=Reading(chances, pictures.SHAPES),
        measures=["cost"],
    )
    looked = found.pictures.sheets[0].looked
    assert looked is not None
    assert looked.pictures in found.to_html()
    assert {word for word in looked.words if not word.endswith("read as disc")} == {"disc"}


def test_captions_are_found_by_the_pictures_they_describe() -> None:
    words = np.array(["a round disc", "one flat bar", "the cross of two lines"])
    text = Field(name="caption", kind="text", dtype="String")
    frames = [
        pictures.frame(pixels).with_columns(caption=pl.Series(words[classes])) for pixels, classes in parts("shapes")
    ]
    wrong = frames[2].with_columns(caption=frames[2]["caption"].shuffle(seed=0))
    schema = pictures.schema(parts("shapes")[0][0], text)
    right, mixed = (audit(*frames[:2], last, schema, measures=["captions"]) for last in (frames[2], wrong))
    assert [(one.verdict, one.value > 0.8) for one in right.findings] == [("good", True)]
    assert [(one.verdict, one.value < 0.5) for one in mixed.findings] == [("poor", True)]
