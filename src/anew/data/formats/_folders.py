"""Folders of files, a row each: sub-folders are labels, and of splits the training part is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from anew.core.errors import DataError, did_you_mean

LABEL = "label"
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
SPLITS = ("train", "val", "valid", "validation", "test")


def labels(folder: Path, files: Sequence[Path], what: str, notes: list[str]) -> dict[str, pl.Series]:
    """The column of labels, if files (relative to the folder) lie in sub-folders; empty ones are told."""
    if not any(len(file.parts) > 1 for file in files):
        return {}
    if empty := sorted(set(below(folder)) - {file.parts[0] for file in files}):
        notes.append(f"labels without {what}, so that nothing is learned of them: {', '.join(empty)}")
    return {LABEL: pl.Series([file.parent.as_posix() if len(file.parts) > 1 else None for file in files])}


def part_of(folder: Path, part: str | None) -> tuple[Path, list[str]]:
    """A folder of splits is read as its training part, unless another is named."""
    there = below(folder)
    if part is not None:
        if part not in there:
            raise DataError(f"{str(folder)!r} has no part {part!r}", do=did_you_mean(part, there))
        return folder / part, []
    if "train" not in there or not set(there) <= set(SPLITS) or any((folder / name).is_file() for name in METADATA):
        return folder, []
    return folder / "train", [only_train(there, f"{folder}/{there[0]}")]


def below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def only_train(splits: Sequence[str], example: str) -> str:
    rest = [name for name in splits if name != "train"]
    if not rest:
        return "the part 'train' is read"
    return (
        f"only the part 'train' is read, not {', '.join(rest)}; name another as in {example.replace('train', 'test')}"
    )


def walk(folder: Path) -> Iterator[Path]:
    """Every file; a link to a folder is followed, unless it leads to a place that was seen."""
    seen = {os.path.realpath(folder)}
    for place, folders, names in os.walk(folder, followlinks=True):
        real = {name: os.path.realpath(Path(place, name)) for name in folders if not name.startswith((".", "__"))}
        folders[:] = [name for name, to in real.items() if to not in seen]
        seen |= set(real.values())
        yield from (Path(place, name) for name in names if not name.startswith("."))


def left_out(names: Sequence[str], why: str) -> str:
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20:,} more" if len(names) > 20 else "")
    return f"{len(names):,} file{'s' * (len(names) > 1)} left out, {why}: {shown}"
