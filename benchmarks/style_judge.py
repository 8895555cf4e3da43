"""The judge of emoji in styles: a small CNN that learns style and group of real training emoji.

Its 64 features, standardised by the training pictures, are the judge's features; its style head is the classifier of
styles. It has seen no test emoji and no generated picture, and is not our network. Offline ImageNet features read the
style of real test emoji at 76 % only; these read it where it lies, in outlines and colours.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Array = np.ndarray[Any, Any]
EPOCHS, BATCH, WIDTH = 15, 128, 64


class StyleJudge(nn.Module):
    """Four convolutions, a mean over 2 x 2 parts of the picture, 64 features, two heads."""

    def __init__(self, styles: int, groups: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b in ((3, 24), (24, 48), (48, 96), (96, 96)):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.GroupNorm(8, b), nn.SiLU()]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * 96, WIDTH))
        self.style, self.group = nn.Linear(WIDTH, styles), nn.Linear(WIDTH, groups)
        self.register_buffer("centre", torch.zeros(WIDTH))
        self.register_buffer("unit", torch.ones(WIDTH))

    def loss(self, x: Tensor, style: Tensor, group: Tensor) -> Tensor:
        """Of both heads."""
        h = F.silu(self.body(x))
        return F.cross_entropy(self.style(h), style, label_smoothing=0.05) + F.cross_entropy(self.group(h), group)

    @torch.no_grad()
    def features(self, pictures: Array) -> Array:
        """(n, H, W, 3) bytes -> (n, 64), standardised."""
        found: Array = ((self._raw(pictures) - self.centre) / self.unit).numpy()
        return found

    @torch.no_grad()
    def read(self, pictures: Array) -> Array:
        """The number of each picture's style.  (n,)"""
        found: Array = self.style(F.silu(self._raw(pictures))).argmax(1).numpy()
        return found

    def _raw(self, pictures: Array) -> Tensor:
        return torch.cat([self.body(tensor(part)) for part in np.array_split(pictures, max(1, len(pictures) // 256))])


def tensor(pictures: Array) -> Tensor:
    """Bytes (n, H, W, 3) -> (n, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def judge_of(pictures: Array, style: Array, group: Array, file: Path) -> StyleJudge:
    """The judge: kept in the file, or trained now on real training pictures."""
    judge = StyleJudge(int(style.max()) + 1, int(group.max()) + 1)
    if file.exists():
        judge.load_state_dict(torch.load(file, weights_only=True))
        return judge.eval()
    torch.manual_seed(0)
    judge = StyleJudge(int(style.max()) + 1, int(group.max()) + 1)
    targets = torch.from_numpy(style), torch.from_numpy(group)
    optimiser = torch.optim.AdamW(judge.parameters(), 3e-3, weight_decay=0.05)
    steps = EPOCHS * -(-len(pictures) // BATCH)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(pictures)).split(BATCH):
            x = tensor(pictures[rows.numpy()])
            x = torch.roll(x, torch.randint(-2, 3, (2,)).tolist(), (2, 3)) + 0.05 * torch.randn_like(x)
            x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
            optimiser.zero_grad()
            judge.loss(x, *(target[rows] for target in targets)).backward()
            optimiser.step()
            rate.step()
    raw = torch.from_numpy(judge.features(pictures))
    judge.centre, judge.unit = raw.mean(0), raw.std(0) + 1e-6
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    torch.save(judge.state_dict(), part)
    part.replace(file)
    return judge.eval()
