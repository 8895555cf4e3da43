"""Judge of text-to-image: does an independent scorer find the right caption among ten for what was drawn from it?

usage: python -m benchmarks.steering_text --data DIR --set NAME --features DIR [--made FILE.npz] [--side PX] [--asked N]
The scorer is linear: ridge regression from the words of a caption (TF-IDF of words and of pieces of words) to the
offline features of its picture, learned from real training pairs alone. A caption's score is the cosine between what
it predicts and the picture's features. Without --made: real held-out pairs (the **ceiling**), and real pictures in the
wrong order (**chance**), and real training pictures of the right class. One JSON line. Runs in the environment `image`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.offline_features import Offline
from benchmarks.picture_grid import grid
from benchmarks.retrieval import cosines, hits
from benchmarks.steering_sets import Captioned, captioned, some

Array = np.ndarray[Any, Any]
AMONG, CHANCE = 10, 0.1
RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0)
POWERS = (0.0, 0.5, 1.0)  # of whitening of the features
KEPT = 256
SHOWN, COLUMNS = 24, 6


class Scorer:
    """How well captions and pictures go together; ridge and whitening are chosen on a fifth of the training groups."""

    def __init__(self, pairs: Captioned, features: Path) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_union

        self.offline, self.styles = Offline(features), sorted(set(pairs.styles))
        rows = pairs.train
        x = self.offline(pairs.pictures)[rows]
        self.centre = {s: x[[pairs.styles[row] == s for row in rows]].mean(0) for s in self.styles}
        x = self._centred(x, [pairs.styles[row] for row in rows])
        _, values, axes = np.linalg.svd(x, full_matrices=False)
        self.axes, self.units = axes[:KEPT].T, values[:KEPT] / np.sqrt(len(x))
        said = [pairs.words[row] for row in rows]
        pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), min_df=3, sublinear_tf=True)
        self.vectors = make_union(TfidfVectorizer(min_df=2, sublinear_tf=True), pieces).fit(said)
        self._choose(self.vectors.transform(said), x @ self.axes, [pairs.groups[row] for row in rows])

    def _centred(self, x: Array, styles: list[str]) -> Array:
        return x - np.stack([self.centre[style] for style in styles])

    def _choose(self, words: Any, x: Array, groups: list[str]) -> None:
        _, number = np.unique(groups, return_inverse=True)
        fit, first = number % 5 > 0, np.unique(number, return_index=True)[1]
        asked = first[~fit[first]]  # one row of each group left out
        best = (-1.0, RIDGES[0], POWERS[0])
        for ridge in RIDGES:
            said = ridge_map(words[fit], x[fit], ridge)
            for power in POWERS:
                unit = self.units**-power
                found = hits(cosines(x[asked] * unit, (words[asked] @ said) * unit), np.arange(len(asked)), AMONG)
                best = max(best, (found, ridge, power))
        self.own, ridge, power = best
        self.said, self.unit = ridge_map(words, x, ridge), self.units**-power

    def scores(self, pictures: Array, styles: list[str], captions: list[str]) -> Array:
        """(n, M)"""
        x = self._centred(self.offline(pictures), styles) @ self.axes
        return cosines(x * self.unit, (self.vectors.transform(captions) @ self.said) * self.unit)


def ridge_map(words: Any, x: Array, ridge: float) -> Array:
    """Ridge regression in its dual form, since there are more words than rows: W' (W W' + r I)^-1 X.  (V, k)"""
    kernel = (words @ words.T).toarray()
    kernel[np.diag_indices_from(kernel)] += ridge
    found: Array = words.T @ np.linalg.solve(kernel, x)
    return found


class Ruler:
    """Retrieval of the right caption among captions of other held-out groups."""

    def __init__(self, pairs: Captioned, rows: Array, features: Path) -> None:
        self.pairs, self.rows, self.scorer = pairs, rows, Scorer(pairs, features)
        first = {pairs.groups[row]: row for row in reversed(pairs.test.tolist())}
        self.captions = [pairs.words[row] for row in first.values()]
        place = {group: i for i, group in enumerate(first)}
        self.right = np.array([place[pairs.groups[row]] for row in rows])
        self.styles = [pairs.styles[row] for row in rows]

    def score(self, pictures: Array) -> dict[str, float]:
        """Of pictures drawn for the rows, in their order."""
        return {"retrieval": hits(self.scorer.scores(pictures, self.styles, self.captions), self.right, AMONG)}

    def landmarks(self) -> dict[str, dict[str, float]]:
        """Real pairs, all that are held out; and real pictures of the wrong rows."""
        real = self.pairs.pictures[self.rows]
        wrong = real[np.random.default_rng(0).permutation(len(real))]
        ceiling = self.score(real) | {"own": self.scorer.own, "n": len(real)}
        return {"ceiling": ceiling, "wrong": self.score(wrong), "same": self.score(self.of_the_class())}

    def of_the_class(self) -> Array:
        """For each row a real training picture of its class and style: no model that knows the class alone can draw
        better ones."""
        rng, pairs = np.random.default_rng(0), self.pairs
        alike: dict[tuple[str, str], list[int]] = {}
        for row in pairs.train:
            alike.setdefault((pairs.classes[row], pairs.styles[row]), []).append(int(row))
        return pairs.pictures[[rng.choice(alike[pairs.classes[row], pairs.styles[row]]) for row in self.rows]]


def show(pairs: Captioned, rows: Array, pictures: Array, file: Path) -> None:
    """A sheet of 24 prompts, two lines of words under each picture."""
    chosen = np.linspace(0, len(rows) - 1, min(SHOWN, len(rows))).round().astype(int)
    pairs_of = [(pictures[i], folded(pairs.words[rows[i]])) for i in chosen]
    lines = [pairs_of[start : start + COLUMNS] for start in range(0, len(pairs_of), COLUMNS)]
    zoom = max(1, 128 // pictures.shape[1])
    words = [[cell[1] for cell in line] for line in lines]
    grid([[cell[0] for cell in line] for line in lines], file, zoom=zoom, words=words)


def folded(words: str, width: int = 20) -> str:
    """Two lines at most."""
    import textwrap

    return "\n".join(textwrap.wrap(words, width)[:2])


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--features", type=Path, required=True, help="where features are kept")
    parser.add_argument("--side", type=int)
    parser.add_argument("--asked", type=int)
    parser.add_argument("--made", type=Path)
    return parser.parse_args()


def main() -> None:
    """Judge and print."""
    given = arguments()
    pairs = captioned(given.data, given.set, given.side)
    rows = some(pairs.test, given.asked)
    ruler = Ruler(pairs, rows, given.features)
    if given.made is None:
        print(json.dumps(ruler.landmarks()))
        return
    with np.load(given.made) as file:
        made = {name: file[name] for name in file.files}
    for name, pictures in made.items():
        show(pairs, rows, pictures, given.made.with_name(f"sheet-{name.replace(' ', '-')}.png"))
    print(json.dumps({name: ruler.score(pictures) for name, pictures in made.items()}))


if __name__ == "__main__":
    main()
