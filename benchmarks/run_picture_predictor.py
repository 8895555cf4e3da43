"""Learn to tell the classes of one set of pictures as a whole process; append one JSON line: what it cost, how right.

usage: python -m benchmarks.run_picture_predictor --how NAME --data DIR --set NAME --seed S --seconds T --out DIR
`anew` is the public interface with T seconds. The yardsticks read the first principal components of the pixels:
`logistic` with a ridge chosen by cross-validation, `svm` with a Gaussian kernel and Platt's calibration.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration import figures
from benchmarks.picture_sets import Pictures, load
from benchmarks.process import cpu_seconds, max_rss_mb
from benchmarks.run_anew import option
from benchmarks.run_anew_pictures import columns, count_cpu_seconds

Array = np.ndarray[Any, Any]
TESTED = {"pneumonia_mnist": "test"}  # the official test, though it was collected otherwise than the training part
COMPONENTS = 100


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--how", choices=WAYS, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--option", type=option, action="append", default=[])
    return parser.parse_args()


def ours(pictures: Pictures, given: argparse.Namespace) -> Array:
    """Probabilities (n, K) of the held-out pictures by anew."""
    import anew

    if given.clock == "cpu":
        count_cpu_seconds()
    train = columns(pictures.train) | {"label": words(pictures.labels)}
    how = {"objective": "cross_entropy", "network": "conv", **dict(given.option)}  # nothing else is fitted
    model = anew.fit(train, learn="label", time=given.seconds, seed=given.seed, **how)
    chance = np.asarray(model.predict_proba(columns(pictures.held)))
    known = [str(name) for name in model.classes]
    return chance[:, [known.index(word) for word in words(np.unique(pictures.labels))]]


def words(labels: Array) -> list[str]:
    """Classes as words, so that nobody takes them for numbers."""
    return [f"class {label}" for label in labels]


def components(pictures: Pictures, seed: int) -> Any:
    """Principal components of the pixels, as a step of a pipeline."""
    from sklearn.decomposition import PCA

    return PCA(min(COMPONENTS, len(pictures.train) - 1), random_state=seed)


def fitted(pictures: Pictures, seed: int, classifier: Any) -> Array:
    """Probabilities (n, K) of a scikit-learn classifier on the components."""
    from sklearn.pipeline import make_pipeline

    flat = [part.reshape(len(part), -1) / 255.0 for part in (pictures.train, pictures.held)]
    model = make_pipeline(components(pictures, seed), classifier).fit(flat[0], pictures.labels)
    return np.asarray(model.predict_proba(flat[1]))


def logistic(pictures: Pictures, given: argparse.Namespace) -> Array:
    """Logistic regression, its ridge by cross-validation."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    ridges = {"C": [0.01, 0.1, 1.0]}
    return fitted(pictures, given.seed, GridSearchCV(LogisticRegression(max_iter=200, tol=1e-3), ridges, cv=3))


def svm(pictures: Pictures, given: argparse.Namespace) -> Array:
    """A support vector machine with a Gaussian kernel, calibrated by Platt's sigmoid on cross-validated scores."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    return fitted(pictures, given.seed, CalibratedClassifierCV(SVC(C=10.0), ensemble=False, cv=3))


WAYS: dict[str, Callable[[Pictures, argparse.Namespace], Array]] = {"anew": ours, "logistic": logistic, "svm": svm}


def main() -> None:
    """Learn, predict, record."""
    given = arguments()
    pictures = load(given.data, given.set, TESTED.get(given.set))
    clock, cpu = time.perf_counter(), cpu_seconds()
    chance = WAYS[given.how](pictures, given)
    cost: dict[str, Any] = {"how": given.how, "set": given.set, "seed": given.seed}
    cost |= {"seconds": time.perf_counter() - clock, "cpu_s": cpu_seconds() - cpu, "load1": os.getloadavg()[0]}
    cost |= figures(chance, pictures.held_labels) | {"n": len(chance), "peak_mb": max_rss_mb()}
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "cost.jsonl").open("a") as log:
        log.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main()
