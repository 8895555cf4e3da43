"""p(y | x) trained: a torch network maps what is given to the parameters of the target's space.

The loss of an example is -space.log_prob(network(given), y): over `Classes` (tokens) the cross-entropy of the class;
over `Values` (a real number), with one width for all examples, half the squared error in units of that width, which is
learned beside the network. What is given varies a little from step to step, as its space says, and a part of it is
hidden; an answer is the mean over what is nearby. Nothing here knows a modality: a picture classifier is a given
picture and a network that reads one.

What rows that were held out can tell is set after the training: the temperature T of the classes, softmax(logits / T)
(Guo et al. 2017, arXiv 1706.04599, s. 4.2), or the width about the values.

Shapes: B batch, K classes.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from anew.core.batch import Batch, Encoded
from anew.core.columns import Floats
from anew.core.errors import DataError, UsageError, did_you_mean
from anew.core.learner import Config, Explains, Phase, Predicts, Scores, Trained
from anew.core.muon import Muon
from anew.core.network import NETWORKS
from anew.core.space import Real, Shape, Space, Tokens
from anew.objectives._built import Given, context_of
from anew.objectives._saliency import integrated_gradients

BLOCK = 1024  # rows that are predicted at once
RATE, DECAY = 2e-3, 1.0  # of AdamW, where the network does not say
COLDEST, HOTTEST = 0.1, 10.0  # temperatures
DOUBT = 4.0  # nats that a temperature e times too high or low must earn: few rows say little about it


class TrainedPredicting(Trained, Predicts[Encoded], Scores[Encoded], Explains[Encoded]):
    """A torch network around one target; the subclass says which parameters of its space the network gives."""

    reads_given = ("Mixed", "Real", "Tokens")
    usual_seconds = 20.0
    validate_every = 25  # few rows are known by heart within a hundred steps
    patience = 40
    passes = 60.0

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "mlp",
        seed: int = 0,
        vary: float = 1.0,
        mirror: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        kind = NETWORKS[network].reader()
        assert kind is not None, f"{network} cannot be trained: plan.py asks serves() first"
        self.vary, self.mirror = vary, mirror
        if kind.pictures:  # what varies is not known by heart so soon, and a look at it costs more
            self.halves, self.cool_down, self.validate_every, self.passes = True, 0.6, 100, 400.0
        self.batch, self.rate, self.decay = kind.batch or self.batch, kind.rate or RATE, kind.decay or DECAY
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.answer = kind(None, self._out(), given=given, **options)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"width": int, "depth": int, "vary": float, "mirror": float}

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
        weights = list(self.module.parameters())
        moved = partial(Muon, matrices=self.answer.matrices(), rate=self.rate, decay=self.decay)
        return [Phase("answer", weights, self.loss, moved)]

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """-log p(y | some of what is given, varied); a missing answer costs nothing.  (B,)

        A part of what is given is hidden in each step, against learning by heart (Srivastava et al. 2014).
        """
        some = {name: self._changed(self.given[name], part, generator) for name, part in batch.given.items()}
        return -self.space.log_prob(self.params(some), batch.x.x, batch.x.present)

    def _changed(self, space: Space, part: Encoded, generator: torch.Generator) -> Encoded:
        """What is given, varied a little, less a random part of it."""
        x = space.vary(part.x, generator, self.vary, self.mirror)
        return Encoded(x, space.hide(part.present, generator))

    @torch.no_grad()
    def _blocks(self, given: Encoded | Given) -> Iterator[tuple[slice, Tensor]]:
        """The parameters of p(y | given), some rows at a time."""
        device, parts = next(self.module.parameters()).device, context_of(self.given, given)
        for start in range(0, min(map(len, parts.values())), BLOCK):
            rows = slice(start, start + BLOCK)
            some = {
                name: Encoded(part.x[rows].to(device), part.present[rows].to(device)) for name, part in parts.items()
            }
            yield rows, self._mean(some).cpu()

    def _mean(self, given: Given) -> Tensor:
        """The parameters, averaged over what means the same as what is given, where it varied while it was learned."""
        near = self.vary > 0
        told = {n: self.given[n].nearby(p.x, self.mirror) if near else [p.x] for n, p in given.items()}
        said = [
            self.params({n: Encoded(told[n][i % len(told[n])], part.present) for n, part in given.items()})
            for i in range(max(map(len, told.values())))
        ]
        return said[0] if len(said) == 1 else torch.stack(said).mean(0)

    def log_prob(self, x: Encoded, given: Encoded | Given | None = None) -> Floats:
        """log p(y | given) (n,), of the class or as the density of the value; -inf where the answer is not known."""
        assert given is not None, "a discriminative objective is given what it predicts from"
        nats = np.empty(len(x))
        for rows, params in self._blocks(given):
            nats[rows] = self.space.log_prob(params, x.x[rows]).double().numpy()
        return np.where(x.present.flatten(1).all(1).numpy(), nats - self._log_unit(), -np.inf)

    def explain(self, given: Encoded | Given, part: str) -> Any:
        parts = context_of(self.given, given)
        if not isinstance(self.given.get(part), Real):
            able = [name for name, space in self.given.items() if isinstance(space, Real)]
            raise UsageError(f"{part!r} is no part of real numbers that is given", do=did_you_mean(part, able))
        return integrated_gradients(self._said(parts), parts, part)

    @abstractmethod
    def _said(self, given: Given) -> Callable[[Given], Tensor]:
        """The answer to what is given, as one number (B,) of anything that is given instead."""

    def _log_unit(self) -> float:
        """What the density loses because the space counts in other units than the data."""
        return 0.0


class TrainedClasses(TrainedPredicting):
    """Cross-entropy: the network gives logits."""

    reads = ("Classes",)
    minimises = "the cross-entropy of a class given the rest"

    def __init__(
        self, space: Space, given: Mapping[str, Space], *, network: str = "mlp", seed: int = 0, **options: Any
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        self.module.register_buffer("temperature", torch.ones(()))

    def _out(self) -> Shape:
        if not isinstance(self.space, Tokens) or max(self.space.sizes) < 2:
            raise DataError(
                "The target has one class in the training rows; nothing to tell apart",
                found=self.space,
                do="Predict another column, or bring rows of a second class",
            )
        return self.space.params

    def params(self, given: Mapping[str, Encoded]) -> Tensor:
        return super().params(given) / self.module.get_buffer("temperature")

    @torch.no_grad()
    def settle(self, held: Batch) -> None:
        """The temperature with the least cross-entropy of classes that are held out."""
        there = held.x.present.flatten(1).all(1).cpu()
        logits = torch.cat([params for _, params in self._blocks(held.given)])[there].double()
        classes = held.x.x.cpu()[there]
        tried = torch.logspace(math.log10(COLDEST), math.log10(HOTTEST), 201, dtype=torch.double)
        losses = [DOUBT * float(t.log()) ** 2 - float(self.space.log_prob(logits / t, classes).sum()) for t in tried]
        self.module.get_buffer("temperature").mul_(float(tried[int(np.argmin(losses))]))

    def _said(self, given: Given) -> Callable[[Given], Tensor]:
        with torch.no_grad():
            best = self.params(given).argmax(1, keepdim=True)
        return lambda other: torch.log_softmax(self.params(other), 1).gather(1, best)[:, 0]

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

    @torch.no_grad()
    def settle(self, held: Batch) -> None:
        """The width of what is left of values that are held out: less is left of those that were learned from."""
        there = held.x.present.flatten(1).all(1).cpu()
        means = torch.cat([params[:, 0] for _, params in self._blocks(held.given)])
        left = (held.x.x.cpu() - means)[there].double().square().mean()
        if left > 0:  # not where no value is known
            self.module.get_parameter("log_width").fill_(0.5 * float(left.log()))

    def _said(self, given: Given) -> Callable[[Given], Tensor]:
        return lambda other: self.params(other)[:, 0].flatten()

    def predict(self, given: Encoded | Given) -> Floats:
        """(n,) values in the data's own units."""
        parts = [params[:, 0].flatten().double().numpy() for _, params in self._blocks(given)]
        return self.real.origin + self.real.unit * (np.concatenate(parts) if parts else np.zeros(0))

    def _log_unit(self) -> float:
        return math.log(self.real.unit)
