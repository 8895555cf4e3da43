"""The game, by hand: three tokens, a generator that has not learned, and a discriminator whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from anew.core.batch import Batch, Encoded
from anew.core.space import Tokens
from anew.objectives import minimax
from anew.objectives.minimax import Minimax

SHARES = torch.tensor([0.2, 0.3, 0.5])
SAID = torch.tensor([2.0, -1.0, 0.5])


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Minimax:
    made = Minimax(Tokens((3,), shares=tuple(SHARES.tolist())), {}, width=8, depth=1)

    def judge(e: Tensor, given: object) -> Tensor:
        return SAID[e.argmax(1)]

    monkeypatch.setattr(made, "_judge", judge)
    monkeypatch.setattr(made, "_fixed", judge)
    return made


def test_it_starts_at_the_released_shares(learner: Minimax) -> None:
    drawn = learner.drawing(candidates=1).sample(20_000, np.random.default_rng(0)).x[:, 0].long()
    assert torch.allclose(torch.bincount(drawn, minlength=3) / 20_000, SHARES, atol=0.015)


def test_candidates_are_kept_by_what_the_discriminator_says(learner: Minimax) -> None:
    drawn = learner.drawing(candidates=200).sample(4000, np.random.default_rng(0)).x[:, 0].long()
    truth = torch.softmax(SHARES.log() + SAID, 0)
    assert torch.allclose(torch.bincount(drawn, minlength=3) / 4000, truth, atol=0.03)


def test_the_generator_follows_the_exact_gradient(learner: Minimax, monkeypatch: pytest.MonkeyPatch) -> None:
    """-log sum_k p_k e^(D_k), p = softmax(l): the gradient in l is p - softmax(l + D)."""
    monkeypatch.setattr(minimax, "DRAWS", 20_000)
    x = torch.zeros(2, 1, dtype=torch.long)
    loss = learner.generate(Batch(Encoded(x, torch.ones_like(x, dtype=torch.bool))), torch.Generator().manual_seed(0))
    bias = learner.generator.get_parameter("write.bias")
    (gradient,) = torch.autograd.grad(loss.mean(), bias)
    assert torch.allclose(gradient, SHARES - torch.softmax(SHARES.log() + SAID, 0), atol=0.015)
    assert float(loss.detach().mean()) == pytest.approx(-float(torch.logsumexp(SHARES.log() + SAID, 0)), abs=0.02)
