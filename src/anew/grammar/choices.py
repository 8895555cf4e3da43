"""A list of texts, one of which is written."""

from __future__ import annotations

from collections.abc import Iterable

from anew.core.errors import GrammarError
from anew.grammar.automaton import Automaton
from anew.grammar.building import automaton_of
from anew.grammar.tree import Choice, text


def choices(options: Iterable[object]) -> Automaton:
    """The automaton of the options; one may be the beginning of another."""
    if isinstance(options, str):
        raise GrammarError("Choices are a list of texts", found=options)
    found = list(dict.fromkeys(options))
    if not found:
        raise GrammarError("There is nothing to choose from", found=found, do="Give at least one text")
    odd = next((one for one in found if not isinstance(one, str)), None)
    if odd is not None:
        raise GrammarError("A choice is a text", found=odd)
    return automaton_of(Choice(tuple(text(str(one)) for one in found)))
