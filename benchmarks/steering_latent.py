"""Judge of latent codes: are pictures given back, are midpoints between two of them pictures, are draws?

usage: python -m benchmarks.steering_latent --data DIR --set NAME --keep FILE.pt [--made FILE.npz] [--pictures N]
**Reconstruction** is the error of decode(encode(x)) on held-out pictures, in pixels (root mean square, 1 = white
against black) and in the judge's features (mean square). **C2ST** tells midpoints of pairs of held-out pictures from
others of them (0.5: they lie on the data). Without --made: what a mean of two pictures' pixels gives, and real training
pictures. One JSON line. Runs in the environment `image`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import metrics
import numpy as np

from benchmarks.picture_grid import grid
from benchmarks.picture_judge import Judge, trained
from benchmarks.picture_sets import load
from benchmarks.steering_sets import held_pictures, pairs

Array = np.ndarray[Any, Any]
SHOWN = 12


class Ruler:
    """Figures of reconstructions, midpoints and draws."""

    def __init__(self, judge: Judge, held: Array, ends: tuple[Array, Array]) -> None:
        self.judge, self.held, self.ends = judge, held, ends
        self.truth = judge.features(held)
        taken = {x.tobytes() for x in np.concatenate(ends)}
        others = [x for x in judge.pictures.held if x.tobytes() not in taken]
        self.others = judge.features(np.stack(others or list(judge.pictures.held)))

    def score(self, made: dict[str, Array]) -> dict[str, float]:
        """Of what there is: `reconstruction`, `midpoints`, `samples`."""
        found: dict[str, float] = {}
        if "reconstruction" in made:
            gap = (made["reconstruction"].astype(np.float32) - self.held) / 255.0
            found["pixels"] = float(np.sqrt((gap**2).mean()))
            found["features"] = float(((self.judge.features(made["reconstruction"]) - self.truth) ** 2).mean())
        if "midpoints" in made:
            found["c2st"] = float(metrics.c2st(self.others, self.judge.features(made["midpoints"])))
        if "samples" in made:
            found["fd"] = float(metrics.frechet(self.judge.held, self.judge.features(made["samples"])))
        return found

    def landmarks(self, seed: int) -> dict[str, dict[str, float]]:
        """Means of pixels; real training pictures as midpoints and as draws."""
        mean = (self.ends[0].astype(np.float32) + self.ends[1]) / 2
        train = self.judge.pictures.train
        chosen = train[np.random.default_rng([seed, 20]).permutation(len(train))[: self.judge.pictures.drawn]]
        real = {"midpoints": chosen[: len(mean)], "samples": chosen}
        return {"blend": self.score({"midpoints": mean.round().astype(np.uint8)}), "real": self.score(real)}


def show(ruler: Ruler, made: dict[str, Array], file: Path) -> None:
    """Two sheets in one: pictures over their reconstructions; then first end, midpoint, second end."""
    rows: list[Any] = []
    if "reconstruction" in made:
        rows += [ruler.held[:SHOWN], made["reconstruction"][:SHOWN]]
    if "midpoints" in made:
        rows += [ruler.ends[0][:SHOWN], made["midpoints"][:SHOWN], ruler.ends[1][:SHOWN]]
    if "samples" in made:
        rows += [made["samples"][:SHOWN]]
    grid([list(row) for row in rows], file)


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
    ends = pairs(given.data, given.set, len(held))
    ruler = Ruler(Judge(pictures, trained(pictures, given.seed, given.keep)), held, ends)
    if given.made is None:
        print(json.dumps(ruler.landmarks(given.seed)))
        return
    with np.load(given.made) as file:
        made = {name: file[name] for name in file.files}
    show(ruler, made, given.made.with_name("sheet.png"))
    print(json.dumps({"made": ruler.score(made)}))


if __name__ == "__main__":
    main()
