"""Judge of style transfer: each test emoji in each of the other three styles, beside the true picture in that style.

usage: python -m benchmarks.steering_style --data DIR --features DIR --keep FILE.pt [--made FILE.npz] [--side PX]
Without --made: who does nothing (the source picture), a per-channel colour transfer (the source's mean and deviation
of each channel set to the target style's), the target style's mean picture, and the true picture. All that is learned
here is learned from real pictures of training emoji: the judge (style_judge.py) and the encoder of content, which reads
offline features. One JSON line. Runs in the environment `image`.
"""

import argparse
import json
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.offline_features import Offline
from benchmarks.picture_grid import grid
from benchmarks.retrieval import cosines, hits
from benchmarks.steering_sets import DIRECTIONS, STYLES, Styled, styled

Array = np.ndarray[Any, Any]
AMONG = 100
KEPT = 256  # principal components of the features that the encoder reads
SHRINKAGES = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0)
SHOWN = 12


def key(source: str, target: str) -> str:
    """The name of a direction: twemoji>noto"""
    return f"{source}>{target}"


class Content:
    """An encoder in which the four styles of one emoji lie together: linear discriminants, an emoji a class.

    The features are centred by style and whitened by the covariance that is left within emoji, shrunk to its mean;
    how much is chosen on a fifth of the training emoji. An axis on which emoji differ with variance v then, against 1
    within, counts v / (v + 1): what tells nothing apart does not drown the rest (as in PLDA, Ioffe 2006).
    """

    def __init__(self, features: Mapping[str, Array]) -> None:
        self.centre = {style: x.mean(0) for style, x in features.items()}
        stack = np.stack([features[style] - self.centre[style] for style in STYLES])  # (4, n, d)
        self.axes = np.linalg.svd(stack.reshape(-1, stack.shape[-1]), full_matrices=False)[2][:KEPT].T
        low = stack @ self.axes
        fit = np.arange(low.shape[1]) % 5 > 0
        self.shrinkage = max(SHRINKAGES, key=lambda s: self._found(low[:, ~fit] @ discriminants(low[:, fit], s)))
        self.map = self.axes @ discriminants(low, self.shrinkage)

    @staticmethod
    def _found(codes: Array) -> float:
        right = np.arange(codes.shape[1])
        return float(np.mean([hits(cosines(codes[i], codes[j]), right, AMONG) for i, j in permutations(range(4), 2)]))

    def codes(self, features: Array, style: str) -> Array:
        """(n, 1280) features of pictures that mean to be in a style -> (n, KEPT)"""
        made: Array = (features - self.centre[style]) @ self.map
        return made


def discriminants(x: Array, shrinkage: float) -> Array:
    """(4, n, k) -> (k, k): whitens what is left within emoji, and weighs the axes by how far apart emoji are."""
    within = (x - x.mean(0)).reshape(-1, x.shape[-1])
    covariance = within.T @ within / (len(within) * (1 - 1 / len(x)))
    level = np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh((1 - shrinkage) * covariance + shrinkage * level * np.eye(len(covariance)))
    whitening = vectors / np.sqrt(values)
    means = x.mean(0) @ whitening
    apart, turn = np.linalg.eigh(means.T @ means / len(means))
    apart = np.maximum(apart - 1 / len(x), 0)  # the mean of a few has a share of the variance within
    found: Array = whitening @ turn * np.sqrt(apart / (apart + 1))
    return found


class Ruler:
    """Distance, pixels, style and content of pictures made for each direction."""

    def __init__(self, emoji: Styled, features: Path, keep: Path) -> None:
        from benchmarks.style_judge import judge_of

        self.emoji, self.offline = emoji, Offline(features)
        real = {style: self.offline(emoji.pictures[style]) for style in STYLES}
        train = {style: x[emoji.train] for style, x in real.items()}
        whole = np.concatenate(list(train.values()))
        self.deviation = whole.std(0) + 0.1 * whole.std()
        self.test = {style: x[emoji.test] for style, x in real.items()}
        self.content = Content(train)
        pictures = np.concatenate([emoji.pictures[style][emoji.train] for style in STYLES])
        group = np.unique(emoji.group, return_inverse=True)[1][emoji.train]
        self.judge = judge_of(pictures, np.repeat(np.arange(4), len(emoji.train)), np.tile(group, 4), keep)
        self.truth = {style: self.judge.features(x[emoji.test]) for style, x in emoji.pictures.items()}

    def score(self, made: Mapping[str, Array]) -> dict[str, float]:
        """Means over the directions that were made, and each direction's distance."""
        each = {name: self._direction(*name.split(">"), pictures) for name, pictures in made.items()}
        found = {figure: float(np.mean([row[figure] for row in each.values()])) for figure in next(iter(each.values()))}
        return found | {f"distance {name}": row["distance"] for name, row in each.items()} | {"directions": len(each)}

    def _direction(self, source: str, target: str, pictures: Array) -> dict[str, float]:
        found, right = self.offline(pictures), np.arange(len(pictures))
        off, offline = self.judge.features(pictures) - self.truth[target], (found - self.test[target]) / self.deviation
        gap = (pictures.astype(np.float32) - self.emoji.pictures[target][self.emoji.test]) / 255.0
        queries, candidates = self.content.codes(found, target), self.content.codes(self.test[source], source)
        return {
            "distance": float(np.sqrt((off**2).mean(1)).mean()),
            "offline": float(np.sqrt((offline**2).mean(1)).mean()),
            "pixels": float(np.sqrt((gap**2).mean((1, 2, 3))).mean()),
            "style": float((self.judge.read(pictures) == STYLES.index(target)).mean()),
            "content": hits(cosines(queries, candidates), right, AMONG),
        }


def landmarks(emoji: Styled) -> dict[str, dict[str, Array]]:
    """What stands beside ours, for each direction."""
    test = {style: x[emoji.test] for style, x in emoji.pictures.items()}
    train = {style: x[emoji.train] for style, x in emoji.pictures.items()}
    average = {style: x.mean(0).round().astype(np.uint8) for style, x in train.items()}
    found: dict[str, dict[str, Array]] = {"source": {}, "colours": {}, "average": {}, "truth": {}}
    for a, b in DIRECTIONS:
        found["source"][key(a, b)], found["truth"][key(a, b)] = test[a], test[b]
        found["colours"][key(a, b)] = recoloured(test[a], train[a], train[b])
        found["average"][key(a, b)] = np.broadcast_to(average[b], test[b].shape).copy()
    return found


def recoloured(pictures: Array, own: Array, target: Array) -> Array:
    """Each channel's mean and deviation set from those of one style to those of another (Reinhard et al. 2001)."""
    centre, unit = own.mean((0, 1, 2)), own.std((0, 1, 2))
    made = (pictures - centre) / unit * target.std((0, 1, 2)) + target.mean((0, 1, 2))
    return made.clip(0, 255).round().astype(np.uint8)


def show(emoji: Styled, made: Mapping[str, Array], file: Path) -> None:
    """A sheet: for a few emoji the source, ours and the true one, in four directions."""
    shown = [name for name in (key(a, b) for a, b in DIRECTIONS) if name in made][::3]
    rows = []
    for i in range(0, len(emoji.test), max(1, len(emoji.test) // SHOWN)):
        row = []
        for name in shown:
            source, target = name.split(">")
            row += [emoji.pictures[source][emoji.test[i]], made[name][i], emoji.pictures[target][emoji.test[i]]]
        rows.append(row)
    heads = [word for name in shown for word in (name.split(">")[0], f"> {name.split('>')[1]}", "true")]
    grid(rows[:SHOWN], file, zoom=max(1, 96 // rows[0][0].shape[0]), heads=heads)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True, help="where features are kept")
    parser.add_argument("--keep", type=Path, required=True, help="where the trained judge is kept")
    parser.add_argument("--side", type=int)
    parser.add_argument("--tested", type=int)
    parser.add_argument("--made", type=Path)
    return parser.parse_args()


def main() -> None:
    """Judge and print."""
    given = arguments()
    emoji = styled(given.data, given.side, given.tested)
    ruler = Ruler(emoji, given.features, given.keep)
    if given.made is None:
        print(json.dumps({name: ruler.score(made) for name, made in landmarks(emoji).items()}))
        return
    with np.load(given.made) as file:
        made = {name: file[name] for name in file.files}
    show(emoji, made, given.made.with_name("sheet.png"))
    print(json.dumps({"anew": ruler.score(made)}))


if __name__ == "__main__":
    main()
