"""A reader: a small convolutional network, trained by the audit itself, that reads a label off a picture.

It judges the pictures of a generator that it never met: it learns from real training pictures only, in seconds, and
shares neither architecture nor seed with the networks of `anew.networks`. The activations below its last layer,
divided by their spread over the training pictures, are the features in which distances are taken (as the Inception
features of Heusel et al. 2017; a distance in other features is not the "FID" and is never called so).

n pictures, C channels, h rows, w columns, K classes, D features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from anew.audit.encode import Singles
from anew.audit.scaled import blocks
from anew.core.columns import Floats
from anew.core.seeds import stream

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

Ints = npt.NDArray[np.intp]
SIDE = 32  # the longest side that it reads; larger pictures are reduced
FEATURES = 64
BATCH = 64
EPOCHS = 12
STEPS = (200, 600)  # at least and at most
RATE = 4e-3
SHIFT = 2  # pixels that a training picture is moved by, at most
NOISE = 0.05


@dataclass(frozen=True)
class Reader:
    """A trained network; `mean` and `spread` of its features over the training pictures.  (D,) each"""

    body: nn.Module
    head: nn.Module
    mean: Floats
    spread: Floats

    def features(self, pictures: Singles) -> Floats:
        """(n, C, h, w) -> (n, D), of mean 0 and spread 1 over the training pictures."""
        return (_through(self.body, pictures) - self.mean) / self.spread

    def chances(self, pictures: Singles) -> Floats:
        """(n, C, h, w) -> (n, K) probabilities of the labels."""
        import torch

        return _through(lambda x: torch.softmax(self.head(self.body(x)), 1), pictures)


def fit_reader(
    pictures: Singles, labels: Ints, classes: int, seed: int, *, salt: int = 0, steps: int | None = None
) -> Reader:
    """Trained on pictures (n, C, h, w) and their labels 0..K-1 (n,); the same arguments give the same reader.

    Without `steps` their number follows from that of the pictures.
    """
    import torch

    generator = torch.Generator().manual_seed(int(stream("reader", seed, salt).integers(2**62)))
    body, head = _network(pictures.shape, classes, generator)
    steps = steps or int(np.clip(EPOCHS * len(pictures) // BATCH, *STEPS))
    _train(body, head, torch.from_numpy(pictures), torch.from_numpy(labels.astype(np.int64)), steps, generator)
    found = _through(body, pictures)
    return Reader(body, head, found.mean(0), found.std(0) + 1e-6)


def _network(shape: tuple[int, ...], classes: int, generator: Generator) -> tuple[nn.Module, nn.Module]:
    """Three convolutions, halving where there is room, a mean over a 2 x 2 grid, and a layer of features."""
    from torch import nn

    _, channels, height, width = shape
    layers: list[nn.Module] = []
    for inside, outside, size, step in ((channels, 32, 5, 2), (32, 64, 3, 2), (64, 96, 3, 1)):
        stride = step if min(height, width) >= 8 else 1
        height, width = height // stride, width // stride
        layers += [nn.Conv2d(inside, outside, size, stride, size // 2), nn.BatchNorm2d(outside), nn.LeakyReLU(0.1)]
    body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(384, FEATURES))
    head = nn.Sequential(nn.LeakyReLU(0.1), nn.Linear(FEATURES, classes))
    for module in (*body.modules(), *head.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    return body, head


def _train(
    body: nn.Module, head: nn.Module, pictures: Tensor, labels: Tensor, steps: int, generator: Generator
) -> None:
    """Cross entropy by AdamW under one cycle of the rate (Smith 2018), on moved and noisy pictures."""
    import torch
    from torch.nn import functional as F

    network = torch.nn.Sequential(body, head).train()
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    order = _order(len(pictures), steps * BATCH, generator)
    for start in range(0, steps * BATCH, BATCH):
        rows = order[start : start + BATCH]
        loss = F.cross_entropy(network(_moved(pictures[rows], generator)), labels[rows], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    network.eval()


def _order(n: int, wanted: int, generator: Generator) -> Tensor:
    """Row numbers: every picture once, in random order, then again.  (wanted,)"""
    import torch

    return torch.cat([torch.randperm(n, generator=generator) for _ in range(-(-wanted // n))])[:wanted]


def _moved(pictures: Tensor, generator: Generator) -> Tensor:
    import torch
    from torch.nn import functional as F

    height, width = pictures.shape[2:]
    top, left = torch.randint(0, 2 * SHIFT + 1, (2,), generator=generator).tolist()
    moved = F.pad(pictures, (SHIFT,) * 4, mode="replicate")[:, :, top : top + height, left : left + width]
    return moved + NOISE * torch.randn(moved.shape, generator=generator)


def _through(network: Any, pictures: Singles) -> Floats:
    import torch

    with torch.inference_mode():
        found = [network(block).double().numpy() for block in blocks(pictures)]
    return np.concatenate(found)
