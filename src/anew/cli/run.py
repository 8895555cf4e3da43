"""`anew run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def run(
    face: Face,
    data: Annotated[str | None, typer.Argument(metavar="DATA", help="A file; an example when left out.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where everything goes.")] = None,
    learn: options.Learn = None,
    given: options.Given = None,
    predict: options.Predict = None,
    predictors: options.Predictors = None,
    objective: options.Objective = None,
    network: options.Network = None,
    time: options.Time = None,
    schema: options.SchemaFile = None,
    fresh: options.Fresh = False,
    seed: options.Seed = 0,
    device: options.Device = None,
    option: options.More = None,
    dry_run: options.DryRun = False,
) -> Answer:
    """The whole job: look, learn, create, audit, report.

    Rows are held out before anything is learned, and the audit compares with those. One folder holds all of it.
    """
    import anew

    done = anew.run(
        data,
        out=out,
        learn=options.names(learn),
        given=options.names(given),
        predict=predict,
        predictors=predictors,
        objective=objective,
        network=network,
        time=time,
        schema=schema,
        fresh=fresh,
        seed=seed,
        device=device,
        progress=face.progress,
        dry_run=dry_run,
        **options.settings(option),
    )
    return Answer(done.to_dict(), str(done))
