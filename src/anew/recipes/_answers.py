"""Graded answers: their columns, what a grader is measured by, and the page about it.

n answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from anew.api import fit
from anew.audit.statistics import Estimate, bootstrap_error, proportion
from anew.audit.story import Section, Story, Tile
from anew.core.columns import Floats
from anew.core.errors import DataError
from anew.core.schema import Field, Schema
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.job import hold_out
from anew.recipes._grading import Asked, Grader, agreement, words_of
from anew.recipes._outcome import Outcome
from anew.recipes._refusing import Refusals
from anew.recipes._tables import column, opened

NAMES = {
    "answer": ("answer", "student_answer", "response", "text", "essay", "antwort"),
    "score": ("score", "grade", "points", "mark", "marks", "punkte", "note"),
    "question": ("question_id", "question", "prompt", "frage"),
    "reference": ("reference_answer", "reference", "key", "model_answer", "musterlösung"),
    "feedback": ("feedback", "comment", "explanation", "kommentar"),
}
FINEST = 101  # steps of a scale
SHOWN = 6
NOT = (
    "A score is a proposal for a teacher to look at. It says how such answers were graded, not what a student knows.",
    "A refusal says that an answer is unlike those that were graded. It is no accusation.",
    "Of copying, of a machine's help or of bad faith it knows nothing, and nothing here may be read as such a finding.",
    "Where a key is short or a question new, it knows little: its agreement there is measured apart, or not at all.",
    "It grades as the people did whose grades it learned from, their errors and their leanings among them.",
    "How well two people would agree is not known unless two graded the same answers; this table has one grade each.",
)


@dataclass(frozen=True)
class Answers:
    """A table of graded answers, and which of its columns is what; "" where there is none."""

    table: Dataset
    names: Mapping[str, str]

    def asked(self, frame: pl.DataFrame) -> Asked:
        """Its rows as a grader takes them."""
        cells = {name: self._cells(frame, name) for name in ("answer", "question", "reference")}
        known = {word: i for i, word in enumerate(self.questions)}
        codes = np.array([known.get(word, -1) for word in self._cells(frame, "question")], np.intp)
        words = [self._worded.get(word, word) for word in cells["question"]]
        return Asked(cells["answer"], words, cells["reference"], codes)

    def _cells(self, frame: pl.DataFrame, name: str) -> list[str]:
        own = self.names[name]
        there = own and own in frame.columns
        return frame[own].cast(pl.String).fill_null("").to_list() if there else [""] * len(frame)

    @property
    def questions(self) -> list[str]:
        return sorted(set(self._cells(self.table.frame, "question")))

    @property
    def _worded(self) -> dict[str, str]:
        """The words of a question where another column holds them beside its number."""
        other = next((n for n in ("question", "prompt", "frage") if n in self.table.frame.columns), "")
        if not other or other == self.names["question"]:
            return {}
        return dict(
            zip(self._cells(self.table.frame, "question"), self.table.frame[other].cast(pl.String), strict=True)
        )

    def scores(self, frame: pl.DataFrame) -> Floats:
        return np.asarray(frame[self.names["score"]].to_numpy(), np.float64)

    @property
    def steps(self) -> Floats:
        """The scale in equal steps, as fine as the scores are written: a tenth, a half, a point."""
        known = np.unique(self.scores(self.table.frame))
        finest = max(float(np.diff(known).min()), float(np.ptp(known)) / (FINEST - 1))
        finest = 0.1 if known[-1] <= 1 and finest < 0.1 else finest
        return np.linspace(known[0], known[-1], max(round(float(np.ptp(known)) / finest), 1) + 1)

    def parted(self, test: object, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Answers to learn from, and answers to judge by."""
        if test is None:
            learned, held = hold_out(self.table, None, seed)
            return learned.frame, held
        return self.table.frame, _known(Dataset.open(test).frame, self.names["answer"], self.names["score"])


def answers_of(
    data: object,
    answer: str | None,
    score: str | None,
    question: str | None,
    reference: str | None,
    feedback: str | None,
    schema: Schema | str | Path | None,
) -> Answers:
    """The table, or the example, with its columns found or named; only answers that have a score."""
    table = opened(data, "answers", schema)
    told = {"answer": answer, "score": score, "question": question, "reference": reference, "feedback": feedback}
    names = {}
    for what, name in told.items():
        usual = next((own for own in table.schema.names if own.lower() in NAMES[what]), "")
        by_order = [n for n in NAMES[what] if n in table.schema.names]
        names[what] = column(table, name) if name else by_order[0] if by_order else usual
        if not names[what] and what in ("answer", "score"):
            raise DataError(f"No column looks like the {what}", found=table.schema.names, do=f"--option {what}=COLUMN")
    frame = _known(table.frame, names["answer"], names["score"])
    if not frame[names["score"]].dtype.is_numeric() or frame[names["score"]].n_unique() < 2:
        raise DataError(f"The scores in {names['score']!r} are no numbers, or all the same", do="Name another column")
    return Answers(replace(table, frame=frame, rows=len(frame)), names)


def _known(frame: pl.DataFrame, answer: str, score: str) -> pl.DataFrame:
    return frame.filter(pl.col(answer).is_not_null() & pl.col(score).is_not_null())


# ---------------------------------------------------------------- measured


@dataclass(frozen=True)
class Judged:
    """Agreement with people on held-out answers, beside the baselines, and what was refused."""

    kappa: Mapping[str, Estimate]
    gained: Mapping[str, Estimate]
    refused: Estimate
    made_up: Mapping[str, Estimate]
    held: int


def measured(
    source: Answers, grader: Grader, refusals: Refusals, learned: pl.DataFrame, held: pl.DataFrame, seed: int
) -> Judged:
    """Quadratic weighted kappa with the bootstrap's intervals; made-up answers that should not be graded."""
    asked, truth, steps = source.asked(held), source.scores(held), source.steps
    given = {"ours": grader(asked), **baselines(source, learned, held, seed)}
    ours = given["ours"]

    def beside(other: Floats) -> Estimate:
        """The agreement of ours, less that of another."""
        return _boot(lambda r: _kappa(truth, ours, steps, r) - _kappa(truth, other, steps, r), len(held), seed)

    kappa = {name: _boot(partial(_kappa, truth, g, steps), len(held), seed) for name, g in given.items()}
    gained = {name: beside(g) for name, g in given.items() if name != "ours"}
    refused = sum(bool(why) for why in refusals(asked))
    lowest = steps[0] + (steps[1] - steps[0]) / 2
    made_up = {}
    for name, bad in spoiled(asked, grader.asked, seed).items():
        low = [bool(why) or score < lowest for why, score in zip(refusals(bad), grader(bad), strict=True)]
        made_up[name] = proportion(float(sum(low)), len(low))
    return Judged(kappa, gained, proportion(float(refused), len(held)), made_up, len(held))


def _kappa(truth: Floats, given: Floats, steps: Floats, rows: Any) -> float:
    return agreement(truth[rows], given[rows], steps)


def _boot(statistic: Callable[[Any], float], n: int, seed: int) -> Estimate:
    error = bootstrap_error(statistic, n, 300, stream("agreement", seed))
    return Estimate.around(statistic(np.arange(n)), error)


def baselines(source: Answers, learned: pl.DataFrame, held: pl.DataFrame, seed: int) -> dict[str, Floats]:
    """Ridge regression on the n-grams of the answers, and trees that know their lengths alone."""
    names = source.names
    words, length = Field(name="answer", kind="text", dtype="String"), ["letters", "words"]
    plain = Schema(fields=(words, Field(name="score", kind="number", dtype="Float64")))

    def table(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.select(pl.col(names["answer"]).cast(pl.String).alias("answer"),
                            pl.col(names["score"]).cast(pl.Float64).alias("score"))  # fmt: skip

    def lengths(frame: pl.DataFrame) -> pl.DataFrame:
        texts = table(frame)["answer"].to_list()
        rows = {"letters": [float(len(t)) for t in texts], "words": [float(len(words_of(t))) for t in texts]}
        return pl.DataFrame(rows).with_columns(score=table(frame)["score"])

    ridge = fit(table(learned), learn="score", objective="squared_error", network="linear", schema=plain, seed=seed)
    short = fit(lengths(learned), learn="score", given=length, objective="squared_error", network="boosted", seed=seed)
    asked = {"n-gram ridge": (ridge, table(held)), "length alone": (short, lengths(held))}
    return {name: np.ravel(m.predict(t.drop("score"))).astype(np.float64) for name, (m, t) in asked.items()}


def spoiled(asked: Asked, known: Asked, seed: int) -> dict[str, Asked]:
    """The same questions with answers that should get nothing: random letters, words by chance, the question."""
    rng, letters = stream("spoiled", seed), list("abcdefghijklmnopqrstuvwxyz")
    words = [word for answer in known.answers for word in words_of(answer)]
    told = [max(len(words_of(answer)), 8) for answer in asked.answers]
    made = {
        "gibberish": [" ".join("".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(n)) for n in told],
        "word salad": [" ".join(rng.choice(words, n)) for n in told],
    }
    if any(asked.questions):
        made["the question pasted"] = list(asked.questions)
    return {name: replace(asked, answers=texts) for name, texts in made.items()}


# ---------------------------------------------------------------- the outcome


@dataclass(frozen=True)
class Grades(Outcome):
    """The page, and a grader for other answers while it is in memory: it keeps graded answers, so it is not saved."""

    source: Answers | None = None
    grader: Grader | None = None
    refusals: Refusals | None = None
    learned: pl.DataFrame = field(default_factory=pl.DataFrame)

    def grade(self, answers: object) -> pl.DataFrame:
        """Answers with a score (none where refused), why it was refused, and the nearest graded answer's feedback."""
        assert self.source is not None
        assert self.grader is not None
        assert self.refusals is not None
        frame = Dataset.open(answers).frame
        if self.source.names["answer"] not in frame.columns:
            raise DataError(f"There is no column {self.source.names['answer']!r}", found=frame.columns, do="Bring it")
        asked, steps = self.source.asked(frame), self.source.steps
        raw, why, near = self.grader(asked), self.refusals(asked), self.grader.nearest(asked)
        scores = [
            None if reason else float(steps[np.abs(steps - s).argmin()]) for s, reason in zip(raw, why, strict=True)
        ]
        said = self.source._cells(self.learned, "feedback")
        return frame.select(pl.col(name) for name in frame.columns if name != self.source.names["score"]).with_columns(
            pl.Series("proposed score", scores, pl.Float64),
            pl.Series("refused", why, pl.String),
            pl.Series("to the nearest answer", [said[i] if i >= 0 else "" for i in near], pl.String),
        )

    def with_new(self, held: pl.DataFrame, new: object) -> Grades:
        """The same with the held-out answers graded, and new ones where there are any."""
        tables = {"held_out": self.grade(held)}
        if new is not None:
            tables["graded"] = self.grade(new)
        return replace(self, tables=tables)


def story_of(source: Answers, judged: Judged, learned: pl.DataFrame, seed: int) -> Story:
    """How well it agrees, what it refuses, and what it is not."""
    ours, worst = judged.kappa["ours"], min(judged.gained.values(), key=lambda one: one.low)
    better = (
        "better than its n-grams or its length alone" if worst.low > 0 else "not shown to be better than a baseline"
    )
    return Story(
        title=f"Grades for answers: {source.names['score']}",
        headline=f"Proposed scores agree with people's by a quadratic weighted kappa of {ours.value:.2f}: {better}.",
        lead=[
            f"{len(learned):,} graded answers to {len(source.questions):,} questions were learned from.",
            f"{judged.held:,} others say how well. A score is a proposal; the last section says what it is not.",
        ],
        tiles=_tiles(judged),
        sections=[_agrees(source, judged), _refuses(judged), Section("What this is not", "", rows=_limits())],
        figures={
            "agreement": {name: vars(one) for name, one in judged.kappa.items()},
            "gained": {name: vars(one) for name, one in judged.gained.items()},
            "refused": vars(judged.refused),
            "made up": {name: vars(one) for name, one in judged.made_up.items()},
            "second grader": None,
        },
        facts={"columns": dict(source.names), "learned from": len(learned), "held out": judged.held, "seed": seed},
    )


def _tiles(judged: Judged) -> list[Tile]:
    ours = judged.kappa["ours"]
    more = judged.gained.items()
    return [
        Tile("quadratic weighted kappa with people", f"{ours.value:.3f}", f"95 %: {ours.low:.3f} to {ours.high:.3f}"),
        *(Tile(f"more than {name}", f"{g.value:+.3f}", f"95 %: {g.low:+.3f} to {g.high:+.3f}") for name, g in more),
        Tile("of real answers are refused", f"{judged.refused.value:.1%}", "wanted: 3 % at most"),
    ]


def _agrees(source: Answers, judged: Judged) -> Section:
    lead = (
        f"On held-out answers, scores rounded to steps of {source.steps[1] - source.steps[0]:.2g}; 1 is perfect. How "
        "well two people would agree cannot be told: each answer has one grade."
    )
    return Section(
        "Agreement with people", lead, [(name, one.low, one.value, one.high) for name, one in judged.kappa.items()]
    )


def _refuses(judged: Judged) -> Section:
    lead = "Made-up answers to the held-out questions: the share that is refused or gets the lowest score."
    rows = [
        {"answers": name, "refused or lowest": f"{one.value:.1%}", "95 %": f"{one.low:.1%} to {one.high:.1%}"}
        for name, one in judged.made_up.items()
    ]
    return Section("What is refused", lead, rows=rows)


def _limits() -> list[dict[str, str]]:
    return [{"limit": line} for line in NOT]
