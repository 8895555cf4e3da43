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
    data: Annotated[str, typer.Argument(metavar="DATA", help="Rows, or a folder of pictures; without the target.")],
    out: options.Out = None,
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of the model's predictors; its best.")
    ] = None,
    proba: Annotated[bool, typer.Option("--proba", help="The probability of every class, not the likeliest.")] = False,
) -> Answer:
    """Predict the target for new rows.

    The model must have been fitted with `--predict TARGET`. For a folder of pictures each answer names its file.
    """
    from polars import DataFrame

    import anew
    from anew.data.formats.frames import file_names

    loaded = anew.load(model)
    face.progress("Predicting")
    target = loaded.plan.target
    if proba:
        chances = loaded.predict_proba(data, method)
        frame = DataFrame(chances.round(6), schema=[f"{target}={label}" for label in loaded.classes])
    else:
        frame = DataFrame({str(target): loaded.predict(data, method)})
    files = file_names(data)
    return deliver(face, frame if files is None else frame.insert_column(0, files), None, out)
