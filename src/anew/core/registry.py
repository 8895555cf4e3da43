"""The directory is the registry: a file in the folder is an entry of its name, loaded when asked for.

Third parties add theirs by an entry point in the group of the folder's import name (`anew.objectives`, ...).
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Generic, TypeVar

from anew.core.errors import UsageError, did_you_mean

T = TypeVar("T")


class Registry(Generic[T]):
    """The entries of a package: one concrete subclass of `base` in each module, named as its file."""

    def __init__(self, package: str, base: type[T]) -> None:
        self.package = package
        self.base = base

    @cached_property
    def _third_party(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.package)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The sorted public names; imports nothing."""
        spec = find_spec(self.package)
        paths = list(spec.submodule_search_locations or ()) if spec else []
        own = {module.name for module in pkgutil.iter_modules(paths) if not module.name.startswith("_")}
        return tuple(sorted(own | set(self._third_party)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, name: str) -> type[T]:
        """The class of that name or alias; loads its module."""
        if name in self._third_party:
            loaded: type[T] = self._third_party[name].load()
            return loaded
        if name in self.names:
            return self._only(name)
        for other in self.names:
            if name in getattr(self[other], "aliases", ()):
                return self[other]
        kind = self.package.rsplit(".", 1)[-1]
        raise UsageError(f"No entry of {kind} is named {name!r}", do=did_you_mean(name, self.names))

    def canonical(self, name: str) -> str:
        """The file's name for a name or an alias."""
        if name in self.names:
            return name
        cls = self[name]
        return next(other for other in self.names if self[other] is cls)

    def _only(self, name: str) -> type[T]:
        module = import_module(f"{self.package}.{name}")
        here = [value for value in vars(module).values() if self._entry(value, module.__name__)]
        if len(here) != 1:
            raise UsageError(
                f"{module.__name__} must define exactly one {self.base.__name__}",
                found=[value.__name__ for value in here],
            )
        only: type[T] = here[0]
        return only

    def _entry(self, value: object, module: str) -> bool:
        return (
            inspect.isclass(value)
            and issubclass(value, self.base)
            and value.__module__ == module
            and not inspect.isabstract(value)
            and not value.__name__.startswith("_")
        )
