"""The n-gram model alone, and beside a network.

p(x) = w p_network(x) + (1 - w) p_counted(x), with a weight w for each length of context that the counts had seen,
fitted by expectation maximisation on text that neither learned from (Jelinek and Mercer 1980): where a long context is
known, counting is trusted more.

Shapes: N tokens, B rows, K vocabulary, O lengths of contexts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.core.batch import Encoded
from anew.core.columns import Floats
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config
from anew.core.network import NETWORKS, Counter
from anew.core.ragged import Bools, Ints, Ragged
from anew.core.release import Release
from anew.core.space import Space
from anew.objectives._built import Given
from anew.objectives._reading import Logits, Reader
from anew.objectives._sequential import Sequential

ROUNDS = 30
LEAST = 1e-30


class Counting(Sequential):
    """Sequences by an n-gram model."""

    minimises = "nothing: it counts what follows what"
    networks = ("ngram",)

    def __init__(
        self, space: Space, given: Mapping[str, Space], *, network: str = "ngram", seed: int = 0, **options: Any
    ) -> None:
        rest = self._takes(space, options)
        if given:
            raise UsageError("An n-gram model reads nothing that is given", do="Use another network, or leave it out")
        self.space, self.given, self.seed, self.network = space, dict(given), seed, network
        self.counter = counter(network, self.size, **rest)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {**super().settings(), "order": int}

    def count(self, x: Ragged, release: Release) -> None:
        counted(self.counter, x, release)

    def reader(self, rows: int, given: Encoded | Given | None, *, filling: bool = False) -> Reader:
        return Counts(rows, self.counter)

    def log_prob(self, x: Ragged, given: Encoded | Given | None = None) -> Floats:
        return np.array([self._nats(x[i]).sum() for i in range(len(x))])

    def _nats(self, row: npt.NDArray[np.int32]) -> Floats:
        opening = self.sequences.opening
        whole = np.array([*opening, *row], np.int64)
        return self.counter.log_prob(whole, np.arange(len(whole)))[0][len(opening) :]

    def state(self) -> tuple[Config, Arrays]:
        return self.counter.state()

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.counter.restore(config, arrays)


def counter(network: str, size: int, **options: Any) -> Counter:
    kind = NETWORKS[network]
    assert issubclass(kind, Counter), f"{network} does not count"
    return kind(size, **options)


def counted(model: Counter, x: Ragged, release: Release) -> None:
    model.count(x)
    release.note("counts of n-grams", "all texts", sum(part.size for part in model.state()[1].values()))


class Counts(Reader):
    """An n-gram model that reads."""

    def __init__(self, rows: int, model: Counter) -> None:
        super().__init__(rows)
        self.model = model

    def logits(self, new: int) -> Logits:
        chances, _ = self.model.chances(self.written)
        return np.log(np.maximum(chances, LEAST)).astype(np.float32)


class Mixed(Reader):
    """A network and an n-gram model that read together, by weights (O,) of the network."""

    def __init__(self, network: Reader, model: Counter, weights: Floats) -> None:
        super().__init__(len(network.written))
        self.network, self.model, self.weights = network, model, weights

    def read(self, tokens: Ints) -> Logits:
        self.network.written = np.concatenate([self.network.written, tokens], 1)
        return super().read(tokens)

    def logits(self, new: int) -> Logits:
        z = self.network.logits(new)[:, : self.model.size].astype(np.float64)
        z -= z.max(1, keepdims=True)
        p = np.exp(z)
        counted, seen = self.model.chances(self.written)
        w = self.weights[seen][:, None]
        both = w * p / p.sum(1, keepdims=True) + (1 - w) * counted
        return np.asarray(np.log(np.maximum(both, LEAST)), np.float32)

    def keep(self, rows: Bools) -> None:
        super().keep(rows)
        self.network.keep(rows)


def together(network: Floats, counts: Floats, seen: Ints, weights: Floats) -> Floats:
    """(N,) nats of the mixture from those of both."""
    w = weights[seen]
    return np.asarray(np.logaddexp(np.log(w) + network, np.log1p(-w) + counts))


def fitted_weights(network: Floats, counts: Floats, seen: Ints, lengths: int) -> Floats:
    """(O,): what makes text that neither learned from likeliest, with one token more for either."""
    weights = np.full(lengths, 0.5)
    many = np.bincount(seen, minlength=lengths)
    for _ in range(ROUNDS):
        w = weights[seen]
        share = np.exp(np.log(w) + network - together(network, counts, seen, weights))
        weights = (np.bincount(seen, share, lengths) + 1) / (many + 2)
    return weights
