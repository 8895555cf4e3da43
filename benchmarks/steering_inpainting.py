"""Judge of inpainting: half of each held-out picture is hidden and filled, by ours or by who knows no pictures.

usage: python -m benchmarks.steering_inpainting --data DIR --set NAME --keep FILE.pt [--made FILE.npz] [--pictures N]
Without --made: the rivals. **Error in features** is of single draws, in the judge's standardised features (mean
square); **error in pixels** (root mean square of the hidden ones, 1 = white against black) is of the mean of all draws.
**C2ST** is a forest that tells filled pictures from other held-out ones. One JSON line. Runs in the environment
`image`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import metrics
import numpy as np

from benchmarks.picture_grid import grid
from benchmarks.picture_judge import Judge, flat, trained
from benchmarks.picture_sets import load
from benchmarks.steering_masks import MASKS, masks
from benchmarks.steering_sets import held_pictures

Array = np.ndarray[Any, Any]
RADIUS = 3  # pixels around a hole that OpenCV looks at
SHOWN, DRAWS_SHOWN = 15, 3


def telea(picture: Array, hidden: Array) -> Array:
    """OpenCV: fast marching (Telea 2004)."""
    import cv2

    return np.asarray(cv2.inpaint(picture.squeeze(), hidden.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA))


def navier_stokes(picture: Array, hidden: Array) -> Array:
    """OpenCV: Navier-Stokes (Bertalmio et al. 2001)."""
    import cv2

    return np.asarray(cv2.inpaint(picture.squeeze(), hidden.astype(np.uint8), RADIUS, cv2.INPAINT_NS))


def biharmonic(picture: Array, hidden: Array) -> Array:
    """scikit-image: the biharmonic equation (Damelin & Hoang 2018)."""
    from skimage.restoration import inpaint_biharmonic

    found = inpaint_biharmonic(picture / 255.0, hidden, channel_axis=-1)
    return (found * 255).clip(0, 255).round().astype(np.uint8)


CLASSIC = {"telea": telea, "ns": navier_stokes, "biharmonic": biharmonic}


def filled(held: Array, hidden: Array, train: Array) -> dict[str, Array]:
    """What each rival makes of each picture under each mask.  (masks, n, H, W, C)"""
    whole = {
        name: np.stack([[way(x, mask).reshape(x.shape) for x in held] for mask in hidden])
        for name, way in CLASSIC.items()
    }
    average = np.broadcast_to(train.mean(0).round().astype(np.uint8), held.shape)
    whole["average"] = np.broadcast_to(average, (len(hidden), *held.shape))
    whole["nearest"] = np.stack([nearest(held, mask, train) for mask in hidden])
    known = ~hidden[:, None, :, :, None]
    return {name: np.where(known, held[None], made) for name, made in whole.items()}


def nearest(held: Array, mask: Array, train: Array) -> Array:
    """The training picture whose known part is nearest: a memory, not a model."""
    seen = [flat(x[:, ~mask]) for x in (held, train)]
    found: Array = train[metrics.cdist(*seen).argmin(1)]
    return found


class Ruler:
    """Errors of filled pictures (draws, masks, n, H, W, C) against the true ones."""

    def __init__(self, judge: Judge, held: Array, hidden: Array, others: Array) -> None:
        self.judge, self.held, self.hidden = judge, held, hidden
        self.truth, self.others = judge.features(held), judge.features(others)

    def score(self, made: Array) -> dict[str, float]:
        """All figures."""
        squares = [[self._off(drawn) for drawn in draw] for draw in made]
        found = {f"features {name}": float(np.mean(squares, 0)[i]) for i, name in enumerate(MASKS)}
        found |= {"features": float(np.mean(squares)), "pixels": self._pixels(made.astype(np.float32).mean(0))}
        found |= {"pixels_single": float(np.mean([self._pixels(draw.astype(np.float32)) for draw in made]))}
        found |= {"changed": self._changed(made), "c2st": self._c2st(made[0]), "draws": len(made)}
        return found | ({"diversity": self._diversity(made)} if len(made) > 1 else {})

    def _off(self, drawn: Array) -> float:
        return float(((self.judge.features(drawn) - self.truth) ** 2).mean())

    def _pixels(self, drawn: Array) -> float:
        gap = ((drawn - self.held[None]) / 255.0) ** 2  # (masks, n, H, W, C)
        return float(np.sqrt(np.mean([gap[i][:, mask].mean() for i, mask in enumerate(self.hidden)])))

    def _changed(self, made: Array) -> float:
        """Known values that are not what they were: their number."""
        gap = made != self.held
        return float(sum(gap[:, i][:, :, ~mask].sum() for i, mask in enumerate(self.hidden)))

    def _diversity(self, made: Array) -> float:
        """Standard deviation of a hidden pixel over the draws."""
        spread = (made.astype(np.float32) / 255.0).var(0, ddof=1)
        return float(np.sqrt(np.mean([spread[i][:, mask].mean() for i, mask in enumerate(self.hidden)])))

    def _c2st(self, draw: Array) -> float:
        """Each picture once, under one of the masks in turn."""
        n = np.arange(draw.shape[1])
        return float(metrics.c2st(self.others, self.judge.features(draw[n % len(self.hidden), n])))


def show(held: Array, hidden: Array, made: Array, rival: Array, file: Path) -> None:
    """A sheet: true, masked, three draws, their mean, OpenCV's."""
    rows = []
    for i in range(min(SHOWN, len(held))):
        mask = i % len(hidden)
        masked = np.where(hidden[mask][..., None], 128, held[i]).astype(np.uint8)
        mean = made[:, mask, i].astype(np.float32).mean(0).round().astype(np.uint8)
        rows.append([held[i], masked, *made[:DRAWS_SHOWN, mask, i], mean, rival[mask, i]])
    heads = ("true", "known", *("draw",) * min(DRAWS_SHOWN, len(made)), "mean", "telea")
    grid(rows, file, zoom=3, heads=heads)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--keep", type=Path, required=True, help="where the trained judge is kept")
    parser.add_argument("--pictures", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--made", type=Path)
    return parser.parse_args()


def main() -> None:
    """Judge and print."""
    given = arguments()
    pictures = load(given.data, given.set)
    held = held_pictures(given.data, given.set, given.pictures)
    hidden = masks(*held.shape[1:3])
    chosen = {x.tobytes() for x in held}
    others = np.stack([x for x in pictures.held if x.tobytes() not in chosen] or list(pictures.held))
    ruler = Ruler(Judge(pictures, trained(pictures, given.seed, given.keep)), held, hidden, others)
    if given.made is None:
        rivals = filled(held, hidden, pictures.train)
        print(json.dumps({name: ruler.score(made[None]) for name, made in rivals.items()}))
        return
    with np.load(given.made) as file:
        made = {name: file[name] for name in file.files}
    rival = np.stack([[telea(x, mask).reshape(x.shape) for x in held[:SHOWN]] for mask in hidden])
    show(held, hidden, made["anew"], rival, given.made.with_name("sheet.png"))
    print(json.dumps({name: ruler.score(draws) for name, draws in made.items()}))


if __name__ == "__main__":
    main()
