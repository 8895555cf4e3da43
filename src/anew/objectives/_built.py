"""What trained objectives share: networks built by name, generators from numpy's, conditions by name, whole data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from anew.core.batch import Encoded
from anew.core.dice import uniform
from anew.core.errors import UsageError
from anew.core.network import NETWORKS, Module
from anew.core.space import Shape, Space

Given = Mapping[str, Encoded]


def build(network: str, x: Shape, out: Shape, *, given: Mapping[str, Space], **size: Any) -> nn.Module:
    """The network of that name from (B, *x) to (B, *out), called as `network(x, given, time)`."""
    kind = NETWORKS[network]
    assert issubclass(kind, Module), f"{network} is not a network from tensors to tensors"
    if not kind.fits(x, out):
        able = [name for name in NETWORKS if issubclass(other := NETWORKS[name], Module) and other.fits(x, out)]
        raise UsageError(
            f"The network {network} is not made for such data", found=x, do=f"Networks that are: {', '.join(able)}"
        )
    made = kind(x, out, given=given, **size)
    assert isinstance(made, nn.Module)
    return made


def matrices_of(network: nn.Module) -> list[nn.Parameter]:
    """Those of its weights that Muon may move."""
    assert isinstance(network, Module)
    return network.matrices()


def awake(network: nn.Module) -> nn.Module:
    """The network with random weights where it starts with zeros: a code that says nothing at first is never used."""
    for weight in network.parameters():
        if weight.ndim > 1 and not bool(weight.any()):
            nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return network


def generator_of(rng: np.random.Generator) -> torch.Generator:
    """A torch generator on the CPU, so that noise is the same whatever the device."""
    return torch.Generator().manual_seed(int(rng.integers(2**62)))


def context_of(names: Iterable[str], given: Encoded | Given | None) -> Given:
    """What is given, by the names of the learner's towers: its parts, or the only one."""
    if isinstance(given, Encoded):
        return dict.fromkeys(names, given)
    return given or {}


def some_of(given: Encoded | Given | None, rows: Tensor) -> Given | Encoded | None:
    """The same of some rows."""
    if given is None or isinstance(given, Encoded):
        return given if given is None else given.take(rows)
    return {name: part.take(rows) for name, part in given.items()}


def whole(x: Tensor) -> Encoded:
    """Examples of which every part is present."""
    return Encoded(x, torch.ones_like(x, dtype=torch.bool))


def column(time: Tensor, like: Tensor) -> Tensor:
    """Times (B,) as (B, 1, ..., 1), to broadcast over `like`."""
    return time.reshape(-1, *([1] * (like.ndim - 1)))


ALONE = 0.1  # the share of examples of which nothing is given, and of those in which a part is not


def dropped(given: Given, generator: torch.Generator) -> Given:
    """What is given, all of it left out in a share of the rows, and each of several parts too: what a draw that says
    less asks for is learned."""
    if not given:
        return given
    n, device = len(next(iter(given.values()))), next(iter(given.values())).x.device
    whole_rows = uniform((n,), generator, device) >= ALONE
    kept = {}
    for name, part in given.items():
        keep = whole_rows if len(given) == 1 else whole_rows & (uniform((n,), generator, device) >= ALONE)
        kept[name] = Encoded(part.x, part.present & column(keep, part.present))
    return kept
