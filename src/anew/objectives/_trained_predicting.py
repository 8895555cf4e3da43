"""p(y | x) trained: a torch network maps what is given to the parameters of the target's space.

The loss of an example is -space.log_prob(network(given), y): over `Classes` (tokens) the cross-entropy of the class;
over `Values` (a real number), with one width for all examples, half the squared error in units of that width, which is
learned beside the network. Nothing here knows a modality: a picture classifier is a given picture and a network
that reads one.

Shapes: B batch, K classes.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from anew.core.batch import Batch, Encoded
from anew.core.columns import Floats
from anew.core.errors import DataError
from anew.core.learner import Config, Phase, Predicts, Scores, Trained
from anew.core.network import NETWORKS, Module
from anew.core.space import Real, Shape, Space, Tokens
from anew.objectives._built import Given, context_of

BLOCK = 8192  # rows that are predicted at once
DROPPED = 0.1  # the share of what is given that a step hides


class TrainedPredicting(Trained, Predicts[Encoded], Scores[Encoded]):
    """A torch network around one target; the subclass says which parameters of its space the network gives."""

    reads_given = ("Mixed", "Real", "Tokens")
    usual_seconds = 20.0
    validate_every = 25  # few rows are known by heart within a hundred steps
    patience = 40
    passes = 60.0

    def __init__(
        self, space: Space, given: Mapping[str, Space], *, network: str = "mlp", seed: int = 0, **options: Any
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        kind = NETWORKS[network]
        assert issubclass(kind, Module), f"{network} cannot be trained: plan.py asks serves() first"
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.answer = kind(None, self._out(), given=given, **options)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"width": int, "depth": int}

    @classmethod
    def sized(cls, rows: int, columns: int, cpu_seconds: float | None) -> Config:
        return {"width": 128 if rows >= 5_000 else 64, "depth": 2}

    @abstractmethod
    def _out(self) -> Shape:
        """What the network gives for one example."""

    def params(self, given: Mapping[str, Encoded]) -> Tensor:
        """Parameters of p(y | given) for `space.log_prob`.  (B, *params)"""
        return self.answer.forward(None, given)

    @property
    def module(self) -> nn.Module:
        assert isinstance(self.answer, nn.Module)
        return self.answer

    def phases(self) -> Sequence[Phase]:
        make = partial(torch.optim.AdamW, lr=2e-3, weight_decay=1.0, fused=True)
        return [Phase("answer", list(self.module.parameters()), self.loss, make)]

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """-log p(y | some of what is given); a missing answer costs nothing.  (B,)

        A share DROPPED of what is given is hidden in each step, against learning by heart (Srivastava et al. 2014).
        """
        some = {name: _thinned(part, generator) for name, part in batch.given.items()}
        return -self.space.log_prob(self.params(some), batch.x.x, batch.x.present)

    @torch.no_grad()
    def _blocks(self, given: Encoded | Given) -> Iterator[tuple[slice, Tensor]]:
        """The parameters of p(y | given), some rows at a time."""
        device, parts = next(self.module.parameters()).device, context_of(self.given, given)
        for start in range(0, min(map(len, parts.values())), BLOCK):
            rows = slice(start, start + BLOCK)
            some = {
                name: Encoded(part.x[rows].to(device), part.present[rows].to(device)) for name, part in parts.items()
            }
            yield rows, self.params(some).cpu()

    def log_prob(self, x: Encoded, given: Encoded | Given | None = None) -> Floats:
        """log p(y | given) (n,), of the class or as the density of the value; -inf where the answer is not known."""
        assert given is not None, "a discriminative objective is given what it predicts from"
        nats = np.empty(len(x))
        for rows, params in self._blocks(given):
            nats[rows] = self.space.log_prob(params, x.x[rows]).double().numpy()
        return np.where(x.present.flatten(1).all(1).numpy(), nats - self._log_unit(), -np.inf)

    def _log_unit(self) -> float:
        """What the density loses because the space counts in other units than the data."""
        return 0.0


def _thinned(part: Encoded, generator: torch.Generator) -> Encoded:
    """What is given, less a random share of it."""
    kept = torch.rand(part.present.shape, generator=generator) >= DROPPED  # made on the CPU: the same anywhere
    return Encoded(part.x, part.present & kept.to(part.present.device))


class TrainedClasses(TrainedPredicting):
    """Cross-entropy: the network gives logits."""

    reads = ("Classes",)
    minimises = "the cross-entropy of a class given the rest"

    def _out(self) -> Shape:
        if not isinstance(self.space, Tokens) or max(self.space.sizes) < 2:
            raise DataError(
                "The target has one class in the training rows; nothing to tell apart",
                found=self.space,
                do="Predict another column, or bring rows of a second class",
            )
        return self.space.params

    def predict(self, given: Encoded | Given) -> Floats:
        """(n, K) probabilities."""
        parts = [torch.softmax(params.double(), 1).numpy() for _, params in self._blocks(given)]
        return np.concatenate(parts) if parts else np.zeros((0, *self.space.params))


class TrainedValues(TrainedPredicting):
    """Squared error: the network gives the mean; the width of the Gaussian about it is one number for all."""

    reads = ("Values",)
    ordered = True
    minimises = "the squared error of a number given the rest"

    def __init__(
        self, space: Space, given: Mapping[str, Space], *, network: str = "mlp", seed: int = 0, **options: Any
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        assert isinstance(space, Real)
        self.real = space
        self.module.register_parameter("log_width", nn.Parameter(torch.zeros(())))

    def _out(self) -> Shape:
        return self.space.shape

    def params(self, given: Mapping[str, Encoded]) -> Tensor:
        mean = self.answer.forward(None, given)
        width = self.module.get_parameter("log_width")
        return torch.stack([mean, width.expand(mean.shape)], 1)

    def predict(self, given: Encoded | Given) -> Floats:
        """(n,) values in the data's own units."""
        parts = [params[:, 0].flatten().double().numpy() for _, params in self._blocks(given)]
        return self.real.origin + self.real.unit * (np.concatenate(parts) if parts else np.zeros(0))

    def _log_unit(self) -> float:
        return math.log(self.real.unit)
