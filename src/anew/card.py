"""The model card: what a model is, what it was fitted on, what it lets out and what it is not for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from anew.core.learner import capabilities
from anew.core.schema import Schema
from anew.fitting import Fitted
from anew.plan import OBJECTIVES


def write_card(fitted: Fitted, schema: Schema, provenance: Mapping[str, Any], notes: tuple[str, ...]) -> str:
    """Markdown for the folder's README.md."""
    kinds = Counter(field.kind for field in schema)
    return "\n".join(
        [
            f"# Model of {provenance['data']}",
            "",
            (
                f"Made by anew {provenance['anew']} on {provenance['made']} from {fitted.plan.rows:,} rows with "
                f"{len(schema)} columns ({', '.join(f'{n} {kind}' for kind, n in kinds.most_common())})."
            ),
            "",
            "## Plan",
            "",
            "```",
            str(fitted.plan),
            "```",
            "",
            *_section("Notes", [*notes, *fitted.notes]),
            *_section("Rules that every row obeys", [f"`{rule.text}`" for rule in schema.rules]),
            "## What it can do",
            "",
            *_abilities(fitted),
            "",
            "## What it lets out",
            "",
            "Everything in this folder that was computed from the data (no noise was added):",
            "",
            "| statistic | columns | numbers |",
            "|---|---|---|",
            *_released(fitted),
            "",
            "It keeps no training row. It is not differentially private: audit it before you share it.",
            "",
            "## What it is not",
            "",
            (
                "Synthetic rows are draws from a learned distribution. They are not people, not evidence about any one "
                "person, and not a substitute for real rows where a decision about somebody is made."
            ),
            "",
        ]
    )


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *[f"- {line}" for line in lines if line], ""] if any(lines) else []


def _abilities(fitted: Fitted) -> list[str]:
    return [
        f"- {factor}: {', '.join(capabilities(OBJECTIVES[factor.objective]))}"
        for factor in (*fitted.plan.create, *fitted.plan.predict)
    ]


def _released(fitted: Fitted) -> list[str]:
    columns: dict[str, set[str]] = defaultdict(set)
    numbers: Counter[str] = Counter()
    for entry in fitted.release.record:
        columns[entry.what].add(entry.of)
        numbers[entry.what] += entry.numbers
    return [f"| {what} | {len(columns[what])} | {count:,} |" for what, count in numbers.items()]
