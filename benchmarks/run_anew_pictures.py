"""Run anew on one set of pictures as a whole process: the twin of run_picture_peer.py, by the public interface alone.

usage: python -m benchmarks.run_anew_pictures --data DIR --set NAME --seed S --seconds T --out DIR [--option KEY=VALUE]
anew gets a frame of pictures and their classes, T seconds and a seed: it learns both jointly, and a draw's class is
drawn too. One checkpoint draws in 1, 4 and 32 steps, and in 4 under guidance. `--clock cpu` counts T x 2 CPU seconds
in place of T seconds of the clock, for work on a machine that others use; what is published runs alone, by the clock.
"""

import argparse
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.picture_output import leave
from benchmarks.picture_sets import CLASSES, load
from benchmarks.process import cpu_seconds
from benchmarks.run_anew import option

Array = np.ndarray[Any, Any]
THREADS = 2
WAYS: dict[str, dict[str, float]] = {
    "1": {"steps": 1},
    "4": {"steps": 4},
    "4 guided": {"steps": 4, "guidance": 2.0},
    "32": {"steps": 32},
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--option", type=option, action="append", default=[])
    parser.add_argument("--draws", type=int, help="pictures to draw (default: what the set asks for)")
    return parser.parse_args()


def count_cpu_seconds() -> None:
    """anew's two clocks count CPU seconds of the process, divided by the threads of the budget."""
    from anew import fitting, train

    clock = SimpleNamespace(monotonic=lambda: time.process_time() / THREADS, perf_counter=time.perf_counter)
    for module in (train, fitting):
        vars(module)["clock"] = clock


def columns(pictures: Array) -> dict[str, list[Any]]:
    """A frame with one column, `image`: grey pictures (H, W), colour ones (H, W, C)."""
    return {"image": list(pictures.squeeze(-1) if pictures.shape[-1] == 1 else pictures)}


def drawn(model: Any, n: int, seed: int, way: dict[str, float]) -> tuple[Array, Array, dict[str, float]]:
    """n pictures (n, H, W, C), the classes drawn with them (n,), and what it cost by the clock and in CPU seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    frame = model.sample(n, seed=seed, **way)
    cost = {"seconds": time.perf_counter() - clock, "cpu_s": time.process_time() - cpu}
    made = np.stack([np.asarray(picture) for picture in frame["image"]])
    labels = np.array([int(str(word).split()[-1]) for word in frame["label"]])
    return made[..., None] if made.ndim == 3 else made, labels, cost


def main() -> None:
    """Fit, draw, write, record."""
    given = arguments()
    import anew

    if given.clock == "cpu":
        count_cpu_seconds()
    pictures = load(given.data, given.set)
    train = columns(pictures.train) | {"label": [f"class {label}" for label in pictures.labels]}
    cost: dict[str, Any] = {"peer": "anew", "set": given.set, "seed": given.seed, "options": dict(given.option)}
    began, spent = time.perf_counter(), cpu_seconds()
    model = anew.fit(train, time=given.seconds, seed=given.seed, **dict(given.option))
    cost |= {"fit_s": time.perf_counter() - began, "fit_cpu_s": cpu_seconds() - spent, "clock": given.clock}
    cost |= {"steps": trained_steps(model), "n": given.draws or pictures.drawn, "threads": THREADS, "draws": {}}
    model.sample(8, steps=1, seed=given.seed)  # the first call pays for what is made once
    samples: dict[str, Array] = {}
    for name, way in WAYS.items():
        samples[name], labels, cost["draws"][name] = drawn(model, cost["n"], given.seed, way)
        samples[f"{name}{CLASSES}"] = labels
    leave(given.out, samples, cost)


def trained_steps(model: Any) -> int:
    """Steps of the picture's factor: the one that was planned longest."""
    return max((factor.steps or 0 for factor in model.plan.create), default=0)


if __name__ == "__main__":
    main()
