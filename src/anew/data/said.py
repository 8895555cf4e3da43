"""Texts that nobody wrote, for examples: reviews of a hotel that does not exist, and graded answers about plants."""

from __future__ import annotations

import numpy as np
import polars as pl

OPENINGS = ["We stayed two nights.", "Booked it for work.", "Our third visit.", "Came with the children.", ""]
GOOD = ["lovely", "excellent", "friendly", "very clean", "better than expected", "a real pleasure"]
BAD = ["awful", "dirty", "slow", "a disappointment", "worse than expected", "broken"]
PLACES = {"breakfast": 0.85, "staff": 0.8, "room": 0.55, "bed": 0.5, "shower": 0.3, "parking": 0.2, "wifi": 0.35}
ENDS = ["Would come again.", "Never again.", "Fine for the price.", ""]


def reviews(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """A day, a review and its mood; the wifi gets worse in the later half of the year."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.integers(0, 365, rows))
    texts, moods = [], []
    for day in days:
        late = day > 182
        odds = {**PLACES, "wifi": 0.1 if late else 0.6}
        weight = np.array([3.0 if late and place == "wifi" else 1.0 for place in odds])
        named = rng.choice(list(odds), 2, replace=False, p=weight / weight.sum())
        liked = [rng.random() < odds[place] for place in named]
        said = [f"The {p} was {rng.choice(GOOD if y else BAD)}." for p, y in zip(named, liked, strict=True)]
        good = rng.random() < (0.95 if all(liked) else 0.05 if not any(liked) else 0.5)
        ends = [ENDS[0] if good else ENDS[1], *ENDS[2:]]
        texts.append(" ".join(part for part in [rng.choice(OPENINGS), *said, rng.choice(ends)] if part))
        moods.append("positive" if good else "negative")
    start = pl.datetime(2025, 1, 1, time_unit="us")
    frame = pl.DataFrame({"day": days, "review": texts, "mood": moods})
    return frame.with_columns(day=(start + pl.duration(days="day")).cast(pl.Date))


QUESTIONS = {
    "Why do plants need light?": {
        "light is the energy for photosynthesis": ["light drives photosynthesis", "they use light energy"],
        "they make sugar from carbon dioxide and water": ["sugar is made from water and carbon dioxide"],
        "oxygen is set free": ["oxygen is released", "they give off oxygen"],
    },
    "What do roots do?": {
        "roots take up water": ["they absorb water", "water is taken from the soil"],
        "roots take up minerals": ["they absorb minerals and salts", "nutrients come in through them"],
        "they hold the plant in the ground": ["they anchor the plant", "the plant stands firm in the soil"],
    },
    "How does a seed travel?": {
        "the wind carries it": ["it is blown by the wind", "light seeds fly in the wind"],
        "animals eat the fruit and drop the seed": ["birds and animals eat it", "it sticks to the fur of animals"],
        "water carries it": ["it floats on water", "rivers and rain wash it away"],
    },
    "What are petals for?": {
        "petals attract insects": ["bees are drawn by their colour", "they attract pollinators"],
        "they protect the inner parts of the flower": ["they shelter the inside of the bud"],
    },
}
WRONG = ["they are mostly for decoration", "it only happens at night", "that is because of gravity", "nobody knows why"]
STARTS = ["", "I think that", "As we learned,", "Basically", "In my view", "So"]


def answers(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """A question, its key, an answer, the share of the key's points that it makes, and what a teacher says to it."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(rows):
        question = str(rng.choice(list(QUESTIONS)))
        points = QUESTIONS[question]
        made_points = [point for point in points if rng.random() < 0.55]
        said = [str(rng.choice([point, *points[point]])) for point in made_points]
        said += [str(rng.choice(WRONG))] if rng.random() < 0.3 or not said else []
        text = f"{rng.choice(STARTS)} {' and '.join(rng.permutation(said))}.".strip()
        missing = [point for point in points if point not in made_points]
        feedback = f"You should also say that {' and '.join(missing)}." if missing else "All that was asked for."
        score = round(len(made_points) / len(points), 1)
        made.append((question, "; ".join(points), text[0].upper() + text[1:], score, feedback))
    return pl.DataFrame(made, schema=["question", "reference", "answer", "score", "feedback"], orient="row")
