"""The measures that the ruler does not print, for one synthetic table: one JSON line. Runs in the ruler's environment.

usage: python -m benchmarks.extra --data DIR --synth SYNTH.parquet
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.dependencies import dependencies
from benchmarks.missingness import missingness
from benchmarks.verbatim import verbatim


def measure(train: pd.DataFrame, test: pd.DataFrame, synthetic: pd.DataFrame, categorical: list[str]) -> dict[str, Any]:
    """All of them; `n_test` goes along because the bound on copied rows needs it."""
    return {
        "n_train": len(train),
        "n_test": len(test),
        "verbatim": verbatim(train, test, synthetic, categorical),
        "dependencies": dependencies(train, test, synthetic),
        "missingness": missingness(train, test, synthetic),
    }


def main() -> None:
    """Read the three tables and print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--synth", type=Path, required=True)
    arguments = parser.parse_args()
    meta = json.loads((arguments.data / "meta.json").read_text())
    train, test = (pd.read_parquet(arguments.data / f"{part}.parquet") for part in ("train", "test"))
    print(json.dumps(measure(train, test, pd.read_parquet(arguments.synth), meta["categorical"])))


if __name__ == "__main__":
    main()
