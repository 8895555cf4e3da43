"""Generators as whole processes, and their scores, kept in the work folder so that nothing is computed twice.

    WORK/runs/SET/GENERATOR/SEED/synth.parquet   what it made
                                 cost.jsonl      what that cost, one line per run, the last one counts
                                 score.json      {key, score}: the ruler's line
                                 extra.json      {key, extra}: the measures of this folder

A score depends on train, test, synthetic table, seed and ruler alone, so it is kept under the hash of their contents.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
EXTRA_SOURCES = ("extra.py", "verbatim.py", "dependencies.py", "missingness.py")
TARGET_KEYS = ("target", "task")


def digest(files: Iterable[Path], *words: str) -> str:
    """A short hash of the contents of files and of a few words."""
    state = hashlib.sha256()
    for file in files:
        state.update(hashlib.sha256(file.read_bytes()).digest())
    for word in words:
        state.update(hashlib.sha256(word.encode()).digest())
    return state.hexdigest()[:16]


def snapshot(work: Path, runner: str = "run_anew.py", root: Path = ROOT) -> Path:
    """A copy of src/anew as it is now, in a folder named after its contents: ours runs from it, so that a source edited
    while the comparison runs changes nothing, and is never judged by what an older version made."""
    sources = sorted((root / "src" / "anew").rglob("*.py"))
    names = [str(path.relative_to(root)) for path in sources]
    version = work / "source" / digest([*sources, HERE / runner], *names)[:10]
    if not version.exists():
        part = version.with_name(f"{version.name}.{os.getpid()}.part")
        shutil.copytree(root / "src" / "anew", part / "anew", ignore=shutil.ignore_patterns("__pycache__"))
        try:
            part.rename(version)
        except OSError:  # another command made it meanwhile
            if not version.exists():
                raise
            shutil.rmtree(part)
    return version


def last_line(file: Path) -> dict[str, Any] | None:
    """The last JSON line of a file, None if there is none."""
    lines = file.read_text().splitlines() if file.exists() else []
    return json.loads(lines[-1]) if lines else None


@dataclass(frozen=True)
class Bench:
    """Where everything is: the ruler's folder, the tables, the work folder, the ruler's Python, seconds for a peer."""

    tabular: Path
    tables: Path
    work: Path
    ruler_python: Path
    cap: float = 600.0
    quick: bool = True  # leave out LogisticDetection: a third of the ruler's time, and no gate reads it

    def folder(self, table: str, generator: str, seed: int) -> Path:
        """Where the work of one run is kept."""
        return self.work / "runs" / table / generator / str(seed)

    def meta(self, table: str) -> dict[str, Any]:
        """Roles of the columns, target and task."""
        meta: dict[str, Any] = json.loads((self.tables / table / "meta.json").read_text())
        return meta

    def finished(self, table: str, generator: str, seed: int) -> dict[str, Any] | None:
        """The cost of a run that ended well, None if there is no such run."""
        folder = self.folder(table, generator, seed)
        cost = last_line(folder / "cost.jsonl")
        return cost if cost and "error" not in cost and (folder / "synth.parquet").exists() else None


def call(command: list[str], log: Path, **variables: str) -> str:
    """Run a process to its end, its words into `log`; its standard output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=log.parent, env=environment)
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-5:])
        raise RuntimeError(f"{' '.join(command[:4])} ... ended with {done.returncode}; its words are in {log}\n{tail}")
    return done.stdout


def run(
    bench: Bench, table: str, generator: str, seed: int, python: Path, script: list[str], **variables: str
) -> dict[str, Any]:
    """One generator on one table as a whole process; its cost."""
    folder = bench.folder(table, generator, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "synth.parquet").unlink(missing_ok=True)
    print(f"running {generator} on {table}, seed {seed}", file=sys.stderr, flush=True)
    places = ["--data", str(bench.tables / table), "--out", "synth.parquet", "--log", "cost.jsonl", "--seed", str(seed)]
    call([str(python), *script, *places], folder / "run.log", **variables)
    cost = bench.finished(table, generator, seed)
    if cost is None:
        raise RuntimeError(f"{generator} made nothing of {table} (seed {seed}); its words are in {folder / 'run.log'}")
    return cost


def run_peer(bench: Bench, table: str, peer: str, seed: int, python: Path, name: str = "") -> dict[str, Any]:
    """One peer, by the rulers' own runner; kept under `name` where it is not to be taken for the peer's usual run."""
    script = [str(bench.tabular / "run_peer.py"), "--peer", peer, "--cap", str(bench.cap)]
    return run(bench, table, name or peer, seed, python, script)


def run_ours(
    bench: Bench, table: str, name: str, seed: int, python: Path, source: Path, options: Iterable[str]
) -> dict[str, Any]:
    """Ours, from a snapshot of the source; `options` go to run_anew.py."""
    script = [str(HERE / "run_anew.py"), *options]
    return run(bench, table, name, seed, python, script, PYTHONPATH=os.pathsep.join([str(source), str(ROOT)]))


def kept(file: Path, key: str) -> Any:
    """What a file keeps under this key, None if it keeps something older or nothing."""
    if not file.exists():
        return None
    record = json.loads(file.read_text())
    return record["value"] if record["key"] == key else None


def keep(file: Path, key: str, value: Any) -> None:
    """Keep a value under its key, never half written."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "value": value}))
    part.replace(file)


def ruler_command(bench: Bench, table: str, seed: int) -> list[str]:
    """The ruler's command line up to what is scored."""
    data, meta = bench.tables / table, bench.meta(table)
    files = [f"--{part}={data / f'{part}.parquet'}" for part in ("train", "test")]
    roles = [f"--{key}={meta[key]}" for key in TARGET_KEYS] + [f"--meta={data / 'meta.json'}"]
    program = [str(bench.ruler_python), "-m", "benchmarks.ruler", str(bench.tabular / "score.py")]
    return [*program, *files, *roles, f"--seed={seed}"]


def ask_ruler(bench: Bench, table: str, seed: int, what: list[str], log: Path) -> list[dict[str, Any]]:
    """The ruler's lines. Its threads sleep while they wait: on a shared machine, spinning ones starve each other."""
    variables = {"OMP_WAIT_POLICY": "passive"} | ({"SKIP_LR": "1"} if bench.quick else {})
    lines = call([*ruler_command(bench, table, seed), *what], log, **variables).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def ruler_key(bench: Bench, table: str, seed: int, *more: Path) -> str:
    """The key of a score: what it depends on."""
    data = [bench.tables / table / name for name in ("train.parquet", "test.parquet", "meta.json")]
    return digest([bench.tabular / "score.py", *data, *more], str(seed), str(bench.quick))


def score(bench: Bench, table: str, generator: str, seed: int) -> dict[str, Any]:
    """The ruler's line for one run."""
    folder = bench.folder(table, generator, seed)
    synthetic, file = folder / "synth.parquet", folder / "score.json"
    key = ruler_key(bench, table, seed, synthetic)
    value = kept(file, key)
    if value is None:
        print(f"scoring {generator} on {table}, seed {seed}", file=sys.stderr, flush=True)
        what = [f"--synth={synthetic}", f"--name={generator}"]
        value = ask_ruler(bench, table, seed, what, folder / "score.log")[-1]
        keep(file, key, value)
    return dict(value)


def floor(bench: Bench, table: str, seed: int) -> list[dict[str, Any]]:
    """The ruler's lines with real rows in the generator's place."""
    folder = bench.folder(table, "floor", seed)
    folder.mkdir(parents=True, exist_ok=True)
    key = ruler_key(bench, table, seed)
    value = kept(folder / "score.json", key)
    if value is None:
        print(f"scoring the floor of {table}, seed {seed}", file=sys.stderr, flush=True)
        value = ask_ruler(bench, table, seed, ["--floor"], folder / "score.log")
        keep(folder / "score.json", key, value)
    return list(value)


def extra(bench: Bench, table: str, generator: str, seed: int) -> dict[str, Any]:
    """The measures of this folder for one run."""
    folder = bench.folder(table, generator, seed)
    synthetic, file, data = folder / "synth.parquet", folder / "extra.json", bench.tables / table
    sources = [HERE / name for name in EXTRA_SOURCES]
    key = digest([synthetic, data / "train.parquet", data / "test.parquet", *sources])
    value = kept(file, key)
    if value is None:
        command = [str(bench.ruler_python), "-m", "benchmarks.extra", f"--data={data}", f"--synth={synthetic}"]
        value = json.loads(call(command, folder / "extra.log").splitlines()[-1])
        keep(file, key, value)
    return dict(value)
