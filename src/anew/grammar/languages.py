"""The ways in which a user says what a text may be, and the language that each means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anew.grammar.automaton import Automaton
from anew.grammar.choices import choices
from anew.grammar.regex import regex
from anew.grammar.schema import schema
from anew.grammar.wording import wording

LANGUAGES: dict[str, Callable[[Any], Automaton]] = {
    "regex": regex,
    "schema": schema,
    "choices": choices,
    "words": wording,
}
