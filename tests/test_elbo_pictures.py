"""The variational autoencoder over pictures: codes that give them back, draws that look like them, one deviation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from anew.core.batch import Batch, Encoded
from anew.core.space import Real
from anew.fitting import InMemory
from anew.objectives.elbo import HASTE, Elbo
from anew.testing.losses import check_loss
from anew.train import Schedule, train


def whole(x: torch.Tensor) -> Encoded:
    return Encoded(x, torch.ones(x.shape, dtype=torch.bool))


def digits(n: int) -> torch.Tensor:
    return torch.from_numpy(load_digits().images[:n].astype(np.float32))[:, None] / 8 - 1


@pytest.fixture(scope="module")
def fitted() -> Elbo:
    learner = Elbo(Real((1, 8, 8)), {}, network="conv", width=32, latent=8)
    for _ in train(learner, InMemory(Batch(whole(digits(1500))), "cpu"), Schedule(250, batch=learner.batch)):
        pass
    return learner


def test_codes_give_pictures_back(fitted: Elbo) -> None:
    new = digits(1797)[1500:]
    code = fitted.encode(whole(new))
    assert code.shape == (297, 8)
    back = fitted.decode(code).x
    assert (back - new).square().mean() < 0.4 * (new - new.mean(0)).square().mean()


def test_draws_have_the_moments_of_the_pictures(fitted: Elbo) -> None:
    drawn = fitted.sample(500, np.random.default_rng(0)).x
    true = digits(1500)
    assert drawn.shape == (500, 1, 8, 8)
    assert (drawn.mean(0) - true.mean(0)).abs().mean() < 0.12
    assert 0.6 < drawn.std(0).mean() / true.std(0).mean() < 1.1


def test_a_hidden_half_is_drawn_and_the_rest_kept(fitted: Elbo) -> None:
    x = digits(60)
    known = np.ones(x.shape, bool)
    known[..., 4:] = False
    filled = fitted.complete(whole(x), known, np.random.default_rng(0)).x
    assert torch.equal(filled[..., :4], x[..., :4])
    off, mean = (y[..., 4:] - x[..., 4:] for y in (filled, x.mean(0)))
    assert off.square().mean() < 1.5 * mean.square().mean()


def test_one_deviation_serves_all_numbers_and_the_laws_hold(fitted: Elbo) -> None:
    assert fitted.module.get_parameter("spread").ndim == 0
    x = digits(500)
    left = (fitted.decode(fitted.encode(whole(x))).x - x).square().mean().sqrt()
    deviation = torch.exp(HASTE * fitted.module.get_parameter("spread")).detach()
    assert 0.8 * left < deviation < 1.5 * left  # what is left of the pictures, and a little for the noise of the codes
    check_loss(Elbo(Real((1, 8, 8)), {}, network="conv", width=16, latent=4), Batch(whole(digits(16))))
