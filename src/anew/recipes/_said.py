"""Small tables with texts made by code, so that every recipe of texts runs without a file and without a network.

No such product is sold, no such question was asked, and nobody ever spoke so.
"""

from __future__ import annotations

import numpy as np
import polars as pl

THINGS = {
    "kitchen": ("kettle", "pan", "mill", "jug"),
    "garden": ("spade", "lamp", "bench", "hose"),
    "office": ("desk", "pen", "folder", "chair"),
}
TRAITS = ("quiet", "light", "sturdy", "small", "bright", "clever")
START, END = ("Bel", "Kor", "Mira", "Tul", "Zen"), ("bo", "dex", "lin", "ra", "vo")


def products(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """Products of three kinds: a name, two keywords, and a description that mentions most of them."""
    rng = np.random.default_rng([seed, 11])
    rows = []
    for number in range(n):
        category = str(rng.choice(list(THINGS)))
        thing, (one, other) = str(rng.choice(THINGS[category])), rng.choice(TRAITS, 2, replace=False)
        name = f"{rng.choice(START)}{rng.choice(END)} {number % 97}"
        who = name if rng.random() < 0.7 else "It"
        text = f"{who} is a {one} {thing} for your {category}. "
        text += str(
            rng.choice([f"So {other} that you will not miss the old one.", f"A {thing} to keep.", f"Very {other}."])
        )
        rows.append({"name": name, "category": category, "keywords": f"{one}, {other}", "description": text})
    return pl.DataFrame(rows)


CAPITALS = {"Arland": "Bora", "Celte": "Duna", "Esk": "Fenn", "Garo": "Hild", "Isen": "Jura", "Kalm": "Lund"}
COUNTS = {"ant": 6, "spider": 8, "cat": 4, "hen": 2, "crab": 10, "snail": 1}


def questions(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """Questions on two subjects, with four choices or with two."""
    rng = np.random.default_rng([seed, 12])
    rows = []
    for number in range(n):
        land, beast = str(rng.choice(list(CAPITALS))), str(rng.choice(list(COUNTS)))
        when = f"in the year {1500 + number}"
        if number % 2:
            right, pool = CAPITALS[land], list(CAPITALS.values())
            subject, ask = (
                "geography",
                str(rng.choice([f"What was the capital of {land} {when}?", f"Which city ruled {land} {when}?"])),
            )
        else:
            right, pool = str(COUNTS[beast]), [str(i) for i in range(12)]
            subject, ask = "animals", f"How many legs did a {beast} have {when}?"
        choices = [right, *rng.permutation([one for one in pool if one != right])[:3]]
        if number % 5 == 0:
            true = bool(rng.random() < 0.5)
            ask = f"A {beast} has {COUNTS[beast] + (0 if true else 1)} legs, as was known {when}."
            subject, right, choices = "animals", str(true), ["True", "False"]
        rows.append(
            {
                "category": subject,
                "question": ask,
                "answer": right,
                "choices": [str(c) for c in rng.permutation(choices)],
            }
        )
    return pl.DataFrame(rows)


PEOPLE = ("ANSEL", "BRIT", "CORMAC", "DELIA")
OBJECTS = ("crown", "lantern", "letter", "ship", "supper", "garden")
LINES = (
    "Bring me the {}, and be quick about it.",
    "I saw the {} by the gate last night.",
    "The {} is lost, my friend.",
    "What of the {}?",
    "No {} was ever worth so much.",
)


def play(n: int = 600, seed: int = 0) -> str:
    """A play without a plot: people who speak of things, in verse of one or two lines."""
    rng = np.random.default_rng([seed, 13])
    speeches = []
    for _ in range(n):
        lines = [str(rng.choice(LINES)).format(rng.choice(OBJECTS)) for _ in range(rng.integers(1, 3))]
        speeches.append(f"{rng.choice(PEOPLE)}:\n" + "\n".join(lines))
    return "\n\n".join(speeches) + "\n"
