"""`anew predict`: what a model says about the target of new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def predict(
    face: Face,
    model: options.ModelFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Rows to predict for; the target may be absent.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The ending chooses the format; CSV on stdout if not named."),
    ] = None,
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of the model's predictors; its best.")
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="The probability of every class, not the likeliest.")] = False,
) -> Answer:
    """Predict the target for new rows.

    The model must have been fitted with `--predict TARGET`.
    """
    return Answer({})
