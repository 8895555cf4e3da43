"""Decoding with a cache of keys and values: numpy, since a step has few numbers and many calls.

The weights are those of the network. A key of D numbers is kept as D / 2 complex ones, so that a rotation is one
product. Queries and keys are normed, so that no score is large and a softmax needs no largest one taken off.

Shapes: B rows, l tokens, H width, A heads, G heads of keys, D = H / A, C context, K vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

F32 = npt.NDArray[np.float32]
EPS = float(np.finfo(np.float32).eps)  # of torch's rms_norm
Weights = tuple[Tensor, Tensor, Tensor, Tensor, nn.Embedding | None]  # ask, gather, up, down, values


class _Layer(NamedTuple):
    """Weights of a layer, transposed; keys and values (B, G, C, D)."""

    ask: F32
    gather: F32
    up: F32
    down: F32
    values: F32 | None
    k: F32
    v: F32


class Cache:
    """What B rows have read so far."""

    def __init__(
        self,
        said: Tensor,
        embed: Tensor,
        layers: Sequence[Weights],
        head: Tensor,
        pairs: nn.Embedding | None,
        turns: Tensor,
        heads: int,
        keys: int,
        cap: float,
    ) -> None:
        rows, width = said.shape
        context, self.heads, self.keys, self.cap, self.at = turns.shape[1], heads, keys, cap, 0
        self.size = width // heads
        self.said, self.head = _numpy(said), _turned(_numpy(head))
        table = _numpy(embed)
        self.embed = table * _shrink(table)
        self.pairs = None if pairs is None else _numpy(pairs.weight)
        self.turns = _numpy(turns[0]) + 1j * _numpy(turns[1])  # (C, D / 2)
        self.layers = [self._layer(rows, context, *weights) for weights in layers]

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
        many = (self.heads + self.keys) * self.size
        paired = weights[:many].reshape(-1, 2, self.size // 2, weights.shape[1]).swapaxes(1, 2).reshape(many, -1)
        own = None if values is None else _numpy(values.weight)
        shape = (rows, self.keys, context, self.size)
        k, v = np.empty(shape, np.float32), np.empty(shape, np.float32)
        turned = [_turned(w) for w in (np.concatenate([paired, weights[many:]]), *map(_numpy, (gather, up, down)))]
        return _Layer(turned[0], turned[1], turned[2], turned[3], own, k, v)

    def rewind(self) -> Cache:
        """Nothing was read, but what is given."""
        self.at = 0
        return self

    def keep(self, rows: npt.NDArray[np.bool_]) -> Cache:
        """Of some rows only."""
        self.said = self.said[rows]
        self.layers = [layer._replace(k=layer.k[rows], v=layer.v[rows]) for layer in self.layers]
        return self

    def step(self, x: Tensor) -> Tensor:
        """Reads tokens (B, l); logits (B, K) after the last."""
        tokens = x.numpy()
        rows, many = tokens.shape
        h = (self.embed[tokens] + self.said[:, None]).reshape(rows * many, -1)
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
        if self.pairs is not None:
            logits += self.pairs[tokens[:, -1]]
        return torch.from_numpy(logits)

    def _attend(self, layer: _Layer, h: F32, x: npt.NDArray[np.int64]) -> F32:
        """What rows (B l, H) are told by all that was read, themselves included."""
        (rows, many), heads, keys, at = x.shape, self.heads, self.keys, self.at
        asked = (h * _shrink(h)) @ layer.ask
        asked = asked.reshape(rows, many, heads + 2 * keys, self.size)
        qk = _normed(asked[:, :, : heads + keys].astype(np.float32, copy=False))
        turned = qk.view(np.complex64)
        turned *= self.turns[at : at + many, None]
        layer.k[:, :, at : at + many] = qk[:, :, heads:].swapaxes(1, 2)
        v = asked[:, :, heads + keys :]
        v = v if layer.values is None else v + layer.values[x].reshape(v.shape)
        layer.v[:, :, at : at + many] = v.swapaxes(1, 2)
        q = qk[:, :, :heads].swapaxes(1, 2).reshape(rows, keys, -1, self.size)  # (B, G, A l / G, D)
        weights = np.matmul(q, layer.k[:, :, : at + many].swapaxes(2, 3))  # (B, G, A l / G, at + l)
        weights *= self.size**-0.5
        np.exp(weights, out=weights)
        if many > 1:
            weights *= np.tile(np.tri(many, at + many, at, dtype=np.float32), (heads // keys, 1))
        told = np.matmul(weights, layer.v[:, :, : at + many])
        told /= np.add.reduce(weights, -1)[..., None]
        result: F32 = told.reshape(rows, heads, many, -1).swapaxes(1, 2).reshape(h.shape)
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
