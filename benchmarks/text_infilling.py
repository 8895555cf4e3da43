"""Does a language model prefer the true span of a gap? Held-out text, a span of 20 to 60 characters, and another of the
same length from elsewhere in it.

usage: python -m benchmarks.text_infilling --model DIR --held FILE... [--cases 500]
Three ways of asking which span is likelier after PREFIX characters: with what follows it, log p(span, suffix | prefix);
without, log p(span | prefix); and, by a model that was fitted to fill gaps, in the order in which it fills them, log
p(span, end | prefix, suffix). One JSON line: the share of cases in which the true span wins, and how far it is ahead.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.language import Array, characters

PREFIX, SUFFIX, SHORTEST, LONGEST = 120, 64, 20, 60
PART = 50  # cases at once


def cases(text: Array, count: int, seed: int = 0) -> list[tuple[Array, Array, Array, Array]]:
    """(prefix, span, other span, suffix)"""
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        long = int(rng.integers(SHORTEST, LONGEST + 1))
        start = int(rng.integers(PREFIX, len(text) - LONGEST - SUFFIX))
        elsewhere = int(rng.integers(0, len(text) - long))
        span, other = text[start : start + long], text[elsewhere : elsewhere + long]
        found.append((text[start - PREFIX : start], span, other, text[start + long : start + long + SUFFIX]))
    return found


def nats(learner: Any, rows: list[Array]) -> list[Array]:
    """log p of each token of each row but the first, given those before it."""
    found: list[Array] = []
    for start in range(0, len(rows), PART):
        part = rows[start : start + PART]
        wide = max(map(len, part))
        padded = torch.from_numpy(np.stack([np.pad(row, (0, wide - len(row))) for row in part]))
        found += [line[: len(row) - 1] for line, row in zip(token_nats(learner, padded), part, strict=True)]
    return found


@torch.no_grad()
def token_nats(learner: Any, tokens: torch.Tensor) -> Array:
    """(B, L) of tokens (B, L + 1), the marks of gaps included."""
    logits = learner.net.forward(tokens[:, :-1], {}).float()
    chances = torch.log_softmax(logits, 2).gather(2, tokens[:, 1:, None])[..., 0]
    return np.asarray(chances.double())


def in_order(learner: Any, asked: list[tuple[Array, Array, Array, Array]], *, after: bool) -> Array:
    """log p of the true span less that of the other, with or without what follows.  (cases,)"""
    totals = []
    for which in (1, 2):
        rows = [np.concatenate([case[0], case[which], case[3] if after else case[3][:0]]) for case in asked]
        totals.append(np.array([line[PREFIX - 1 :].sum() for line in nats(learner, rows)]))
    return np.asarray(totals[0] - totals[1])


def filling(learner: Any, asked: list[tuple[Array, Array, Array, Array]]) -> Array:
    """The same in the order in which gaps are filled."""
    from anew.objectives._infilling import CLOSE, question

    totals = []
    for which in (1, 2):
        starts = [question(learner.sequences.opening, c[0].tolist(), c[3].tolist(), learner.size, 256) for c in asked]
        rows = [np.array([*s, *c[which], learner.size + CLOSE]) for s, c in zip(starts, asked, strict=True)]
        lines = nats(learner, rows)
        totals.append(np.array([line[len(s) - 1 :].sum() for line, s in zip(lines, starts, strict=True)]))
    return np.asarray(totals[0] - totals[1])


def main() -> None:
    """Ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--held", type=Path, nargs="+", required=True)
    parser.add_argument("--cases", type=int, default=500)
    given = parser.parse_args()
    import anew

    (factor,) = anew.load(given.model).joint.factors
    learner: Any = factor.learner
    asked = cases(np.concatenate([characters(file) for file in given.held]), given.cases)
    ahead = {"with what follows": in_order(learner, asked, after=True)}
    ahead["without"] = in_order(learner, asked, after=False)
    if learner.gaps:
        ahead["in the order of filling"] = filling(learner, asked)
    figures = {name: {"preferred": float((gap > 0).mean()), "nats": float(gap.mean())} for name, gap in ahead.items()}
    print(json.dumps({"cases": len(asked)} | figures))


if __name__ == "__main__":
    main()
