"""Muon: hidden matrices move by steps whose singular values are all about one; all else by AdamW.

M <- b M + (1 - b) G; W <- (1 - rate decay) W - rate sqrt(max(1, rows / columns)) O, O = U V^T of (1 - b) G + b M, by
five rounds of Newton-Schulz (Jordan et al. 2024; Liu et al. 2025, arXiv 2502.16982, alg. 1). No direction of a matrix
is left behind, so convolutions learn in far fewer steps: docs/log.md has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ROUNDS = 5
A, B, C = 3.4445, -4.7750, 2.0315  # of the odd polynomial that takes singular values in (0, 1] to about one
FASTER = 10.0  # the rate of a matrix over that of AdamW: its steps have a size of their own


class Muon(torch.optim.AdamW):
    """One optimiser of two kinds of groups: the matrices among the weights, and the rest."""

    def __init__(
        self,
        weights: Sequence[nn.Parameter],
        *,
        matrices: Sequence[nn.Parameter],
        rate: float,
        decay: float,
        betas: tuple[float, float] = (0.9, 0.999),
        faster: float = FASTER,
    ) -> None:
        turned = {id(weight) for weight in matrices}
        groups: list[dict[str, Any]] = [
            {"params": [w for w in weights if id(w) not in turned], "orthogonal": False},
            {"params": [w for w in weights if id(w) in turned], "orthogonal": True, "lr": faster * rate},
        ]
        super().__init__([g for g in groups if g["params"]], lr=rate, betas=betas, weight_decay=decay, fused=True)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            if group["orthogonal"]:
                for weight in group["params"]:
                    self._turn(weight, group["lr"], group["weight_decay"])
        return super().step(closure)

    def _turn(self, weight: Tensor, rate: float, decay: float) -> None:
        if weight.grad is None:
            return
        state = self.state[weight]
        if not state:
            state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(weight)}  # AdamW wants a step when restored
        momentum = state["momentum"]
        momentum.lerp_(weight.grad, 1 - MOMENTUM)
        step = orthogonal(weight.grad.lerp(momentum, MOMENTUM).flatten(1))
        size = rate * max(1.0, step.shape[0] / step.shape[1]) ** 0.5
        weight.mul_(1 - rate * decay).sub_(step.reshape(weight.shape), alpha=size)
        weight.grad = None  # so that AdamW leaves it alone


def orthogonal(matrix: Tensor) -> Tensor:
    """About U V^T of a matrix U S V^T.

    Each round multiplies by a polynomial in the square X X^T, so that the rounds need the square alone: for a
    convolution that is half the work.
    """
    if len(matrix) > matrix.shape[1]:
        return orthogonal(matrix.T).T
    x = matrix / (matrix.norm() + 1e-7)
    square = x @ x.T
    one = torch.eye(len(x), device=x.device, dtype=x.dtype)
    turn = one
    for _ in range(ROUNDS):
        step = A * one + B * square + C * square @ square
        turn, square = step @ turn, step @ step @ square
    result: Tensor = turn @ x
    return result
