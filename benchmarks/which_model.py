"""Every generative objective and every discriminative combination of the registry, side by side: which to take when.

usage: python benchmarks/which_model.py [--create adult,cancer] [--predict adult,cancer,diamonds]
       [--time 30] [--fit-only] [options of tables.py]
Each fit is a whole process and has --time seconds to train in (what is solved takes what it takes). One that fails
costs its own row. What is finished is reused; `--fit-only` leaves the scores to a later call with `--kept-only`.
Writes results/which_model.json and .md, and the tables of docs/explanation/which-model.md; what is not asked for
(`--create ''`) stays as it was.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

# called by its path, a script has its own folder first on the path, where our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import runs
from benchmarks.environments import our_python
from benchmarks.figures import numbers
from benchmarks.tables import Session, arguments, machine, open_session, words
from benchmarks.which_page import PREDICTING, Record, on_page, tables

PAGE = runs.ROOT / "docs" / "explanation" / "which-model.md"
CREATE = ("adult", "cancer")
PREDICT = ("adult", "cancer", "diamonds")
FIGURES = ("c2st_hgb_test", "dcr_share", "tstr", "trtr")
COSTS = ("fit_s", "rows_per_s")


@dataclass(frozen=True)
class Asked:
    """What this call is to do: tables of each half, seconds of training, whether to leave out the scores,
    and which objectives (all if none is named)."""

    create: list[str]
    predict: list[str]
    time: float
    fit_only: bool
    only: list[str]

    def wants(self, objective: str) -> bool:
        """Whether an objective is to be run."""
        return not self.only or objective in self.only


def own_arguments(argv: list[str] | None = None) -> tuple[Asked, argparse.Namespace]:
    """Ours, and the rest of the command line as tables.py reads it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--create", type=words, default=list(CREATE), help="tables for the generative objectives")
    parser.add_argument("--predict", type=words, default=list(PREDICT), help="tables for the discriminative ones")
    parser.add_argument("--time", type=float, default=30.0, help="seconds of training")
    parser.add_argument("--only", type=words, default=[], help="objectives; the rows of the others stay")
    parser.add_argument("--fit-only", action="store_true", help="leave the scores to a later call")
    own, rest = parser.parse_known_args(argv)
    tables = [*dict.fromkeys([*own.create, *own.predict])]
    given = arguments(["--sets", ",".join(tables), "--seeds", "0", *rest])
    return Asked(own.create, own.predict, own.time, own.fit_only, own.only), given


def ask(session: Session, python: Path, script: list[str]) -> list[Record]:
    """The JSON that a short script of ours prints."""
    said = runs.call([str(python), *script], session.bench.work / "which-model.log", PYTHONPATH=path(session))
    found: Record | list[Record] = json.loads(said)
    return found["objectives"] if isinstance(found, dict) else found


def path(session: Session) -> str:
    """Where ours and this folder are imported from."""
    return f"{session.source}:{runs.ROOT}"


# ---------------------------------------------------------------- one run each


def creating(session: Session, asked: Asked, python: Path, table: str, kind: Record) -> Record:
    """The row of one generative objective on one table."""
    objective = kind["name"]
    name, seed = f"{session.ours}-{objective}-{asked.time:g}", session.given.seeds[0]
    options = [f"--option=objective={objective}", f"--option=time={asked.time:g}"]
    run = partial(runs.run_ours, session.bench, table, name, seed, python, session.source, options)
    row = {"objective": objective, "fit": kind["fit"], "can": kind["can"]}
    return row | _figures(session, table, name, seed, run, None if asked.fit_only else scores)


def scores(session: Session, table: str, name: str, seed: int) -> Record:
    """The ruler's figures of a run."""
    return numbers(runs.score(session.bench, table, name, seed), FIGURES)


def predicting(session: Session, asked: Asked, python: Path, table: str, kind: Record) -> Record:
    """The row of one objective with one network on one table."""
    name, seed = f"{session.ours}-{kind['objective']}-{kind['network']}-{asked.time:g}", session.given.seeds[0]
    folder = session.bench.folder(table, name, seed)

    def run() -> Record:
        folder.mkdir(parents=True, exist_ok=True)
        print(f"fitting {kind['objective']} with {kind['network']} on {table}", file=sys.stderr, flush=True)
        how = [f"--{key}={kind[key]}" for key in ("objective", "network")]
        how += [f"--data={session.bench.tables / table}", "--log=cost.jsonl", f"--time={asked.time}", f"--seed={seed}"]
        script = [str(python), str(runs.HERE / "run_predictor.py"), *how]
        runs.call(script, folder / "run.log", PYTHONPATH=path(session))
        return runs.last_line(folder / "cost.jsonl") or {}

    kept = runs.last_line(folder / "cost.jsonl")
    row = {"objective": kind["objective"], "network": kind["network"]}
    found = kept if kept and not session.given.again else _guarded(session, run)
    return row | numbers(found, [column.figure for column in PREDICTING]) if found else row | {"failed": _why(session)}


def _figures(session: Session, table: str, name: str, seed: int, run: Any, judge: Any) -> Record:
    """Cost and scores of a run, kept or new; why there are none."""
    cost = None if session.given.again else session.bench.finished(table, name, seed)
    if cost is None:
        cost = _guarded(session, run)
    if not cost:
        return {"failed": _why(session)}
    found = numbers(cost, COSTS)
    if judge is None:
        return found
    scored = session.guarded(partial(judge, session, table, name, seed))
    return found | (scored or {"failed": _why(session)})


def _guarded(session: Session, run: Any) -> Any:
    """A new run, unless only what is kept was asked for."""
    return None if session.given.kept_only else session.guarded(run)


def _why(session: Session) -> str:
    """The last words of what failed."""
    return session.notes[-1].splitlines()[-1].strip()[:200] if session.notes else "not run"


# ---------------------------------------------------------------- the whole


def compare(session: Session, asked: Asked) -> Record:
    """{"create": {table: rows}, "predict": {table: rows}} of what was asked for."""
    python = session.given.python or our_python(session.envs, runs.ROOT)
    create: Record = {}
    if asked.create:
        listed = ask(session, python, ["-m", "anew", "list", "objectives", "--json"])
        kinds = [kind for kind in listed if "sample" in kind["can"] and asked.wants(kind["name"])]
        for table in asked.create:
            create[table] = about(session, asked, [creating(session, asked, python, table, kind) for kind in kinds])
    predict: Record = {}
    if asked.predict:
        pairs = ask(session, python, [str(runs.HERE / "run_predictor.py"), "--list"])
        for table in asked.predict:
            number = session.bench.meta(table)["task"] == "regression"
            fitting = [pair for pair in pairs if pair["number"] == number and asked.wants(pair["objective"])]
            rows = [predicting(session, asked, python, table, pair) for pair in fitting]
            predict[table] = about(session, asked, rows)
    return {"create": create, "predict": predict}


def about(session: Session, asked: Asked, rows: list[Record]) -> Record:
    """Rows with what they were measured on."""
    return {"seconds": asked.time, "source": session.ours, "machine": machine(), "rows": rows}


def main() -> int:
    """Run, print, write; 0 if every row has its figures."""
    asked, given = own_arguments()
    session = open_session(given)
    file = given.out / "which_model.json"
    record: Record = json.loads(file.read_text()) if file.exists() else {"create": {}, "predict": {}}
    found = compare(session, asked)
    if asked.fit_only:
        return int(bool(session.notes))
    for half in ("create", "predict"):
        for table, new in found[half].items():
            old = record[half].get(table, {"rows": []})["rows"] if asked.only else []
            rows = [row for row in old if not asked.wants(row["objective"])]
            record[half][table] = new | {"rows": rows + new["rows"]}
    shown = tables(record)
    measured = {f"{half} {table}": found for half in ("create", "predict") for table, found in record[half].items()}
    heads = {
        name: f"## {name}\n\nSeconds to train: {one['seconds']:g}. {one['machine']}. Source {one['source']}."
        for name, one in measured.items()
    }
    text = "\n".join(["# Which model\n", *(f"{heads[name]}\n\n{table}\n" for name, table in shown.items())])
    print(text)
    given.out.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record, indent=1) + "\n")
    (given.out / "which_model.md").write_text(text.rstrip() + "\n")
    if PAGE.exists():
        PAGE.write_text(on_page(PAGE.read_text(encoding="utf-8"), shown), encoding="utf-8")
    return int(bool(session.notes))


if __name__ == "__main__":
    sys.exit(main())
