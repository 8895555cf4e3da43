"""`anew sample`: new rows from a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def sample(
    face: Face,
    model: options.ModelFolder,
    n: Annotated[int, typer.Option("-n", min=1, help="How many rows.")] = 1000,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The ending chooses the format; CSV on stdout if not named."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help="'sex=F', 'age>=60', 'ward=a|b', 'ward!=c'; repeatable, all must hold."),
    ] = None,
    seed: options.Seed = 0,
    escape_formulas: options.Escape = False,
) -> Answer:
    """Create new rows, under conditions if you like."""
    import anew
    from anew.core.where import parse

    loaded = anew.load(model)
    face.progress.stage("Sampling")
    frame = loaded.sample(n, where=parse(where or ()), seed=seed)
    return Answer({})
