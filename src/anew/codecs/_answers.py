"""Views of one column that is to be predicted: its cells as classes, or its values as standardised numbers.

`Classes`: the cell as a token, `Tokens((K,))`. `Values`: (value - mean) / deviation of the column, `Real((1,))`, which
knows both. They are encoded and never decoded: a prediction is a probability of each cell, or a value. A missing
answer is not present, and so costs nothing in a loss.

Shapes: n rows, K cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from anew.core.answers import check_answer, value_of
from anew.core.columns import Cells, Grid
from anew.core.errors import UsageError
from anew.core.schema import Field

if TYPE_CHECKING:
    from anew.core.batch import Encoded
    from anew.core.space import Space


def answer_space(learned: Sequence[Field], grids: Mapping[str, Grid], view: str) -> Space:
    """The space of the only column of a codec."""
    from anew.core.space import Real, Tokens

    if len(learned) != 1:
        raise UsageError(
            "A discriminative objective learns one column given the others",
            found=[field.name for field in learned],
            do="Name one column with learn=",
        )
    grid = grids[learned[0].name]
    check_answer(learned[0].name, grid, ordered=view == "Values")
    if view == "Classes":
        return Tokens((max(grid.size, 1),))
    mean, deviation = _moments(grid)
    return Real((1,), origin=mean, unit=deviation)


def answer(grid: Grid, cells: Cells, view: str) -> Encoded:
    """n rows of the only column of a codec."""
    import torch

    from anew.core.batch import Encoded

    codes = cells.codes[:, :1]
    if view == "Classes":
        x, present = np.maximum(codes, 0).astype(np.int64), codes >= 0
        return Encoded(torch.from_numpy(x), torch.from_numpy(present))
    mean, deviation = _moments(grid)
    values = (value_of(grid, cells.codes[:, 0], cells.positions[:, 0])[:, None] - mean) / deviation
    return Encoded(torch.from_numpy(np.nan_to_num(values)).float(), torch.from_numpy(~np.isnan(values)))


def _moments(grid: Grid) -> tuple[float, float]:
    """Mean and deviation of the middles of the cells, by the released counts: no further statistic of the data."""
    if not grid.size or not grid.counts.sum():
        return 0.0, 1.0
    middle = (grid.lower + grid.upper) / 2
    mean = float(np.average(middle, weights=grid.counts))
    deviation = float(np.sqrt(np.average((middle - mean) ** 2, weights=grid.counts)))
    return mean, deviation or 1.0
