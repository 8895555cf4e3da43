"""Generators of pictures as whole processes, and their scores, kept in the work folder: nothing is computed twice.

WORK/runs/SET/GENERATOR/SEED/samples.npz    what it drew, an array for each number of sampling steps
                             sheet-*.png    the first 64 of them
                             cost.jsonl     what that cost, one line per run, the last one counts
                             score.json     {key, value}: the judge's line
WORK/judges/SET-SEED-KEY.pt                 the judge; SET-SEED.json: ceiling, floor, fresh pictures
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import runs

JUDGE_SOURCES = ("picture_judge.py", "picture_floor.py", "picture_sets.py")
# two threads unless the surroundings say another number; those that wait must not spin, since CPU seconds are counted
THREADS = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"), "OMP_WAIT_POLICY": "passive"}


@dataclass(frozen=True)
class Bench:
    """Where everything is, the Python of the rivals and the judge, seconds of training, and the words before a command
    (`nice -n 10`, or one that waits for an idle machine)."""

    rulers: Path
    data: Path
    work: Path
    python: Path
    seconds: float = 300.0
    under: tuple[str, ...] = ()
    ours_under: tuple[str, ...] = ()

    def folder(self, name: str, generator: str, seed: int) -> Path:
        """Where one run is kept."""
        return self.work / "runs" / name / generator / str(seed)

    def finished(self, name: str, generator: str, seed: int) -> dict[str, Any] | None:
        """The cost of a run that ended well, None if there is no such run."""
        folder = self.folder(name, generator, seed)
        return runs.last_line(folder / "cost.jsonl") if (folder / "samples.npz").exists() else None

    def path(self, *more: Path) -> str:
        """The PYTHONPATH of a process."""
        return os.pathsep.join(str(folder) for folder in (*more, runs.ROOT, self.rulers))

    def peer(self, peer: str) -> str:
        """The name under which a rival's runs are kept."""
        return f"{peer}-{self.seconds:g}s"


def run(bench: Bench, name: str, generator: str, seed: int, command: Sequence[str], path: str) -> dict[str, Any]:
    """One generator on one set as a whole process; its cost."""
    folder = bench.folder(name, generator, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "samples.npz").unlink(missing_ok=True)
    print(f"running {generator} on {name}, seed {seed}", file=sys.stderr, flush=True)
    what = [f"--data={bench.data}", f"--set={name}", f"--seed={seed}", f"--out={folder}", f"--seconds={bench.seconds}"]
    runs.call([*command, *what], folder / "run.log", PYTHONPATH=path, **THREADS)
    cost = bench.finished(name, generator, seed)
    if cost is None:
        raise RuntimeError(f"{generator} drew nothing of {name} (seed {seed}); its words are in {folder / 'run.log'}")
    return cost


def run_peer(bench: Bench, name: str, peer: str, seed: int) -> dict[str, Any]:
    """One rival."""
    command = [*bench.under, str(bench.python), "-m", "benchmarks.run_picture_peer", f"--peer={peer}"]
    return run(bench, name, bench.peer(peer), seed, command, bench.path())


def run_ours(
    bench: Bench, name: str, generator: str, seed: int, python: Path, source: Path, options: Sequence[str]
) -> dict[str, Any]:
    """Ours, from a snapshot of the source; `options` go to run_anew_pictures.py."""
    command = [*bench.ours_under, str(python), "-m", "benchmarks.run_anew_pictures", *options]
    return run(bench, name, generator, seed, command, bench.path(source))


def judge(bench: Bench, name: str, seed: int, log: Path, *what: str) -> dict[str, Any]:
    """The judge's line."""
    keep = bench.work / "judges" / f"{name}-{seed}-{judge_key(bench, name, seed)}.pt"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [*bench.under, str(bench.python), "-m", "benchmarks.picture_judge", f"--data={bench.data}"]
    command += [f"--set={name}", f"--seed={seed}", f"--keep={keep}", *what]
    words = runs.call(command, log, PYTHONPATH=bench.path(), **THREADS)
    found: dict[str, Any] = json.loads(words.strip().splitlines()[-1])
    return found


def inputs(bench: Bench, name: str) -> list[Path]:
    """What a score depends on besides the judge's source: the pictures and how they are split."""
    split = runs.HERE / "splits" / f"{name}.json"
    return [bench.data / name / "data.npz", *([split] if split.exists() else [])]


def judge_key(bench: Bench, name: str, seed: int, *more: Path) -> str:
    """The key of a score."""
    sources = [*(runs.HERE / source for source in JUDGE_SOURCES), bench.rulers / "metrics.py"]
    return runs.digest([*sources, *inputs(bench, name), *more], str(seed))


def score(bench: Bench, name: str, generator: str, seed: int) -> dict[str, Any]:
    """The judge's figures for each number of sampling steps of one run."""
    folder = bench.folder(name, generator, seed)
    samples, file = folder / "samples.npz", folder / "score.json"
    key = judge_key(bench, name, seed, samples)
    value = runs.kept(file, key)
    if value is None:
        print(f"judging {generator} on {name}, seed {seed}", file=sys.stderr, flush=True)
        value = judge(bench, name, seed, folder / "score.log", f"--samples={samples}")
        runs.keep(file, key, value)
    return dict(value)


def landmarks(bench: Bench, name: str, seed: int) -> dict[str, Any]:
    """Ceiling, floor and fresh pictures."""
    file = bench.work / "judges" / f"{name}-{seed}.json"
    key = judge_key(bench, name, seed)
    value = runs.kept(file, key)
    if value is None:
        print(f"training the judge of {name}, seed {seed}", file=sys.stderr, flush=True)
        value = judge(bench, name, seed, file.with_suffix(".log"))
        runs.keep(file, key, value)
    return dict(value)
