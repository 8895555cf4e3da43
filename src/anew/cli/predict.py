"""`anew predict`: what a model says about the target of new rows."""

from __future__ import annotations

from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver


def predict(
    face: Face,
    model: options.ModelFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Rows to predict for; the target may be absent.")],
    out: options.Out = None,
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of the model's predictors; its best.")
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="The probability of every class, not the likeliest.")] = False,
) -> Answer:
    """Predict the target for new rows.

    The model must have been fitted with `--predict TARGET`.
    """
    from polars import DataFrame

    import anew

    loaded = anew.load(model)
    face.progress("Predicting")
    target = loaded.plan.target
    if proba:
        chances = loaded.predict_proba(data, method)
        frame = DataFrame(chances.round(6), schema=[f"{target}={label}" for label in loaded.classes])
    else:
        frame = DataFrame({str(target): loaded.predict(data, method)})
    return deliver(face, frame, None, out)
