"""`anew decode`: the rows at latent codes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver
from anew.core.errors import DataError

if TYPE_CHECKING:
    from anew.core.columns import Floats


def decode(
    face: Face,
    model: options.ModelFolder,
    codes: Annotated[str, typer.Argument(metavar="CODES", help="What `anew encode` wrote, or like it.")],
    out: options.Out = None,
    given: options.GivenRows = None,
    seed: options.Seed = 0,
    escape_formulas: options.Escape = False,
) -> Answer:
    """Turn latent codes into rows; the inverse of encode."""
    import anew
    from anew.data.origin import Origin

    loaded = anew.load(model)
    loaded.origin = Origin("polars")
    face.progress("Decoding")
    frame = loaded.decode(_read(codes), given=given, seed=seed)
    return deliver(face, frame, loaded.schema, out, escape=escape_formulas)


def _read(path: str) -> Floats:
    """(n, k) numbers from .npy or from any table of numbers."""
    import numpy as np
    import polars as pl

    from anew.data.formats.frames import locate, opened

    file, _ = locate(path)
    try:
        if Path(file).suffix == ".npy":
            return np.asarray(np.load(file, allow_pickle=False), np.float64)
        with opened(path) as found:
            return found.frame.collect().cast(pl.Float64).to_numpy()
    except (ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path!r} holds no table of numbers: {str(error).splitlines()[0]}", do="Give what `anew encode` wrote"
        ) from None
