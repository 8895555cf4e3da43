"""Applications: 20 to 60 lines each over the public api. The directory is the registry: a file is a recipe.

`anew.recipes.NAME` is the function of that name in the file of that name. Python sets every imported submodule as an
attribute of its package, which would put the module in the function's place; so this package is of a class of modules
that keeps the function instead, whichever comes first.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


def names() -> list[str]:
    """The recipes, sorted; imports none of them."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))


class _Recipes(ModuleType):
    """A package whose public submodules are seen as the function that each is named after."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and not name.startswith("_"):
            value = getattr(value, name, value)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *names()]


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("_") or name not in names():
        raise AttributeError(f"module 'anew.recipes' has no attribute {name!r}")
    import_module(f"{__name__}.{name}")  # which sets the attribute
    found: Callable[..., Any] = sys.modules[__name__].__dict__[name]
    return found


sys.modules[__name__].__class__ = _Recipes
