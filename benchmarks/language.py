"""Two protocols by which a language model is scored on held-out text, in nats per character.

**windows**: the text is cut into windows of 256 characters; each character is predicted from those before it in its
window alone, as nanoGPT estimates its loss. **carried**: a model reads on as it likes. Both score every character once.
A scorer is any function of rows of bytes and how many at the start of each are told for nothing, to nats (n,) per row.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

WINDOW = 256
Array = np.ndarray[Any, Any]
Scorer = Callable[[list[Array], int], Array]  # rows, told -> the sum of log p of what is not told, of each


def characters(file: Path) -> Array:
    """A text as bytes (N,); the texts measured here have one byte a character."""
    text = file.read_bytes()
    if len(text) != len(text.decode()):
        raise ValueError(f"{file} has characters of more than one byte")
    return np.frombuffer(text, np.uint8).astype(np.int64)


def windows(text: Array) -> Iterator[Array]:
    """Rows of a told character and at most 256 others, which together are all but the first character."""
    for start in range(0, len(text) - 1, WINDOW):
        yield text[start : start + WINDOW + 1]


def nats_per_character(score: Scorer, before: int, texts: list[Array]) -> float:
    """By windows: the first window opens after `before`, the last character of what was learned from."""
    whole = np.concatenate([[before], *texts])
    rows = list(windows(whole))
    return -float(score(rows, 1).sum()) / (len(whole) - 1)
