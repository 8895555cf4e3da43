"""The laws of objectives over pictures: those of a loss, of draws, of completion and of codes, with every network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anew.core.errors import UsageError
from anew.core.learner import Completes, Compresses, Encodes, Learner, Samples, Trained
from anew.core.network import NETWORKS

if TYPE_CHECKING:
    from anew.core.batch import Batch, Encoded

SHAPE = (1, 8, 8)


def check_pictures(kind: type[Learner]) -> None:
    """All laws that an objective must keep over a small picture, with each network that serves it."""
    if not (issubclass(kind, Trained) and issubclass(kind, (Samples, Compresses)) and "Real" in kind.reads):
        return
    served = [network for network in NETWORKS if kind.serves(NETWORKS[network]) and _check_with(kind, network)]
    assert served, f"{kind.__name__} reads numbers, and no network serves it over pictures"


def example_pictures(n: int = 24) -> Batch:
    """Pictures whose upper half is light where the label is 0, and whose left half is where it is 1."""
    import torch

    from anew.core.batch import Batch, Encoded

    torch.manual_seed(0)
    label = torch.randint(2, (n, 1))
    x = torch.full((n, *SHAPE), -0.8)
    x[label[:, 0] == 0, :, :4] = 0.8
    x[label[:, 0] == 1, :, :, :4] = 0.8
    x = x + 0.1 * torch.randn(x.shape)
    whole = Encoded(label, torch.ones_like(label, dtype=torch.bool))
    return Batch(Encoded(x, torch.ones_like(x, dtype=torch.bool)), given={"table": whole})


def _check_with(kind: type[Trained], network: str) -> bool:
    """Whether the network serves it; then the laws hold."""
    import torch

    from anew.core.space import Real, Tokens
    from anew.testing.losses import check_loss

    try:
        learner = kind(Real(SHAPE), {"table": Tokens((2,))}, network=network, width=16, depth=1)
    except UsageError:
        return False
    torch.manual_seed(0)
    for parameter in learner.module.parameters():  # not as it starts: zeros hide what is wrong
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.1)
    batch = example_pictures()
    check_loss(learner, batch)
    if isinstance(learner, Samples):
        _check_use(learner, batch)
    if isinstance(learner, Compresses):
        _check_codes(learner, batch)
    return True


def _check_codes(learner: Compresses[Encoded], batch: Batch) -> None:
    """Codes are data of their space; they tell of what is known and of nothing else, and give examples back."""
    import torch

    from anew.core.batch import Encoded

    known = torch.zeros_like(batch.x.present)
    known[..., :5] = True
    told = learner.told(known.numpy())
    assert told.any(), "no code tells of the half that is known"
    assert not told.all(), "every code tells of the half that is known"
    some = learner.compress(Encoded(batch.x.x, known))
    assert some.x.shape[1:] == learner.codes.data, "codes are data of their space"
    assert np.array_equal(some.present.numpy(), told), "a code is present where it tells of what is known"
    other = learner.compress(Encoded(torch.where(known, batch.x.x, 1 - batch.x.x), known))
    assert torch.equal(some.x[some.present], other.x[some.present]), "what is not known changes a code"
    whole = learner.compress(batch.x)
    assert bool(whole.present.all()), "a code of what is known is not present"
    assert learner.expand(whole).x.shape == batch.x.x.shape, "codes give examples back"
    assert torch.equal(learner.compress(batch.x).x, whole.x), "the same example has the same code"


def _check_use(learner: Trained, batch: Batch) -> None:
    """Draws are pictures and repeat, what is known is kept, codes are finite and always the same."""
    x = batch.x.x.numpy()
    known = np.zeros(x.shape, bool)
    known[..., :3] = True
    assert isinstance(learner, Samples)
    drawn = [learner.sample(len(x), np.random.default_rng(seed), batch.given).x.numpy() for seed in (1, 1, 2)]
    assert drawn[0].shape == x.shape, "draws are pictures"
    assert np.array_equal(drawn[0], drawn[1]), "the same seed draws the same pictures"
    assert not np.array_equal(drawn[0], drawn[2]), "another seed draws others"
    if isinstance(learner, Completes):
        filled = learner.complete(batch.x, known, np.random.default_rng(0), batch.given).x.numpy()
        assert np.array_equal(filled[known], x[known]), "completion changes what is known"
        assert not np.array_equal(filled, x), "completion draws nothing"
    if isinstance(learner, Encodes):
        z = learner.encode(batch.x, batch.given)
        assert z.shape[0] == len(x), "a code for each picture"
        assert np.isfinite(z).all(), "codes are finite"
        assert np.array_equal(z, learner.encode(batch.x, batch.given)), "the same picture has the same code"
        assert learner.decode(z, batch.given).x.shape == x.shape, "codes decode to pictures"
