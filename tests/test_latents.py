"""Pictures as codes: an autoencoder first, then diffusion or tokens over what it made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import anew
from anew import fitting
from anew.core.errors import Interrupted, UsageError
from anew.core.latent import Latent
from anew.core.pixels import Pixels, column, stack
from anew.core.schema import Field, Schema
from anew.data.dataset import Dataset
from anew.data.origin import Origin
from anew.fitting import fit_plan, quiet
from anew.model import Model
from anew.plan import Plan, make_plan
from anew.store import pack

SIDE = 16


def schema(side: int = SIDE) -> Schema:
    picture = Field(name="scan", kind="image", dtype="Binary", size=(side, side - 2), mode="L")
    return Schema(fields=(picture, Field(name="lit", kind="category", dtype="String")))


def scans(n: int = 160, seed: int = 0, side: int = SIDE) -> Dataset:
    """Scans that are light above or light on the left, as their label says, with a little noise."""
    rng = np.random.default_rng(seed)
    above = rng.random(n) < 0.5
    pixels = rng.integers(20, 60, (n, side, side - 2, 1))
    pixels[above, : side // 2] += 160
    pixels[~above, :, : side // 2] += 160
    words = pl.Series("lit", np.where(above, "above", "left"))
    frame = pl.DataFrame([column("scan", pixels.astype(np.uint8)), words])
    return Dataset(frame, schema(side), Origin.usual(), n)


def plan_of(first: int, then: int, **how: object) -> Plan:
    """A plan of so many steps in front and behind, whatever the machine."""
    plan = make_plan(scans(), learn="scan", given="lit", **how)  # type: ignore[arg-type]
    factor = plan.create[0]
    assert factor.front is not None
    front = factor.front.model_copy(update={"steps": first})
    return plan.model_copy(update={"create": (factor.model_copy(update={"steps": then, "front": front}),)})


def fitted(*steps: int, **how: object) -> Model:
    made = fit_plan(scans(), plan_of(*steps, **how))
    return Model(made.joint, schema(), made.plan, Origin.usual(), {}, "")


@pytest.fixture(scope="module")
def numbers() -> Model:
    return fitted(80, 150, network="mlp", options={"compress": 2, "width": 64, "depth": 2})


@pytest.fixture(scope="module")
def tokens() -> Model:
    return fitted(80, 150, objective="any_order", options={"tokens": 64, "compress": 4, "width": 32, "depth": 2})


def pixels(frame: object) -> Pixels:
    return np.stack([np.asarray(cell) for cell in frame["scan"]])  # type: ignore[index]


# ---------------------------------------------------------------- the plan


def asked(side: int, **how: object) -> str:
    return str(make_plan(scans(9, side=side), learn="scan", given="lit", **how))  # type: ignore[arg-type]


def test_large_pictures_are_compressed_first_and_both_fits_are_planned() -> None:
    assert "compress" not in asked(64)
    plan = asked(96, time=100)
    assert "compress scan by reconstruction with pyramid, channels=4, factor=4, about 25 s" in plan
    assert "p(scan | lit) by diffusion with unet, about 75 s" in plan
    assert "factor=16" in asked(400)


def test_a_user_can_force_and_forbid_it() -> None:
    assert "channels=8, factor=2" in asked(32, options={"compress": 2, "channels": 8})
    assert "compress" not in asked(96, options={"compress": 0})
    with pytest.raises(UsageError, match="become one place of its code: a power of two"):
        asked(32, options={"compress": 3})


def test_an_objective_of_tokens_reads_pictures_as_tokens() -> None:
    plan = asked(32, objective="any_order")
    assert "reconstruction with pyramid, tokens=1000, factor=4" in plan
    assert "by any_order with transformer" in plan
    with pytest.raises(UsageError, match="become one place"):
        asked(32, objective="any_order", options={"compress": 0})
    with pytest.raises(UsageError, match=r"chain does not learn pictures.*any_order"):
        asked(32, objective="chain")


# ---------------------------------------------------------------- the verbs


@pytest.mark.parametrize("name", ["numbers", "tokens"])
def test_codes_stand_for_pictures(name: str, request: pytest.FixtureRequest) -> None:
    codec = request.getfixturevalue(name).joint.factors[0].picture
    assert isinstance(codec, Latent)
    frame = scans(40, seed=1).frame
    view = codec.views[0]
    codes = codec.encode(frame, view)
    real, back = (stack(part["scan"], schema()["scan"]).astype(float) for part in (frame, codec.decode(codes, view)))
    assert np.square(back - real).mean() < 0.2 * real.var()
    if view == "Real":
        assert codes.x.mean((0, 2, 3)).abs().max() < 0.3
        assert (codes.x.std((0, 2, 3)) - 1).abs().max() < 0.2


@pytest.mark.parametrize("name", ["numbers", "tokens"])
def test_draws_obey_what_is_given_and_a_saved_model_draws_the_same(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model = request.getfixturevalue(name)
    given = pl.DataFrame({"lit": ["above", "left"] * 60})
    drawn = pixels(model.sample(given=given, seed=1)).astype(float)
    right_of_upper, left_of_lower = drawn[:, 2:6, 9:13].mean((1, 2)), drawn[:, 10:14, 2:6].mean((1, 2))
    assert ((right_of_upper > left_of_lower) == (given["lit"] == "above").to_numpy()).mean() > 0.8
    model.save(tmp_path / "model")
    assert np.array_equal(pixels(anew.load(tmp_path / "model").sample(given=given, seed=1)), drawn)


@pytest.mark.parametrize("name", ["numbers", "tokens"])
def test_completion_keeps_every_known_pixel_and_reads_them(name: str, request: pytest.FixtureRequest) -> None:
    model, rows = request.getfixturevalue(name), scans(24, seed=2).frame.select("scan")
    masks = np.zeros((SIDE, SIDE - 2), bool)
    masks[7:] = True  # the lower half, and a row of the codes that are known in part
    before, after = stack(rows["scan"], schema()["scan"])[..., 0], pixels(model.complete(rows, masks=masks))
    assert np.array_equal(before[:, :7], after[:, :7])
    above = before[:, :7, 9:].mean((1, 2)) > 120
    assert after[above, 10:].mean() < after[~above, 10:].mean() - 20


def test_codes_of_codes_ways_and_styles(numbers: Model, tokens: Model) -> None:
    rows = scans(6, seed=3).frame
    for model, wide in ((numbers, 4 * 8 * 7), (tokens, 4 * 4)):
        codes = model.encode(rows)
        assert codes.shape == (6, wide)
        back = pixels(model.decode(codes, given=rows.select("lit"))).astype(float)
        assert np.abs(back - stack(rows["scan"], schema()["scan"])[..., 0]).mean() < 40
        assert len(model.interpolate(rows[:1], rows[1:2], steps=3)) == 3
        assert set(model.restyle(rows, {"lit": "left"})["lit"]) == {"left"}


def test_the_probability_of_tokens(tokens: Model) -> None:
    rows = scans(30, seed=4).frame
    other = rows.with_columns(pl.col("lit").replace({"left": "above", "above": "left"}))
    assert tokens.log_prob(rows).mean() > tokens.log_prob(other).mean()


# ---------------------------------------------------------------- a fit that is interrupted


class Stop:
    """Interrupts the training of an objective after some steps."""

    def __init__(self, objective: str) -> None:
        self.words = f"Training {objective}, step 7,"

    def __call__(self, what: str, share: float) -> None:
        if what.startswith(self.words):
            raise KeyboardInterrupt


def test_a_fit_that_is_interrupted_in_either_part_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "CHECKPOINT_EVERY", 0.0)
    plan = plan_of(12, 12, network="mlp", options={"compress": 4, "width": 16})
    whole = fit_plan(scans(), plan)
    for objective in ("reconstruction", "diffusion"):
        with pytest.raises(Interrupted):
            fit_plan(scans(), plan, out=tmp_path, tell=Stop(objective))
    resumed = fit_plan(scans(), plan, out=tmp_path, tell=quiet)
    assert "resumed reconstruction at step 12 of 12" in resumed.notes
    assert "resumed diffusion at step 6 of 12" in resumed.notes  # told of the seventh before it was kept
    one, other = (pack(made.joint)[1] for made in (whole, resumed))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
