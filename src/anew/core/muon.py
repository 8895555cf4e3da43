"""Muon: hidden matrices move by steps whose singular values are all about one; all else by AdamW.

M <- b M + (1 - b) G; W <- (1 - rate decay) W - rate sqrt(max(1, rows / columns)) O, O = U V^T of (1 - b) G + b M, by
five rounds of Newton-Schulz (Jordan et al. 2024; Liu et al. 2025, arXiv 2502.16982, alg. 1). No direction of a matrix
is left behind, so convolutions learn in far fewer steps: docs/log.md has the figures.

Shapes: m matrices of one shape, R rows, C columns, R <= C.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from anew.core.halves import halves

MOMENTUM = 0.95
ROUNDS = 5
RENEWED = 3  # rounds after which the square is made anew
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
                alike: dict[tuple[int, ...], list[nn.Parameter]] = {}
                for weight in group["params"]:
                    if weight.grad is not None:
                        alike.setdefault(tuple(weight.shape), []).append(weight)
                for weights in alike.values():
                    self._turn(weights, group["lr"], group["weight_decay"])
        return super().step(closure)

    def _turn(self, weights: Sequence[nn.Parameter], rate: float, decay: float) -> None:
        """All matrices of one shape at once: small products are made side by side."""
        moves = []
        for weight in weights:
            state = self.state[weight]
            if not state:  # AdamW wants a step when restored
                state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(weight)}
            assert weight.grad is not None
            state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
            moves.append(weight.grad.lerp(state["momentum"], MOMENTUM).flatten(1))
            weight.grad = None  # so that AdamW leaves it alone
        steps = orthogonal(torch.stack(moves))
        size = rate * max(1.0, steps.shape[1] / steps.shape[2]) ** 0.5
        for weight, step in zip(weights, steps, strict=True):
            weight.mul_(1 - rate * decay).sub_(step.reshape(weight.shape), alpha=size)


def orthogonal(matrices: Tensor) -> Tensor:
    """About U V^T of each matrix U S V^T.  (m, R, C)

    A round multiplies by a polynomial in the square X X^T. The rounds need that square alone, which is half the work
    for a wide matrix; but the square of a number loses half its digits, and in halves what is small comes out with
    directions that were never there. So after RENEWED rounds the square is made anew from the matrix itself.
    """
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonal(matrices.mT).mT
    x: Tensor = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    with halves(x.device.type):
        for rounds in (RENEWED, ROUNDS - RENEWED):
            x = _turns(x @ x.mT, rounds) @ x
    return x.to(matrices.dtype)


def _turns(square: Tensor, rounds: int) -> Tensor:
    """The product of the polynomials of some rounds, for matrices of these squares.  (m, R, R)"""
    turn: Tensor | None = None
    for last in range(rounds - 1, -1, -1):
        step = B * square + C * (square @ square)
        step.diagonal(dim1=1, dim2=2).add_(A)
        turn = step if turn is None else step @ turn
        square = step @ square @ step if last else square
    assert turn is not None
    return turn
