"""Short reviews whose mood stands in one phrase."""

from __future__ import annotations

import numpy as np
import polars as pl

GOOD, BAD = ["lovely", "great", "a joy", "superb"], ["awful", "dull", "a bore", "broken"]


def reviews(n: int = 200, seed: int = 0) -> pl.DataFrame:
    """What was said, of what, and how it was meant."""
    rng = np.random.default_rng(seed)
    liked = rng.random(n) < 0.5
    things, days = ["film", "phone", "soup"], [f"day {day}" for day in range(1, 300)]
    said = [f"The {rng.choice(things)} of {rng.choice(days)} is {rng.choice(GOOD if y else BAD)}" for y in liked]
    return pl.DataFrame({"text": said, "price": rng.normal(size=n), "mood": np.where(liked, "up", "down")})
