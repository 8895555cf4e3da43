"""Rivals of language: nanoGPT's published CPU configuration and an LSTM, each trained for a budget of CPU seconds.

nanoGPT (Karpathy, github.com/karpathy/nanoGPT) is no package: this is its network and its training, written again in
the fewest lines, with the words of its README for a CPU: four layers and heads of width 128, blocks of 64, batches of
12, no dropout, AdamW 1e-3 to 1e-4 by a cosine over the whole budget. The LSTM is torch's own with what char-rnn does:
state carried from block to block, Adam, clipped gradients, the rate falling at the end.

Shapes: B batch, L positions, K vocabulary.
"""

import math
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.language import Array, Scorer

BLOCK, BATCH, WIDTH, LAYERS, HEADS = 64, 12, 128, 4, 4  # nanoGPT's README, "I only have a macbook"
RATE, LOWEST, WARM_UP, DECAY = 1e-3, 1e-4, 100, 0.1
LSTM_WIDTH, LSTM_LAYERS, LSTM_BLOCK, LSTM_BATCH, LSTM_RATE = 320, 2, 128, 32, 2e-3
AT_ONCE = 64


class Block(nn.Module):
    """GPT-2's."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH, bias=False), nn.LayerNorm(WIDTH, bias=False)
        self.ask, self.gather = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        q, k, v = (part.unflatten(2, (HEADS, -1)).transpose(1, 2) for part in self.ask(self.first(h)).chunk(3, 2))
        told = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.gather(told.transpose(1, 2).flatten(2))
        result: Tensor = h + self.down(F.gelu(self.up(self.second(h))))
        return result


class NanoGPT(nn.Module):
    """Tied embedding and head, learned positions."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(size, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.blocks = nn.Sequential(*[Block() for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                last = name.endswith(("gather.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * LAYERS) if last else 0.02)

    def forward(self, x: Tensor) -> Tensor:
        h = self.blocks(self.words(x) + self.places.weight[: x.shape[1]])
        return F.linear(self.norm(h), self.words.weight)


class LSTM(nn.Module):
    """Logits (B, L, K) and the state to go on from."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(size, LSTM_WIDTH)
        self.cells = nn.LSTM(LSTM_WIDTH, LSTM_WIDTH, LSTM_LAYERS, batch_first=True)
        self.head = nn.Linear(LSTM_WIDTH, size)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        h, state = self.cells(self.embed(x), state)
        return self.head(h), state


def trained(step: Callable[[float], Tensor], optimiser: Any, seconds: float) -> int:
    """Steps until the budget of CPU seconds is spent; step(share of the budget) gives the loss."""
    began, count = time.process_time(), 0
    while (share := (time.process_time() - began) / seconds) < 1:
        loss = step(share)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], 1.0)
        optimiser.step()
        count += 1
    return count


def nats(logits: Tensor, aim: Tensor) -> Tensor:
    """The cross-entropy of each target.  (B, L)"""
    return F.cross_entropy(logits.flatten(0, 1), aim.flatten(), reduction="none").reshape(aim.shape)


def rate(optimiser: Any, value: float) -> None:
    """Of all groups."""
    for group in optimiser.param_groups:
        group["lr"] = value


def nanogpt(text: Tensor, size: int, seconds: float) -> tuple[nn.Module, int, dict[str, Scorer]]:
    """Trained; scored in blocks of its own 64, and reading on with half a block told again."""
    net = NanoGPT(size)
    matrices = [p for p in net.parameters() if p.ndim == 2]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": [p for p in net.parameters() if p.ndim < 2]}]
    optimiser, count = torch.optim.AdamW(groups, RATE, (0.9, 0.99), weight_decay=0.0), 0

    def step(share: float) -> Tensor:
        nonlocal count
        count += 1
        rate(optimiser, min(count / WARM_UP, 1) * (LOWEST + (RATE - LOWEST) * (1 + math.cos(math.pi * share)) / 2))
        at = torch.randint(len(text) - BLOCK - 1, (BATCH, 1)) + torch.arange(BLOCK + 1)
        x = text[at]
        return nats(net(x[:, :-1]), x[:, 1:]).mean()

    steps = trained(step, optimiser, seconds)
    return net, steps, {"windows": blocks(net, BLOCK), "carried": blocks(net, BLOCK // 2)}


def blocks(net: nn.Module, stride: int) -> Scorer:
    """A row in blocks: the first asks for all but what is told, the others for their last `stride`."""

    @torch.no_grad()
    def score(rows: list[Array], told: int) -> Array:
        total = np.zeros(len(rows))
        for i, row in enumerate(rows):
            x = torch.from_numpy(row)
            parts = [(max(end - BLOCK, 0), start, end) for start, end in spans(told - 1, len(row) - 1, stride)]
            for begin, start, end in parts:
                found = nats(net(x[None, begin:end]), x[None, begin + 1 : end + 1])
                total[i] -= float(found[0, start - begin :].sum())
        return total

    return score


def spans(first: int, last: int, stride: int) -> list[tuple[int, int]]:
    """Targets first..last: a whole block, then strides."""
    cuts = [first, *range(min(first + BLOCK, last), last, stride), last]
    return [(a, b) for a, b in pairwise(cuts) if b > a]


def lstm(text: Tensor, size: int, seconds: float) -> tuple[nn.Module, int, dict[str, Scorer]]:
    """Trained on as many streams as a batch has rows; in windows its state begins at zero, carried it goes on."""
    net, states, at = LSTM(size), None, 0
    optimiser = torch.optim.Adam(net.parameters(), LSTM_RATE)
    wide = (len(text) - 1) // LSTM_BATCH
    streams = text[: LSTM_BATCH * wide + 1]
    x = torch.stack([streams[i * wide : (i + 1) * wide + 1] for i in range(LSTM_BATCH)])

    def step(share: float) -> Tensor:
        nonlocal states, at
        rate(optimiser, LSTM_RATE * min(1.0, 2 * (1 - share)))
        if at + LSTM_BLOCK > wide:
            states, at = None, 0
        logits, states = net(x[:, at : at + LSTM_BLOCK], states)
        states = tuple(part.detach() for part in states)
        at += LSTM_BLOCK
        return nats(logits, x[:, at - LSTM_BLOCK + 1 : at + 1]).mean()

    steps = trained(step, optimiser, seconds)
    return net, steps, {"windows": recurrent(net), "carried": recurrent(net)}


def recurrent(net: nn.Module) -> Scorer:
    """A row as a whole."""

    @torch.no_grad()
    def score(rows: list[Array], told: int) -> Array:
        total = np.zeros(len(rows))
        for i, row in enumerate(rows):
            x = torch.from_numpy(row)[None]
            total[i] = -float(nats(net(x[:, :-1])[0], x[:, 1:])[0, told - 1 :].sum())
        return total

    return score


PEERS = {"nanogpt": nanogpt, "lstm": lstm}
