"""Steering pictures: inpainting, style transfer, text-to-image and latent codes, ours beside rivals and ceilings.

usage: python benchmarks/steering.py [--only inpainting,style,text,latent] [--sets fashion_mnist,...] [--without-ours]
Every fit and every judge is a whole process, one at a time; what is finished is reused, under --work, with sheets of
pictures beside it. Writes results/steering.{md,json}, and ends with 1 if a criterion fails. README.md beside this file
says how to read what comes out.
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import runs, steering_page
from benchmarks.environments import RECIPES, make, our_python
from benchmarks.gate import Line
from benchmarks.markdown import gate_section
from benchmarks.picture_runs import THREADS, Bench, judge_key
from benchmarks.steering_sets import PARTS
from benchmarks.tables import machine, words

WAYS = {
    "inpainting": ("masks",),
    "style": ("unpaired", "paired"),
    "text": ("caption", "class"),
    "latent": ("pythae", "elbo", "diffusion"),
}
PEERS = ("pythae",)
JUDGED = (
    "steering_sets.py",
    "steering_masks.py",
    "retrieval.py",
    "offline_features.py",
    "style_judge.py",
    "picture_judge.py",
    "picture_sets.py",
)
ASKING = ("steering_sets.py", "steering_masks.py", "overwriting.py", "picture_sets.py")
Rows = dict[str, dict[str, float]]


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--only", type=words, default=list(PARTS), help="parts: inpainting, style, text, latent")
    add("--sets", type=words, help="sets of pictures, by the names of their folders (default: those of each part)")
    add("--ways", type=words, help="ways to train: masks; unpaired, paired; caption, class; pythae, elbo, diffusion")
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=300.0, help="of training on 2 threads, each")
    add("--pictures", type=int, default=200, help="held-out pictures, emoji and prompts that are asked; 0 for all")
    add("--draws", type=int, default=8, help="of each half picture")
    add("--side", type=int, help="reduce emoji and icons to so many pixels (default: 64, as they are)")
    add("--work", type=Path, default=runs.ROOT.parent / "bench-runs/steering", help="where runs and scores are kept")
    add("--judges", type=Path, help="where pictures.py keeps its judges (default: WORK/../pictures/judges)")
    add("--envs", type=Path, help="where the virtual environments are kept (default: WORK/envs)")
    add("--rulers", type=Path, default=runs.ROOT.parent / "shared/bench/image", help="peers.py, metrics.py, ...")
    add("--data", type=Path, help="the pictures (default: RULERS/../../data/images)")
    # absolute, not resolved: the link in a virtual environment is what makes it one
    add("--python", type=lambda text: Path(text).absolute(), help="an interpreter that has anew")
    add("--option", action="append", default=[], metavar="KEY=VALUE", help="passed on to anew.fit, for experiments")
    add("--clock", choices=("wall", "cpu"), default="wall", help="cpu: our budget in CPU seconds, on a busy machine")
    add("--under", type=shlex.split, default=[], help="words before the command of a rival or the judge: 'nice -n 10'")
    add("--ours-under", type=shlex.split, default=[], help="the same for ours: a command that waits for idle cores")
    add("--again", action="store_true", help="run everything again, whatever is kept")
    add("--kept-only", action="store_true", help="run nothing: judge and show what is kept")
    add("--without-ours", action="store_true", help="rivals and ceilings alone")
    add("--out", type=Path, default=runs.HERE / "results", help="where steering.md and steering.json go")
    return parser.parse_args(argv)


@dataclass
class Session:
    """One call of this command: what was asked for, where things are, and what went wrong on the way."""

    given: argparse.Namespace
    rulers: Path
    data: Path
    work: Path
    judges: Path
    judge_python: Path
    our_python: Path
    source: Path  # the snapshot of src/anew that is judged
    notes: list[str] = field(default_factory=list)

    def asked(self, part: str) -> list[str]:
        """The options that say how much is asked of a part."""
        given = self.given
        count = [f"--pictures={given.pictures}"] if given.pictures else []
        draws = [f"--draws={given.draws}"] if part == "inpainting" else []
        return [*count, *draws, *self.side(part)]

    def side(self, part: str) -> list[str]:
        """The size of emoji and icons."""
        return [f"--side={self.given.side}"] if self.given.side and part in ("style", "text") else []

    def folder(self, part: str, name: str, way: str) -> Path:
        """Where one run is kept: ours under the hash of its source, and all under that of what it was told."""
        told = [*self.asked(part), f"{self.given.seconds:g}"]
        asking = [runs.HERE / source for source in ASKING]
        if way in PEERS:
            kept = f"{way}-{runs.digest(asking, *told)[:6]}"
        else:
            told += [*sorted(self.given.option), self.given.clock]
            kept = f"{way}-{self.source.name}-{runs.digest(asking, *told)[:6]}"
        return self.work / part / name / kept / str(self.given.seed)

    def ways(self, part: str) -> Iterator[str]:
        """The ways of a part that were asked for."""
        for way in WAYS[part]:
            if (self.given.ways is None or way in self.given.ways) and (way in PEERS or not self.given.without_ours):
                yield way

    def run(self, part: str, name: str, way: str) -> dict[str, Any] | None:
        """One way of one part as a whole process; its cost. Kept if it is finished."""
        place = self.folder(part, name, way)
        cost = runs.last_line(place / "cost.jsonl") if (place / "made.npz").exists() else None
        if (cost and not self.given.again) or self.given.kept_only:
            return cost
        place.mkdir(parents=True, exist_ok=True)
        (place / "made.npz").unlink(missing_ok=True)
        print(f"running {part} {way} on {name}", file=sys.stderr, flush=True)
        given = self.given
        what = [f"--data={self.data}", f"--set={name}", f"--seed={given.seed}", f"--seconds={given.seconds}"]
        what += [f"--out={place}", *self.asked(part)]
        if way in PEERS:
            command = [*given.under, str(self.judge_python), "-m", "benchmarks.run_steering_peer", *what]
        else:
            command = [*given.ours_under, str(self.our_python), "-m", "benchmarks.run_anew_steering", *what]
            command += [f"--part={part}", f"--way={way}", f"--clock={given.clock}"]
            command += [f"--option={option}" for option in given.option]
        runs.call(command, place / "run.log", PYTHONPATH=self.path(self.source), **THREADS)
        return runs.last_line(place / "cost.jsonl")

    def path(self, *more: Path) -> str:
        """The PYTHONPATH of a process."""
        return os.pathsep.join(str(folder) for folder in (*more, runs.ROOT, self.rulers))

    def judge(self, part: str, name: str, made: Path | None) -> Rows:
        """The judge's rows: of one run, or of rivals and ceilings. Kept while nothing that they depend on changes."""
        held = [option for option in self.asked(part) if not option.startswith("--draws")]
        tested = {"style": "--tested", "text": "--asked"}.get(part, "--pictures")
        asked = [option.replace("--pictures", tested) for option in held]
        place = made.parent if made else self.work / part / name / f"beside-{runs.digest([], *asked)[:6]}"
        sources = [runs.HERE / source for source in (*JUDGED, f"steering_{part}.py")] + [self.rulers / "metrics.py"]
        inputs = sorted((self.data / name).glob("*.*"))
        key = runs.digest([*sources, *inputs, *([made] if made else [])], *asked, str(self.given.seed))
        file = place / "score.json"
        value = runs.kept(file, key)
        if value is None:
            print(f"judging {part} on {name}: {place.name}", file=sys.stderr, flush=True)
            place.mkdir(parents=True, exist_ok=True)
            command = [*self.given.under, str(self.judge_python), "-m", f"benchmarks.steering_{part}", *asked]
            command += [f"--data={self.data}", *self.where(part, name), *([f"--made={made}"] if made else [])]
            lines = runs.call(command, place / "score.log", PYTHONPATH=self.path(), **THREADS).strip().splitlines()
            value = json.loads(lines[-1])
            runs.keep(file, key, value)
        return dict(value)

    def where(self, part: str, name: str) -> list[str]:
        """Where the judge of a part keeps what it computes once."""
        if part in ("style", "text"):
            side = self.given.side or 64
            styles = runs.digest([runs.HERE / "style_judge.py"], str(side))
            which = [f"--set={name}"] if part == "text" else [f"--keep={self.judges / f'styles-{styles}.pt'}"]
            return [*which, f"--features={self.work / 'features'}"]
        bench, seed = Bench(self.rulers, self.data, self.judges.parent, self.judge_python), self.given.seed
        keep = self.judges / f"{name}-{seed}-{judge_key(bench, name, seed)}.pt"
        return [f"--set={name}", f"--seed={seed}", f"--keep={keep}"]

    def compare(self, part: str, name: str) -> Rows:
        """All rows of one set."""
        rows = self.judge(part, name, None)
        for way in self.ways(part):
            try:
                cost = self.run(part, name, way)
                found = self.judge(part, name, self.folder(part, name, way) / "made.npz") if cost else {}
            except (RuntimeError, OSError) as error:  # a run that fails costs its own rows
                self.notes.append(str(error))
                print(error, file=sys.stderr, flush=True)
                continue
            spent = {key: float(cost[key]) for key in ("steps", "fit_cpu_s", "latents") if key in (cost or {})}
            rows |= {f"{way}: {key}": row | spent for key, row in found.items()}
        return steering_page.with_shares(part, rows)


def open_session(given: argparse.Namespace) -> Session:
    """Check what was given, make the environments."""
    if strange := set(given.only) - set(PARTS):
        raise SystemExit(f"no such part {sorted(strange)}; there are: {', '.join(PARTS)}")
    rulers, work = given.rulers.resolve(), given.work.resolve()
    data = (given.data or rulers.parents[1] / "data/images").resolve()
    if not (rulers / "metrics.py").exists():
        raise SystemExit(f"no metrics.py in {rulers}: give the rulers' folder with --rulers")
    envs = (given.envs or work / "envs").resolve()
    ours = given.python or (Path(sys.executable) if given.without_ours else our_python(envs, runs.ROOT))
    source = runs.snapshot(work, "run_anew_steering.py")
    judges = (given.judges or work.parent / "pictures/judges").resolve()
    return Session(given, rulers, data, work, judges, make(envs / "image", RECIPES["image"]), ours, source)


def main(argv: list[str] | None = None) -> int:
    """Run, judge, print, write; 0 if every criterion holds."""
    given = arguments(argv)
    session = open_session(given)
    found: dict[str, dict[str, Rows]] = {}
    lines: list[Line] = []
    sections = ["# Steering pictures", "", f"{budget(given)} {machine()}.", ""]
    for part in given.only:
        for name in [name for name in PARTS[part] if given.sets is None or name in given.sets]:
            rows = session.compare(part, name)
            found.setdefault(part, {})[name] = rows
            sections += steering_page.section(part, name, rows)
            lines += steering_page.criteria(part, name, rows)
    sections += gate_section(lines) + [f"- {note.splitlines()[0]}" for note in session.notes]
    print("\n".join(sections))
    told = {key: value for key, value in vars(given).items() if isinstance(value, int | float | str | list)}
    record = {"source": session.source.name, "machine": machine(), "given": told, "parts": found}
    record |= {"gate": [asdict(line) for line in lines], "notes": session.notes}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "steering.md").write_text("\n".join(sections).rstrip() + "\n")
    (given.out / "steering.json").write_text(json.dumps(record, indent=1) + "\n")
    return int(any(not line.passed for line in lines))


def budget(given: argparse.Namespace) -> str:
    """What was asked for, in a sentence."""
    clock = "CPU seconds" if given.clock == "cpu" else "seconds by the clock"
    asked = f"{given.pictures} held-out pictures, emoji or prompts" if given.pictures else "all held-out pictures"
    side = f" Emoji and icons at {given.side} px." if given.side else ""
    each = f"{given.seconds:g} s x 2 threads ({clock})"
    return f"Training: {each} each, seed {given.seed}; {asked}.{side}"


if __name__ == "__main__":
    sys.exit(main())
