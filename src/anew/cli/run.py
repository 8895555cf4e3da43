"""`anew run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def run(
    face: Face,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="A table, a text, a folder of pictures or texts; an example when left out."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where everything goes.")] = None,
    learn: options.Learn = None,
    given: options.Given = None,
    predict: options.Predict = None,
    predictors: options.Predictors = None,
    objective: options.Objective = None,
    network: options.Network = None,
    time: options.Time = None,
    schema: options.SchemaFile = None,
    size: options.Size = None,
    skip_bad: options.SkipBad = False,
    fresh: options.Fresh = False,
    seed: options.Seed = 0,
    device: options.Device = None,
    option: options.More = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="An application instead: see `anew list recipes`.")
    ] = None,
    dry_run: options.DryRun = False,
) -> Answer:
    """The whole job: look, learn, create, audit, report.

    Rows are held out before anything is learned, and the audit compares with those. One folder holds all of it. With
    --recipe an application runs on DATA (or on an example); its own settings are given by --option NAME=VALUE.
    """
    import anew

    settings: dict[str, Any] = {
        "learn": options.names(learn),
        "given": options.names(given),
        "predict": predict,
        "predictors": predictors,
        "objective": objective,
        "network": network,
        "time": time,
        "schema": schema,
        "size": options.size(size),
        "skip_bad": skip_bad or None,
        "seed": seed,
        "device": device,
    }
    own = options.settings(option)
    if recipe is not None:
        return _recipe(face, recipe, data, out, own, {**settings, "fresh": fresh or None}, dry_run)
    settings["skip_bad"] = skip_bad
    done = anew.run(data, out=out, fresh=fresh, progress=face.progress, dry_run=dry_run, **settings, **own)
    for note in done.model.provenance.get("notes", []):
        face.say(f"note: {note}")
    return Answer(done.to_dict(), str(done))


def _recipe(
    face: Face,
    name: str,
    data: str | None,
    out: Path | None,
    settings: dict[str, Any],
    flags: dict[str, Any],
    dry_run: bool,
) -> Answer:
    """Runs a recipe; flags that were given and that it does not know are refused."""
    from anew.recipes._calling import checked, folder_of, line_of, recipe_of, settings_of

    asked = checked(name, settings, flags)
    folder = out or folder_of(name, data)
    if dry_run:
        found = {"recipe": name, "is": line_of(name), "settings": settings_of(name), "folder": str(folder)}
        return Answer(found, f"{name}: {line_of(name)}\nSettings: {', '.join(settings_of(name))}\nFolder: {folder}")
    done = recipe_of(name)(data, out=folder, progress=face.progress, **asked)
    return Answer({"recipe": name, **done.to_dict()}, str(done))
