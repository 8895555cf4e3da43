"""How the cost grows: rows, columns, levels. Each fit is a process of its own; ratios are of its seconds.

usage: python benchmarks/scale.py [--python PATH] [--quick] [--only rows,columns,levels] [--out DIR]
The tables are made here, so that anyone can run it: each column follows the one before it, every second one is a
category, and the third last repeats the third with some noise (does a dependence between far columns survive?).
`--quick` takes a tenth of the rows.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.markdown import grid

HERE = Path(__file__).resolve().parent
COLUMNS = 15
ROWS, MORE_ROWS, MAX_ROWS_RATIO = 1_000_000, 4_000_000, 5.0
WIDE_ROWS, WIDTH, MORE_WIDTH, MAX_WIDTH_RATIO = 10_000, 100, 500, 7.0
LEVEL_ROWS, LEVELS = 1_000_000, 100_000
LETTERS = list("abcdefgh")


def table(rows: int, columns: int, levels: int) -> Any:
    """The made table as a polars frame; with `levels` its last column is a category of so many, which says column 0."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(rows + columns)
    made: dict[str, Any] = {}
    last = third = rng.standard_normal(rows)
    for j in range(columns):
        last = 0.6 * last + 0.8 * rng.standard_normal(rows)
        third = last if j == 2 else third
        numbers = third + 0.1 * rng.standard_normal(rows) if j == columns - 3 else last
        plain = j % 2 == 1 or j in (2, columns - 3)
        cut = np.clip(np.digitize(numbers, [-1.5, -1, -0.5, 0, 0.5, 1, 1.5]), 0, 7)
        made[f"x{j}"] = numbers.round(3) if plain else np.array(LETTERS)[cut]
    if levels:
        made["level"] = [f"L{code}" for code in (rng.zipf(1.3, rows) * 7919 + cut) % levels]
    return pl.DataFrame(made)


def one(rows: int, columns: int, levels: int) -> dict[str, Any]:
    """Fit and sample as many rows in this process: seconds, peak, and what became of the far dependence."""
    import numpy as np

    import anew

    real = table(rows, columns, levels)
    started, spent = time.perf_counter(), time.process_time()
    model = anew.fit(real)
    fit = time.perf_counter() - started
    made = model.sample(rows, seed=1)
    near, far = "x2", f"x{columns - 3}"
    return {
        "fit_s": fit,
        "both_s": time.perf_counter() - started,
        "cpu_s": time.process_time() - spent,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "trees": model.plan.create[0].options.get("trees"),
        "far_real": float(np.corrcoef(real[near], real[far])[0, 1]),
        "far_made": float(np.corrcoef(made[near], made[far])[0, 1]),
        "levels_real": real["level"].n_unique() if levels else 0,
        "levels_made": made["level"].n_unique() if levels else 0,
    }


def child(python: str, *numbers: int) -> dict[str, Any]:
    """`one` in a process of its own."""
    print(f"fitting {numbers[0]:,} rows, {numbers[1]} columns", file=sys.stderr, flush=True)
    variables = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [python, str(Path(__file__).resolve()), "--one", *map(str, numbers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=variables)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def cells(title: str, run: dict[str, Any]) -> list[str]:
    """A row of the printed table."""
    numbers = [run["fit_s"], run["both_s"], run["cpu_s"]]
    far = f"{run['far_made'] / run['far_real']:.3f}"
    return [title, *(f"{n:.1f}" for n in numbers), f"{run['peak_mb']:.0f}", str(run["trees"]), far]


def verdict(what: str, runs: dict[str, dict[str, Any]], names: tuple[str, str], bar: float) -> str:
    """The ratio of two runs beside its bar."""
    small, large = (runs[name] for name in names)
    ratio, cpu = large["both_s"] / small["both_s"], large["cpu_s"] / small["cpu_s"]
    word = "pass" if ratio <= bar else "**FAIL**"
    return f"{what}: {ratio:.2f} x the seconds, {cpu:.2f} x the CPU seconds (bar {bar:.0f}): {word}"


def measure(given: argparse.Namespace) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Every run that was asked for, and what they say."""
    part, runs, words = 10 if given.quick else 1, dict[str, dict[str, Any]](), list[str]()
    if "rows" in given.only:
        names = (f"{ROWS // part:,} rows", f"{MORE_ROWS // part:,} rows")
        for name, rows in zip(names, (ROWS, MORE_ROWS), strict=True):
            runs[name] = child(given.python, rows // part, COLUMNS, 0)
        words.append(verdict("four times the rows", runs, names, MAX_ROWS_RATIO))
    if "columns" in given.only:
        names = (f"{WIDTH} columns", f"{MORE_WIDTH} columns")
        for name, width in zip(names, (WIDTH, MORE_WIDTH), strict=True):
            runs[name] = child(given.python, WIDE_ROWS // part, width, 0)
        words.append(verdict("five times the columns", runs, names, MAX_WIDTH_RATIO))
    if "levels" in given.only:
        run = runs["many levels"] = child(given.python, LEVEL_ROWS // part, 5, LEVELS)
        words.append(
            f"a column of {run['levels_real']:,} levels: {run['levels_made']:,} of them among as many new rows"
        )
    return runs, words


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=["rows", "columns", "levels"])
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--one", type=int, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(*given.one)))
        return
    runs, words = measure(given)
    heading = ["table", "fit s", "fit and sample s", "CPU s", "peak MB", "trees", "far dependence kept"]
    text = ["# How the cost grows", "", f"{os.cpu_count()} cores, Python {platform.python_version()}.", ""]
    text += [*grid(heading, [cells(name, run) for name, run in runs.items()]), "", *(f"- {word}" for word in words)]
    print("\n".join(text))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "scale.md").write_text("\n".join(text) + "\n")
    (given.out / "scale.json").write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
