"""A transformer on patches: how a picture is cut, that it tells pictures apart, and what leaps use."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from anew.core.batch import Encoded
from anew.core.space import Real
from anew.networks.patches import Patches


@pytest.mark.parametrize(
    ("side", "width", "patch"), [(8, 64, 2), (28, 64, 4), (32, 64, 4), (32, 256, 2), (64, 64, 8), (64, 256, 4)]
)
def test_patches_grow_with_the_picture_and_shrink_with_the_width(side: int, width: int, patch: int) -> None:
    network = Patches((1, side, side), (1, side, side), given={}, width=width, depth=1)
    assert network.patch == patch
    assert len(network.places) == math.ceil(side / patch) ** 2


def test_a_patch_reaches_every_other() -> None:
    torch.manual_seed(0)
    network = Patches((1, 9, 12), (1, 9, 12), given={}, width=32, depth=2)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(1, 1, 9, 12, requires_grad=True)
    network(x, {})[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert bool((x.grad != 0).all())


def test_a_leap_over_no_time_is_the_slope_and_moves_nothing_else() -> None:
    torch.manual_seed(0)
    network = Patches((2, 8, 8), (1, 8, 8), given={}, timed=True, width=32, depth=1, leaps=True)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x, time = torch.randn(3, 2, 8, 8), torch.rand(3)
    slope = network(x, {}, time)
    assert torch.allclose(network(x, {}, time, torch.zeros(3)), slope, atol=1e-5)
    assert not torch.allclose(network(x, {}, time, torch.ones(3)), slope)
    apart = {id(parameter) for parameter in network.leaping()}
    assert apart
    assert not any(id(parameter) in apart for parameter in network.matrices())


def test_from_nothing_but_a_picture_it_is_a_classifier() -> None:
    """A small cross somewhere, or a small square: what matters is not where it lies."""
    torch.manual_seed(0)

    def pictures(n: int) -> tuple[Encoded, torch.Tensor]:
        x, label = -torch.ones(n, 1, 12, 10), torch.randint(2, (n,))
        cross = torch.tensor([[0.0, 1, 0], [1, 1, 1], [0, 1, 0]])
        for picture, kind in zip(x, label.tolist(), strict=True):
            row, column = int(torch.randint(10, ())), int(torch.randint(8, ()))
            picture[0, row : row + 3, column : column + 3] += 2 * (cross if kind else 1 - cross)
        return Encoded(x, torch.ones_like(x, dtype=torch.bool)), label

    network = Patches(None, (2,), given={"scan": Real((1, 12, 10))}, width=32, depth=2)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    for _ in range(150):
        scan, label = pictures(64)
        loss = F.cross_entropy(network(None, {"scan": scan}), label)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    scan, label = pictures(200)
    assert (network(None, {"scan": scan}).argmax(1) == label).float().mean() > 0.9
