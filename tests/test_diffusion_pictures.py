"""Diffusion over pictures: steps, guidance, completion and codes from one short training."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from anew.core.batch import Batch, Encoded
from anew.core.errors import UsageError
from anew.core.space import Mixed, Real, Tokens
from anew.objectives._ways import Seen
from anew.objectives.diffusion import Diffusion
from anew.testing.losses import check_loss
from anew.train import Schedule, train

SPACE, LABEL = Real((1, 8, 8)), Tokens((2,))


def bars(n: int) -> Batch:
    """Label 0: the upper half is light; label 1: the left half."""
    torch.manual_seed(0)
    label = torch.randint(2, (n, 1))
    x = -torch.ones(n, 1, 8, 8)
    x[label[:, 0] == 0, :, :4] = 1
    x[label[:, 0] == 1, :, :, :4] = 1
    x = x + 0.1 * torch.randn(x.shape)
    return Batch(all_of(x), given={"table": all_of(label)})


def all_of(x: torch.Tensor) -> Encoded:
    return Encoded(x, torch.ones_like(x, dtype=torch.bool))


class Source:
    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __len__(self) -> int:
        return len(self.batch)

    def take(self, rows: torch.Tensor) -> Batch:
        return self.batch.take(rows)


@pytest.fixture(scope="module")
def learner() -> Diffusion:
    made = Diffusion(SPACE, {"table": LABEL}, network="unet", width=16, depth=1)
    events = list(train(made, Source(bars(512)), Schedule(150, batch=64)))
    losses = [event.losses["denoising"] for event in events]
    assert np.mean(losses[-20:]) < np.mean(losses[:10]) / 2
    assert [("leaps" in event.losses) for event in events] == [False] * 105 + [True] * 45
    assert all(parameter.requires_grad for parameter in made.module.parameters())
    return made


def told(x: torch.Tensor) -> torch.Tensor:
    """How much more the upper half than the left says what it is: above zero for label 0."""
    return x[:, 0, :4, 4:].mean((1, 2)) - x[:, 0, 4:, :4].mean((1, 2))


@pytest.mark.parametrize("steps", [1, 2, 4, 16])
def test_few_and_many_steps_draw_what_is_given(learner: Diffusion, steps: int) -> None:
    label = torch.arange(2).repeat(32)[:, None]
    drawn = learner.drawing(steps=steps).sample(64, np.random.default_rng(0), {"table": all_of(label)}).x
    assert ((told(drawn) < 0) == (label[:, 0] == 1)).float().mean() > 0.95


def test_leaps_leave_the_slopes_as_they_are(learner: Diffusion) -> None:
    """Training the leaps moves nothing that many steps use; and a leap over no time is the slope."""
    twin = copy.deepcopy(learner)
    apart = {id(parameter) for parameter in twin.leaping()}
    assert apart
    assert twin.leaps_are_learned
    assert not Diffusion(SPACE, {"table": LABEL}, network="unet", width=16).leaps_are_learned
    for parameter in twin.module.parameters():
        if id(parameter) in apart:
            torch.nn.init.normal_(parameter)
    given, seed = {"table": all_of(torch.zeros(8, 1, dtype=torch.long))}, np.random.default_rng
    for steps, same in ((1, False), (2, False), (8, True)):
        drawn = [made.drawing(steps=steps).sample(8, seed(0), given).x for made in (learner, twin)]
        assert torch.equal(*drawn) == same
    nothing = Seen(torch.zeros(8, 1, 8, 8), torch.zeros(8, 1, 8, 8, dtype=torch.bool), given)
    x, time = torch.randn(8, 1, 8, 8), torch.rand(8)
    slope, leap = twin._ask(x, time, nothing), twin._ask(x, time, nothing, torch.zeros(8))
    assert torch.allclose(slope, leap, atol=1e-5)


def test_guidance_asks_for_more_of_what_is_given(learner: Diffusion) -> None:
    given = {"table": all_of(torch.zeros(64, 1, dtype=torch.long))}
    plain, more = (
        learner.drawing(guidance=g, steps=1).sample(64, np.random.default_rng(0), given).x for g in (1.0, 3.0)
    )
    assert told(more).mean() > told(plain).mean()
    blank = {"table": Encoded(given["table"].x, torch.zeros(64, 1, dtype=torch.bool))}
    free = learner.sample(64, np.random.default_rng(0), blank).x
    assert 0.2 < (told(free) < 0).float().mean() < 0.8, "with nothing given both occur"


def test_what_is_known_is_kept_and_followed(learner: Diffusion) -> None:
    data = bars(64)
    known = np.zeros((64, 1, 8, 8), bool)
    known[:, :, :, 5:] = True  # of three columns the upper half is light, or none is
    blank = {"table": Encoded(data.given["table"].x, torch.zeros(64, 1, dtype=torch.bool))}
    hidden = Encoded(torch.where(torch.from_numpy(known), data.x.x, 0.0), data.x.present)
    filled = learner.complete(hidden, known, np.random.default_rng(0), blank).x
    assert torch.equal(filled[torch.from_numpy(known)], data.x.x[torch.from_numpy(known)])
    assert ((told(filled) < 0) == (told(data.x.x) < 0)).float().mean() > 0.9


def test_codes_lead_back(learner: Diffusion) -> None:
    data = bars(32)
    back = learner.decode(learner.encode(data.x, data.given), data.given).x
    assert (back - data.x.x).abs().mean() < 0.05


def test_the_loss_keeps_its_laws(learner: Diffusion) -> None:
    check_loss(learner, bars(16))


def test_a_table_is_no_picture() -> None:
    with pytest.raises(UsageError, match=r"unet is not made for such data.*mlp"):
        Diffusion(Mixed(2, (3,)), {}, network="unet")
