"""What a loss sees: encoded examples with their masks, as a pytree so that take, device and vmap reach every part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree


@dataclass(frozen=True)
class Encoded:
    """x (B, *data) of a space; `present` (B, *data) is False for padding and missing, which cost nothing in a loss."""

    x: Tensor
    present: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor) -> Encoded:
        return Encoded(self.x[rows], self.present[rows])


@dataclass(frozen=True)
class Batch:
    """B examples: what is learned, what is known of it (completion), what is given, how much each example weighs."""

    x: Encoded
    known: Tensor | None = None
    given: Mapping[str, Encoded] = field(default_factory=dict)
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def map(self, function: Callable[[Tensor], Tensor]) -> Batch:
        """The batch with every tensor replaced by function(tensor)."""
        mapped: Batch = pytree.tree_map_only(torch.Tensor, function, self)
        return mapped

    def take(self, rows: Tensor) -> Batch:
        return self.map(lambda t: t[rows])

    def to(self, device: torch.device | str) -> Batch:
        return self.map(lambda t: t.to(device))


def _register(cls: type, names: tuple[str, ...]) -> None:
    """As a node of torch's pytrees; parts that are None are left out, since vmap takes only tensors."""

    def flatten(value: Any) -> tuple[list[Any], tuple[str, ...]]:
        here = tuple(name for name in names if getattr(value, name) is not None)
        return [getattr(value, name) for name in here], here

    def unflatten(parts: Any, here: tuple[str, ...]) -> Any:
        return cls(**dict(zip(here, parts, strict=True)))

    pytree.register_pytree_node(cls, flatten, unflatten)


_register(Encoded, ("x", "present"))
_register(Batch, ("x", "known", "given", "weight"))
