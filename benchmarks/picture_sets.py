"""The sets of pictures, each as training pictures and held-out ones.

Letters: N pictures, H x W pixels, C channels (grey 1). Sets that come with parts keep them; the others are split by the
indices in `splits/` (made by picture_splits.py). Held out is what comes from the training distribution: for
pneumonia_mnist that is its `val`, since its `test` was collected otherwise (normal 37 % instead of 26 %), and real
training pictures would stand far from it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SPLITS = Path(__file__).resolve().parent / "splits"
HELD = {"fashion_mnist": "test", "sign_digits": "test", "pneumonia_mnist": "val"}
SETS = ("fashion_mnist", "blood_cells", "pneumonia_mnist", "sign_digits")
SEVERAL_SEEDS = ("fashion_mnist", "blood_cells")
MOST_DRAWN = 1000
CLASSES = " classes"  # after a name in a file of samples: the classes that were asked for

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Pictures:
    """Pictures as bytes (N, H, W, C) and their classes (N,)."""

    train: Array
    labels: Array
    held: Array
    held_labels: Array

    @property
    def drawn(self) -> int:
        """How many pictures every generator draws, and how many training pictures stand beside them as the ceiling: a
        Frechet distance falls with their number, so it is one number for all."""
        return min(MOST_DRAWN, len(self.train))


def channels_last(pictures: Array) -> Array:
    """(N, H, W) -> (N, H, W, 1)"""
    return pictures[..., None] if pictures.ndim == 3 else pictures


def tensors(pictures: Array) -> Any:
    """Bytes (N, H, W, C) -> a tensor (N, C, H, W) in [-1, 1]."""
    import torch

    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().contiguous() / 127.5 - 1.0


def test_rows(name: str) -> list[int]:
    """The rows that a split of ours holds out."""
    record = json.loads((SPLITS / f"{name}.json").read_text())
    rows: list[int] = record["test"]
    return rows


def load(data: Path, name: str, held: str | None = None) -> Pictures:
    """One set; `held` names another of its own parts than the one of HELD."""
    with np.load(data / name / "data.npz") as file:
        arrays = {key: file[key] for key in file.files}
    if name in HELD:
        part = held or HELD[name]
        keys = ("train_images", "train_labels", f"{part}_images", f"{part}_labels")
        train, labels, other, other_labels = (arrays[key] for key in keys)
    else:
        out = np.zeros(len(arrays["images"]), dtype=bool)
        out[test_rows(name)] = True
        train, labels = arrays["images"][~out], arrays["labels"][~out]
        other, other_labels = arrays["images"][out], arrays["labels"][out]
    return Pictures(
        channels_last(train),
        labels.flatten().astype(np.int64),
        channels_last(other),
        other_labels.flatten().astype(np.int64),
    )
