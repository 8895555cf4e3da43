"""The report as one web page: the template, filled. It loads nothing, so it can be kept, mailed and printed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any

from anew.audit import draw
from anew.audit.finding import ASIDE, TOO_FEW, Finding, Verdict
from anew.audit.measure import Chapter
from anew.audit.report import SAYS, Report
from anew.audit.story import Story, Tile

if TYPE_CHECKING:
    from jinja2 import Template

CHAPTERS: dict[Chapter, tuple[str, dict[Verdict, str]]] = {
    "likeness": (
        "Is it like the real data?",
        {
            "good": "Yes. Nothing measured sets the synthetic rows apart from fresh real ones.",
            "fair": "Mostly. There are differences that a close look finds.",
            "poor": "No, not in everything. Read the findings marked poor.",
            "told": "The rows are too few to tell.",
        },
    ),
    "use": (
        "Is it useful?",
        {
            "good": "Yes. Conclusions drawn from it hold for real rows.",
            "fair": "Mostly. Conclusions drawn from it are a little weaker than from real rows.",
            "poor": "Not for everything. Conclusions drawn from it can mislead.",
            "told": "Nothing to judge here: no column to predict was named, or the rows are too few to tell.",
        },
    ),
    "safety": (
        "Is it safe for the people in the data?",
        {
            "good": "No leak was found by any of the attacks tried. That is evidence, not a proof.",
            "fair": "Mostly. A small leak can be shown; the findings say whether from the rows or from the model.",
            "poor": "No. Training data can be found out or were copied, from the rows or the model: see the findings.",
            "told": "The rows are too few to tell.",
        },
    ),
}


def render(report: Report, *, rows: bool) -> str:
    """The page of a report."""
    questions = {asked.name: asked.question for asked in report.asked}
    return _template().render(
        report=report,
        draw=draw,
        says=SAYS,
        label=label,
        number=number,
        interval=interval,
        tiles=tiles(report),
        show_rows=rows,
        questions=questions,
        chapters=[
            (title, report.worst(name), chapter_label(report, name), words[report.worst(name)])
            for name, (title, words) in CHAPTERS.items()
            if report.chapter(name)
        ],
        grouped=[(questions[key], list(found)) for key, found in groupby(report.findings, lambda f: f.measure)],
        predicted=[
            (f.name, f.low, f.value, f.high)
            for f in report.findings
            if f.measure in ("utility", "predictions")
            and f.better == "higher"
            and math.isfinite(f.value)
            and not f.name.startswith("synthetic beside")
        ],
        simple_facts=_facts(report.facts),
        tables=_tables(report.facts),
        difference=_difference(report),
        pairs_of=lambda group: list(zip(group["groups"], group["real"], group["synthetic"], strict=True)),
    )


def render_story(story: Story) -> str:
    """The page of a recipe's story: the same looks, and the sections that it names."""
    return _template("story.html").render(
        story=story, draw=draw, simple_facts=_facts(story.facts), tables=_tables(story.facts), shown=_fact
    )


@cache
def _template(name: str = "template.html") -> Template:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def read(wanted: str) -> str:
        return files("anew.audit").joinpath(wanted).read_text(encoding="utf-8")

    environment = Environment(
        loader=FunctionLoader(read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def tiles(report: Report) -> list[Tile]:
    """The few numbers that a hurried reader should see."""
    wanted = (
        ("detectable", "telling", "times in 100 a machine tells a synthetic row from a real one", "50 is guessing"),
        (
            "text_detectable",
            "",
            "times in 100 a machine tells a synthetic text from a real one",
            "50 is guessing",
        ),
        ("bits", "", "bits for a byte of it, under a model of real text", "fresh real text: {ceiling}"),
        ("read_back", "", "of the labels are read back from the text, as a share of real texts", "best is 100 %"),
        ("legible", "", "of the labels are read back from the picture, as a share of real pictures", "best is 100 %"),
        ("frechet", "", "Frechet distance to fresh real pictures", "real training pictures: {ceiling}"),
        ("lookalikes", "", "of the pictures are copies of a training picture", "fresh real pictures: {ceiling}"),
        ("novelty", "", "of the texts hold a long span of a training text", "fresh real texts: {ceiling}"),
        ("pairs", "average", "difference between pairs of columns", "fresh real rows: {ceiling}"),
        ("utility", "predicting", "score of predictions learned from synthetic rows", "from real rows: {ceiling}"),
        ("copies", "exact", "of the rows are exact copies of a training row", "fresh real rows: {ceiling}"),
        (
            "membership",
            "strongest attack, all",
            "times in 100 the best attack tells who was in the data",
            "50 is guessing",
        ),
    )
    found = [(report.find(measure, starts), label, best) for measure, starts, label, best in wanted]
    return [
        Tile(
            _labelled(label, finding),
            _big(finding),
            best.format(ceiling=number(finding.ceiling, finding.unit)),
            finding.verdict,
        )
        for finding, label, best in found
        if finding is not None and math.isfinite(finding.value)
    ]


def _labelled(label: str, finding: Finding) -> str:
    """What a tile's number is; of one that reads no text, beside texts, that it does not."""
    return f"{label} ({ASIDE})" if finding.name.endswith(ASIDE) else label


def _big(finding: Finding) -> str:
    return (
        f"{100 * finding.value:.0f}"
        if finding.unit == "auc" and finding.measure != "utility"
        else number(finding.value, finding.unit)
    )


def number(value: float | None, unit: str) -> str:
    """A number with its unit, short enough to read."""
    if value is None or not math.isfinite(value):
        return "–"
    if unit == "share":
        return f"{100 * value:.2f} %" if abs(value) < 0.1 else f"{100 * value:.1f} %"
    if unit == "bytes":
        return f"{value / 2**20:,.0f} MB"
    if unit == "seconds":
        return f"{value:,.1f} s"
    if unit in ("auc", "r2", "score", "deviations", "bits"):
        return f"{value:.3f}"
    return f"{value:,.3g}" if abs(value) < 1e4 else f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.2e}"


def interval(finding: Finding) -> str:
    """The interval in the unit of the number; empty when there is none."""
    if not math.isfinite(finding.value) or finding.low == finding.high:
        return ""
    return f"{number(finding.low, finding.unit)} to {number(finding.high, finding.unit)}"


def label(finding: Finding) -> str:
    """The word on a finding's badge."""
    unsure = finding.verdict == "told" and (TOO_FEW in finding.words or not math.isfinite(finding.value))
    return "cannot tell" if unsure else SAYS[finding.verdict]


def chapter_label(report: Report, chapter: Chapter) -> str:
    """The word on a chapter's badge: one that could judge nothing cannot tell, or has nothing to judge."""
    verdict = report.worst(chapter)
    unsure = any(label(finding) == "cannot tell" for finding in report.chapter(chapter))
    return "cannot tell" if verdict == "told" and unsure else SAYS[verdict]


def _difference(report: Report) -> list[list[float]]:
    real, made = report.pictures.pairs_real, report.pictures.pairs_synthetic
    return [[abs(a - b) for a, b in zip(x, y, strict=True)] for x, y in zip(real, made, strict=True)]


def _facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Facts that are one value."""
    return [
        (_words(key), _fact(value)) for key, value in facts.items() if not isinstance(value, Mapping | list | tuple)
    ]


def _tables(facts: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Facts that are lists or mappings, such as the plan, each as a small table."""
    out = []
    for key, value in facts.items():
        if isinstance(value, Mapping):
            out.append((_words(key), [(_words(k), _fact(v)) for k, v in value.items()]))
        elif isinstance(value, list | tuple):
            out.append((_words(key), [("", _fact(item)) for item in value]))
    return [(name, rows) for name, rows in out if rows]


def _words(key: object) -> str:
    return str(key).replace("_", " ")


def _fact(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(k)}: {_fact(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_fact, value))
    return str(value)
