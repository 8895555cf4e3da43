"""Start-up and cost as ratios: `import anew`, `anew --help`, and a whole run on adult beside plain sequential CART.

usage: python benchmarks/speed.py [--python PATH] [--repeats 3] [--work DIR] [--envs DIR] [--option KEY=VALUE]
CART and ours take turns, so that both meet the same load. A ratio is the median of the ratios of the turns; CPU seconds
stand beside the clock, since a shared machine stretches the clock alone.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import gate, runs
from benchmarks.environments import our_python, peer_python
from benchmarks.figures import peak_mb
from benchmarks.markdown import grid
from benchmarks.process import cpu_seconds
from benchmarks.tables import SPEED_ROWS, SPEED_SET, Session, arguments, open_session

MAX_IMPORT_S, MAX_HELP_S = 0.15, 0.30
SPEED_KEYS = ((1, "speed_rows_per_s"), (0, "rows_per_s"))  # ours by its speed test, cart by its one draw
FIGURES = (("fit_s", "fit, s"), ("wall_s", "whole process, s"), ("cpu_s", "whole process, CPU s"))


def own_arguments() -> tuple[int, argparse.Namespace]:
    """The number of turns, and the rest of the command line as tables.py reads it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    own, rest = parser.parse_known_args()
    return own.repeats, arguments(["--sets", SPEED_SET, *rest])


def seconds(command: list[str], repeats: int) -> tuple[float, float]:
    """Median seconds of a command by the clock and by its CPU, the first call (cold files) left out."""
    clock, cpu = [], []
    for _ in range(repeats + 1):
        started, spent = time.perf_counter(), cpu_seconds()
        subprocess.run(command, check=True, capture_output=True)
        clock.append(time.perf_counter() - started)
        cpu.append(cpu_seconds() - spent)
    return median(clock[1:]), median(cpu[1:])


def start_up(python: Path, repeats: int) -> list[list[str]]:
    """`import anew` beyond a bare interpreter, and `anew --help` as a person waits for it."""
    bare = seconds([str(python), "-c", "pass"], repeats)
    imported = seconds([str(python), "-c", "import anew"], repeats)
    beyond = (imported[0] - bare[0], imported[1] - bare[1])
    helped = seconds([str(python.parent / "anew"), "--help"], repeats)
    return [
        [name, f"{clock:.3f}", f"{cpu:.3f}", f"< {bar}", "pass" if clock < bar else "**FAIL**"]
        for name, (clock, cpu), bar in (
            ("import anew", beyond, MAX_IMPORT_S),
            ("anew --help", helped, MAX_HELP_S),
        )
    ]


def turn(session: Session, python: Path, seed: int, rows: int = SPEED_ROWS) -> tuple[dict[str, Any], dict[str, Any]]:
    """CART, then ours, at once after it; kept apart from the runs that are scored."""
    bench = replace(session.bench, work=session.bench.work / "speed")
    options = [f"--speed-rows={rows}", *(f"--option={option}" for option in session.given.option)]
    return (
        runs.run_peer(bench, SPEED_SET, "cart", seed, peer_python(session.envs, "cart")),
        runs.run_ours(bench, SPEED_SET, "anew", seed, python, session.source, options),
    )


def beside_cart(turns: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[list[str]]:
    """Each figure of both, and the median of the turns' ratios."""
    lines = []
    for figure, heading in FIGURES:
        cart, ours = (median(float(turn[side][figure]) for turn in turns) for side in (0, 1))
        ratio = median(float(ours[figure]) / max(float(cart[figure]), 1e-3) for cart, ours in turns)
        verdict = "" if figure == "fit_s" else "pass" if ratio <= gate.MAX_FIT_RATIO else "**FAIL**"
        lines.append([heading, f"{ours:.2f}", f"{cart:.2f}", f"{ratio:.2f}", verdict])
    memory, theirs = (median(peak_mb(turn[side]) for turn in turns) for side in (1, 0))
    bar = max(gate.MAX_MEMORY_RATIO * theirs, gate.FREE_MEMORY_MB)
    verdict = "pass" if memory <= bar else "**FAIL**"
    lines.append(["peak memory, MB", f"{memory:.0f}", f"{theirs:.0f}", f"{memory / theirs:.2f}", verdict])
    speed, donor = (median(float(turn[side][key]) for turn in turns) for side, key in SPEED_KEYS)
    verdict = "pass" if speed >= gate.MIN_ROWS_PER_SECOND else "**FAIL**"
    lines.append(["sampled rows a second", f"{speed:,.0f}", f"{donor:,.0f}", f"{speed / donor:.2f}", verdict])
    per_cpu = median(float(ours["speed_rows_per_cpu_s"]) for _, ours in turns)
    lines.append(["sampled rows a CPU second", f"{per_cpu:,.0f}", "", "", ""])
    return lines


def quickest(session: Session, python: Path, repeats: int) -> list[list[str]]:
    """The whole process with `time=1s`, beside plain CART's."""
    hurried = replace(session, given=argparse.Namespace(**{**vars(session.given), "option": ["time=1s"]}))
    turns = [turn(hurried, python, seed, rows=0) for seed in range(repeats)]
    lines = []
    for figure, heading in FIGURES[1:]:
        cart, ours = (median(float(turn[side][figure]) for turn in turns) for side in (0, 1))
        ratio = median(float(ours[figure]) / max(float(cart[figure]), 1e-3) for cart, ours in turns)
        verdict = "pass" if ratio <= gate.MAX_QUICK_RATIO else "**FAIL**"
        lines.append([heading, f"{ours:.2f}", f"{cart:.2f}", f"{ratio:.2f}", verdict])
    return lines


def main() -> None:
    """Measure and print all tables."""
    repeats, given = own_arguments()
    session = open_session(given)
    python = given.python or our_python(session.envs, runs.ROOT)
    print(
        "\n".join(grid(["start", "seconds", "CPU seconds", "bar, seconds", ""], start_up(python, max(repeats, 5)))),
        flush=True,
    )
    turns = [turn(session, python, seed) for seed in range(repeats)]
    print()
    print("\n".join(grid(["adult", "anew", "cart", "ratio", ""], beside_cart(turns))))
    print()
    print("\n".join(grid(["adult, shortest time", "anew", "cart", "ratio", ""], quickest(session, python, repeats))))
    print(f"\nload {os.getloadavg()[0]:.1f} at the end, {os.cpu_count()} cores, median of {repeats} turns")


if __name__ == "__main__":
    main()
