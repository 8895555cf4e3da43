"""Questions from a passage: a span is left out of a sentence, and spans like it are the other choices.

The answer stands in the passage, so it is checked; the others are spans of the same kind from elsewhere in the passage,
or of the bank: numbers beside numbers, names beside names, words beside words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from anew.core.errors import DataError
from anew.recipes._quiz import CHECKED, Question

SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"])")
KINDS = {
    "number": re.compile(r"(?<![\w.,])\d[\d,.]*\d(?!\w)|(?<![\w.,])\d(?!\w)"),
    "name": re.compile(r"(?<=[a-z,] )[A-Z]\w+(?: [A-Z]\w+)*"),
    "word": re.compile(r"(?<=[a-z,] )[a-z]{6,}(?=[ ,.])"),
}
GAP = "____"


def cloze(passage: str, n: int, others: Sequence[str], rng: np.random.Generator) -> list[Question]:
    """At most n questions, each on another span; names and numbers before words."""
    sentences = [part.strip() for part in SENTENCE.split(passage) if len(part.split()) > 4]
    spans = {kind: list(dict.fromkeys(pattern.findall(passage))) for kind, pattern in KINDS.items()}
    asked: list[tuple[str, str, str]] = []
    for kind, pattern in KINDS.items():
        found = [(sentence, match[0], kind) for sentence in sentences for match in pattern.finditer(sentence)]
        asked += [found[i] for i in rng.permutation(len(found))]
    questions: dict[str, Question] = {}
    for sentence, span, kind in asked:
        wrong = _wrong(span, sentence, spans[kind], others, kind, rng)
        if len(questions) < n and span not in questions and len(wrong) == 3:
            text = f"Which {kind} is missing? {sentence.replace(span, GAP, 1)}"
            questions[span] = Question(text, (span, *wrong), "the passage", checked=CHECKED)
    if not questions:
        raise DataError("No question can be made from the passage", found=passage[:60], do="Give a longer one")
    return list(questions.values())


def _wrong(
    span: str, sentence: str, spans: Sequence[str], others: Sequence[str], kind: str, rng: np.random.Generator
) -> list[str]:
    """Three choices that are not the answer: of the passage first, then of the bank, then numbers near it."""
    seen = {span.casefold()}
    near = [spans[i] for i in rng.permutation(len(spans)) if spans[i] not in sentence]
    bank = [others[i] for i in rng.permutation(len(others))[:2000]]
    bank = [one for one in bank if KINDS[kind].fullmatch(one) or (kind == "name" and one.istitle())]
    made = [str(int(span) + step) for step in rng.permutation([-7, -3, -2, 2, 3, 5, 11])] if span.isdigit() else []
    found = []
    for one in [*near, *(made if kind == "number" else []), *bank]:
        if one.casefold() not in seen and not one.startswith("-"):
            seen.add(one.casefold())
            found.append(one)
    return found[:3]
