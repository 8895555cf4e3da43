"""Ours and the rivals on pictures, in one go: train, draw, judge, print, write.

usage: python benchmarks/pictures.py [--sets fashion_mnist,...] [--seeds 0,1,2] [--without-ours] [--kept-only]
Every generator is a whole process with one budget, one at a time; what is finished is reused. README.md beside this
file says how to read what comes out.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import picture_gate, picture_runs, runs
from benchmarks.environments import RECIPES, make, our_python
from benchmarks.figures import Row, numbers, summarise
from benchmarks.gate import Line, Summary
from benchmarks.markdown import Column, cell, gate_section, grid
from benchmarks.picture_sets import SETS, SEVERAL_SEEDS
from benchmarks.tables import machine, words

PEERS = ("fm", "diffusers", "pythae", "torchgan", "ddp")
NAMES = {
    "ceiling": "real training pictures (ceiling)",
    "floor": "Gaussian of the pixels (floor)",
    "fresh": "fresh real pictures",
    "pythae": "pythae VAE",
    "torchgan": "torchgan DCGAN",
    "ddp": "denoising-diffusion-pytorch, DDIM",
    "diffusers": "diffusers UNet2DModel, DDIM",
    "fm": "plain flow matching",
    "anew": "**anew**",
}
COLUMNS = (
    Column("fd", "FD", digits=2),
    Column("kid", "KID", digits=3),
    Column("precision", "precision", digits=2),
    Column("recall", "recall", digits=2),
    Column("density", "density", digits=2),
    Column("coverage", "coverage", digits=2),
    Column("c2st", "C2ST"),
    Column("copies", "copies %", 100, 2),
    Column("nearer", "nearer train"),
    Column("obeys", "obeys"),
    Column("per_s", "pictures/s", digits=0),
    Column("per_cpu_s", "per CPU s", digits=0),
    Column("train_steps", "steps trained", digits=0),
    Column("fit_cpu_s", "CPU s", digits=0),
)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--sets", type=words, default=list(SETS), help="sets of pictures, by the names of their folders")
    several = f"default: 0,1,2 on {' and '.join(SEVERAL_SEEDS)}, 0 on the others"
    add("--seeds", type=lambda text: [int(word) for word in words(text)], help=several)
    add("--peers", type=words, default=list(PEERS))
    add("--seconds", type=float, default=300.0, help="of training on 2 threads: twice as many CPU seconds")
    add("--work", type=Path, default=runs.ROOT.parent / "bench-runs/pictures", help="where runs and scores are kept")
    add("--envs", type=Path, help="where the virtual environments are kept (default: WORK/envs)")
    add("--rulers", type=Path, default=runs.ROOT.parent / "shared/bench/image", help="peers.py, metrics.py, ...")
    add("--data", type=Path, help="the pictures (default: RULERS/../../data/images)")
    # absolute, not resolved: the link in a virtual environment is what makes it one
    add("--python", type=lambda text: Path(text).absolute(), help="an interpreter that has anew")
    add("--option", action="append", default=[], metavar="KEY=VALUE", help="passed on to anew.fit, for experiments")
    add("--clock", choices=("wall", "cpu"), default="wall", help="cpu: our budget too in CPU seconds")
    add("--under", type=shlex.split, default=[], help="words before the command of a rival or the judge: 'nice -n 10'")
    add("--ours-under", type=shlex.split, default=[], help="the same for ours: a command that waits for idle cores")
    add("--again", action="store_true", help="run everything again, whatever is kept")
    add("--kept-only", action="store_true", help="run nothing: judge and show what is kept")
    add("--kept-peers", action="store_true", help="run ours, and of the peers take what is kept: for work on ours")
    add("--without-ours", action="store_true", help="the peers alone")
    add("--out", type=Path, default=runs.HERE / "results", help="where pictures.md and pictures.json go")
    return parser.parse_args(argv)


@dataclass
class Session:
    """One call of this command: what was asked for, where things are, and what went wrong on the way."""

    given: argparse.Namespace
    bench: picture_runs.Bench
    envs: Path
    source: Path  # the snapshot of src/anew that is judged
    notes: list[str] = field(default_factory=list)

    @property
    def ours(self) -> str:
        """The name under which our runs are kept: it changes with our source and with what it is told."""
        told = [*sorted(self.given.option), self.given.clock, f"{self.given.seconds:g}"]
        return f"anew-{self.source.name}-{runs.digest([], *told)[:6]}"

    def seeds(self, name: str) -> list[int]:
        """The seeds of one set."""
        return list(self.given.seeds or ([0, 1, 2] if name in SEVERAL_SEEDS else [0]))

    def guarded(self, work: Callable[[], Any]) -> Any:
        """A generator that fails costs its own row, not the comparison."""
        try:
            return work()
        except (RuntimeError, OSError) as error:
            self.notes.append(str(error))
            print(error, file=sys.stderr, flush=True)
            return None

    def generators(self) -> Iterator[tuple[str, str, Callable[[str, int], dict[str, Any]]]]:
        """Title, name of the folder, and how to run it."""
        for peer in self.given.peers:
            yield peer, self.bench.peer(peer), partial(self.run_peer, peer)
        if not self.given.without_ours:
            yield "anew", self.ours, self.run_ours

    def run_peer(self, peer: str, name: str, seed: int) -> dict[str, Any]:
        """One rival on one set."""
        return picture_runs.run_peer(self.bench, name, peer, seed)

    def run_ours(self, name: str, seed: int) -> dict[str, Any]:
        """Ours on one set."""
        python = self.given.python or our_python(self.envs, runs.ROOT)
        options = [f"--clock={self.given.clock}", *(f"--option={option}" for option in self.given.option)]
        return picture_runs.run_ours(self.bench, name, self.ours, seed, python, self.source, options)

    def run_all(self) -> None:
        """Everything that is missing; the first seed of every set before the second of any."""
        most = max(len(self.seeds(name)) for name in self.given.sets)
        for turn in range(most):
            for name in self.given.sets:
                for seed in self.seeds(name)[turn : turn + 1]:
                    for title, generator, run in self.generators():
                        wanted = title == "anew" or not self.given.kept_peers
                        there = None if self.given.again else self.bench.finished(name, generator, seed)
                        if wanted and there is None:
                            self.guarded(partial(run, name, seed))

    def compare(self, name: str) -> dict[str, list[Row]]:
        """The rows of one set, one for each seed, under a generator and its sampling steps."""
        rows: dict[str, list[Row]] = {}
        for seed in self.seeds(name):
            for key, row in (self.guarded(partial(landmark_rows, self.bench, name, seed)) or {}).items():
                rows.setdefault(key, []).append(row)
            for title, generator, _ in self.generators():
                cost = self.bench.finished(name, generator, seed)
                score = cost and self.guarded(partial(picture_runs.score, self.bench, name, generator, seed))
                for steps, row in generator_rows(cost, score).items() if score else ():
                    rows.setdefault(f"{title} {steps}", []).append(row)
        return rows


def landmark_rows(bench: picture_runs.Bench, name: str, seed: int) -> dict[str, Row]:
    """Ceiling, floor and fresh pictures as rows."""
    found = picture_runs.landmarks(bench, name, seed)
    rows = {key: numbers(found[key], found[key]) for key in ("ceiling", "floor", "fresh")}
    rows["fresh"]["accuracy"] = float(found["accuracy"])
    return rows


def generator_rows(cost: Mapping[str, Any], score: Mapping[str, Any]) -> dict[str, Row]:
    """One run's figures, by sampling steps."""
    rows = {}
    for steps, found in score.items():
        spent = cost["draws"][steps]
        speed = {"per_s": cost["n"] / spent["seconds"], "per_cpu_s": cost["n"] / max(spent["cpu_s"], 1e-6)}
        rows[steps] = numbers(found, found) | speed | numbers(cost, ("fit_s", "fit_cpu_s", "load1"))
        rows[steps]["train_steps"] = float(cost["steps"])
    return rows


def title(key: str) -> str:
    """`fm 32` -> plain flow matching, 32 steps"""
    generator, _, steps = key.partition(" ")
    count, _, sampler = steps.partition(" ")
    return NAMES[generator] + (f", {count} step{'s' * (count != '1')}" if steps else "") + f" {sampler}".rstrip()


def section(name: str, found: Mapping[str, Summary]) -> list[str]:
    """One set's table."""
    fresh = found.get("fresh")
    said = f"The judge's accuracy on held-out pictures: {cell(fresh, Column('accuracy', ''))}." if fresh else ""
    lines = [[title(key), *(cell(row, column) for column in COLUMNS)] for key, row in found.items() if row]
    return [f"## {name}", "", said, "", *grid(["", *(column.heading for column in COLUMNS)], lines), ""]


def open_session(given: argparse.Namespace) -> Session:
    """Check what was given, make the rivals' environment."""
    rulers = given.rulers.resolve()
    data = (given.data or rulers.parents[1] / "data/images").resolve()
    if not (rulers / "peers.py").exists():
        raise SystemExit(f"no peers.py in {rulers}: give the rulers' folder with --rulers")
    for name in given.sets:
        if not (data / name / "data.npz").exists():
            raise SystemExit(f"no data.npz in {data / name}: give the folder of the pictures with --data")
    work = given.work.resolve()
    envs = (given.envs or work / "envs").resolve()
    python = make(envs / "image", RECIPES["image"])
    bench = picture_runs.Bench(rulers, data, work, python, given.seconds, tuple(given.under), tuple(given.ours_under))
    return Session(given, bench, envs, runs.snapshot(work, "run_anew_pictures.py"))


def write(session: Session, compared: Mapping[str, dict[str, list[Row]]]) -> list[Line]:
    """The page and the figures of every seed; the gate's lines."""
    given, sections, lines = session.given, ["# Ours and the rivals on pictures", ""], []
    budget = f"{given.seconds:g} s x 2 threads ({2 * given.seconds:g} CPU s)"
    sections += [f"Training: {budget} each. Means over seeds with 95 % t intervals. {machine()}.", ""]
    for name, rows in compared.items():
        found = {key: summarise(several) for key, several in rows.items()}
        sections += section(name, found)
        lines += [] if given.without_ours else picture_gate.quality(name, found)
    sections += gate_section(lines) + [f"- {note.splitlines()[0]}" for note in session.notes]
    print("\n".join(sections))
    record = {"ours": session.ours, "seconds": given.seconds, "machine": machine(), "sets": compared}
    record |= {"gate": [asdict(line) for line in lines], "notes": session.notes}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "pictures.md").write_text("\n".join(sections).rstrip() + "\n")
    (given.out / "pictures.json").write_text(json.dumps(record, indent=1) + "\n")
    return lines


def main(argv: list[str] | None = None) -> int:
    """Run the comparison; 0 if every criterion of the gate holds, 1 if one fails."""
    given = arguments(argv)
    session = open_session(given)
    if not given.kept_only:
        session.run_all()
    lines = write(session, {name: session.compare(name) for name in given.sets})
    return int(any(not line.passed for line in lines))


if __name__ == "__main__":
    sys.exit(main())
