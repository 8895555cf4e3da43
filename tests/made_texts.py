"""As many texts as a test likes: made-up words that follow each other by rules, about two topics."""

from __future__ import annotations

import numpy as np
import polars as pl

from anew.core.schema import Field, Schema

TOPICS = ("sea", "hill")
WORDS, NEXT = 500, 12  # words of the language, and those that may follow one
SCHEMA = Schema(
    fields=(
        Field(name="topic", kind="category", dtype="String"),
        Field(name="story", kind="text", dtype="String"),
    )
)


def frame(n: int, seed: int) -> pl.DataFrame:
    """Rows of a topic and a story about it; every seed gives other rows of the same language."""
    words, follow, weight = _language()
    rng = np.random.default_rng([seed, 11])
    topic = rng.integers(0, 2, n)
    stories = []
    for about in topic:
        here, out = int(rng.integers(WORDS)), []
        for _ in range(int(rng.integers(12, 40))):
            out.append(words[here])
            here = int(follow[about, here, rng.choice(NEXT, p=weight)])
        ends = np.sort(rng.choice(len(out), 2, replace=False))
        stories.append(" ".join(word + "." if i in ends else word for i, word in enumerate(out)) + ".")
    return pl.DataFrame({"topic": [TOPICS[i] for i in topic], "story": stories})


def _language() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Words of two or three syllables, what may follow each in a story of either topic, and how likely each is."""
    rng = np.random.default_rng(3)
    syllables = [a + b for a in "bdfgklmnprstv" for b in "aeiou"]
    words = ["".join(rng.choice(syllables, rng.integers(2, 4))) for _ in range(WORDS)]
    weight = 1 / np.arange(1, NEXT + 1)
    common = rng.zipf(1.5, (WORDS, NEXT)) % WORDS
    follow = np.stack([np.where(rng.random((WORDS, NEXT)) < 0.7, common, rng.integers(0, WORDS, (WORDS, NEXT)))] * 2)
    follow[1] = np.where(rng.random((WORDS, NEXT)) < 0.3, rng.integers(0, WORDS, (WORDS, NEXT)), follow[0])
    return words, follow, weight / weight.sum()
