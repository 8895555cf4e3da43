"""`anew fit`: learn a model from data and save it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def fit(
    face: Face,
    data: Annotated[str, typer.Argument(metavar="DATA", help="A table, a text, or a folder of pictures or texts.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="The model; DATA.anew if not named.")
    ] = None,
    learn: options.Learn = None,
    given: options.Given = None,
    predict: options.Predict = None,
    predictors: options.Predictors = None,
    objective: options.Objective = None,
    network: options.Network = None,
    base: options.Base = None,
    lora: options.Lora = False,
    time: options.Time = None,
    schema: options.SchemaFile = None,
    size: options.Size = None,
    skip_bad: options.SkipBad = False,
    fresh: options.Fresh = False,
    seed: options.Seed = 0,
    device: options.Device = None,
    option: options.More = None,
    dry_run: options.DryRun = False,
) -> Answer:
    """Learn the distribution of DATA and save the model.

    The same command again resumes what was interrupted; --fresh starts over.
    """
    import anew

    folder = out or Path(Path(data).name.split(".")[0] + ".anew")
    model = anew.fit(
        data,
        learn=options.names(learn),
        given=options.names(given),
        predict=predict,
        predictors=predictors,
        objective=objective,
        network=network,
        time=time,
        seed=seed,
        schema=schema,
        size=options.size(size),
        skip_bad=skip_bad,
        out=folder,
        fresh=fresh,
        device=device,
        progress=face.progress,
        dry_run=dry_run,
        **options.started(base, lora, options.settings(option)),
    )
    if dry_run:
        return Answer({"plan": model.plan.to_dict()}, str(model.plan))
    for note in model.provenance.get("notes", []):
        face.say(f"note: {note}")
    face.say(str(model.plan))
    return Answer({"model": str(folder), "plan": model.plan.to_dict()}, f"Model: {folder}")
