"""What the report shows of texts: real and synthetic ones side by side, and the longest spans that were copied.

Of training texts nothing is shown but the spans that synthetic texts share with them, and the row where each stands.

A span is marked from `usual` characters on: MARGIN more than what 95 of 100 real texts stay under.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from anew.audit.corpus import Corpus
from anew.audit.runs import KNOWN_END, Runs

if TYPE_CHECKING:
    from anew.audit.evidence import Evidence

SHOWN = 6  # texts of each sample, by chance
CLOSEST = 6  # synthetic texts with the longest runs
CUT = 420  # characters of a text that are shown
MARGIN, LONG, MOST_REAL = 20, 60, 0.95


@dataclass(frozen=True)
class Piece:
    """A part of a text; `copied` where it stands word for word in a training text."""

    text: str
    copied: bool = False


@dataclass(frozen=True)
class Passage:
    """A text as the page shows it, under the label of its row (empty: none known)."""

    label: str
    pieces: list[Piece]


@dataclass(frozen=True)
class Copied:
    """A synthetic text with its longest run marked: `length` characters that also stand in the training row `row`."""

    length: int
    row: int
    synthetic: list[Piece]


@dataclass(frozen=True)
class Passages:
    """`usual`: characters from which on a run is marked; `natural`: the longest that real texts share with others."""

    name: str
    real: list[Passage]
    synthetic: list[Passage]
    closest: list[Copied]
    usual: int
    natural: int


def passages_of(corpus: Corpus, evidence: Evidence) -> Passages | None:
    """None where a sample has no text."""
    if not all(len(corpus.numbers(name, 1)) for name in ("train", "holdout", "synthetic")):
        return None
    least, made = usual(corpus), corpus.runs("synthetic")
    chosen = {name: _chosen(corpus, name) for name in ("holdout", "synthetic")}
    real = [Passage(_label(corpus, "holdout", i), _plain(corpus.texts("holdout")[i])) for i in chosen["holdout"]]
    synthetic = [
        Passage(_label(corpus, "synthetic", i), _marked(corpus.texts("synthetic")[i], made, i, least))
        for i in chosen["synthetic"]
    ]
    natural = int(max(corpus.runs(name).longest.max(initial=0) for name in ("holdout", "natural")))
    return Passages(corpus.name, real, synthetic, _closest(corpus, made), least, natural)


def usual(corpus: Corpus) -> int:
    """How long a run must be to count as copied, in characters."""
    real = np.concatenate([corpus.runs(name).longest for name in ("holdout", "natural")])
    return min(int(np.quantile(real, MOST_REAL)) + MARGIN, LONG)


def _chosen(corpus: Corpus, name: str) -> list[int]:
    """Some texts by chance, those of one label together."""
    some = list(range(min(SHOWN, len(corpus.texts(name)))))
    if corpus.labels is None:
        return some
    classes = corpus.classes(name)
    kinds = [np.flatnonzero(classes == k)[: -(-SHOWN // 2)] for k in np.unique(classes[classes >= 0])]
    turns = [int(kind[turn]) for turn in range(SHOWN) for kind in kinds if turn < len(kind)][:SHOWN]
    return sorted(turns, key=lambda i: int(classes[i])) or some


def _label(corpus: Corpus, name: str, text: int) -> str:
    if corpus.labels is None:
        return ""
    code = int(corpus.classes(name)[text])
    return corpus.labels.names[code] if code >= 0 else ""


def _plain(text: str) -> list[Piece]:
    return [Piece(text if len(text) <= CUT else text[:CUT] + "…")]


def _marked(text: str, found: Runs, number: int, least: int) -> list[Piece]:
    """The beginning of a text, every run of `least` characters or more marked."""
    length = found.of(number)
    copied = np.zeros(len(text) + 1, np.int64)
    for start in np.flatnonzero(length >= least):
        copied[start] += 1
        copied[start + length[start]] -= 1
    inside = np.cumsum(copied)[: min(len(text), CUT)] > 0
    edges = [0, *(np.flatnonzero(inside[1:] != inside[:-1]) + 1).tolist(), len(inside)]
    pieces = [Piece(text[a:b], bool(inside[a])) for a, b in pairwise(edges) if b > a]
    return [*pieces, Piece("…")] if len(text) > CUT else pieces


def _closest(corpus: Corpus, found: Runs) -> list[Copied]:
    """The synthetic texts with the longest runs, the longest first."""
    blob_ends = np.cumsum([len(text.encode("utf-8", "surrogatepass")) + len(KNOWN_END) for text in corpus.known[0]])
    out = []
    for number in np.argsort(-found.longest, kind="stable")[:CLOSEST]:
        at, length, source = found.best(int(number))
        if not length:
            continue
        row = int(corpus.known[1][np.searchsorted(blob_ends, source, "right")])
        out.append(Copied(length, row, _around(corpus.texts("synthetic")[number], at, length)))
    return out


def _around(text: str, at: int, length: int) -> list[Piece]:
    """A span with what stands around it."""
    room = max((CUT - length) // 2, 40)
    first, last = max(at - room, 0), min(at + length + room, len(text))
    shown = min(length, CUT)
    cells = [
        Piece(("…" if first else "") + text[first:at]),
        Piece(text[at : at + shown] + ("…" if shown < length else ""), True),
        Piece(text[at + length : last] + ("…" if last < len(text) else "")),
    ]
    return [piece for piece in cells if piece.text]
