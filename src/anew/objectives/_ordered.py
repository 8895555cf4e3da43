"""What objectives over p(x_j | x_seen) share: draws, scores, conditions and codes, position after position.

With an order s of the positions, log p(x) = sum_j log p(x_j | x_i of i before j in s). A draw takes positions in order;
a condition is met by particles, as in the chain (Liu and Chen 1998); the Rosenblatt transform (1952) gives the code
z_j = Phi^-1(F(x_j | x_before)), with the place of a value inside its token between the ends of the token's jump.

Shapes: n rows, L positions, P particles, K tokens of one position.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from anew.core.batch import Batch, Encoded
from anew.core.columns import Allowed, Floats
from anew.core.errors import ConditionError, UsageError
from anew.core.learner import Conditions, Drawn, Encodes, Phase, Samples, Scores, Trained
from anew.core.network import NETWORKS, Conditional, Network
from anew.core.space import Space, Tokens
from anew.objectives._built import Given, context_of, dropped, some_of
from anew.objectives._resampling import pool, scaled, systematic

POOL = 1024  # particles that are drawn at once, at least
BUDGET = 64  # particles for each row asked for, at most
PER_ROW = 32  # particles for each row of given columns
DECAY = 0.3  # of weights, for each step and rate: with less, the likelihood of one order overfits in ten epochs
PART = 4096  # rows that are scored or drawn at once
FEW = 64  # the same, and rows of a step, where many positions share one vocabulary: each row is large


class Rule(NamedTuple):
    """A condition on neighbouring positions that spell one level: where it starts, and what it allows."""

    start: int
    allowed: Allowed
    sizes: tuple[int, ...]

    def chances(self, digit: int, before: Tensor) -> Tensor:
        """(P, K) how much of each token is allowed, given the digits before it (P, digit)."""
        mass = torch.from_numpy(self.allowed.mass).reshape(self.sizes)
        last = digit == len(self.sizes) - 1
        part = mass if last else (mass.flatten(digit + 1).amax(-1) > 0).double()
        return part[tuple(before.T)] if digit else part.expand(len(before), -1)


class Ordered(Trained, Samples[Encoded], Scores[Encoded], Conditions[Encoded], Encodes[Encoded]):
    """A learner over one `Conditional` network; the subclass says who sees whom while it learns."""

    reads = ("Tokens",)
    networks = ("masked", "transformer")
    batch = 256
    cool_down = 0.5
    rate = 3e-3

    def __init__(
        self, space: Space, given: Mapping[str, Space], *, network: str = "masked", seed: int = 0, **options: Any
    ) -> None:
        super().__init__(space, given, network=network, seed=seed, **options)
        name = type(self).__name__
        if not isinstance(space, Tokens):
            raise UsageError(f"{name} learns tokens", found=space.kind, do="Bring a space of tokens")
        kind = NETWORKS[network]
        assert issubclass(kind, Conditional), f"{network} sees all at once: plan.py asks serves() first"
        self.tokens, self.at_once = space, PART
        if space.alike:
            self.batch, self.at_once, self.held, self.open_given, self.halves = FEW, FEW, 512, True, True
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = kind(space, given=given, **options)
        below = torch.ones(len(space.sizes), len(space.sizes), dtype=torch.bool).tril(-1)
        self.before = below  # (L, L) who sees whom in the order of the positions

    @classmethod
    def serves(cls, network: type[Network]) -> bool:
        """Each position must be told what it may see."""
        return issubclass(network, Conditional)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {"width": int, "depth": int}

    @property
    def module(self) -> nn.Module:
        assert isinstance(self.net, nn.Module)
        return self.net

    def phases(self) -> Sequence[Phase]:
        adam = partial(torch.optim.AdamW, lr=self.rate, betas=(0.9, 0.98), weight_decay=DECAY, fused=True)
        return [Phase("conditionals", list(self.module.parameters()), self.loss, adam)]

    @abstractmethod
    def sees(self, n: int, generator: torch.Generator) -> Tensor:
        """(n or 1, L, L) who sees whom in each example of a step."""

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """- sum_j log p(x_j | what j sees), over the present positions.  (B,)"""
        here = batch.x.present
        sees = self.sees(len(here), generator).to(here.device) & here[:, None, :]
        x = batch.x.x.long()
        given = dropped(batch.given, generator) if self.open_given else batch.given
        return -self.tokens.log_prob(self.net.forward(x, sees, given), x, here)

    # ---------------------------------------------------------------- draws

    @torch.no_grad()
    def sample(self, n: int, rng: np.random.Generator, given: Encoded | Given | None = None) -> Encoded:
        nothing = torch.zeros(n, len(self.tokens.sizes), dtype=torch.bool)
        return self._fill(nothing.double(), nothing, rng, given)

    def _fill(self, x: Tensor, known: Tensor, rng: np.random.Generator, given: Encoded | Given | None) -> Encoded:
        """x (n, L) with what is not `known` (n, L) drawn, position after position."""
        x = x.double().clone()
        state = self.net.begin(x.long(), known, self._conditions(given))
        for j in range(x.shape[1]):
            wanted = ~known[:, j]
            if not bool(wanted.any()):
                continue
            tokens, _ = _pick(torch.softmax(self.net.logits(state, j).double(), 1), rng)
            place = torch.from_numpy(rng.random(len(x))) if self.tokens.placed else 0.0
            x[:, j] = torch.where(wanted, tokens + place, x[:, j])
            state = self.net.see(state, j, tokens, wanted)
        return self._encoded(x)

    def _encoded(self, x: Tensor) -> Encoded:
        return Encoded(x if self.tokens.placed else x.long(), torch.ones(x.shape, dtype=torch.bool))

    def _conditions(self, given: Encoded | Given | None) -> Given:
        return context_of(self.given, given)

    # ---------------------------------------------------------------- scores

    @torch.no_grad()
    def log_prob(self, x: Encoded, given: Encoded | Given | None = None) -> Floats:
        return np.concatenate([np.zeros(0), *self._in_parts(self._nats, x, given)])

    def _nats(self, x: Encoded, given: Encoded | Given | None) -> Floats:
        logits = self.net.forward(x.x.long(), self.before[None], self._conditions(given)).double()
        return np.asarray(self.tokens.log_prob(logits, x.x, x.present).numpy())

    def _in_parts(
        self, work: Callable[[Encoded, Encoded | Given | None], Any], x: Encoded, given: Encoded | Given | None
    ) -> list[Any]:
        parts = torch.split(torch.arange(len(x)), self.at_once) if len(x) else ()
        return [work(x.take(rows), some_of(given, rows)) for rows in parts]

    # ---------------------------------------------------------------- codes

    @torch.no_grad()
    def encode(self, x: Encoded, given: Encoded | Given | None = None) -> Floats:
        return np.concatenate([np.zeros((0, x.x.shape[1])), *self._in_parts(self._codes, x, given)])

    def _codes(self, x: Encoded, given: Encoded | Given | None) -> Floats:
        values, tokens = x.x.double(), x.x.long()
        place = values - tokens if self.tokens.placed else torch.full_like(values, 0.5)
        everywhere = torch.ones(len(x), dtype=torch.bool)
        state = self.net.begin(tokens, torch.zeros_like(x.present), self._conditions(given))
        ranks = torch.empty_like(values)
        for j in range(values.shape[1]):
            ends = _ends(torch.softmax(self.net.logits(state, j).double(), 1))
            low, high = (ends.gather(1, tokens[:, j : j + 1] + step)[:, 0] for step in (0, 1))
            ranks[:, j] = low + place[:, j] * (high - low)
            state = self.net.see(state, j, tokens[:, j], everywhere)
        return np.asarray(torch.special.ndtri(ranks.clamp(1e-15, 1 - 1e-15)).numpy())

    @torch.no_grad()
    def decode(self, z: Floats, given: Encoded | Given | None = None) -> Encoded:
        ranks = torch.special.ndtr(torch.from_numpy(np.asarray(z, np.float64)))
        whole = Encoded(ranks, torch.ones(ranks.shape, dtype=torch.bool))
        parts = self._in_parts(self._decode, whole, given)
        return self._encoded(torch.cat([ranks[:0], *parts]))

    def _decode(self, ranks: Encoded, given: Encoded | Given | None) -> Tensor:
        x = torch.zeros_like(ranks.x)
        everywhere = torch.ones(len(x), dtype=torch.bool)
        state = self.net.begin(x.long(), torch.zeros_like(ranks.present), self._conditions(given))
        for j in range(x.shape[1]):
            ends = _ends(torch.softmax(self.net.logits(state, j).double(), 1))
            tokens, place = _locate(ends, ranks.x[:, j])
            x[:, j] = tokens + (place if self.tokens.placed else 0.0)
            state = self.net.see(state, j, tokens, everywhere)
        return x

    # ---------------------------------------------------------------- conditions

    def positions(self, rules: Sequence[Rule]) -> list[int]:
        """The order in which positions are drawn under conditions."""
        return list(range(len(self.tokens.sizes)))

    @torch.no_grad()
    def sample_where(
        self, n: int, where: Mapping[int, Allowed], rng: np.random.Generator, given: Encoded | Given | None = None
    ) -> Drawn[Encoded]:
        rules = [self._rule(start, allowed) for start, allowed in sorted(where.items())]
        if given is None:
            x, log_weight = self._pool(n, rules, rng)
            picked = systematic(scaled(log_weight), n, rng)
        else:
            repeated = some_of(given, torch.arange(n).repeat_interleave(PER_ROW))
            x, log_weight = self._particles(n * PER_ROW, rules, rng, repeated)
            with np.errstate(divide="ignore"):
                race = log_weight - np.log(rng.standard_exponential(len(log_weight)))
            picked = race.reshape(n, PER_ROW).argmax(1) + PER_ROW * np.arange(n)
        top = log_weight.max(initial=-np.inf)
        if not np.isfinite(top):
            raise ConditionError(
                "The conditions together have probability zero under the model", do="Loosen one of them"
            )
        weight = np.exp(log_weight - top)
        effective = weight.sum() ** 2 / (weight**2).sum() * (1.0 if given is None else n / len(weight))
        density = any(rule.allowed.density for rule in rules)
        chance = float(np.exp(top) * weight.mean())
        return Drawn(self._encoded(x[torch.from_numpy(picked)]), chance, float(min(effective, n)), density)

    def _rule(self, start: int, allowed: Allowed) -> Rule:
        """The neighbouring positions whose vocabularies multiply to the levels of a condition."""
        stop = start + 1
        while int(np.prod(self.tokens.sizes[start:stop])) < allowed.size:
            stop += 1
        return Rule(start, allowed, self.tokens.sizes[start:stop])

    def _pool(self, n: int, rules: Sequence[Rule], rng: np.random.Generator) -> tuple[Tensor, Floats]:
        """Particles until n rows can be resampled without a duplicate, or the budget is spent."""
        parts, log_weight = pool(lambda size: self._particles(size, rules, rng, None), n, max(n, POOL), BUDGET)
        return torch.cat(parts), log_weight

    def _particles(
        self, size: int, rules: Sequence[Rule], rng: np.random.Generator, given: Encoded | Given | None
    ) -> tuple[Tensor, Floats]:
        """Rows (P, L) drawn under the conditions, and their log weights (P,)."""
        ruled = {rule.start + digit: (rule, digit) for rule in rules for digit in range(len(rule.sizes))}
        x = torch.zeros(size, len(self.tokens.sizes), dtype=torch.float64)
        everywhere, log_weight = torch.ones(size, dtype=torch.bool), torch.zeros(size, dtype=torch.float64)
        state = self.net.begin(x.long(), torch.zeros_like(x, dtype=torch.bool), self._conditions(given))
        for j in self.positions(rules):
            chances = torch.softmax(self.net.logits(state, j).double(), 1)
            if j in ruled:
                rule, digit = ruled[j]
                chances = chances * rule.chances(digit, x[:, rule.start : j].long())
            tokens, total = _pick(chances, rng)
            place = torch.from_numpy(rng.random(size)) if self.tokens.placed else torch.zeros(size)
            if j in ruled:
                log_weight += torch.log(total)
                place = self._place(rule, digit, x, tokens, rng) if digit == len(rule.sizes) - 1 else place
            x[:, j] = tokens + place
            state = self.net.see(state, j, tokens, everywhere)
        return x, log_weight.numpy()

    def _place(self, rule: Rule, digit: int, x: Tensor, tokens: Tensor, rng: np.random.Generator) -> Tensor:
        """Places (P,) in the allowed part of the level that the digits spell."""
        if not self.tokens.placed:
            return torch.zeros(len(x))
        level = torch.zeros(len(x), dtype=torch.long)
        for k, size in enumerate(rule.sizes):
            level = level * size + (tokens if k == digit else x[:, rule.start + k].long())
        codes: npt.NDArray[np.int32] = level.numpy().astype(np.int32)
        return torch.from_numpy(np.clip(rule.allowed.place(codes, rng) - codes, 0.0, 1 - 1e-12))


def _pick(chances: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """A token (n,) a row by its chances (n, K), and their sum (n,)."""
    ends = chances.cumsum(1)
    at = torch.from_numpy(rng.random(len(chances)))[:, None] * ends[:, -1:]
    tokens = torch.searchsorted(ends, at, right=True)[:, 0]
    last = chances.shape[1] - 1 - (chances.flip(1) > 0).int().argmax(1)  # rounding never reaches what has no chance
    return torch.minimum(tokens, last), ends[:, -1]


def _ends(chances: Tensor) -> Tensor:
    """(n, K) -> (n, K + 1) the cumulative distribution, from 0 to 1."""
    ends = torch.cat([torch.zeros_like(chances[:, :1]), chances.cumsum(1)], 1)
    return ends / ends[:, -1:]


def _locate(ends: Tensor, ranks: Tensor) -> tuple[Tensor, Tensor]:
    """The token (n,) in whose jump a rank lies, and the place of the rank in the jump."""
    tokens = (torch.searchsorted(ends, ranks[:, None].contiguous(), right=True)[:, 0] - 1).clamp(0, ends.shape[1] - 2)
    low, high = (ends.gather(1, tokens[:, None] + step)[:, 0] for step in (0, 1))
    return tokens, ((ranks - low) / (high - low).clamp(min=1e-300)).clamp(0.0, 1 - 1e-12)
