"""`anew list`: what there is, read from the registries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from anew.cli.outcome import Answer, Face
from anew.cli.text import table
from anew.core.errors import UsageError, did_you_mean

Row = dict[str, Any]


def listing(
    face: Face,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="One of them: objectives, networks, codecs, ...; all if left out."),
    ] = None,
) -> Answer:
    """What is installed and what it can do."""
    if kind is not None and kind not in KINDS:
        raise UsageError(f"There is no list of {kind!r}", do=did_you_mean(kind, KINDS))
    found = {name: rows() for name, rows in KINDS.items() if kind in (None, name)}
    return Answer(found, "\n\n".join(f"{name}\n\n{table(rows) or '(none yet)'}" for name, rows in found.items()))


def _objectives() -> list[Row]:
    from anew.core.learner import Learner, Solved, capabilities
    from anew.core.network import NETWORKS
    from anew.core.registry import Registry

    registry = Registry("anew.objectives", Learner)  # type: ignore[type-abstract]

    def networks(kind: type[Learner]) -> list[str]:
        return [name for name in NETWORKS if kind.serves(NETWORKS[name])]

    def fit(kind: type[Learner]) -> str:
        names: list[str | None] = [*networks(kind)] or [None]
        return ", ".join(sorted({"solved" if issubclass(kind.variant(name), Solved) else "trained" for name in names}))

    return [
        {
            "name": name,
            "aliases": list(kind.aliases),
            "fit": fit(kind),
            "networks": networks(kind),
            "can": capabilities(kind),
            "minimises": kind.minimises,
        }
        for name in registry
        for kind in [registry[name]]
    ]


def _networks() -> list[Row]:
    from anew.core.network import Network
    from anew.core.registry import Registry

    registry = Registry("anew.networks", Network)
    return [
        {"name": name, "fit": "solved" if registry[name].solved else "trained", "is": _first_line(registry[name])}
        for name in registry
    ]


def _codecs() -> list[Row]:
    from anew.core.codec import Codec
    from anew.core.registry import Registry

    registry: Registry[Codec[Any]] = Registry("anew.codecs", Codec)  # type: ignore[type-abstract]
    return [{"name": name, "kinds": sorted(registry[name].kinds)} for name in registry]


def _measures() -> list[Row]:
    from anew.audit.measure import Measure
    from anew.core.registry import Registry

    registry = Registry("anew.audit.measures", Measure)  # type: ignore[type-abstract]
    return [{"name": name, "question": registry[name].question} for name in registry]


def _formats() -> list[Row]:
    from anew.data.formats.frames import DELIMITED, PACKED, SUFFIXES

    return [{"ending": suffix, "packed as well": list(PACKED) if suffix in DELIMITED else []} for suffix in SUFFIXES]


def _recipes() -> list[Row]:
    import anew.recipes as recipes
    from anew.recipes._calling import line_of, settings_of

    return [{"name": name, "is": line_of(name), "settings": settings_of(name)} for name in recipes.names()]


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().split("\n")[0]


KINDS: dict[str, Callable[[], list[Row]]] = {
    "objectives": _objectives,
    "networks": _networks,
    "codecs": _codecs,
    "measures": _measures,
    "formats": _formats,
    "recipes": _recipes,
}
