"""The joint pattern of missingness: which cells of one row are missing together?

A row's pattern is the set of its missing columns. The measure is the total variation distance between the distributions
of patterns, 0 best, 1 worst: half the sum over patterns of |share in synthetic - share in train|. Fresh rows are not at
0 either (their number is finite), so the same distance of the test rows stands beside it. A table with the right rate
in every column can still have every pattern wrong.
"""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd


def pattern_shares(table: pd.DataFrame, columns: list[str]) -> dict[bytes, float]:
    """The share of rows of each pattern; a pattern is a row of bits, one for each column."""
    bits = np.packbits(table[columns].isna().to_numpy(dtype=bool), axis=1)
    counts = Counter(row.tobytes() for row in bits)
    return {pattern: count / len(table) for pattern, count in counts.items()}


def pattern_distance(reference: pd.DataFrame, other: pd.DataFrame) -> float:
    """Total variation distance between the two tables' distributions of patterns."""
    columns = [str(name) for name in reference.columns]
    p, q = pattern_shares(reference, columns), pattern_shares(other, columns)
    # sorted: the order of a set of bytes changes between runs, and with it the last digit of the sum
    return 0.5 * sum(abs(p.get(pattern, 0.0) - q.get(pattern, 0.0)) for pattern in sorted(p.keys() | q.keys()))


def missingness(train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, Any]:
    """Both distances and the number of patterns in train; a table without a missing cell has one pattern."""
    return {
        "patterns": len(pattern_shares(train, [str(name) for name in train.columns])),
        "synthetic": pattern_distance(train, synthetic),
        "test": pattern_distance(train, test),
    }
