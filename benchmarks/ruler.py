"""Run the ruler (score.py) as its own main program, with sdmetrics' LogisticDetection guarded.

The ruler's `--floor` calls LogisticDetection without a guard; on a table of thousands of categories (flights) the
one-hot matrix does not fit in memory. The measure is nearly blind and no gate reads it, so here it answers nan for such
tables, and for all tables where SKIP_LR is set (the ruler itself heeds that variable everywhere but there).

usage: python -m benchmarks.ruler SCORE.py --train ... (the ruler's own arguments). Runs in the ruler's environment.
"""

import os
import runpy
import sys
from typing import Any

import pandas as pd
from sdmetrics.single_table import LogisticDetection

MAX_LEVELS = 2000


def guard_logistic_detection() -> None:
    """Replace LogisticDetection.compute by one that refuses tables too wide to one-hot."""
    compute = LogisticDetection.compute

    def guarded(real_data: pd.DataFrame, synthetic_data: pd.DataFrame, metadata: dict[str, Any]) -> float:
        columns = metadata["columns"]
        levels = sum(real_data[c].nunique() for c in columns if columns[c]["sdtype"] == "categorical")
        if levels > MAX_LEVELS or os.environ.get("SKIP_LR"):
            return float("nan")
        return float(compute(real_data=real_data, synthetic_data=synthetic_data, metadata=metadata))

    LogisticDetection.compute = guarded


if __name__ == "__main__":
    guard_logistic_detection()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
