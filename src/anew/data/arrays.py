"""Pictures in the frames of users: arrays or objects of Pillow in, arrays (or PNG, where there are none) out.

Shapes: n rows, H rows of a picture, W columns, C channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from anew.core.errors import DataError
from anew.core.pixels import Pixels


def pictures_of(cells: Iterable[Any]) -> pl.Series | None:
    """A column of Python objects that are pictures, as the content of files; None where they are something else."""
    there = list(cells)
    first = next((cell for cell in there if cell is not None), None)
    if not _is_picture(first):
        return None
    return pl.Series([_content(cell) for cell in there], dtype=pl.Binary)


def _is_picture(cell: object) -> bool:
    return (isinstance(cell, np.ndarray) and cell.ndim in (2, 3)) or _is_pillow(cell)


def _is_pillow(cell: object) -> bool:
    return any(kind.__module__ == "PIL.Image" and kind.__name__ == "Image" for kind in type(cell).__mro__)


def _content(cell: Any) -> bytes | None:
    """An array as .npy, a picture of Pillow by its pixels alone; anything else is found to be bad when it is read."""
    from anew.data.formats._decode import Bad, from_image, to_npy

    if cell is None or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, bytes):
        return cell
    if _is_pillow(cell):
        try:
            return to_npy(from_image(cell).pixels)
        except Bad:  # of numbers that are no brightness; as an array it is judged with the others
            return to_npy(np.asarray(cell))
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"A picture of Pillow in the data cannot be read: {error}", do="Leave it out") from None
    return to_npy(np.asarray(cell)) if isinstance(cell, np.ndarray) else str(cell).encode()


def arrays_of(cells: pl.Series) -> list[Pixels | None]:
    """Each picture as an array (H, W) or (H, W, C); None where there is none."""
    if not len(cells) - cells.null_count():
        return [None] * len(cells)
    rows = iter(cells.drop_nulls().to_numpy())
    return [next(rows) if here else None for here in cells.is_not_null()]


def as_png(frame: pl.DataFrame) -> pl.DataFrame:
    """Pictures as the content of PNG files, for frames that know no arrays."""
    columns = [cells for cells in frame if isinstance(cells.dtype, pl.Array)]
    if not columns:
        return frame
    from anew.data.formats._pictures_out import to_png

    return frame.with_columns(
        pl.Series(cells.name, [None if array is None else to_png(array) for array in arrays_of(cells)], pl.Binary)
        for cells in columns
    )
