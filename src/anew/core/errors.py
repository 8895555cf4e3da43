"""One error tree. Every message says what was wrong, what was found and what to do.

Each class names the exit code of the command line: 1 a gate said no, 2 misuse, 3 data, 4 not enough resource,
130 interrupted with a checkpoint kept.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

_NOTHING = object()


class AnewError(Exception):
    """The root: `except anew.AnewError` catches everything anew raises on purpose."""

    exit_code: ClassVar[int] = 1

    def __init__(self, wrong: str, *, found: object = _NOTHING, do: str = "") -> None:
        parts = [wrong.rstrip(".")]
        if found is not _NOTHING:
            parts.append(f"Found {found!r}")
        if do:
            parts.append(do.rstrip("."))
        super().__init__(" ".join(_ended(part) for part in parts))


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(("?", "!")) else sentence.rstrip(".") + "."


class UsageError(AnewError, ValueError):
    """An argument or option that cannot be meant."""

    exit_code = 2


class GrammarError(UsageError):
    """A constraint on text that nothing can meet, or that cannot be held exactly."""


class BudgetError(GrammarError):
    """Fewer tokens than the shortest text that a constraint allows."""


class CapabilityError(UsageError, TypeError):
    """A verb was asked of a learner that does not have it."""


class DataError(AnewError, ValueError):
    """The data, a file or a saved model is not what it should be."""

    exit_code = 3


class ConditionError(DataError):
    """A condition that the model gives no probability, or that cannot be met within the budget."""


class RuleError(ConditionError):
    """Rules that no row can obey, that exclude each other, or that were not met within the budget."""


class StoreError(DataError):
    """A model folder that cannot be read: newer format, truncated, interrupted, altered."""


class ResourceError(AnewError, RuntimeError):
    """Disk, memory, time or a lock: the request is fine, the machine is not."""

    exit_code = 4


class Interrupted(AnewError, RuntimeError):
    """A fit was stopped by a signal; its checkpoint is kept and the same command resumes."""

    exit_code = 130


class AnewWarning(UserWarning):
    """Something the user should know and that did not stop the work."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`"did you mean 'age'?"` for the nearest of `names`, else the first dozen of them."""
    known = sorted(map(str, names))
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    shown = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
    return f"There is: {shown}" if known else ""
