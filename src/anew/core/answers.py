"""Whether a column can be predicted as a class or as a number, by its grid."""

from __future__ import annotations

import numpy as np

from anew.core.columns import OUTSIDE, Codes, Floats, Grid
from anew.core.errors import UsageError


def check_answer(name: str, grid: Grid, ordered: bool) -> None:
    """A number needs an order; a class needs cells of one value each."""
    if ordered and not grid.ordered:
        raise UsageError(f"{name!r} is a category, so it has no squared error", do="Use cross_entropy")
    if not ordered and grid.ordered and (grid.upper > grid.lower).any():
        raise UsageError(f"{name!r} is a number of many values, not a class", do="Use squared_error")


def value_of(grid: Grid, codes: Codes, positions: Floats) -> Floats:
    """Values (n,), NaN where missing. One that no cell holds is taken for the nearest that a cell does."""
    near = np.clip(np.floor(np.nan_to_num(positions)), 0, max(grid.size - 1, 0)).astype(np.int32)
    return grid.decode(np.where((codes == OUTSIDE) & ~np.isnan(positions), near, codes), positions)
