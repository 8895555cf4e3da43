"""The next token given those before it: log p(x) = sum_t log p(x_t | x_<t, given), the objective of GPT.

A sequence of any length is scored in windows of the network's context and drawn token after token from its state. What
is given is left out in a tenth of the rows, so that a draw may be guided. In the first half of the training a window is
read as two of half its length: steps cost less, and what is near is learned first. With `infill` a share of the windows
is put so that a gap is filled last (`_infilling`); with `mix` the answer is that of the network and of an n-gram model
together (`_mixing`), weighted on text that neither learned from. With a `base` the network starts from the weights of
that folder, and with `lora` learns no more than changes of that rank, which are merged when it has.

Shapes: B rows, L targets of a window, K vocabulary, N tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anew.core.batch import Batch, Encoded
from anew.core.columns import Floats
from anew.core.dice import uniform
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config, Learner, Phase, Trained
from anew.core.muon import Muon
from anew.core.network import NETWORKS, Based, Causal, Counter, Network
from anew.core.ragged import Ints, Ragged, Segment, segments
from anew.core.release import Release
from anew.core.sequences import Told
from anew.core.space import Space
from anew.objectives._built import Given, context_of, dropped
from anew.objectives._infilling import MARKS, rearranged
from anew.objectives._mixing import Counting, Mixed, counted, counter, fitted_weights, together
from anew.objectives._reading import Grouped, Reader
from anew.objectives._reading import Network as NetworkReader
from anew.objectives._sequential import Sequential
from anew.objectives._telling import after, apart, before, prefixes, room

TOKENS = 4096  # that are learned from in a step
FOLDED = 0.5  # the share of the training in which windows are read in halves
PART = 32  # windows that are scored at once, where their logits fit
LOGITS = 2**27  # that are in memory at once: half a gigabyte; a base may know 150,000 tokens
BETAS = (0.9, 0.95)
COUNTER = "counter/"
WHOLE = ("context", "mix", "written", "width", "depth", "lora")  # settings that are whole numbers
SHORT, LONG = 100_000, 3_000_000  # bytes
QUICK, SLOW = 60.0, 1800.0  # CPU seconds


class NextToken(Trained, Sequential):
    """Maximum likelihood of sequences, token after token."""

    aliases = ("gpt", "language_model")
    reads = ("Sequence",)
    networks = ("gpt", "recurrent", "ngram", "pretrained")
    minimises = "the negative log-likelihood of each token given those before it"
    open_given = True
    halves = True
    usual_seconds = 120.0
    cool_down = 0.5
    validate_every = 100
    held = 96  # windows
    passes = 20.0
    rate = 3e-3
    faster = 0.02 / 3e-3  # the rate of a matrix over that

    def __init__(
        self,
        space: Space,
        given: Mapping[str, Space],
        *,
        network: str = "gpt",
        seed: int = 0,
        context: int = 256,
        infill: float = 0.0,
        mix: int = 0,
        written: int = 0,
        base: str = "",
        lora: int = 0,
        **options: Any,
    ) -> None:
        rest = self._takes(space, options)
        super().__init__(space, given, network=network, seed=seed, **rest)
        kind = NETWORKS[network]
        assert issubclass(kind, Causal), f"{network} looks ahead: plan.py asks serves() first"
        told, towers = room(given.values()), {n: one for n, one in given.items() if not isinstance(one, Told)}
        self.infill, self.gaps = infill, infill > 0
        self.base, self.lora = base, lora
        self.share = 1.0  # of the training that is made
        self.counter = counter("ngram", self.size) if mix else None
        self.weights = np.zeros(0)  # of the network, beside the counter
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = kind(self.size + MARKS * self.gaps, given=towers, context=context + told, **rest)
        self.span = self.net.context - told  # tokens of a sequence that it reads at once
        if self.span < 2:
            raise UsageError(
                "What is written before a text leaves no room for it", do="Leave out written, or give less"
            )
        self.context = self.window = min(context, self.span)
        self.part = min(PART, self._at_once(self.context + told))
        self.batch = max(min(TOKENS // self.context, self._at_once(self.context + told)), 1)

    @classmethod
    def variant(cls, network: str | None) -> type[Learner]:
        return Counting if network is not None and issubclass(NETWORKS[network], Counter) else cls

    @classmethod
    def serves(cls, network: type[Network]) -> bool:
        return issubclass(network, Causal | Counter)

    @classmethod
    def settings(cls) -> dict[str, type]:
        return {**super().settings(), "infill": float, "base": str, **dict.fromkeys(WHOLE, int)}

    @classmethod
    def sized(cls, rows: int, columns: int, cpu_seconds: float | None) -> Config:
        """A network for so many bytes and seconds, small where either is short; what is given is written before."""
        seconds = cpu_seconds or 2 * cls.usual_seconds
        small = rows < SHORT or seconds < QUICK
        large = rows > LONG and seconds > SLOW
        size = {"width": 128, "depth": 3} if small else {"width": 256, "depth": 6} if large else {}
        return {**size, **({"written": 1} if columns > 1 else {})}

    @property
    def module(self) -> nn.Module:
        assert isinstance(self.net, nn.Module)
        return self.net

    # ---------------------------------------------------------------- training

    def begin(self) -> None:
        if isinstance(self.net, Based) and self.base:
            with torch.random.fork_rng():
                torch.manual_seed(self.seed)
                self.net.start(self.base, self.lora)

    def finish(self) -> None:
        if isinstance(self.net, Based):
            self.net.merge()

    def phases(self) -> Sequence[Phase]:
        if isinstance(self.net, Based):
            rates = self.net.rates()
            weights = [weight for group in rates for weight in group["params"]]
            adam = partial(torch.optim.AdamW, betas=BETAS, weight_decay=0.0, fused=True)
            return [Phase("next token", weights, self.loss, lambda _: adam(rates))]
        muon = partial(Muon, matrices=self.net.matrices(), rate=self.rate, decay=0.0, betas=BETAS, faster=self.faster)
        return [Phase("next token", list(self.module.parameters()), self.loss, muon)]

    def reach(self, share: float) -> None:
        self.share = share

    def loss(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """- sum_t log p(x_t | x_<t) over what is present and not told, in nats.  (B,)"""
        there = batch.x.present
        x = torch.where(there, batch.x.x.long(), self.sequences.end)
        wanted = there if batch.known is None else there & ~batch.known
        given: Given = batch.given
        if torch.is_grad_enabled():
            given = dropped(given, generator)
            if self.infill:
                x, asked = rearranged(x, wanted, there, self.size, self.infill, generator)
                wanted = asked.bool()
        said, aim = x[:, :-1], x[:, 1:]
        if self.share < FOLDED and not given and said.shape[1] % 2 == 0:
            said, aim = (part.reshape(2 * len(part), -1) for part in (said, aim))
        nats = self._cost(said, aim, given, generator).reshape(len(x), -1)
        return torch.where(wanted[:, 1:], nats, 0.0).sum(1)

    def _at_once(self, wide: int) -> int:
        """Windows of so many tokens whose logits fit into memory."""
        return max(LOGITS // (self.size * wide), 1)

    def _cost(self, said: Tensor, aim: Tensor, given: Given, generator: torch.Generator) -> Tensor:
        """(B, L) - log p of each aim."""
        step, found = self._at_once(said.shape[1]), []
        for start in range(0, len(said), step):
            rows = slice(start, start + step)
            some = given if step >= len(said) else {n: Encoded(v.x[rows], v.present[rows]) for n, v in given.items()}
            logits = self.answers(said[rows], some, generator).float().flatten(0, 1)
            nats = F.cross_entropy(logits, aim[rows].flatten(), reduction="none")
            found.append(nats.reshape(-1, said.shape[1]))
        return torch.cat(found)

    def answers(self, x: Tensor, given: Given, generator: torch.Generator | None = None) -> Tensor:
        """Logits (B, L, K) of what follows each of tokens (B, L), beside what is given and after what is told."""
        told, rest = apart(self.given, given)
        if not told:
            return self.net.forward(x, rest, self._dice(x, generator))
        whole, begins = before(told, x, self.sequences.end)
        return after(self.net.forward(whole, rest, self._dice(whole, generator)), begins, x.shape[1])

    def _dice(self, x: Tensor, generator: torch.Generator | None) -> Tensor | None:
        """What a network that learns may leave out."""
        if generator is None or not self.net.lapses or not torch.is_grad_enabled():
            return None
        return uniform((*x.shape, self.net.lapses), generator, x.device)

    def count(self, x: Ragged, release: Release) -> None:
        if self.counter is not None:
            counted(self.counter, x, release)

    @torch.no_grad()
    def settle(self, held: Batch) -> None:
        """How far the counter is trusted beside the network."""
        if self.counter is None:
            return
        wanted = (held.x.present if held.known is None else held.x.present & ~held.known)[:, 1:].cpu().numpy()
        nats = [self._nats(*part) for part in self._parts(held)]
        tokens = held.x.x.cpu().numpy().astype(np.int64)
        places = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)
        counts, seen = (
            part.reshape(tokens.shape)[:, 1:] for part in self.counter.log_prob(tokens.ravel(), places.ravel())
        )
        network = np.concatenate(nats)[wanted]
        self.weights = fitted_weights(network, counts[wanted], seen[wanted], self.counter.order)

    def _parts(self, held: Batch) -> Iterator[tuple[Tensor, Given]]:
        for start in range(0, len(held), self.part):
            part = held.take(torch.arange(start, min(start + self.part, len(held))))
            yield part.x.x.long(), part.given

    def _nats(self, tokens: Tensor, given: Given) -> Floats:
        """(B, L) log p of each token of (B, L + 1) given those before it."""
        logits = self.answers(tokens[:, :-1], given)[..., : self.size].float()
        nats = torch.log_softmax(logits, 2).gather(2, tokens[:, 1:, None])[..., 0]
        return np.asarray(nats.double().cpu().numpy())

    # ---------------------------------------------------------------- use

    def reader(self, rows: int, given: Encoded | Given | None, *, filling: bool = False) -> Reader:
        network = self._network(rows, context_of(self.given, given))
        if self.counter is None or filling or not len(self.weights):
            return network
        return Mixed(network, self.counter, self.weights)

    def _network(self, rows: int, given: Given) -> Reader:
        """The network alone: rows that are told equally much read together."""
        told, rest = apart(self.given, given)
        readers, places = [], []
        for mine, tokens in prefixes(told, rows, self.sequences.end).values():
            some = {name: part.take(torch.from_numpy(mine)) for name, part in rest.items()}
            readers.append(NetworkReader(self.net, len(mine), some, self.guidance, tokens, self.span))
            places.append(mine)
        return readers[0] if len(readers) == 1 else Grouped(readers, places)

    @torch.no_grad()
    def log_prob(self, x: Ragged, given: Encoded | Given | None = None) -> Floats:
        context, total = context_of(self.given, given), np.zeros(len(x))
        opening = np.asarray(self.sequences.opening, np.int64)
        wholes = [np.concatenate([opening, x[i]]) for i in range(len(x))]
        counts = [self._counts(whole) for whole in wholes]
        pieces = segments(map(len, wholes), self.span, len(opening))
        for start in range(0, len(pieces), self.part):
            part = pieces[start : start + self.part]
            rows = torch.tensor([piece.row for piece in part])
            some = {name: value.take(rows) for name, value in context.items()}
            for piece, nats in zip(part, self._scored([wholes[p.row] for p in part], part, some), strict=True):
                asked = slice(piece.start + piece.told, piece.start + piece.told + len(nats))
                known = counts[piece.row]
                both = nats if known is None else together(nats, known[0][asked], known[1][asked], self.weights)
                total[piece.row] += both.sum()
        return total

    def _counts(self, whole: Ints) -> tuple[Floats, Ints] | None:
        if self.counter is None or not len(self.weights):
            return None
        return self.counter.log_prob(whole, np.arange(len(whole)))

    def _scored(self, wholes: Sequence[Ints], pieces: Sequence[Segment], given: Given) -> list[Floats]:
        """log p of the tokens that each window of a whole sequence asks for, by the network."""
        ends = [piece.start + self.span + 1 for piece in pieces]
        read = [whole[piece.start : end] for whole, piece, end in zip(wholes, pieces, ends, strict=True)]
        wide = max(map(len, read))
        nats = self._nats(torch.tensor(np.array([np.pad(part, (0, wide - len(part))) for part in read])), given)
        return [row[piece.told - 1 : len(part) - 1] for row, piece, part in zip(nats, pieces, read, strict=True)]

    # ---------------------------------------------------------------- state

    def state(self) -> tuple[Config, Arrays]:
        config, arrays = super().state()
        if self.counter is None:
            return config, arrays
        counts, more = self.counter.state()
        mixed = {f"{COUNTER}{name}": value for name, value in more.items()}
        return {**config, "counter": counts, "weights": self.weights.tolist()}, {**arrays, **mixed}

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        own = {name: value for name, value in arrays.items() if not name.startswith(COUNTER)}
        super().restore(config, own)
        if self.counter is not None:
            mixed = {n.removeprefix(COUNTER): value for n, value in arrays.items() if n.startswith(COUNTER)}
            self.counter.restore(config["counter"], mixed)
            self.weights = np.array(config["weights"])
