"""A model is a folder: card, configuration, schema, tensors, provenance. Never a pickle.

    README.md          the card: what it is, what it was fitted on, what it releases
    config.json        format number, plan, factors; and the checksum of the tensors
    schema.json        the fields
    model.safetensors  every array
    provenance.json    where the data came from, when, with which versions

The folder appears whole or not at all: it is written beside its place, synced, and renamed into it. Reading checks
the checksum. A lock keeps two processes from writing one folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anew.codecs.table import Table
from anew.core.columns import Columns
from anew.core.errors import ResourceError, StoreError, UsageError
from anew.core.latent import Latent
from anew.core.learner import Arrays, Compresses, Config, Learner, Predicts, Solved
from anew.core.network import NETWORKS
from anew.core.schema import Schema
from anew.factor import TABLE, Factor, Part, parts_of, told_of
from anew.joint import Joint
from anew.plan import OBJECTIVES, FactorPlan, Plan
from anew.record import Record

FORMAT = 1
CHECKPOINT = ".checkpoint"
_MOST = 64  # characters of a name that are shown in an error

# ---------------------------------------------------------------- a joint as configuration and arrays, and back


def pack(joint: Joint) -> tuple[Config, Arrays]:
    """Everything a joint is, as JSON and arrays."""
    config, arrays = _prefixed("codec", joint.record.state())
    parts: Config = {"codec": config, "factors": [], "predictors": []}
    for kind, factors in (("factors", joint.factors), ("predictors", joint.predictors)):
        for i, factor in enumerate(factors):
            config, more = _prefixed(f"{kind}.{i}", factor.learner.state())
            parts[kind].append({"plan": factor.plan.model_dump(mode="json"), "view": factor.view, "state": config})
            arrays |= more
            if factor.front:
                parts[kind][i]["front"], more = _prefixed(f"{kind}.{i}.front", factor.front.state())
                arrays |= more
    return parts, arrays


def _prefixed(prefix: str, state: tuple[Config, Arrays]) -> tuple[Config, Arrays]:
    config, arrays = state
    return config, {f"{prefix}/{name}": np.ascontiguousarray(value) for name, value in arrays.items()}


def unpack(config: Config, arrays: Mapping[str, npt.NDArray[Any]], schema: Schema, threads: int) -> Joint:
    record = Record(schema)
    record.restore(config["codec"], _below(arrays, "codec"))
    joint = Joint(record, [], [], threads)
    for kind, into in (("factors", joint.factors), ("predictors", joint.predictors)):
        for i, entry in enumerate(config[kind]):
            plan = FactorPlan.model_validate(entry["plan"])
            factor = make_factor(plan, record, entry["view"], seed=0, threads=threads)
            factor.learner.restore(entry["state"], _below(arrays, f"{kind}.{i}"))
            if factor.front:
                factor.front.restore(entry["front"], _below(arrays, f"{kind}.{i}.front"))
            into.append(factor)
    return joint


def _below(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    return {name.removeprefix(f"{prefix}/"): value for name, value in arrays.items() if name.startswith(f"{prefix}/")}


def make_factor(
    plan: FactorPlan, record: Record, view: str, *, seed: int, threads: int, front: Learner | None = None
) -> Factor:
    """An unfitted factor of a plan over fitted codecs; `view` is that of what is learned.

    `front` compresses what is learned; left out, one that is not fitted is made where the plan has one.
    """
    kind = OBJECTIVES[plan.objective].variant(plan.network)
    if plan.front and front is None:
        front = make_factor(plan.front, record, FRONT_VIEW, seed=seed, threads=threads).learner
    return factor_of(kind, plan, record, view, seed=seed, threads=threads, front=front)


def view_of(kind: type[Learner], plan: FactorPlan, record: Record, front: Learner | None = None) -> str:
    """The best view of what a factor learns that the objective reads."""
    codec = _learned(plan, record, front)
    reads = kind.reads if isinstance(codec, Table) else [view for view in kind.reads if view in codec.views]
    return codec.best_view(reads)


FRONT_VIEW = "Real"  # of a picture that is compressed


def _learned(plan: FactorPlan, record: Record, front: Learner | None) -> Table | Part:
    """The codec of what a factor learns: of its codes, where something compresses it."""
    codec = record.learned(plan.learn)
    if front is None:
        return codec
    assert isinstance(front, Compresses), "only what compresses stands in front"
    assert not isinstance(codec, Table), "a table is not compressed"
    return Latent(codec, FRONT_VIEW, front)


def factor_of(
    kind: type[Learner],
    plan: FactorPlan,
    record: Record,
    view: str,
    *,
    seed: int,
    threads: int,
    front: Learner | None = None,
) -> Factor:
    """The same for a class that need not be in the registry."""
    part = None if isinstance(codec := _learned(plan, record, front), Table) else codec
    told = told_columns(plan, record)
    learned = record.scalars(plan.learn)
    given = record.scalars([name for name in plan.given if name not in told])
    options = {**plan.options, **({"network": plan.network} if plan.network else {})}
    if issubclass(kind, Solved):
        beside = beside_of(plan, record, kind)
        spaces = [given.space("Columns"), *(part.space(read) for part, read in beside.values())]
        solver = kind(_columns(spaces, learned.space("Columns")), seed=seed, threads=threads, **options)
        return Factor(plan, solver, learned, given, view, beside=beside)
    reads = kind.reads_given or (VIEWS_GIVEN if part else ())
    view_given = given.best_view(reads) if reads else view
    beside = beside_of(plan, record, kind)
    conditions = {TABLE: given.space(view_given)} if given.learned else {}
    parts = zip(parts_of(beside), beside.values(), strict=True)
    conditions |= {name: codec.space(view_beside) for name, (codec, view_beside) in parts}
    if part is not None:
        others = [record.parts.get(name) for name in told]
        conditions |= {name: part.telling(other) for name, other in zip(told_of(told), others, strict=True)}
    made = kind((part or learned).space(view), conditions, seed=seed, **options)  # type: ignore[call-arg]
    return Factor(plan, made, learned, given, view, view_given, beside, part, front, told)


def beside_of(plan: FactorPlan, record: Record, kind: type[Learner] | None = None) -> dict[str, tuple[Part, str]]:
    """The pictures and texts that a factor is given, each with the view in which its network reads it."""
    kind = kind or OBJECTIVES[plan.objective].variant(plan.network)
    usual = VIEWS_SOLVED if issubclass(kind, Solved) else VIEWS_BESIDE
    own = NETWORKS[plan.network].views if plan.network and issubclass(kind, Predicts) else ()
    read = [name for name in plan.given if name not in told_columns(plan, record)]
    return {name: (part, part.best_view([*own, *usual])) for name, part in record.beside(read).items()}


def told_columns(plan: FactorPlan, record: Record) -> tuple[str, ...]:
    """What stands before a text that a factor learns: all that it is given but pictures, where that is written."""
    if not plan.options.get("written") or plan.learn[0] not in record.parts:
        return ()
    return tuple(name for name in plan.given if record.schema[name].kind != "image")


VIEWS_SOLVED = ("Columns",)
VIEWS_GIVEN = ("Mixed", "Tokens")  # of scalars beside a picture or a text
VIEWS_BESIDE = ("Real", "Sentence", "Words")  # of pictures and texts that a network is given


def _columns(given: list[Columns], learned: Columns) -> Columns:
    """The space of a solver: given columns, then learned ones."""
    parts = [*given, learned]
    grids, names = sum((part.grids for part in parts), ()), sum((part.names for part in parts), ())
    return Columns(grids, names, given=len(grids) - len(learned))


# ---------------------------------------------------------------- writing


def save(folder: Path, *, joint: Joint, schema: Schema, plan: Plan, card: str, provenance: Mapping[str, Any]) -> None:
    """Writes a model folder, whole or not at all; what was there before is replaced."""
    from safetensors.numpy import save as to_bytes

    config, arrays = pack(joint)
    tensors = to_bytes(arrays)
    full = {"format": FORMAT, "plan": plan.to_dict(), "tensors_sha256": hashlib.sha256(tensors).hexdigest(), **config}
    files = {
        "model.safetensors": tensors,
        "schema.json": schema.to_json().encode(),
        "provenance.json": _json(provenance),
        "README.md": card.encode(),
        "config.json": _json(full),
    }
    folder = Path(folder)
    with guarded(f"the model folder {str(folder)!r}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        check_place(folder)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            os.chmod(fresh, 0o777 & ~_umask())
            for name, content in files.items():
                write_bytes(fresh / name, content)
            _swap(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def check_place(folder: Path) -> None:
    """Refuses to replace what is not a model."""
    if folder.is_file():
        raise UsageError(f"{str(folder)!r} is a file; a model is a folder", do="Name another place with -o")
    if folder.is_dir():
        others = [p.name for p in folder.iterdir() if p.name not in {*MEMBERS, CHECKPOINT}]
        if others:
            raise UsageError(
                f"{str(folder)!r} holds files that are not a model's and would be lost",
                found=sorted(others)[:5],
                do="Name a new folder with -o",
            )


MEMBERS = ("README.md", "config.json", "schema.json", "model.safetensors", "provenance.json")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _swap(fresh: Path, folder: Path) -> None:
    """Puts a finished folder in its place; the old one is moved aside first and removed last."""
    if folder.exists():
        old = folder.with_name(f".{folder.name}.old.{os.getpid()}")
        os.rename(folder, old)
        os.rename(fresh, folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.rename(fresh, folder)
    sync(folder.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Temporary file, fsync, rename: the file is the old one or the new one, never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n").encode()


@contextlib.contextmanager
def guarded(what: str) -> Iterator[None]:
    """A full disk or a read-only place is told as such."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ResourceError(
                f"The disk is full: {what} was not written and nothing was left behind",
                do="Make room and give the same command again",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ResourceError(f"No permission to write {what}", do="Name another place with -o") from error
        raise


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Holds the folder's lock for as long as the block runs; a second process is told so at once."""
    folder = Path(folder)
    with guarded(f"the lock of {str(folder)!r}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        handle = open(folder.parent / f".{folder.name}.lock", "a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise ResourceError(
            f"Another process is writing {str(folder)!r}", do="Wait for it to end, or name another folder with -o"
        ) from None
    try:
        yield
    finally:
        Path(handle.name).unlink(missing_ok=True)
        handle.close()


# ---------------------------------------------------------------- reading


def load(folder: Path, threads: int) -> tuple[Joint, Schema, Plan, dict[str, Any], str]:
    """(joint, schema, plan, provenance, card) of a saved model; StoreError says what is wrong with a folder."""
    folder = Path(folder)
    config = read_config(folder)
    schema = Schema.read(folder / "schema.json")
    arrays = _arrays(folder / "model.safetensors", config["tensors_sha256"])
    plan = Plan.model_validate(config["plan"])
    try:
        joint = unpack(config, arrays, schema, threads)
    except StoreError:
        raise
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(f"{_name(folder)} is damaged: {error}", do="Fit it again") from error
    provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    return joint, schema, plan, provenance, (folder / "README.md").read_text(encoding="utf-8")


def read_config(folder: Path) -> Config:
    folder = Path(folder)
    if not folder.exists():
        raise StoreError(f"There is no model folder {_name(folder)}", do="Fit one with `anew fit DATA -o FOLDER`")
    try:
        config: Config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        found = int(config["format"])
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreError(
            f"{_name(folder)} is not a model folder: it has no readable config.json",
            found=sorted(p.name for p in folder.iterdir())[:5] if folder.is_dir() else "a file",
            do="Name a folder that `anew fit` wrote",
        ) from None
    if found > FORMAT:
        raise StoreError(
            f"{_name(folder)} was written by a newer anew: its format is {found}, this version reads up to {FORMAT}",
            do="Update anew",
        )
    return config


def _arrays(path: Path, checksum: str) -> dict[str, npt.NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"Cannot read {_name(path)}: {error.strerror}", do="Fit the model again") from None
    if hashlib.sha256(content).hexdigest() != checksum:
        raise StoreError(
            f"{_name(path)} is truncated or was changed after it was written",
            found=f"{len(content):,} bytes with another checksum",
            do="Copy it again, or fit it again",
        )
    try:
        arrays: dict[str, npt.NDArray[Any]] = from_bytes(content)
    except SafetensorError as error:
        raise StoreError(f"{_name(path)} is not a file of tensors: {error}", do="Fit the model again") from None
    return arrays


def _name(path: Path) -> str:
    return repr(str(path))[:_MOST]
