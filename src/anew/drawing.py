"""Options of a draw, such as `steps=4` or `temperature=0.8`: checked, and said to the factors that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from anew.core.errors import CapabilityError, UsageError
from anew.factor import Factor
from anew.plan import OBJECTIVES

HOLDING = ("regex", "schema", "choices", "words")  # what a text may be
ALONE = frozenset({"prompt", "stop", *HOLDING})  # said in the words of one text


def drawing(factors: Sequence[Factor], options: Mapping[str, Any]) -> list[Factor]:
    """The same factors with other options of drawing."""
    _check_held(options)
    for name, value in options.items():
        able = [factor for factor in factors if name in factor.learner.draws]
        if not able:
            raise _no_option(factors, name)
        if name in ALONE and len(able) > 1:
            texts = [factor.plan.learn[0] for factor in able]
            raise UsageError(f"The model writes several texts, so a {name} is not clear", found=texts)
        if name not in ALONE:
            _check(name, value, able)
    return [replace(factor, learner=factor.learner.drawing(**_said(factor, options))) for factor in factors]


def _said(factor: Factor, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that its objective has, as it takes them."""
    mine = {name: value for name, value in options.items() if name in factor.learner.draws}
    return {name: factor.part.said(name, value) if factor.part else value for name, value in mine.items()}


def _check_held(options: Mapping[str, Any]) -> None:
    """A text is held by one thing, which alone says where it ends."""
    held = [name for name in (*HOLDING, "stop") if name in options]
    if len(held) > 1:
        raise UsageError(
            "A text is held by one of regex, schema, choices and words, and ends where that says", found=held
        )


def _check(name: str, value: Any, factors: Sequence[Factor]) -> None:
    whole = all(factor.learner.settings()[name] is int for factor in factors)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or value < (1 if whole else 0):
        raise UsageError(
            f"{name} is {'a whole number of at least 1' if whole else 'a number of at least 0'}", found=value
        )


def _no_option(factors: Sequence[Factor], name: str) -> CapabilityError:
    able = [objective for objective in OBJECTIVES if name in OBJECTIVES[objective].draws]
    own = ", ".join(sorted({factor.plan.objective for factor in factors}))
    return CapabilityError(f"{own} draws without {name}", do=f"Objectives with {name}: {', '.join(able) or 'none'}")
