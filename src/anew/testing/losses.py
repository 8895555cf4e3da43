"""The laws of a loss: one finite number per example that no other example changes, and that vectorises."""

from __future__ import annotations

import torch
from torch import Tensor

from anew.core.batch import Batch, Encoded
from anew.core.learner import Phase, Trained


def check_loss(learner: Trained, batch: Batch) -> None:
    """One finite number per example; no example changes another's; every parameter is in one phase; masks cost 0."""
    owners = [id(p) for phase in learner.phases() for p in phase.parameters]
    assert len(owners) == len(set(owners)), "a parameter belongs to two phases"
    assert set(owners) == {id(p) for p in learner.module.parameters()}, "a parameter belongs to no phase"
    for phase in learner.phases():
        losses = phase.loss(batch, torch.Generator().manual_seed(1))
        assert losses.shape == (len(batch),), f"{phase.name}: a loss is one number per example"
        assert bool(torch.isfinite(losses).all()), f"{phase.name}: a loss is finite"
        other = batch.map(lambda t: torch.cat([t[:1], t[1:].flip(0)]))
        moved = phase.loss(other, torch.Generator().manual_seed(1))
        assert torch.allclose(losses[0], moved[0], atol=1e-5), f"{phase.name}: other examples changed a loss"
        _check_masks(phase, batch)
        _check_vmap(phase, batch)


def _check_masks(phase: Phase, batch: Batch) -> None:
    """What is not present (missing, padding) costs nothing, whatever stands in its place."""
    here = batch.x.present & (torch.rand(batch.x.x.shape, generator=torch.Generator().manual_seed(2)) < 0.9)
    swapped = torch.where(here, batch.x.x, batch.x.x.flip(0))
    losses, again = (
        phase.loss(Batch(Encoded(x, here), given=batch.given), torch.Generator().manual_seed(1))
        for x in (batch.x.x, swapped)
    )
    assert not torch.equal(swapped, batch.x.x), "other cells stand where nothing is present"
    assert torch.allclose(losses, again, atol=1e-5), f"{phase.name}: what is missing changed a loss"


def _check_vmap(phase: Phase, batch: Batch) -> None:
    """The loss of each example alone, vectorised: what gradients per example need."""

    def one(example: Batch) -> Tensor:
        return phase.loss(example.map(lambda t: t[None]), torch.Generator().manual_seed(1))[0]

    losses = torch.func.vmap(one, randomness="different")(batch)
    assert losses.shape == (len(batch),), f"{phase.name}: the loss does not vectorise"
    assert bool(torch.isfinite(losses).all()), f"{phase.name}: the vectorised loss is not finite"
