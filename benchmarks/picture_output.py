"""What a run on pictures leaves: the pictures by number of sampling steps, sheets of them, and its cost."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.picture_sets import CLASSES
from benchmarks.picture_sheet import sheet
from benchmarks.process import max_rss_mb


def leave(out: Path, samples: Mapping[str, np.ndarray[Any, Any]], cost: dict[str, Any]) -> None:
    """Writes OUT/samples.npz (bytes (n, H, W, C) under each number of steps), OUT/sheet-STEPS.png, OUT/cost.jsonl."""
    out.mkdir(parents=True, exist_ok=True)
    for steps, pictures in samples.items():
        if not steps.endswith(CLASSES):
            sheet(pictures, out / f"sheet-{steps.replace(' ', '-')}.png")
    cost |= {"peak_mb": max_rss_mb(), "load1": os.getloadavg()[0]}
    part = out / "part.npz"
    np.savez_compressed(part, **dict(samples))
    part.replace(out / "samples.npz")
    with (out / "cost.jsonl").open("a") as log:
        log.write(json.dumps(cost) + "\n")
