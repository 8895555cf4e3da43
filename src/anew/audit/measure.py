"""A measure: one question about the synthetic rows, one file in `measures/`, found by the registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from anew.audit.finding import Finding

if TYPE_CHECKING:
    from anew.audit.evidence import Evidence

Chapter = Literal["likeness", "use", "safety", "cost"]


class Measure(ABC):
    """Looks at the evidence and says what it finds.

    `question` is what the measure answers, in plain words, and `chapter` the part of the report it belongs to;
    `kinds` are the kinds of field it serves; `needs` is the number of held-out rows without which it says nothing;
    `order` places it on the page, and of two measures that wait the one of larger `weight` starts first; `reads` says
    that it looks at pictures with the eyes of a trained reader.
    """

    question: ClassVar[str]
    chapter: ClassVar[Chapter] = "likeness"
    kinds: ClassVar[frozenset[str]]
    needs: ClassVar[int] = 10
    order: ClassVar[int] = 100
    weight: ClassVar[int] = 0
    reads: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The name of its file."""
        return type(self).__module__.rsplit(".", 1)[-1]

    @abstractmethod
    def measure(self, evidence: Evidence) -> list[Finding]:
        """The findings, most important first; an empty list where the question does not arise."""
