"""anew learns a dataset's distribution and creates it anew: sample, steer and audit new data.

    model = anew.fit("patients.csv")
    model.sample(1000, where={"sex": "F", "age": (60, None)})

Nothing heavy is imported before it is used: every public name below is loaded by its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import anew.recipes as recipes  # noqa: F401
    from anew.api import Look, fit, load, look
    from anew.core.errors import (
        AnewError,
        AnewWarning,
        CapabilityError,
        ConditionError,
        DataError,
        Interrupted,
        ResourceError,
        RuleError,
        StoreError,
        UsageError,
    )
    from anew.core.schema import Field, Schema
    from anew.job import Run, run
    from anew.model import Model
    from anew.recipes.advise import advise

__version__ = "0.1.0"

_HOME = {
    "AnewError": "anew.core.errors",
    "AnewWarning": "anew.core.errors",
    "CapabilityError": "anew.core.errors",
    "ConditionError": "anew.core.errors",
    "DataError": "anew.core.errors",
    "Field": "anew.core.schema",
    "Interrupted": "anew.core.errors",
    "Look": "anew.api",
    "Model": "anew.model",
    "ResourceError": "anew.core.errors",
    "RuleError": "anew.core.errors",
    "Run": "anew.job",
    "Schema": "anew.core.schema",
    "StoreError": "anew.core.errors",
    "UsageError": "anew.core.errors",
    "advise": "anew.recipes.advise",
    "fit": "anew.api",
    "load": "anew.api",
    "look": "anew.api",
    "run": "anew.job",
}

__all__ = [
    "AnewError",
    "AnewWarning",
    "CapabilityError",
    "ConditionError",
    "DataError",
    "Field",
    "Interrupted",
    "Look",
    "Model",
    "ResourceError",
    "RuleError",
    "Run",
    "Schema",
    "StoreError",
    "UsageError",
    "advise",
    "fit",
    "load",
    "look",
    "run",
]


if not TYPE_CHECKING:  # type checkers know the names above and no other

    def __getattr__(name: str) -> Any:
        if name == "recipes":
            return import_module("anew.recipes")
        if name not in _HOME:
            raise AttributeError(f"module 'anew' has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
