"""Dependencies kept: where one column settles another (education -> its number), does it do so in the synthetic table?

A dependency a -> b is the map from each level of a to its commonest b in train. It counts if it gives the right b on
at least 99.5 % of the training rows. Three guards keep empty ones out: a has at most 5,000 levels; each level has at
least 5 rows in the mean (a key settles everything); no single value of b covers 95 % of the rows (a constant is settled
by everything). A missing cell is a level like any other. Numbers are compared at six decimals, as the ruler does.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MIN_HOLD = 0.995
MAX_LEVELS = 5000
MIN_ROWS_PER_LEVEL = 5.0
MAX_MODE_SHARE = 0.95

Codes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Dependency:
    """a -> b, with `commonest[code of a] = code of b`, and the share of training rows on which it holds."""

    a: str
    b: str
    commonest: Codes
    hold: float


def as_text(column: pd.Series) -> pd.Series:
    """Values that compare equal across frames: numbers at six decimals, everything else as text, missing as a level."""
    if pd.api.types.is_datetime64_any_dtype(column):
        # nanoseconds, since the text of a datetime depends on what else is in its column
        text = pd.Series(column.to_numpy("datetime64[ns]").astype("int64"), index=column.index).astype(str)
    elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        text = column.astype(float).round(6).astype(str)
    else:
        text = column.astype(str)
    return text.where(column.notna(), "<missing>").astype(object).reset_index(drop=True)


def aligned(train: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """`other` with numbers where `train` has numbers, so that 1 and "1" are one level."""
    numeric = {name for name in train.columns if pd.api.types.is_numeric_dtype(train[name])}
    return pd.DataFrame(
        {
            name: pd.to_numeric(other[name], errors="coerce") if name in numeric else other[name]
            for name in train.columns
        }
    )


def encode(train: pd.DataFrame, other: pd.DataFrame) -> tuple[dict[str, Codes], dict[str, Codes], dict[str, int]]:
    """Codes of both frames in the levels of train (-1: a level that train never had), and the number of levels."""
    train_codes, other_codes, sizes = {}, {}, {}
    other = aligned(train, other)
    for name in train.columns:
        codes, levels = pd.factorize(as_text(train[name]))
        train_codes[str(name)] = codes.astype(np.int64)
        other_codes[str(name)] = pd.Index(levels).get_indexer(pd.Index(as_text(other[name]))).astype(np.int64)
        sizes[str(name)] = len(levels)
    return train_codes, other_codes, sizes


def commonest_partner(a: Codes, b: Codes, a_levels: int, b_levels: int) -> tuple[Codes, float]:
    """For each level of a its commonest b, and the share of rows that this map gets right."""
    pairs, counts = np.unique(a * b_levels + b, return_counts=True)
    order = np.argsort(counts, kind="stable")  # ascending, so that the last write of a level is its commonest partner
    best = np.zeros(a_levels, dtype=np.int64)
    best[pairs[order] // b_levels] = pairs[order] % b_levels
    return best, float((best[a] == b).mean())


def find_dependencies(codes: dict[str, Codes], sizes: dict[str, int]) -> list[Dependency]:
    """Every a -> b that holds in train and passes the three guards above."""
    rows = len(next(iter(codes.values())))
    causes = [a for a in codes if 1 < sizes[a] <= MAX_LEVELS and rows / sizes[a] >= MIN_ROWS_PER_LEVEL]
    effects = [b for b in codes if np.bincount(codes[b]).max() / rows < MAX_MODE_SHARE]
    found = []
    for a in causes:
        for b in effects:
            if a == b:
                continue
            best, hold = commonest_partner(codes[a], codes[b], sizes[a], sizes[b])
            if hold >= MIN_HOLD:
                found.append(Dependency(a, b, best, hold))
    return found


def kept_share(dependency: Dependency, codes: dict[str, Codes]) -> float:
    """Share of rows whose b is the one that train gives their a; rows whose a train never had are left out."""
    a, b = codes[dependency.a], codes[dependency.b]
    seen = a >= 0
    return float((dependency.commonest[a[seen]] == b[seen]).mean()) if seen.any() else float("nan")


def dependencies(train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, Any]:
    """Each dependency with its share in train, test and synthetic rows; the mean and the worst of each."""
    train_codes, synthetic_codes, sizes = encode(train, synthetic)
    _, test_codes, _ = encode(train, test)
    pairs: list[dict[str, Any]] = [
        {
            "a": found.a,
            "b": found.b,
            "train": found.hold,
            "test": kept_share(found, test_codes),
            "synthetic": kept_share(found, synthetic_codes),
        }
        for found in find_dependencies(train_codes, sizes)
    ]
    result: dict[str, Any] = {"count": len(pairs), "pairs": pairs}
    for side in ("synthetic", "test"):
        shares = [pair[side] for pair in pairs]
        result[f"mean_{side}"] = float(np.nanmean(shares)) if shares else None
        result[f"worst_{side}"] = float(np.nanmin(shares)) if shares else None
    return result
