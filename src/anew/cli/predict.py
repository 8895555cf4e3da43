"""`anew predict`: what a model says about the target of new rows."""

from __future__ import annotations

from pathlib import Path
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
    explain: Annotated[
        Path | None, typer.Option("--explain", metavar="FILE", help="A page with the words of texts that decided.")
    ] = None,
) -> Answer:
    """Predict the target for new rows.

    The model must have been fitted with `--predict TARGET`. For a folder of pictures each answer names its file.
    """
    from polars import DataFrame

    import anew
    from anew.data.formats.frames import file_names
    from anew.store import guarded, write_bytes

    loaded = anew.load(model)
    face.progress("Predicting")
    target = loaded.plan.target
    if proba:
        chances = loaded.predict_proba(data, method)
        frame = DataFrame(chances.round(6), schema=[f"{target}={label}" for label in loaded.classes])
    else:
        frame = DataFrame({str(target): loaded.predict(data, method)})
    if explain is not None:
        with guarded(f"the page {str(explain)!r}"):
            write_bytes(explain, loaded.explained(data, method).to_html().encode())
        face.say(f"{explain}: the words that decided")
    files = file_names(data)
    return deliver(face, frame if files is None else frame.insert_column(0, files), None, out)
