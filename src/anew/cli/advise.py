"""`anew advise`: generative, discriminative, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def advise(
    face: Face,
    data: Annotated[str, typer.Argument(metavar="DATA", help="A file.")],
    goal: Annotated[
        str, typer.Option(metavar="WORDS", help='Such as "predict outcome", "share the data", "fill gaps".')
    ],
    attempt: Annotated[bool, typer.Option("--try", help="Fit small models of both kinds and measure them.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Write the report here.")] = None,
    schema: options.SchemaFile = None,
    time: options.Time = None,
    seed: options.Seed = 0,
) -> Answer:
    """Generative, discriminative, or neither: for a goal in words.

    The answer comes with its reasons and names the command to run next.
    """
    import anew

    done = anew.advise(data, goal, try_=attempt, out=out, schema=schema, time=time, seed=seed, progress=face.progress)
    found = done.figures
    lines = [str(done.story), ""]
    lines += [f"  {reason['about']}: {reason['reason']}" for reason in found["reasons"]]
    lines += ["", "Next:", *(f"  {command}" for command in found["commands"])]
    return Answer(done.to_dict(), "\n".join(lines))
