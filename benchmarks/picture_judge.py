"""The judge of pictures: a classifier of its own, trained on real training pictures only. One JSON line.

usage: python -m benchmarks.picture_judge --data DIR --set NAME --seed S --keep FILE.pt [--samples FILE.npz]
With --samples: every array of the file against the held-out pictures. Without: what the figures are worth. The
**ceiling** is real training pictures in a generator's place, as many as a generator draws; the **floor** is a Gaussian
fitted to the training pixels. The judge is the rulers' (metrics.py): a small CNN whose 64 features are standardised by
the training pictures; the Frechet distance (Dowson & Landau 1982) is between Gaussians fitted to them. It is neither
anew's network nor has it seen a generated picture. Runs in the environment `image`.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import metrics
import numpy as np
import torch

from benchmarks.picture_floor import gaussian
from benchmarks.picture_sets import CLASSES, Pictures, load, tensors

EPOCHS, FEWEST_STEPS, BATCH = 30, 1500, 128  # small sets: more epochs, so that the judge learns its classes
Array = np.ndarray[Any, Any]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, required=True, help="where the trained judge is kept")
    parser.add_argument("--samples", type=Path)
    return parser.parse_args()


def trained(pictures: Pictures, seed: int, file: Path) -> Any:
    """The judge: kept, or trained now on the training pictures."""
    x, y = tensors(pictures.train), torch.from_numpy(pictures.labels)
    if file.exists():
        judge = metrics.Feat(x.shape[1], int(y.max()) + 1)
        state = torch.load(file, weights_only=True)
        judge.mu, judge.sd = state.pop("mu"), state.pop("sd")
        judge.load_state_dict(state)
        return judge.eval()
    epochs = max(EPOCHS, math.ceil(FEWEST_STEPS * BATCH / len(x)))
    judge = metrics.fit_features(x, y, epochs=epochs, seed=seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    torch.save(judge.state_dict() | {"mu": judge.mu, "sd": judge.sd}, part)
    part.replace(file)
    return judge


def flat(pictures: Array) -> Array:
    """(n, H, W, C) bytes -> (n, H W C) in [-1, 1]."""
    return pictures.reshape(len(pictures), -1).astype(np.float64) / 127.5 - 1.0


class Judge:
    """Scores pictures against the held-out ones."""

    def __init__(self, pictures: Pictures, net: Any) -> None:
        self.pictures, self.net = pictures, net
        self.held = self.features(pictures.held)

    def features(self, pictures: Array) -> Array:
        """(n, 64)"""
        made: Array = metrics.feats(self.net, tensors(pictures))
        return made

    def accuracy(self, pictures: Array, labels: Array) -> float:
        """How often it reads these classes in these pictures."""
        with torch.no_grad():
            said = self.net(tensors(pictures)).argmax(1).numpy()
        return float((said == labels).mean())

    def copies(self, pictures: Array) -> float:
        """Share of pictures whose nearest training picture is thrice nearer than the second nearest, in pixels."""
        return float(metrics.copies(flat(self.pictures.train), flat(pictures)))

    def quality(self, pictures: Array) -> dict[str, float]:
        """Distances and shares in features."""
        found = self.features(pictures)
        scores = {"fd": metrics.frechet(self.held, found), "kid": metrics.kid(self.held, found)}
        return scores | metrics.prdc(self.held, found) | {"c2st": metrics.c2st(self.held, found)}

    def score(self, pictures: Array) -> dict[str, float]:
        """All of it, for what a generator made."""
        train, held = flat(self.pictures.train), flat(self.pictures.held)
        near = metrics.nearer(train, held, flat(pictures))
        return self.quality(pictures) | {"copies": self.copies(pictures), "nearer": near, "n": len(pictures)}

    def landmarks(self, seed: int) -> dict[str, Any]:
        """Ceiling, floor, and the rate at which fresh real pictures count as copies."""
        generator = np.random.default_rng([seed, 20])
        chosen = generator.permutation(len(self.pictures.train))[: self.pictures.drawn]
        return {
            "ceiling": self.quality(self.pictures.train[chosen]),
            "floor": self.score(gaussian(self.pictures.train, self.pictures.drawn, generator)),
            "fresh": {"copies": self.copies(self.pictures.held), "n": len(self.pictures.held)},
            "accuracy": self.accuracy(self.pictures.held, self.pictures.held_labels),
        }


def main() -> None:
    """Judge and print."""
    given = arguments()
    torch.manual_seed(given.seed)
    pictures = load(given.data, given.set)
    judge = Judge(pictures, trained(pictures, given.seed, given.keep))
    if given.samples is None:
        print(json.dumps(judge.landmarks(given.seed)))
        return
    with np.load(given.samples) as file:
        names = [name for name in file.files if not name.endswith(CLASSES)]
        scores = {name: judge.score(file[name]) for name in names}
        for name in names:
            if name + CLASSES in file.files:
                scores[name]["obeys"] = judge.accuracy(file[name], file[name + CLASSES])
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
