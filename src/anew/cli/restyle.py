"""`anew restyle`: the same content in another style."""

from __future__ import annotations

from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver


def restyle(
    face: Face,
    model: options.ModelFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="A picture, or a folder or file of some.")],
    where: options.Where = None,
    guidance: options.Guidance = None,
    out: options.Out = None,
) -> Answer:
    """Draw pictures again under another condition, with their content kept.

    A picture's code under what it was given is decoded under the new condition: --where 'style=line art'.
    """
    import anew
    from anew.data.origin import Origin

    loaded = anew.load(model)
    loaded.origin = Origin("polars")
    face.progress("Restyling")
    return deliver(face, loaded.restyle(data, where or [], guidance=guidance), loaded.schema, out)
