"""A residual multilayer perceptron: x, time and conditions into one vector, then blocks of norm, linear, SiLU, linear.

h_0 = A e(x) + T phi(t) + sum_g C_g e(g);  h_{l+1} = h_l + V silu(U norm(h_l));  out = O norm(h_L), O starting at zero.
The time features phi are cosines of geometric frequencies (Vaswani et al. 2017). Shapes: B batch, H width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from anew.core.batch import Encoded
from anew.core.network import Module
from anew.core.space import Shape, Space
from anew.networks._waves import FREQUENCIES, waves


class MLP(nn.Module, Module):
    """For flat spaces of any kind: tables, latents, small vectors."""

    def __init__(
        self,
        x: Shape | None,
        out: Shape,
        *,
        given: Mapping[str, Space],
        timed: bool = False,
        width: int = 256,
        depth: int = 4,
        **size: Any,
    ) -> None:
        super().__init__()
        self.out = out
        self.spaces = dict(given)
        self.read = None if x is None else nn.Linear(math.prod(x), width)
        self.time = nn.Linear(2 * FREQUENCIES, width) if timed else None
        self.towers = nn.ModuleDict({name: nn.Linear(math.prod(space.shape), width) for name, space in given.items()})
        self.blocks = nn.ModuleList([_Block(width) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)
        self.write = nn.Linear(width, math.prod(out))
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def forward(self, x: Tensor | None, given: Mapping[str, Encoded], time: Tensor | None = None) -> Tensor:
        exact = torch.autocast(self.norm.weight.device.type, enabled=False)  # numbers are read and written as they are
        with exact:
            h = self._read(x, given, time)  # (B, H)
        for block in self.blocks:
            h = h + block(h)
        with exact:
            result: Tensor = self.write(self.norm(h)).reshape(-1, *self.out)
        return result

    def _read(self, x: Tensor | None, given: Mapping[str, Encoded], time: Tensor | None) -> Tensor:
        parts = [] if self.read is None or x is None else [self.read(x.flatten(1))]
        if self.time is not None and time is not None:
            parts.append(self.time(waves(time)))
        for name, tower in self.towers.items():
            part, space = given[name], self.spaces[name]
            parts.append(tower((space.embed(part.x) * space.embed_mask(part.present)).flatten(1)))
        h: Tensor = sum(parts[1:], start=parts[0])
        return h


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, h: Tensor) -> Tensor:
        result: Tensor = self.down(nn.functional.silu(self.up(self.norm(h))))
        return result
