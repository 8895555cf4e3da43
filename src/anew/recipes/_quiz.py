"""Questions of a bank as texts that a model learns, and back: the question, the right choice, the others, a line each.

    Which river runs through Cairo?
    + The Nile
    - The Niger
    - The Congo
    - The Zambezi

A text is held to that form while it is written. What is left out afterwards, and counted: a question whose choices are
not all different, and one that the bank or the sheet has already, or nearly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl

from anew.core.errors import DataError, UsageError
from anew.core.seeds import stream
from anew.recipes._texts import near

FOUR, TWO = "four choices", "true or false"
LINE = r"[^\n\x00-\x1f]"
FORMS = {
    FOUR: LINE + r"{12,280}\n\+ " + LINE + r"{1,90}(\n- " + LINE + r"{1,90}){3}",
    TWO: LINE + r"{12,280}\n\+ (True\n- False|False\n- True)",
}
RIGHT, WRONG = "\n+ ", "\n- "
UNCHECKED, CHECKED = "unchecked", "in the passage"
LETTERS = "ABCD"


@dataclass(frozen=True)
class Question:
    """A question with its choices, the right one first until they are mixed; `key` is the place of the right one."""

    question: str
    choices: tuple[str, ...]
    subject: str
    key: int = 0
    checked: str = UNCHECKED
    difficulty: str = ""

    @property
    def form(self) -> str:
        return TWO if len(self.choices) == 2 else FOUR

    @property
    def text(self) -> str:
        """Question and choices, without a word on which is right."""
        return "\n".join([self.question, *sorted(self.choices)])

    @property
    def well_formed(self) -> bool:
        """Four different choices, or true and false; one of them marked."""
        different = len({choice.strip().casefold() for choice in self.choices}) == len(self.choices)
        good = set(self.choices) == {"True", "False"} if len(self.choices) == 2 else len(self.choices) == 4
        return (
            good and different and all(choice.strip() for choice in self.choices) and 0 <= self.key < len(self.choices)
        )

    def mixed(self, rng: np.random.Generator) -> Question:
        """With its choices in a random order; true stands before false."""
        order = [int(i) for i in rng.permutation(len(self.choices))]
        if self.form == TWO:
            order = sorted(order, key=lambda i: self.choices[i] == "False")
        return replace(self, choices=tuple(self.choices[i] for i in order), key=order.index(self.key))

    def row(self) -> dict[str, str]:
        cells = dict.fromkeys(LETTERS, "") | dict(zip(LETTERS, self.choices, strict=False))
        told = {"answer": LETTERS[self.key], "answer is": self.checked, "difficulty": self.difficulty}
        return {"subject": self.subject, "question": self.question, **cells, **told}


def bank_of(frame: pl.DataFrame, subject: str, question: str, choices: str, answer: str) -> list[Question]:
    """Rows whose choices are a list, or a text with | between them; what is no question of this form is left out."""
    found = []
    for row in frame.iter_rows(named=True):
        options = row[choices]
        options = [part.strip() for part in options.split("|")] if isinstance(options, str) else list(options or [])
        right = str(row[answer] or "").strip()
        others = [flat(one) for one in options if flat(one) != flat(right)]
        one = Question(flat(row[question]), (flat(right), *others), str(row[subject]))
        if one.well_formed and len(others) == len(options) - 1:
            found.append(one)
    if not found:
        raise DataError("No row is a question with four choices, or true and false, of which one is its answer")
    return found


def form_of(word: str | None) -> str:
    """A form by its name."""
    found = FOUR if word is None else word.strip().lower()
    if found not in FORMS:
        raise UsageError("A question has one of two forms", found=word, do=f"Say {FOUR!r} or {TWO!r}")
    return found


def flat(cell: object) -> str:
    return " ".join(str(cell or "").split())


def written(one: Question) -> str:
    """As a model learns it: the right choice first."""
    first, *others = (one.choices[one.key], *(c for i, c in enumerate(one.choices) if i != one.key))
    return one.question + RIGHT + first + "".join(WRONG + other for other in others)


def read(text: str, subject: str) -> Question:
    """A text of that form, as a question."""
    question, _, rest = text.partition(RIGHT)
    return Question(question.strip(), tuple(part.strip() for part in rest.split(WRONG)), subject)


def table_of(bank: Sequence[Question]) -> pl.DataFrame:
    rows = [{"subject": one.subject, "form": one.form, "item": written(one)} for one in bank]
    return pl.DataFrame(rows)


@dataclass
class Sheet:
    """New questions, and how many were left out for what."""

    bank: Sequence[Question]

    def __post_init__(self) -> None:
        self.known = {plain(one.question) for one in self.bank}
        self.texts = [one.question for one in self.bank]
        self.kept: list[Question] = []
        self.left = {"choices that are not all different": 0, "already in the bank or on the sheet": 0, "nearly": 0}

    def add(self, drafts: Sequence[Question], most: int) -> None:
        """The good ones of these, until there are `most` in all."""
        close = near(self.texts, [one.question for one in drafts])
        for one, like in zip(drafts, close, strict=True):
            if len(self.kept) >= most:
                return
            if not one.well_formed:
                self.left["choices that are not all different"] += 1
            elif plain(one.question) in self.known:
                self.left["already in the bank or on the sheet"] += 1
            elif like:
                self.left["nearly"] += 1
            else:
                self.known.add(plain(one.question))
                self.kept.append(one)


def plain(question: str) -> str:
    """Letters and digits alone: what makes two questions the same."""
    return "".join(c for c in question.casefold() if c.isalnum())


ROUNDS = 6


def drawn(model: Any, sheet: Sheet, subject: str, form: str, n: int, how: dict[str, Any], seed: int) -> list[Question]:
    """n new questions on a subject; fewer where the model repeats itself."""
    before, own = len(sheet.kept), crc32(f"{subject}, {form}".encode()) % 1000  # so that no two begin alike
    for turn in range(ROUNDS):
        lacking = before + n - len(sheet.kept)
        if lacking <= 0:
            break
        made = model.stream(
            lacking + 1,
            where={"subject": subject, "form": form},
            regex=FORMS[form],
            seed=seed + own + 1000 * turn,
            **how,
        )
        drafts = [read(text, subject) for text in pl.concat(list(made))["item"].drop_nulls()]
        sheet.add(drafts, before + n)
    return [one.mixed(stream("choices", seed, i)) for i, one in enumerate(sheet.kept[before:])]
