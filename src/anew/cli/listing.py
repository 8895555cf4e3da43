"""`anew list`: what there is, read from the registries."""

from __future__ import annotations

from typing import Annotated

import typer

from anew.cli.outcome import Answer, Face

KINDS = ("objectives", "networks", "codecs", "measures", "formats", "recipes")


def listing(
    face: Face,
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help=" | ".join(KINDS))] = None,
) -> Answer:
    """What is installed and what it can do."""
    return Answer({})
