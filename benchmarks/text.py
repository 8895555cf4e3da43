"""Language models on tiny_shakespeare: ours and the rivals trained alike, then how fast ours trains and writes, and
which span it prefers in a gap.

usage: python benchmarks/text.py [--only language,training,decoding,gaps] [--long] [--clock cpu] [--kept-only]
Every fit is a whole process with one budget; what is finished is kept. README.md beside this file says how to read what
comes out.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import runs
from benchmarks.environments import our_python
from benchmarks.gate import Line
from benchmarks.markdown import gate_section, grid
from benchmarks.tables import machine, words

PARTS = ("language", "training", "decoding", "gaps")
SHORT, LONG = 300.0, 600.0  # seconds on two threads
WAYS = {  # what is fitted: seconds, and what anew.fit is told
    "gpt": (SHORT, ("mix=1",)),
    "gpt longer": (LONG, ("mix=1",)),
    "gaps": (SHORT, ("infill=0.5",)),
    "recurrent": (SHORT, ("network=recurrent",)),
    "ngram": (SHORT, ("network=ngram",)),
}
PEERS = {"nanogpt": "nanoGPT's CPU configuration", "lstm": "LSTM of torch"}
TITLES = {"anew": "the mixture of both", "network": "the network alone", "counts": "the n-grams alone"}
GPU = 1.4697  # nanoGPT's README, its GPU configuration
BARS = (  # way, part of it, nats per character by windows
    ("gpt", "network", 1.47),
    ("gpt longer", "network", 1.43),
    ("recurrent", "anew", 1.62),
)
SHARE = 0.35  # of the machine's rate of products in halves
ALONE, TOGETHER, TIMES = 3000.0, 15000.0, 3.0  # tokens a second at batch 1 and 32; times transformers' at 1
PREFERRED = 0.9
TEXT = "text/tiny_shakespeare"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--only", type=words, default=list(PARTS), help="parts")
    add("--ways", type=words, default=[*PEERS, *(way for way in WAYS if way != "gpt longer")])
    add("--long", action="store_true", help=f"also {LONG:g} seconds")
    add("--seed", type=int, default=0)
    add("--data", type=Path, default=runs.ROOT.parent / "shared/data")
    add("--work", type=Path, default=runs.ROOT.parent / "bench-runs/text", help="where runs and scores are kept")
    add("--envs", type=Path, help="where the virtual environments are kept (default: WORK/envs)")
    # absolute, not resolved: the link in a virtual environment is what makes it one
    add("--python", type=lambda text: Path(text).absolute(), help="an interpreter that has anew and transformers")
    add("--clock", choices=("wall", "cpu"), default="wall", help="cpu: budgets in CPU seconds, on a busy machine")
    add("--kept-only", action="store_true", help="run nothing: show what is kept")
    add("--earlier", default="", help="take our kept runs of this earlier source")
    add("--out", type=Path, default=runs.HERE / "results", help="where text.md and text.json go")
    return parser.parse_args(argv)


@dataclass
class Session:
    """One call of this command."""

    given: argparse.Namespace
    python: Path
    source: Path
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> Path:
        """The folder of the text."""
        return Path(self.given.data.resolve() / TEXT)

    @property
    def held(self) -> list[str]:
        """What is never learned from."""
        return [str(self.text / "valid.txt"), str(self.text / "test.txt")]

    def folder(self, way: str) -> Path:
        """Where a run is kept."""
        name = way if way in PEERS else f"{way.replace(' ', '-')}-{self.source.name}-{self.given.clock}"
        return Path(self.given.work.resolve() / "runs" / name / str(self.given.seed))

    def run(self, way: str) -> dict[str, Any] | None:
        """One fit with its scores; None if there is none and none may be made."""
        place = self.folder(way)
        cost = runs.last_line(place / "cost.jsonl")
        if cost or self.given.kept_only:
            return cost
        place.mkdir(parents=True, exist_ok=True)
        print(f"running {way}", file=sys.stderr, flush=True)
        seconds, options = WAYS.get(way, (SHORT, ()))
        what = [f"--train={self.text / 'train.txt'}", "--held", *self.held, f"--out={place}", f"--seconds={seconds:g}"]
        what.append(f"--seed={self.given.seed}")
        if way in PEERS:
            command = ["-m", "benchmarks.run_text_peer", f"--peer={way}", *what]
        else:
            command = ["-m", "benchmarks.run_anew_text", *what, f"--clock={self.given.clock}"]
            command += [f"--option={option}" for option in options]
        self.call(command, place / "run.log")
        return runs.last_line(place / "cost.jsonl")

    def call(self, command: list[str], log: Path) -> str:
        """A process with our source."""
        path = os.pathsep.join([str(self.source), str(runs.ROOT)])
        try:
            return runs.call([str(self.python), *command], log, PYTHONPATH=path, OMP_WAIT_POLICY="passive")
        except RuntimeError as error:
            self.notes.append(str(error))
            print(error, file=sys.stderr, flush=True)
            return ""

    def measured(self, part: str, way: str, *command: str) -> dict[str, Any] | None:
        """A JSON line about the saved model of a way, kept beside it."""
        place = self.folder(way)
        file = place / f"{part}.json"
        key = runs.digest([runs.HERE / f"text_{part}.py"], *command)
        found = runs.kept(file, key)
        if found is None and not self.given.kept_only and (place / "model").exists():
            print(f"measuring {part}", file=sys.stderr, flush=True)
            said = self.call(
                ["-m", f"benchmarks.text_{part}", f"--model={place / 'model'}", *command], place / "out.log"
            )
            found = json.loads(said.strip().splitlines()[-1]) if said else None
            if found:
                runs.keep(file, key, found)
        return found


def language(session: Session, found: dict[str, Any]) -> Iterator[str]:
    """The table of losses."""
    rows = []
    for way, cost in found.items():
        for name, nats in cost["nats"].items():
            what = PEERS.get(way) or (TITLES.get(name, name) if len(cost["nats"]) > 1 else "")
            title = what if way in PEERS else f"**anew**, {way}" + (f": {what}" if what else "")
            spent = [
                f"{cost['seconds']:g}",
                f"{cost['fit_cpu_s']:.0f}",
                f"{cost['steps']:,}",
                f"{cost['parameters']:,}",
            ]
            rows.append([title, f"{nats['windows']:.4f}", f"{nats['carried']:.4f}", *spent])
    rows.append(["nanoGPT's GPU configuration, as its README says", f"{GPU}", "-", "-", "-", "-", "-"])
    heading = ["", "windows of 256", "carried", "budget s", "fit CPU s", "steps", "parameters"]
    yield from ["## Nats per character of held-out text", "", *grid(heading, rows), ""]


def language_gate(found: dict[str, Any]) -> Iterator[Line]:
    """Losses against their bars; the mixture against its parts."""
    for way, part, bar in BARS:
        if way in found:
            nats = found[way]["nats"][part]["windows"]
            title = f"{way}: nats per character, {found[way]['seconds']:g} s"
            yield Line("shakespeare", title, f"{nats:.4f}", f"≤ {bar}", nats <= bar)
    if "gpt" in found:
        nats = found["gpt"]["nats"]
        parts = min(nats["network"]["windows"], nats["counts"]["windows"])
        ours = nats["anew"]["windows"]
        yield Line("shakespeare", "the mixture beside its parts", f"{ours:.4f}", f"< {parts:.4f}", ours < parts)
    ours = found.get("gpt", {}).get("nats", {}).get("network", {}).get("windows")
    for peer, name in PEERS.items():
        if ours and peer in found:
            theirs = found[peer]["nats"][peer]["windows"]
            yield Line("shakespeare", f"the network beside {name}", f"{ours:.4f}", f"< {theirs:.4f}", ours < theirs)


def training_gate(found: dict[str, Any]) -> Iterator[Line]:
    """The share of the machine's rate that a step reaches."""
    said = f"{found['flops_a_second'] / 1e9:.0f} GFLOP/s of {found['products_a_second'] / 1e9:.0f}"
    share = found["flops_a_second"] / found["products_a_second"]
    yield Line("training", f"share of the rate of products ({said})", f"{share:.2f}", f"≥ {SHARE}", share >= SHARE)


def decoding_gate(found: dict[str, Any]) -> Iterator[Line]:
    """Tokens a second, and the same tokens."""
    rates, greedy = found["tokens a second"], found["greedy"]
    one, many = rates["anew, batch 1"], rates["anew, batch 32"]
    theirs, theirs_many = rates["transformers, batch 1"], rates["transformers, batch 32"]
    yield Line("decoding", "tokens a second, batch 1", f"{one:,.0f}", f"≥ {ALONE:,.0f}", one >= ALONE)
    yield Line("decoding", "tokens a second, batch 32", f"{many:,.0f}", f"≥ {TOGETHER:,.0f}", many >= TOGETHER)
    yield Line(
        "decoding", "beside transformers, batch 1", f"{one / theirs:.1f} x", f"≥ {TIMES:g} x", one >= TIMES * theirs
    )
    yield Line("decoding", "beside transformers, batch 32", f"{many / theirs_many:.1f} x", "≥ 1 x", many >= theirs_many)
    same = f"{greedy['same']} of {greedy['prompts']}"
    yield Line("decoding", "prompts gone on with greedily, alike", same, "all", greedy["same"] == greedy["prompts"])


def gaps_gate(found: dict[str, Any]) -> Iterator[Line]:
    """The true span preferred, and more often with what follows than without."""
    with_, without = found["with what follows"]["preferred"], found["without"]["preferred"]
    filling = found.get("in the order of filling", {}).get("preferred")
    yield Line("gaps", "the true span is preferred", f"{with_:.3f}", f"≥ {PREFERRED}", with_ >= PREFERRED)
    yield Line("gaps", "beside the same without what follows", f"{with_:.3f}", f"> {without:.3f}", with_ > without)
    if filling is not None:
        yield Line(
            "gaps", "in the order in which gaps are filled", f"{filling:.3f}", f"> {without:.3f}", filling > without
        )


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for; 0 if every criterion holds, 1 if one fails."""
    given = arguments(argv)
    if not (given.data / TEXT / "train.txt").exists():
        raise SystemExit(f"no {TEXT}/train.txt in {given.data}: give the folder of the data with --data")
    work = given.work.resolve()
    python = given.python or our_python((given.envs or work / "envs").resolve(), runs.ROOT)
    source = work / "source" / given.earlier if given.earlier else runs.snapshot(work, "run_anew_text.py")
    session = Session(given, python, source)
    lines: list[Line] = []
    sections = ["# Language models", "", f"{machine()}. Clock of the budgets: {given.clock}.", ""]
    record: dict[str, Any] = {"source": source.name, "machine": machine(), "clock": given.clock}
    fitted = {way: session.run(way) for way in [*given.ways, *(["gpt longer"] if given.long else [])]}
    found = {way: cost for way, cost in fitted.items() if cost}
    if "language" in given.only:
        record["language"] = found
        sections += language(session, found)
        lines += language_gate(found)
    asked: dict[str, tuple[str, list[str], Any]] = {
        "training": ("gpt", [], training_gate),
        "decoding": ("gpt", [f"--clock={given.clock}"], decoding_gate),
        "gaps": ("gaps", ["--held", *session.held], gaps_gate),
    }
    names = {"gaps": "infilling"}
    for part, (way, command, gate) in asked.items():
        said = session.measured(names.get(part, part), way, *command) if part in given.only else None
        if said:
            record[part] = said
            lines += gate(said)
    sections += gate_section(lines) + [f"- {note.splitlines()[0]}" for note in session.notes]
    print("\n".join(sections))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "text.md").write_text("\n".join(sections).rstrip() + "\n")
    (given.out / "text.json").write_text(json.dumps(record, indent=1) + "\n")
    return int(any(not line.passed for line in lines))


if __name__ == "__main__":
    sys.exit(main())
