"""Train one rival on one set of pictures as a whole process; write what it draws, append one JSON line of cost.

usage: python -m benchmarks.run_picture_peer --peer NAME --data DIR --set NAME --seed S --seconds T --out DIR
picture_output.py says what it leaves in OUT. The budget is T seconds x 2 threads, counted as CPU seconds whatever the
machine does beside it.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.picture_output import leave
from benchmarks.picture_peers import PEERS, Draw, Task
from benchmarks.picture_sets import load, tensors
from benchmarks.process import cpu_seconds

THREADS = 2  # of the budget
AT_ONCE = 256


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--draws", type=int, help="pictures to draw (default: what the set asks for)")
    return parser.parse_args()


def as_bytes(made: torch.Tensor) -> np.ndarray[Any, Any]:
    """(n, C, H, W) in [-1, 1] -> bytes (n, H, W, C)."""
    scaled = ((made.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().numpy()


@torch.no_grad()
def drawn(draw: Draw, n: int) -> tuple[np.ndarray[Any, Any], dict[str, float]]:
    """n pictures, and what they cost by the clock and in CPU seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    parts = [as_bytes(draw(min(AT_ONCE, n - start))) for start in range(0, n, AT_ONCE)]
    cost = {"seconds": time.perf_counter() - clock, "cpu_s": time.process_time() - cpu}
    return np.concatenate(parts), cost


def main() -> None:
    """Train, draw, write, record."""
    given = arguments()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", THREADS)))
    torch.manual_seed(given.seed)
    pictures = load(given.data, given.set)
    task = Task(tensors(pictures.train), torch.from_numpy(pictures.labels), given.seconds * THREADS)
    began, spent = time.perf_counter(), cpu_seconds()
    trained = PEERS[given.peer](task)
    cost: dict[str, Any] = {"peer": given.peer, "set": given.set, "seed": given.seed, "steps": trained.steps}
    cost |= {"fit_s": time.perf_counter() - began, "fit_cpu_s": cpu_seconds() - spent}
    samples: dict[str, np.ndarray[Any, Any]] = {}
    cost |= {"n": given.draws or pictures.drawn, "threads": torch.get_num_threads(), "draws": {}}
    for steps, draw in trained.draws.items():
        samples[steps], cost["draws"][steps] = drawn(draw, cost["n"])
    leave(given.out, samples, cost)


if __name__ == "__main__":
    main()
