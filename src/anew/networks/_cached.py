"""Decoding with a cache of keys and values: numpy, since a step has few numbers and many calls.

The weights are those of the network. A key of D numbers is kept as D / 2 complex ones, so that a rotation is one
product. Queries and keys are normed, so that no score is large and a softmax needs no largest one taken off.

Shapes: B rows, l tokens, H width, A heads, D = H / A, C context, K vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor, nn

from anew.core.ragged import Ints
from anew.networks._grams import BEFORE, LONGEST, Grams, hashes
from anew.networks._rms import EPS

F32 = npt.NDArray[np.float32]
Weights = tuple[Tensor, Tensor, Tensor, Tensor, nn.Embedding | None]  # ask, gather, up, down, values


class _Layer(NamedTuple):
    """Weights of a layer, transposed; keys and values (B, A, C, D)."""

    ask: F32
    gather: F32
    up: F32
    down: F32
    values: F32 | None
    k: F32
    v: F32


class Words:
    """What a token is before anything is read: its embedding, with what it and those before it are together."""

    def __init__(self, embed: nn.Embedding, grams: Grams | None, pairs: nn.Embedding | None) -> None:
        self.embed = _numpy(embed.weight)
        self.pairs = None if pairs is None else _numpy(pairs.weight)
        self.table = None if grams is None else _numpy(grams.table.weight)
        if grams is None:
            self.embed = self.embed * _shrink(self.embed)
        else:
            self.lift = _turned(_numpy(grams.lift.weight))
            self.powers, self.first = grams.powers.numpy(), grams.first.numpy()

    def __call__(self, tokens: Ints, before: Ints) -> F32:
        """Tokens (B, l) after tokens (B, LONGEST - 1) -> (B, l, H)"""
        h: F32 = self.embed[tokens]
        if self.table is None:
            return h
        whole = np.concatenate([before, tokens], 1)
        windows = whole[:, None] if tokens.shape[1] == 1 else sliding_window_view(whole, LONGEST, 1)
        rows = hashes(windows, self.powers, self.first)
        h += self.table[rows].reshape(*tokens.shape, -1) @ self.lift
        h *= _shrink(h)
        return h


class Cache:
    """What B rows have read so far."""

    def __init__(
        self,
        said: Tensor,
        words: Words,
        layers: Sequence[Weights],
        head: Tensor,
        turns: Tensor,
        heads: int,
        cap: float,
    ) -> None:
        rows, width = said.shape
        context, self.heads, self.cap = turns.shape[1], heads, cap
        self.size = width // heads
        self.said, self.words, self.head = _numpy(said), words, _turned(_numpy(head))
        self.turns = _numpy(turns[0]) + 1j * _numpy(turns[1])  # (C, D / 2)
        self.layers = [self._layer(rows, context, *weights) for weights in layers]
        self.rewind()

    def _layer(
        self,
        rows: int,
        context: int,
        ask: Tensor,
        gather: Tensor,
        up: Tensor,
        down: Tensor,
        values: nn.Embedding | None,
    ) -> _Layer:
        """Halves of queries and keys are put side by side, as complex numbers have them."""
        weights = _numpy(ask)
        many = 2 * self.heads * self.size
        paired = weights[:many].reshape(-1, 2, self.size // 2, weights.shape[1]).swapaxes(1, 2).reshape(many, -1)
        own = None if values is None else _numpy(values.weight)
        shape = (rows, self.heads, context, self.size)
        k, v = np.empty(shape, np.float32), np.empty(shape, np.float32)
        turned = [_turned(w) for w in (np.concatenate([paired, weights[many:]]), *map(_numpy, (gather, up, down)))]
        return _Layer(turned[0], turned[1], turned[2], turned[3], own, k, v)

    def rewind(self) -> Cache:
        """Nothing was read, but what is given."""
        self.at = 0
        self.before = np.full((len(self.said), LONGEST - 1), BEFORE, np.int64)
        return self

    def keep(self, rows: npt.NDArray[np.bool_]) -> Cache:
        """Of some rows only."""
        self.said, self.before = self.said[rows], self.before[rows]
        self.layers = [layer._replace(k=layer.k[rows], v=layer.v[rows]) for layer in self.layers]
        return self

    def step(self, x: Tensor) -> Tensor:
        """Reads tokens (B, l); logits (B, K) after the last."""
        tokens = x.numpy()
        rows, many = tokens.shape
        h = (self.words(tokens, self.before) + self.said[:, None]).reshape(rows * many, -1)
        self.before = np.concatenate([self.before, tokens], 1)[:, -(LONGEST - 1) :]
        for layer in self.layers:
            h += self._attend(layer, h, tokens) @ layer.gather
            u = (h * _shrink(h)) @ layer.up
            np.maximum(u, 0, out=u)
            u *= u
            h += u @ layer.down
        self.at += many
        last = h[many - 1 :: many]
        logits = (last * _shrink(last)) @ self.head
        logits /= self.cap
        np.tanh(logits, out=logits)
        logits *= self.cap
        if self.words.pairs is not None:
            logits += self.words.pairs[tokens[:, -1]]
        return torch.from_numpy(logits)

    def _attend(self, layer: _Layer, h: F32, x: npt.NDArray[np.int64]) -> F32:
        """What rows (B l, H) are told by all that was read, themselves included."""
        (rows, many), heads, at = x.shape, self.heads, self.at
        asked = (h * _shrink(h)) @ layer.ask
        asked = asked.reshape(rows, many, 3 * heads, self.size)
        qk = _normed(asked[:, :, : 2 * heads].astype(np.float32, copy=False))
        turned = qk.view(np.complex64)
        turned *= self.turns[at : at + many, None]
        layer.k[:, :, at : at + many] = qk[:, :, heads:].swapaxes(1, 2)
        v = asked[:, :, 2 * heads :]
        v = v if layer.values is None else v + layer.values[x].reshape(v.shape)
        layer.v[:, :, at : at + many] = v.swapaxes(1, 2)
        q = qk[:, :, :heads].swapaxes(1, 2)
        weights = np.matmul(q, layer.k[:, :, : at + many].swapaxes(2, 3))  # (B, A, l, at + l)
        weights *= self.size**-0.5
        np.exp(weights, out=weights)
        if many > 1:
            weights *= np.tri(many, at + many, at, dtype=np.float32)
        told = np.matmul(weights, layer.v[:, :, : at + many])
        told /= np.add.reduce(weights, -1)[..., None]
        result: F32 = told.swapaxes(1, 2).reshape(h.shape)
        return result


def _numpy(weight: Tensor) -> F32:
    array: F32 = weight.detach().float().cpu().numpy()
    return array


def _turned(weight: F32) -> F32:
    """Transposed, in an order that products read fastest."""
    return np.ascontiguousarray(weight.T)


def _normed(h: F32) -> F32:
    return np.asarray(h * _shrink(h), np.float32)


def _shrink(h: F32) -> F32:
    """(..., 1): one over the root of the mean square along the last dimension."""
    if h.size == h.shape[-1]:  # one row: a few calls less, which is what a step costs
        flat = h.ravel()
        return np.full((1,) * h.ndim, 1 / math.sqrt(float(flat.dot(flat)) / flat.size + EPS), np.float32)
    square: F32 = np.vecdot(h, h)
    square /= h.shape[-1]
    square += EPS
    np.sqrt(square, out=square)
    np.reciprocal(square, out=square)
    return square[..., None]
