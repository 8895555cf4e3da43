"""The report: everything that was found, as one web page that stands alone and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from anew.audit.finding import Finding, Verdict
from anew.audit.measure import Chapter
from anew.audit.pictures import Pictures
from anew.core.schema import Field

ORDER: tuple[Verdict, ...] = ("poor", "fair", "told", "good")  # the worst first
SAYS: dict[Verdict, str] = {"good": "good", "fair": "fair", "poor": "poor", "told": "for information"}


@dataclass(frozen=True)
class Asked:
    """A measure that was asked: its name, its question and its chapter."""

    name: str
    question: str
    chapter: Chapter


@dataclass(frozen=True)
class Report:
    """`findings` by measure, in the order of the page; `asked` what was asked; `decisions` the fields of the schema.

    `facts` is what is known about the run; `pictures` the data behind the plots.
    """

    findings: tuple[Finding, ...]
    asked: tuple[Asked, ...]
    decisions: tuple[Field, ...]
    facts: Mapping[str, Any]
    pictures: Pictures

    @property
    def passed(self) -> bool:
        """Whether no finding about the rows is poor. What only the model gives away is told, and gates no rows."""
        return all(finding.verdict != "poor" for finding in self._rows)

    @property
    def _rows(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.about == "rows")

    @property
    def caution(self) -> str:
        """A sentence about the model, when the model gives away what its rows do not."""
        if all(finding.verdict in ("good", "told") for finding in self.findings if finding.about == "model"):
            return ""
        return "Share the rows and not the model: with the model in hand, training rows can be told from others"

    @property
    def headline(self) -> str:
        """The verdict in its shortest form."""
        poor, fair = (sum(finding.verdict == v for finding in self._rows) for v in ("poor", "fair"))
        if poor:
            return f"Not passed: {_count(poor, 'finding is poor', 'findings are poor')}"
        if fair:
            return f"Passed, with {_count(fair, 'reservation', 'reservations')}"
        if not any(finding.verdict == "good" for finding in self.findings):
            return "Nothing could be judged: there are too few rows to tell"
        return "Passed: nothing was found that sets these rows apart from fresh real ones or gives people away"

    @property
    def concerns(self) -> tuple[Finding, ...]:
        """The findings that are not good, the poor ones first."""
        return tuple(finding for verdict in ("poor", "fair") for finding in self._rows if finding.verdict == verdict)

    @property
    def verdict(self) -> str:
        """The whole report in a sentence or two."""
        said = f"{self.headline}{f' ({_names(self.concerns)})' if self.concerns else ''}."
        return f"{said} {self.caution}." if self.caution else said

    def chapter(self, chapter: Chapter) -> tuple[Finding, ...]:
        """The findings of one chapter."""
        inside = {asked.name for asked in self.asked if asked.chapter == chapter}
        return tuple(finding for finding in self.findings if finding.measure in inside)

    def worst(self, chapter: Chapter) -> Verdict:
        """The verdict of a chapter: its worst; `told` only when nothing in it could be judged."""
        found = {finding.verdict for finding in self.chapter(chapter) if finding.about == "rows"}
        judged = [verdict for verdict in ORDER if verdict in found and verdict != "told"]
        return judged[0] if judged else "told"

    def find(self, measure: str, starts: str = "") -> Finding | None:
        """The first finding of a measure whose name starts so."""
        found = (f for f in self.findings if f.measure == measure and f.name.startswith(starts))
        return next(found, None)

    def to_json(self) -> str:
        content = {
            "verdict": self.verdict,
            "passed": self.passed,
            "facts": self.facts,
            "findings": [asdict(finding) for finding in self.findings],
            "questions": [asdict(asked) for asked in self.asked],
            "decisions": [field.model_dump(mode="json", exclude_defaults=True) for field in self.decisions],
            "figures": self.pictures.plain(),
        }
        return json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def to_html(self, *, rows: bool = True) -> str:
        """The page. It shows a few real rows beside synthetic ones; `rows=False` leaves them out."""
        from anew.audit.page import render

        return render(self, rows=rows)

    def _repr_html_(self) -> str:
        """In a notebook the page goes into a frame of its own, so that styles do not meet."""
        return framed(self.to_html(), "Audit")

    def __str__(self) -> str:
        lines = [f"{SAYS[f.verdict]:>15}  {f.measure}: {f.name} = {f.value:.4g}" for f in self.findings]
        return "\n".join([self.verdict, *lines])


def framed(page: str, title: str) -> str:
    """A page in a frame of its own."""
    from html import escape

    return (
        f'<iframe srcdoc="{escape(page, quote=True)}" style="width:100%;height:720px;border:0" '
        f'title="{escape(title, quote=True)}"></iframe>'
    )


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def _names(findings: Sequence[Finding]) -> str:
    names = [finding.name for finding in findings]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def plain(value: Any) -> Any:
    """What JSON can say: numpy numbers as numbers, not-a-number and infinity as null, anything else as words."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
