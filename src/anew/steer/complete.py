"""Completion: what is unknown of a row is drawn from p(unknown | known, it exists), through a learner that completes.

A learner may draw a cell as missing where its data has missing values. The row is then drawn anew as a whole, which
gives exact draws under "all of it exists" (rejection); where that fails AGAIN times, its missing cells are drawn anew
given those that are there, and after SINGLY times more from their column alone.

Shapes: n rows, d columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from anew.core.columns import MISSING, Bools, Cells, Grid

AGAIN = 4
SINGLY = 8

Rows = npt.NDArray[np.intp]
Once = Callable[[Rows, Cells, Bools], Cells]  # the rows asked about, their cells, which of those are known -> drawn


def complete_existing(
    once: Once, cells: Cells, known: Bools, wanted: Bools, grids: Sequence[Grid], rng: np.random.Generator
) -> Cells:
    """The cells (n, d) with all that is not `known` drawn; of that, what is `wanted` is never missing."""
    done = Cells(cells.codes.copy(order="F"), cells.positions.copy(order="F"))
    rows, held = np.arange(len(cells)), known
    for attempt in range(1 + AGAIN + SINGLY):
        _put(done, rows, once(rows, done.take(rows), held), held)
        lacking = wanted & (done.codes == MISSING)
        rows = np.flatnonzero(lacking.any(1))
        if not len(rows):
            return done
        held = known[rows] if attempt < AGAIN else known[rows] | (wanted[rows] & ~lacking[rows])
    for j, grid in enumerate(grids):
        _alone(done, j, np.flatnonzero(lacking[:, j]), grid, rng)
    return done


def _put(done: Cells, rows: Rows, drawn: Cells, held: Bools) -> None:
    """Writes what was drawn, in place; what is held stays as it is, whatever the learner made of it."""
    done.codes[rows] = np.where(held, done.codes[rows], drawn.codes)
    done.positions[rows] = np.where(held, done.positions[rows], drawn.positions)


def _alone(done: Cells, j: int, rows: Rows, grid: Grid, rng: np.random.Generator) -> None:
    """Cells of column j drawn from its own distribution."""
    total = grid.counts.sum()
    if total > 0:
        codes = rng.choice(grid.size, len(rows), p=grid.counts / total)
        done.codes[rows, j] = codes
        done.positions[rows, j] = codes + rng.random(len(rows))
