"""The neural objectives on one table, each with its budget of seconds, beside the kept runs of the neural peers.

usage: python benchmarks/neural.py [--seeds 0,1,2] [--budgets any_order=16,elbo=40,...] [--only minimax --kept anew-..]
       [options of tables.py]
Every fit is a whole process with the whole machine; what is finished is reused. Peers are never run here: what
tables.py keeps of them (`--peers tvae,ctgan,mostly`) is shown. The best objective is fitted once more, for --last
seconds. Writes results/neural.md; ends with 1 if a criterion fails.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import runs
from benchmarks.environments import our_python
from benchmarks.figures import Row, floor_row, summarise
from benchmarks.gate import Line, Summary, written
from benchmarks.markdown import gate_section, set_section
from benchmarks.tables import Session, arguments, machine, open_session, words

BUDGETS = "any_order=16,elbo=40,minimax=120,diffusion=120,likelihood=120"  # seconds of training
LAST = 300.0
PEERS = {"elbo": "tvae", "minimax": "ctgan", "any_order": "mostly"}  # whom each must beat, in a fifth of the time
PUBLISHED = {"elbo": 0.942, "minimax": 0.963, "any_order": 0.570}  # of those peers on adult, where none was run here
MOST = {"diffusion": 0.60, "likelihood": 0.60}  # C2ST-HGB that the others must reach
BEST = 0.56  # and the best of all, when it has LAST seconds
SHARE = 5.0
FIGURE = "c2st_hgb_test"


@dataclass(frozen=True)
class Asked:
    """What this call is to do: seconds of training by objective and for the best of all, the objectives to run (all if
    none is named), and the source whose kept runs stand for the others."""

    budgets: dict[str, float]
    last: float
    only: list[str]
    kept: str

    def source(self, objective: str, ours: str) -> str:
        """Under which source the runs of an objective are kept."""
        return ours if objective in self.only or not self.kept else self.kept

    def words(self, ours: str) -> str:
        """The sources in words."""
        return f"Source {ours}" + (f"; all but {', '.join(self.only)} by {self.kept}" if self.kept else "")


def own_arguments() -> tuple[Asked, argparse.Namespace]:
    """Ours, and the rest of the command line as tables.py reads it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=words, default=words(BUDGETS), help="objective=seconds,...")
    parser.add_argument("--last", type=float, default=LAST, help="seconds for the best; 0 leaves it out")
    parser.add_argument("--only", type=words, default=[], help="objectives that changed; the others as --kept has them")
    parser.add_argument("--kept", default="", help="an earlier source (anew-...), whose runs stand for the others")
    own, rest = parser.parse_known_args()
    budgets = {name: float(seconds) for name, _, seconds in (text.partition("=") for text in own.budgets)}
    asked = Asked(budgets, own.last, own.only, own.kept)
    return asked, arguments(["--sets", "adult", "--seeds", "0", *rest])


def title(objective: str, seconds: float) -> str:
    """How a fit is named in the table."""
    return f"{objective} {seconds:.0f} s"


def ours(session: Session, asked: Asked, table: str, objective: str, seconds: float) -> list[Row]:
    """The figures of one objective over the seeds: run, or kept."""
    source = asked.source(objective, session.ours)
    name = f"{source}-{objective}-{seconds:.0f}"
    python = session.given.python or our_python(session.envs, runs.ROOT)
    settings = [f"objective={objective}", f"time={seconds:g}", *session.given.option]
    options = [f"--option={setting}" for setting in settings]
    rows = []
    for seed in session.given.seeds:
        cost = None if session.given.again else session.bench.finished(table, name, seed)
        if cost is None and source == session.ours and not session.given.kept_only:
            cost = session.guarded(
                partial(runs.run_ours, session.bench, table, name, seed, python, session.source, options)
            )
        found = session.row(table, name, seed, cost)
        rows += [found[0]] if found else []
    return rows


def landmarks(session: Session, table: str) -> Iterator[tuple[str, list[Row]]]:
    """The floor, and what is kept of the peers."""
    for peer in dict.fromkeys(PEERS.values()):
        costs = [(seed, session.bench.finished(table, peer, seed)) for seed in session.given.seeds]
        found = [session.row(table, peer, seed, cost) for seed, cost in costs if cost]
        yield peer, [row for row, _ in filter(None, found)]
    lines = session.guarded(partial(runs.floor, session.bench, table, session.given.seeds[0]))
    yield "floor", [floor_row(lines, {})] if lines else []


def criteria(table: str, budgets: Mapping[str, float], found: Mapping[str, Summary]) -> Iterator[Line]:
    """What each objective must reach."""
    for objective, seconds in budgets.items():
        mine = found.get(title(objective, seconds))
        peer = found.get(PEERS.get(objective, ""))
        if not mine:
            yield Line(table, objective, "none", "a finished run", False)
        elif objective in MOST:
            reached, bar = mine[FIGURE], MOST[objective]
            yield Line(table, f"{objective}, C2ST-HGB", written(reached), f"≤ {bar}", reached.mean <= bar)
        elif peer:
            name, theirs = PEERS[objective], peer[FIGURE]
            passed = mine[FIGURE].mean < theirs.mean
            yield Line(table, f"{objective}, C2ST-HGB against {name}", written(mine[FIGURE]), written(theirs), passed)
            spent, allowed = mine["fit_s"], peer["fit_s"].mean / SHARE
            rule = f"≤ {allowed:.1f} s, a fifth of {name}'s"
            yield Line(table, f"{objective}, seconds of its fit", written(spent, digits=1), rule, spent.mean <= allowed)
        elif objective in PEERS:
            name, bar = PEERS[objective], PUBLISHED.get(objective, 0.0)
            passed = mine[FIGURE].mean < bar
            yield Line(table, f"{objective}, C2ST-HGB", written(mine[FIGURE]), f"< {bar} ({name} was not run)", passed)


def best_of(budgets: Mapping[str, float], found: Mapping[str, Summary]) -> str | None:
    """The objective that is hardest to tell from real rows."""
    reached = {name: found[title(name, s)][FIGURE].mean for name, s in budgets.items() if found.get(title(name, s))}
    return min(reached, key=lambda name: reached[name]) if reached else None


def compare(session: Session, asked: Asked, table: str) -> tuple[list[str], list[Line]]:
    """Everything about one table, as Markdown, and its criteria."""
    budgets, last = asked.budgets, asked.last
    found = {name: summarise(rows) for name, rows in landmarks(session, table)}
    for objective, seconds in budgets.items():
        found[title(objective, seconds)] = summarise(ours(session, asked, table, objective, seconds))
    lines = list(criteria(table, budgets, found))
    best = best_of(budgets, found)
    if best and last:
        reached = summarise(ours(session, asked, table, best, last))
        found[title(best, last)] = reached
        if reached:
            said = f"the best, {title(best, last)}, C2ST-HGB"
            lines.append(Line(table, said, written(reached[FIGURE]), f"≤ {BEST}", reached[FIGURE].mean <= BEST))
    return set_section(table, found), lines


def main() -> int:
    """Run, print, write; 0 if every criterion holds."""
    asked, given = own_arguments()
    session = open_session(given)
    sections = ["# Neural objectives on tables", ""]
    seeds = ", ".join(str(seed) for seed in given.seeds)
    sections += [f"Means over seeds {seeds}. {machine()}. {asked.words(session.ours)}.", ""]
    lines: list[Line] = []
    for table in given.sets:
        section, more = compare(session, asked, table)
        sections += section
        lines += more
    sections += gate_section(lines) + [f"- {note.splitlines()[0]}" for note in session.notes]
    print("\n".join(sections))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "neural.md").write_text("\n".join(sections).rstrip() + "\n")
    return int(any(not line.passed for line in lines))


if __name__ == "__main__":
    sys.exit(main())
