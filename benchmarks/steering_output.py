"""What a run of the steering benchmark leaves: OUT/made.npz (bytes of pictures by name) and OUT/cost.jsonl."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.process import max_rss_mb


def leave(out: Path, made: Mapping[str, np.ndarray[Any, Any]], cost: dict[str, Any]) -> None:
    """Writes both, the pictures never half."""
    out.mkdir(parents=True, exist_ok=True)
    part = out / "part.npz"
    np.savez_compressed(part, **dict(made))
    part.replace(out / "made.npz")
    with (out / "cost.jsonl").open("a") as log:
        log.write(json.dumps(cost | {"peak_mb": max_rss_mb(), "load1": os.getloadavg()[0]}) + "\n")
