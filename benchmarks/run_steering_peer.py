"""pythae's VAE as a latent space: trained for a budget of CPU seconds; the twin of run_anew_steering.py.

usage: python -m benchmarks.run_steering_peer --data DIR --set NAME --seed S --seconds T --out DIR [--pictures N]
Its default networks and 16 latents. Leaves OUT/made.npz (reconstruction, midpoints, samples) and OUT/cost.jsonl.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.picture_peers import Task, pythae_fitted
from benchmarks.picture_sets import load, tensors
from benchmarks.process import cpu_seconds
from benchmarks.run_picture_peer import THREADS, as_bytes
from benchmarks.steering_output import leave
from benchmarks.steering_sets import held_pictures, pairs

Array = np.ndarray[Any, Any]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--pictures", type=int)
    return parser.parse_args()


@torch.no_grad()
def main() -> None:
    """Train, encode, decode, write."""
    given = arguments()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", THREADS)))
    torch.manual_seed(given.seed)
    pictures = load(given.data, given.set)
    task = Task(tensors(pictures.train), torch.from_numpy(pictures.labels), given.seconds * THREADS)
    spent = cpu_seconds()
    with torch.enable_grad():
        model, steps = pythae_fitted(task)
    cost = {"peer": "pythae", "steps": steps, "fit_cpu_s": cpu_seconds() - spent, "latents": model.latent_dim}

    def encoded(x: Array) -> torch.Tensor:
        found: torch.Tensor = model.encoder(tensors(x) / 2 + 0.5).embedding
        return found

    def decoded(z: torch.Tensor) -> Array:
        return as_bytes(model.decoder(z)["reconstruction"].view(len(z), *task.shape) * 2 - 1)

    held = held_pictures(given.data, given.set, given.pictures)
    a, b = pairs(given.data, given.set, len(held))
    made = {"reconstruction": decoded(encoded(held)), "midpoints": decoded((encoded(a) + encoded(b)) / 2)}
    made["samples"] = decoded(torch.randn(pictures.drawn, model.latent_dim))
    leave(given.out, made, cost)


if __name__ == "__main__":
    main()
