"""From words to a recipe: its name and its settings are checked against what there is, before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anew.recipes as recipes
from anew.core.errors import UsageError, did_you_mean

SHARED = ("out", "schema", "time", "seed", "progress")  # settings that the command line has flags for


def recipe_of(name: str) -> Callable[..., Any]:
    """The function of a recipe."""
    if name not in recipes.names():
        raise UsageError(f"No recipe is named {name!r}", do=did_you_mean(name, recipes.names()))
    found: Callable[..., Any] = getattr(recipes, name)
    return found


def settings_of(name: str) -> list[str]:
    """The recipe's own settings, as --option takes them."""
    known = inspect.signature(recipe_of(name)).parameters
    return [word.rstrip("_") for word in known if word != "data" and word not in SHARED]


def line_of(name: str) -> str:
    """What the recipe is, in a line."""
    return (recipe_of(name).__doc__ or "").strip().split("\n")[0]


def checked(name: str, options: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's arguments: `flags` are those of `anew run` that were given, `options` the recipe's own settings."""
    accepted, known = inspect.signature(recipe_of(name)).parameters, settings_of(name)
    words = {"target" if key == "predict" else key: value for key, value in flags.items() if value is not None}
    own: dict[str, Any] = {}
    for key, value in {**words, **options}.items():
        spelled = key if key in accepted else f"{key}_"
        if spelled not in accepted or key in ("data", "out", "progress"):
            raise UsageError(
                f"The recipe {name!r} has no setting {key!r}", do=did_you_mean(key, known) or "It has none"
            )
        own[spelled] = value
    return own


def folder_of(name: str, data: object) -> Path:
    """The folder of a recipe's outcome when none is named: after the data and the recipe."""
    stem = Path(str(data).split("::")[0]).name.split(".")[0] if isinstance(data, str | Path) else ""
    return Path(f"{stem}-{name}" if stem else f"example-{name}")
