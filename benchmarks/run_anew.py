"""Run anew on one table as a whole process; append one JSON line of cost, write the synthetic table.

usage: python run_anew.py --data DIR --out SYNTH.parquet --log LOG [--seed S] [--option KEY=VALUE] [--speed-rows N]
The twin of ../shared/bench/tabular/run_peer.py: same order of work, same fields. anew gets the frame and a seed, and
nothing else: which columns are categorical is for it to find. `--option` hands a keyword to anew.fit, for experiments.
"""

import time

START = time.time()  # before the heavy imports: they are part of what a user waits for

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402
from typing import Any  # noqa: E402

# its own folder must not stay first on the path: our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import PeakMemory, cpu_seconds, max_rss_mb  # noqa: E402


def option(text: str) -> tuple[str, Any]:
    """key=value, the value read as JSON where it is JSON and as text where it is not."""
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"an option is key=value. Got {text!r}.")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--option", type=option, action="append", default=[])
    parser.add_argument("--speed-rows", type=int, default=0, help="also time sampling so many rows: median of 3")
    return parser.parse_args()


def as_ruler_text(value: Any) -> str | None:
    """A category as the peers' runner writes it: text, or None where missing."""
    return None if value is None or value != value or str(value) == "<NA>" else str(value)


def sampling_speed(model: Any, rows: int, seed: int) -> dict[str, float]:
    """Rows a second by the clock and a CPU second: a warm-up, then the median of three draws of `rows` rows."""
    model.sample(rows, seed=seed)
    clock, cpu = [], []
    for repeat in range(3):
        started, spent = time.perf_counter(), cpu_seconds()
        model.sample(rows, seed=seed + 1 + repeat)
        clock.append(time.perf_counter() - started)
        cpu.append(cpu_seconds() - spent)
    return {"speed_rows_per_s": rows / median(clock), "speed_rows_per_cpu_s": rows / max(median(cpu), 1e-6)}


def main() -> None:
    """Fit, sample as many rows as were learned from, write, record."""
    given = arguments()
    peak = PeakMemory()
    meta = json.loads((given.data / "meta.json").read_text())
    cost: dict[str, Any] = {"peer": "anew", "data": meta["name"], "seed": given.seed, "options": dict(given.option)}

    import pandas as pd

    train = pd.read_parquet(given.data / "train.parquet")
    cost.update(n_train=len(train), n_cols=train.shape[1])

    start = time.time()
    import anew

    cost["import_s"] = time.time() - start

    start = time.time()
    model = anew.fit(train, seed=given.seed, **dict(given.option))
    cost["fit_s"] = time.time() - start

    start = time.time()
    sample = model.sample(len(train), seed=given.seed)
    cost["sample_s"] = time.time() - start

    sample = sample[list(train.columns)].reset_index(drop=True)
    for name in meta["categorical"]:
        sample[name] = sample[name].map(as_ruler_text)
    sample.to_parquet(given.out)

    cost.update(rows=len(sample), rows_per_s=len(sample) / max(cost["sample_s"], 1e-6))
    # taken before the speed test, which is no part of what the peers' runner does
    cost.update(peak_mb=peak.mb(), maxrss_mb=max_rss_mb(), cpu_s=cpu_seconds(), wall_s=time.time() - START)
    cost["load1"] = os.getloadavg()[0]
    if given.speed_rows:
        cost |= sampling_speed(model, given.speed_rows, given.seed)
    line = json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in cost.items()})
    with given.log.open("a") as log:
        log.write(line + "\n")
    print(line)


if __name__ == "__main__":
    main()
