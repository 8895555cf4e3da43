"""How many pictures a second ours draws in 4 steps, plain and guided, at 28 and 16 pixels, on an idle machine.

    python -m benchmarks.picture_speed [--data ../shared/data/images] [--rounds 3]

fashion_mnist as it is, and reduced to 16 pixels. The network is the one that `pictures.py` trains for five minutes: its
size does not depend on the time. Here it is trained for a few steps, since what the weights are changes no cost. The
best of some rounds counts, and the load of the machine stands beside it. Writes results/picture_speed.json and ends
with 1 if a bar of issue 4 is missed.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.picture_sets import load
from benchmarks.run_anew_pictures import columns

RESULTS = Path(__file__).parent / "results" / "picture_speed.json"
DRAWS, STEPS, GUIDANCE = 512, 4, 2.0
BARS = {28: 100.0, 16: 500.0}  # pictures a second; half of them guided
SETTLED = 8  # seconds of training: enough for a step to be timed

Array = np.ndarray[Any, Any]


def halved(pictures: Array) -> Array:
    """28 pixels, padded to 32 by two of each edge, as means of 2 x 2.  (n, 16, 16, C)"""
    wide = np.pad(pictures, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge").astype(np.float32)
    n, height, width, channels = wide.shape
    blocks = wide.reshape(n, height // 2, 2, width // 2, 2, channels)
    return np.asarray(blocks.mean((2, 4)).round(), np.uint8)


def best(model: Any, rounds: int, **how: Any) -> float:
    """Pictures a second, of the fastest round."""
    rates = []
    for seed in range(rounds + 1):
        began = time.perf_counter()
        model.sample(DRAWS, seed=seed, steps=STEPS, **how)
        rates.append(DRAWS / (time.perf_counter() - began))
    return max(rates[1:])


def main(arguments: list[str] | None = None) -> int:
    """Measure both sizes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/images"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    import anew

    pictures = load(given.data, "fashion_mnist")
    found: dict[str, Any] = {"draws": DRAWS, "steps": STEPS, "cores": os.cpu_count(), "sizes": {}}
    missed = 0
    for side, bar in BARS.items():
        train = pictures.train if side == pictures.train.shape[1] else halved(pictures.train)
        frame = columns(train) | {"label": [f"class {label}" for label in pictures.labels]}
        model = anew.fit(frame, time=SETTLED, seed=0)
        rates = {"plain": best(model, given.rounds), "guided": best(model, given.rounds, guidance=GUIDANCE)}
        found["sizes"][str(side)] = {"pictures a second": rates, "bar": bar}
        missed += (rates["plain"] < bar) + (rates["guided"] < bar / 2)
        print(
            f"{side} px: {rates['plain']:.0f} pictures a second, {rates['guided']:.0f} guided (bar {bar:g})", flush=True
        )
    found["load"] = os.getloadavg()[0]
    given.results.write_text(json.dumps(found, indent=1) + "\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
