"""`anew interpolate`: the rows on the way from one row to another."""

from __future__ import annotations

from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver
from anew.core.errors import UsageError


def interpolate(
    face: Face,
    model: options.ModelFolder,
    start: Annotated[str, typer.Option("--from", metavar="DATA", help="One row, or several to be paired.")],
    end: Annotated[str, typer.Option("--to", metavar="DATA", help="As many rows.")],
    steps: Annotated[int, typer.Option(help="How many rows on each way, ends included.")] = 8,
    ends: Annotated[
        str, typer.Option("--range", metavar="A,B", help="0 is the first row, 1 the second; beyond is beyond.")
    ] = "0,1",
    out: options.Out = None,
    escape_formulas: options.Escape = False,
) -> Answer:
    """Walk from one row to another, or beyond.

    The way is a straight line through the model's latent space; the column t says where on it a row stands. Pictures go
    on an arc, and are shown in a GIF and a contact sheet beside the folder.
    """
    import anew
    from anew.completion import faithful
    from anew.data.formats.frames import write_walk
    from anew.data.origin import Origin

    loaded = anew.load(model)
    loaded.origin = Origin("polars")
    face.progress("Interpolating")
    frame = loaded.interpolate(start, end, steps, _range(ends))
    answer = deliver(face, frame, faithful(loaded.schema, frame), out, escape=escape_formulas)
    if out is not None and (shown := write_walk(frame, out)):
        return Answer({**answer.data, "shown": [str(path) for path in shown]}, f"{answer.text}, {shown[0]}, {shown[1]}")
    return answer


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise UsageError("--range takes two numbers, as in --range -0.5,1.5", found=text) from None
    return low, high
