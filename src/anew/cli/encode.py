"""`anew encode`: the latent codes of rows."""

from __future__ import annotations

from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver


def encode(
    face: Face,
    model: options.ModelFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Rows with all columns of the model.")],
    out: options.Out = None,
) -> Answer:
    """Turn rows into latent codes: numbers about standard normal.

    A file that ends in .npy holds the array (rows, codes); others have columns z1, z2, ...
    """
    import numpy as np
    from polars import DataFrame

    import anew
    from anew.data.formats.atomic import atomically

    loaded = anew.load(model)
    face.progress("Encoding")
    codes = loaded.encode(data)
    if out is None or out.suffix != ".npy":
        return deliver(face, DataFrame(codes, schema=[f"z{i + 1}" for i in range(codes.shape[1])]), None, out)
    with atomically(out) as temporary:
        np.save(temporary, codes, allow_pickle=False)
    shape = list(codes.shape)
    return Answer({"rows": shape[0], "codes": shape[1], "out": str(out)}, f"{shape[0]:,} x {shape[1]} codes in {out}")
