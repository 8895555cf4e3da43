"""Splits for the sets that come without one: 80/20, seed 0, within each class, a whole group on one side.

usage: python -m benchmarks.picture_splits [--data DIR]      (writes benchmarks/splits/NAME.json; needs polars)
A group is what must not be on both sides: an emoji has one picture per style under one caption, a tile has numbered
variants of one name. So captions are held out, never rows.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.picture_sets import SPLITS

SHARE, SEED = 0.2, 0
GROUPS = {  # set -> the columns that make a group, the column of the class
    "emoji_captions": (("hexcode",), "group"),
    "game_icons": (("name",), None),
    "game_tiles": (("caption",), "category"),
}


def held_out(groups: Sequence[str], classes: Sequence[str], share: float = SHARE, seed: int = SEED) -> list[int]:
    """Rows of the groups that are held out: in each class, groups in random order until they hold `share` of it."""
    generator = np.random.default_rng(seed)
    out: set[str] = set()
    class_of: dict[str, str] = {}  # a group that has several counts to that of its first row
    sizes: dict[str, dict[str, int]] = {}
    for group, name in zip(groups, classes, strict=True):
        members_of = sizes.setdefault(class_of.setdefault(group, name), {})
        members_of[group] = members_of.get(group, 0) + 1
    for name in sorted(sizes):
        members = sorted(sizes[name])
        wanted, taken = share * sum(sizes[name].values()), 0
        for index in generator.permutation(len(members)):
            if taken >= wanted:
                break
            out.add(members[index])
            taken += sizes[name][members[index]]
    return [row for row, group in enumerate(groups) if group in out]


def captioned(data: Path, name: str) -> tuple[list[str], list[str]]:
    """Group and class of every row of a captioned set."""
    import polars as pl

    columns, by = GROUPS[name]
    frame = pl.read_parquet(data / name / "captions.parquet")
    groups = ["/".join(row) for row in frame.select(columns).iter_rows()]
    return groups, [""] * len(groups) if by is None else frame[by].to_list()


def labelled(data: Path, name: str) -> tuple[list[str], list[str]]:
    """Every row its own group: nothing says which cells come from one smear."""
    labels = np.load(data / name / "data.npz")["labels"]
    return [str(row) for row in range(len(labels))], [str(label) for label in labels]


def splits(data: Path) -> dict[str, dict[str, object]]:
    """All of them, as they are written."""
    found: dict[str, dict[str, object]] = {}
    for name in ("blood_cells", *GROUPS):
        groups, classes = captioned(data, name) if name in GROUPS else labelled(data, name)
        by = "row" if name not in GROUPS else " and ".join(GROUPS[name][0])
        rule = f"seed {SEED}, {SHARE:.0%} of every class, by {by}"
        found[name] = {"rule": rule, "rows": len(groups), "test": held_out(groups, classes)}
    return found


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SPLITS.parents[2] / "shared/data/images")
    SPLITS.mkdir(exist_ok=True)
    for name, split in splits(parser.parse_args().data).items():
        (SPLITS / f"{name}.json").write_text(json.dumps(split) + "\n")


if __name__ == "__main__":
    main()
