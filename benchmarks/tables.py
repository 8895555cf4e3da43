"""Ours and the chosen peers on tables, in one go: run, score, print, write.

usage: python benchmarks/tables.py --sets adult,bank,diamonds,cancer --seeds 0,1,2 --peers cart_smooth20,mostly
Every generator runs as a whole process, one at a time; what is finished is reused (see runs.py). README.md beside this
file says how to read what comes out.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import gate, runs
from benchmarks.aims import aims
from benchmarks.environments import RECIPES, make, our_python, peer_python
from benchmarks.figures import Row, floor_row, natural_row, numbers, peak_mb, run_row, summarise
from benchmarks.interval import Interval
from benchmarks.markdown import gate_section, set_section

TRIVIAL = ("independent", "bootstrap")
SPEED_SET, SPEED_ROWS = "adult", 1_000_000
Summaries = dict[str, dict[str, Interval]]


def words(text: str) -> list[str]:
    """a,b,c"""
    return [word.strip() for word in text.split(",") if word.strip()]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--sets", type=words, default=list(gate.GATED), help="tables, by the names of their folders")
    add("--seeds", type=lambda text: [int(word) for word in words(text)], default=[0, 1, 2])
    add("--peers", type=words, default=[gate.TREES, gate.NETWORK], help="peers of run_peer.py")
    add("--work", type=Path, default=runs.ROOT.parent / "bench-runs", help="where runs and scores are kept")
    add("--envs", type=Path, help="where the virtual environments are kept (default: WORK/envs)")
    add("--bench", type=Path, default=runs.ROOT.parent / "shared/bench/tabular", help="score.py and run_peer.py")
    add("--data", type=Path, help="the tables (default: BENCH/../../data/tables)")
    # absolute, not resolved: the link in a virtual environment is what makes it one
    add(
        "--python",
        type=lambda text: Path(text).absolute(),
        help="an interpreter that has anew; without it an environment is made",
    )
    add("--option", action="append", default=[], metavar="KEY=VALUE", help="passed on to anew.fit, for experiments")
    add("--cap", type=float, default=600.0, help="seconds that a peer may train")
    add("--again", action="store_true", help="run everything again, whatever is kept")
    add("--kept-only", action="store_true", help="run nothing: score and show what is kept")
    add("--kept-peers", action="store_true", help="run ours, and of the peers take what is kept: for work on ours")
    add("--recorded", type=Path, help="a tables.json: peers and floor that it has are taken from there, not run")
    add("--earlier", default="", metavar="NAME", help="a source of ours (anew-...) whose runs are kept")
    add(
        "--unchanged",
        type=words,
        default=[],
        help="tables on which those runs stand for ours: what changed since does not touch them",
    )
    add("--one-floor", action="store_true", help="the floor of the first seed alone; it costs the most")
    add("--without-ours", action="store_true", help="the peers alone")
    add("--out", type=Path, default=runs.HERE / "results", help="where tables.md and tables.json go")
    return parser.parse_args(argv)


@dataclass
class Session:
    """One call of this command: what was asked for, where things are, and what went wrong on the way."""

    given: argparse.Namespace
    bench: runs.Bench
    envs: Path
    source: Path  # the snapshot of src/anew that is judged
    notes: list[str] = field(default_factory=list)

    @property
    def ours(self) -> str:
        """The name under which our runs are kept: it changes with our source and with the options."""
        options = f"-{runs.digest([], *sorted(self.given.option))[:6]}" if self.given.option else ""
        return f"anew-{self.source.name}{options}"

    def ours_on(self, table: str) -> str:
        """The name of ours on a table that the last change cannot have touched: that of the earlier source."""
        return self.given.earlier if self.given.earlier and table in self.given.unchanged else self.ours

    def guarded(self, work: Callable[[], Any]) -> Any:
        """A generator that fails costs its own row, not the comparison."""
        try:
            return work()
        except (RuntimeError, OSError) as error:
            self.notes.append(str(error))
            print(error, file=sys.stderr, flush=True)
            return None

    def cost(self, table: str, generator: str, seed: int, run: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """The cost of a run: kept, or of a new one."""
        peers = self.given.kept_peers and generator != self.ours
        run_none = self.given.kept_only or peers or (table in self.given.unchanged and generator == self.ours_on(table))
        kept = None if self.given.again and not run_none else self.bench.finished(table, generator, seed)
        if kept is not None or run_none:
            return kept
        found: dict[str, Any] | None = self.guarded(run)
        return found

    def run_peer(self, peer: str, table: str, seed: int) -> dict[str, Any] | None:
        """One peer on one table."""

        def run() -> dict[str, Any]:
            return runs.run_peer(self.bench, table, peer, seed, peer_python(self.envs, peer))

        return self.cost(table, peer, seed, run)

    def beside(self, seed: int) -> Path:
        """Where the plain CART is kept that ran just before this run of ours."""
        return self.bench.folder(SPEED_SET, f"cart-beside-{self.ours_on(SPEED_SET)}", seed)

    def run_ours(self, table: str, seed: int) -> dict[str, Any] | None:
        """Ours on one table; on adult plain CART runs first, since a ratio needs both times from one moment."""

        def run() -> dict[str, Any]:
            python = self.given.python or our_python(self.envs, runs.ROOT)
            options = [f"--option={option}" for option in self.given.option]
            if table == SPEED_SET:
                cart = peer_python(self.envs, "cart")
                runs.run_peer(self.bench, table, "cart", seed, cart, name=self.beside(seed).parent.name)
                options.append(f"--speed-rows={SPEED_ROWS}")
            return runs.run_ours(self.bench, table, self.ours, seed, python, self.source, options)

        return self.cost(table, self.ours_on(table), seed, run)

    def row(self, table: str, generator: str, seed: int, cost: dict[str, Any] | None) -> tuple[Row, Row] | None:
        """The figures of a finished run, and those of fresh rows beside them."""
        if cost is None:
            return None

        def figures() -> tuple[Row, Row]:
            score, extra = (judge(self.bench, table, generator, seed) for judge in (runs.score, runs.extra))
            return run_row(score, extra, cost), natural_row(score, extra)

        found: tuple[Row, Row] | None = self.guarded(figures)
        return found

    def generators(self, table: str) -> Iterator[tuple[str, str, Callable[[str, int], dict[str, Any] | None]]]:
        """Title, name of the folder, and how to run it; in the order of the printed rows."""
        for peer in [*TRIVIAL, *(peer for peer in self.given.peers if peer not in TRIVIAL)]:
            yield peer, peer, partial(self.run_peer, peer)
        if not self.given.without_ours:
            yield "anew", self.ours_on(table), self.run_ours

    def recorded(self, table: str, title: str) -> list[Row]:
        """The rows of an earlier comparison, if one is given and has them, of all seeds that are asked for."""
        if self.given.recorded is None:
            return []
        sets = json.loads(self.given.recorded.read_text())["sets"]
        found: list[Row] = sets.get(table, {}).get(title, [])
        if len(found) < (1 if title in (*TRIVIAL, "floor") else len(self.given.seeds)):
            found = []
        if found:
            self.notes.append(f"{table}: {title} is taken from an earlier run of this command")
        return found

    def compare(self, table: str) -> tuple[Summaries, dict[str, list[Row]]]:
        """Everything about one table: summaries and the rows per seed under them."""
        rows: dict[str, list[Row]] = {"floor": self.recorded(table, "floor")}
        natural: Row = {}
        for title, generator, run in self.generators(table):
            known = [] if title == "anew" else self.recorded(table, title)
            if known:
                rows[title] = known
                continue
            # one seed of the trivial ones is enough: they are landmarks, not rivals
            for seed in self.given.seeds[:1] if title in TRIVIAL else self.given.seeds:
                found = self.row(table, generator, seed, run(table, seed))
                if found:
                    rows.setdefault(title, []).append(found[0])
                    natural = found[1]
        floors = self.given.seeds[:1] if self.given.one_floor else self.given.seeds
        for seed in [] if rows["floor"] else floors:
            lines = self.guarded(partial(runs.floor, self.bench, table, seed))
            if lines:
                rows["floor"].append(floor_row(lines, natural))
        return {title: summarise(found) for title, found in rows.items()}, rows

    def cost_lines(self, ours: dict[str, Interval]) -> list[gate.Line]:
        """The cost part of the gate; the peaks and seconds of cart come from the runs beside ours."""
        costs = [runs.last_line(self.beside(seed) / "cost.jsonl") for seed in self.given.seeds]
        beside = [numbers(cost, ("fit_s", "wall_s", "cpu_s")) | {"peak_mb": peak_mb(cost)} for cost in costs if cost]
        return gate.cost(ours, summarise(beside)) if beside else []


def open_session(given: argparse.Namespace) -> Session:
    """Check what was given, make the ruler's environment."""
    data = given.data or given.bench.parent.parent / "data/tables"
    for script in ("score.py", "run_peer.py"):
        if not (given.bench / script).exists():
            raise SystemExit(f"no {script} in {given.bench}: give the rulers' folder with --bench")
    for table in given.sets:
        if not (data / table / "meta.json").exists():
            raise SystemExit(f"no meta.json in {data / table}: give the folder of the tables with --data")
    work = given.work.resolve()
    envs = (given.envs or work / "envs").resolve()
    ruler = make(envs / "ruler", RECIPES["ruler"])
    bench = runs.Bench(given.bench.resolve(), data.resolve(), work, ruler, given.cap)
    return Session(given, bench, envs, runs.snapshot(work))


def machine() -> str:
    """The machine in words: times mean nothing without it."""
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load {load} at the end"


def main(argv: list[str] | None = None) -> int:
    """Run the comparison; 0 if every criterion of the gate holds, 1 if one fails."""
    given = arguments(argv)
    session = open_session(given)
    sections = ["# Ours and the peers on tables", ""]
    seeds = ", ".join(str(seed) for seed in given.seeds)
    sections += [f"Means over seeds {seeds} with 95 % t intervals. {machine()}. Source {session.ours}.", ""]
    lines: list[gate.Line] = []
    hoped: list[gate.Line] = []
    record: dict[str, Any] = {"ours": session.ours, "seeds": given.seeds, "machine": machine(), "sets": {}}
    for table in given.sets:
        summaries, rows = session.compare(table)
        section = set_section(table, summaries)
        print("\n".join(section), flush=True)
        sections += section
        record["sets"][table] = rows
        if table in gate.GATED and not given.without_ours:
            lines += gate.quality(table, summaries)
            hoped += aims(table, summaries)
            if table == SPEED_SET and summaries.get("anew"):
                lines += session.cost_lines(summaries["anew"])
    if given.unchanged:
        session.notes.append(f"ours on {', '.join(given.unchanged)}: kept runs of {given.earlier}")
    last = gate_section(lines) + gate_section(hoped, "Aims") + [f"- {note.splitlines()[0]}" for note in session.notes]
    print("\n".join(last))
    record |= {
        "gate": [asdict(line) for line in lines],
        "aims": [asdict(line) for line in hoped],
        "notes": session.notes,
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "tables.md").write_text("\n".join([*sections, *last]).rstrip() + "\n")
    (given.out / "tables.json").write_text(json.dumps(record, indent=1) + "\n")
    return int(any(not line.passed for line in lines))


if __name__ == "__main__":
    sys.exit(main())
