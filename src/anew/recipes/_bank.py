"""A bank of questions as it comes: choices as a list, or as a text with | between them; its columns found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from anew.core.errors import UsageError, did_you_mean
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.recipes._quiz import Question, bank_of

COLUMNS = {
    "question": ("question", "prompt", "item"),
    "choices": ("choices", "options", "answers"),
    "answer": ("answer", "correct", "right"),
    "subject": ("category", "subject", "topic"),
}
SHARE = 8  # one question in so many is kept aside
BAR = "|"


def opened(data: object, names: dict[str, str | None]) -> list[Question]:
    """The questions of a table, its columns as they were named or are usually called."""
    frame = _frame(data)
    found = {what: _column(frame, what, named) for what, named in names.items()}
    return bank_of(frame, **found)


def _frame(data: object) -> pl.DataFrame:
    if isinstance(data, str | Path):
        from anew.data.formats import frames

        with frames.opened(data) as brought:
            frame = brought.frame.collect()
    elif isinstance(data, pl.DataFrame):
        frame = data
    else:
        return Dataset.open(data).frame
    return frame.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join(BAR)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.List)
    )


def _column(frame: pl.DataFrame, what: str, named: str | None) -> str:
    if named is not None:
        if named not in frame.columns:
            raise UsageError(f"No column is named {named!r}", do=did_you_mean(named, frame.columns))
        return named
    lower = {one.lower(): one for one in frame.columns}
    found = next((lower[word] for word in COLUMNS[what] if word in lower), None)
    if found is None:
        raise UsageError(
            f"No column looks like the {what}", found=frame.columns[:12], do=f"Name it: --option {what}=COLUMN"
        )
    return found


def parted(bank: Sequence[Question], seed: int) -> tuple[list[Question], list[Question]]:
    """Questions to learn from, and some that are kept aside."""
    order = stream("held-out questions", seed).permutation(len(bank))
    held = set(order[: len(bank) // SHARE].tolist())
    return [one for i, one in enumerate(bank) if i not in held], [bank[int(i)] for i in np.sort(list(held))]


def subject_of(bank: Sequence[Question], subject: str | None) -> list[str]:
    """The subject that was asked for, or all that the bank has."""
    known = sorted({one.subject for one in bank})
    if subject is not None and subject not in known:
        raise UsageError(f"The bank has no subject {subject!r}", do=did_you_mean(subject, known))
    return known if subject is None else [subject]


def shares(subjects: Sequence[str], n: int) -> list[tuple[str, int]]:
    """How many of n questions are on each subject."""
    return [(word, n // len(subjects) + (i < n % len(subjects))) for i, word in enumerate(subjects)]


def alike(held: Sequence[Question], n: int) -> list[tuple[str, str, int]]:
    """Subjects and forms with how many of n questions each has, as those that were kept aside have them."""
    count = Counter((one.subject, one.form) for one in held)
    return [(*kind, round(n * many / len(held))) for kind, many in sorted(count.items())]
