"""The laws of DESIGN.md over the registries: whatever lies in the folders is tested here, with no other edit."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from anew import testing
from anew.core.codec import Codec
from anew.core.network import Network
from anew.core.registry import Registry
from anew.core.space import Mixed, Real, Space, Tokens
from anew.plan import OBJECTIVES

CODECS: Registry[Codec] = Registry("anew.codecs", Codec)
NETWORKS: Registry[Network] = Registry("anew.networks", Network)
SPACES = [
    Real((3,)),
    Real((2, 4)),
    Real((1, 8, 8)),
    Tokens((4, 2, 7)),
    Tokens((1,)),
    Tokens((5, 5, 5), alike=True),
    Mixed(3, (2, 5)),
    Mixed(0, (3,)),
    Mixed(2, ()),
]


@pytest.mark.parametrize("name", OBJECTIVES.names)
def test_objective(name: str) -> None:
    testing.check_objective(OBJECTIVES[name])


@pytest.mark.parametrize("name", OBJECTIVES.names)
def test_objective_over_pictures(name: str) -> None:
    testing.check_pictures(OBJECTIVES[name])


@pytest.mark.parametrize("name", NETWORKS.names)
def test_network(name: str) -> None:
    testing.check_network(NETWORKS[name])


@pytest.mark.parametrize("name", CODECS.names)
def test_codec(name: str) -> None:
    testing.check_codec(CODECS[name])


def data_of(space: Space, n: int = 32) -> torch.Tensor:
    """Random data of a space."""
    torch.manual_seed(0)
    match space:
        case Real():
            return torch.randn(n, *space.dims)
        case Tokens():
            return torch.stack([torch.randint(k, (n,)) for k in space.sizes], 1)
        case Mixed():
            tokens = [torch.randint(k, (n, 1)).float() for k in space.sizes]
            return torch.cat([torch.randn(n, space.reals), *tokens], 1)
    raise AssertionError(space)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_embed_then_unembed_is_the_identity(space: Space) -> None:
    x = data_of(space)
    e = space.embed(x)
    assert e.shape[1:] == space.shape
    assert x.shape[1:] == space.data
    assert torch.equal(space.unembed(e).to(x.dtype), x)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_mask_of_data_is_mask_of_embedding(space: Space) -> None:
    x, y = data_of(space), data_of(space).flip(0)
    known = torch.rand(len(x), *space.data) < 0.5
    mixed = torch.where(space.embed_mask(known), space.embed(x), space.embed(y))
    assert torch.equal(space.unembed(mixed).to(x.dtype), torch.where(known, x, y))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_log_prob_and_relax(space: Space) -> None:
    x = data_of(space)
    params = torch.randn(len(x), *space.params, requires_grad=True)
    nats = space.log_prob(params, x)
    assert nats.shape == (len(x),)
    assert torch.isfinite(nats).all()
    nothing = space.log_prob(params, x, torch.zeros(len(x), *space.data, dtype=torch.bool))
    assert torch.equal(nothing, torch.zeros(len(x))), "what is not present costs nothing"
    drawn = space.relax(params, torch.Generator().manual_seed(0))
    assert drawn.shape == (len(x), *space.shape)
    assert torch.allclose(space.expect(params.detach() * 0 + _certain(space, x)), space.embed(x), atol=1e-4)
    drawn.square().sum().backward()
    assert params.grad is not None
    assert torch.isfinite(params.grad).all()


def _certain(space: Space, x: torch.Tensor) -> torch.Tensor:
    """Parameters that leave no doubt of x: its own numbers as means, its own tokens as logits."""
    match space:
        case Real():
            return torch.stack([x, torch.zeros_like(x)], 1)
        case Mixed():
            real = torch.cat([x[:, : space.reals], torch.zeros_like(x[:, : space.reals])], 1)
            return torch.cat([real, 1e4 * space.tokens.embed(x[:, space.reals :])], 1)
    return 1e4 * space.embed(x)


def test_tokens_are_probabilities() -> None:
    space = Tokens((3, 2))
    params = torch.randn(1, 5).expand(6, 5)
    every = torch.tensor([[a, b] for a in range(3) for b in range(2)])
    assert space.log_prob(params, every).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_one_objective_reads_every_space() -> None:
    """Objectives never see a modality: the same diffusion trains on numbers, tokens and mixtures."""
    from anew.core.batch import Batch, Encoded
    from anew.objectives.diffusion import Diffusion

    for space in (Real((3,)), Tokens((4, 2)), Mixed(2, (3,)), Real((1, 8, 8))):
        x = data_of(space, 64)
        learner = Diffusion(space, {}, network="mlp", width=16, depth=1)
        loss = learner.loss(Batch(Encoded(x, torch.ones_like(x, dtype=torch.bool))), torch.Generator().manual_seed(0))
        assert loss.shape == (64,)
        assert torch.isfinite(loss).all()
        assert learner.sample(5, np.random.default_rng(0)).x.shape == (5, *space.data)
