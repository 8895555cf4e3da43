"""The adversarial game over pictures: laws of its losses, draws that come near the pictures, the same when restored."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from anew.core.batch import Batch, Encoded
from anew.core.space import Real, Tokens
from anew.fitting import InMemory
from anew.objectives._relativistic import Relativistic
from anew.objectives.minimax import Minimax
from anew.testing.losses import check_loss
from anew.train import Schedule, train


def whole(x: torch.Tensor) -> Encoded:
    return Encoded(x, torch.ones(x.shape, dtype=torch.bool))


def ones_and_zeros() -> tuple[torch.Tensor, torch.Tensor]:
    data = load_digits(n_class=2)
    pictures = torch.from_numpy(data.images.astype(np.float32))[:, None] / 8 - 1
    return pictures, torch.from_numpy(data.target)[:, None]


def made(seed: int = 0, width: int = 32) -> Relativistic:
    return Relativistic(Real((1, 8, 8)), {"table": Tokens((2,))}, network="conv", width=width, latent=8, seed=seed)


def test_a_network_for_pictures_plays_this_game() -> None:
    assert Minimax.variant("conv") is Relativistic
    assert Minimax.variant("mlp") is Minimax


def test_the_losses_obey_their_laws() -> None:
    pictures, classes = ones_and_zeros()
    learner = made(width=16)
    for weight in learner.module.parameters():
        torch.nn.init.normal_(weight, std=0.2) if weight.ndim else None
    check_loss(learner, Batch(whole(pictures[:24]), given={"table": whole(classes[:24])}))


def test_made_pictures_come_near_the_real_ones_of_their_class() -> None:
    pictures, classes = ones_and_zeros()
    learner = made()
    source = InMemory(Batch(whole(pictures), given={"table": whole(classes)}), "cpu")
    for _ in train(learner, source, Schedule(250, batch=64)):
        pass
    means = [pictures[classes[:, 0] == k].mean(0) for k in (0, 1)]
    asked = torch.tensor([[0], [1]]).repeat_interleave(100, 0)
    drawn = learner.sample(200, np.random.default_rng(0), {"table": whole(asked)}).x
    apart = (means[0] - means[1]).square().mean()
    for k in (0, 1):
        own = drawn[asked[:, 0] == k]
        assert (own.mean(0) - means[k]).square().mean() < 0.25 * apart
        assert own.std(0).mean() > 0.3 * pictures[classes[:, 0] == k].std(0).mean()
    twin = made(seed=7)
    twin.restore(*learner.state())
    assert torch.equal(twin.sample(200, np.random.default_rng(0), {"table": whole(asked)}).x, drawn)
