"""The tokens view of a table: every column as tokens, with the place of a value inside its token.

A token of an ordered column is a cell of its grid or, where the grid has more cells than a vocabulary, a run of
neighbouring cells of about equal rows; frequent atoms stay alone. The place of a value in a token is the share of the
token's training rows below it, so a place drawn uniformly follows the released counts. A category has a token a level,
or several digits; missing is one more level. A column's tokens and their places are all of its information: the view
loses nothing, and p(value) = p(token) p(value | token), the second known from the grid alone (`log_base`).

Shapes: n rows, d columns, L positions, K cells, T levels of a column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from anew.codecs._digits import DIGIT, digits_of, from_digits, shares_of, to_digits
from anew.core.columns import MISSING, OUTSIDE, Allowed, Bools, Cells, Floats, Grid
from anew.core.schema import Field

if TYPE_CHECKING:
    from anew.core.batch import Encoded
    from anew.core.space import Tokens

MIDDLE = 0.5


class _Column:
    """One field as tokens: which cells a level holds, and the vocabulary of each of its positions."""

    def __init__(self, field: Field, grid: Grid) -> None:
        self.grid = grid
        most = DIGIT - (grid.missing > 0)
        self.group = _runs(grid.counts, most) if field.ordered and grid.size > most else np.arange(grid.size)  # (K,)
        self.first = np.flatnonzero(np.diff(self.group, prepend=-1))  # (T,) first cell of each level
        self.ends = np.concatenate([[0.0], np.cumsum(np.maximum(grid.counts, 1e-12))])
        self.start = self.ends[self.first]  # (T,) rows below each level
        self.mass = np.diff(np.append(self.start, self.ends[-1]))  # (T,) rows in it
        self.levels = len(self.first)
        self.sizes = digits_of(max(self.levels + (grid.missing > 0), 1))

    def encode(self, codes: npt.NDArray[Any], positions: Floats) -> list[Floats]:
        """Codes and positions (n,) -> token + place, one array (n,) a position."""
        if not self.levels:
            return [np.full(len(codes), MIDDLE) for _ in self.sizes]
        beyond = np.floor(np.nan_to_num(positions)) if self.grid.ordered else np.full(len(codes), self.grid.size)
        cell = np.where(codes == OUTSIDE, beyond, codes)  # a level never seen reads as missing
        gone = (cell < 0) | (cell >= self.grid.size)
        cell = np.clip(cell, 0, self.grid.size - 1).astype(np.intp)
        level = self.group[cell]
        fraction = np.clip(np.nan_to_num(positions) - cell, 0.0, 1.0)
        rows = self.ends[cell] + fraction * np.diff(self.ends)[cell]
        place = np.clip((rows - self.start[level]) / self.mass[level], 0.0, 1 - 1e-12)
        level = np.where(gone, self.levels if self.grid.missing > 0 else 0, level)
        digits = to_digits(level, self.sizes)
        return [digit + MIDDLE for digit in digits[:-1]] + [digits[-1] + np.where(gone, MIDDLE, place)]

    def decode(self, x: Floats) -> tuple[npt.NDArray[Any], Floats]:
        """The inverse: (n, positions) -> codes and positions of the grid (n,)."""
        level = from_digits(np.floor(x), self.sizes)
        gone = (level >= self.levels) & (self.grid.missing > 0) | (self.levels == 0)
        if not self.levels:
            return np.full(len(x), MISSING, np.int32), np.full(len(x), np.nan)
        level = np.minimum(level, self.levels - 1)
        rows = self.start[level] + (x[:, -1] - np.floor(x[:, -1])) * self.mass[level]
        last = np.append(self.first[1:], self.grid.size)[level] - 1
        cell = np.clip(np.searchsorted(self.ends, rows, side="right") - 1, self.first[level], last)
        fraction = np.clip((rows - self.ends[cell]) / np.diff(self.ends)[cell], 0.0, 1 - 1e-12)
        return np.where(gone, MISSING, cell).astype(np.int32), np.where(gone, np.nan, cell + fraction)

    def log_base(self, codes: npt.NDArray[Any]) -> Floats:
        """log p(value | level) of values in these cells; -inf for what the grid does not hold.  (n,)"""
        inside = np.log(np.diff(self.ends)) - np.log(self.mass[self.group]) + self.grid.log_base
        nats = np.append(inside, 0.0 if self.grid.missing > 0 else -np.inf)[np.maximum(codes, MISSING)]
        return np.where(codes == OUTSIDE, -np.inf, nats)

    def allow(self, rule: Allowed) -> Allowed:
        """What a rule over cells allows of the levels."""
        level, rows = self.group[rule.cell], np.diff(self.ends)[rule.cell]
        share = rows / self.mass[level]
        below = (self.ends[rule.cell] - self.start[level]) / self.mass[level]
        gone = np.full(int(rule.missing), self.levels)
        none = np.zeros(len(gone))
        return Allowed(
            int(np.prod(self.sizes)),
            np.concatenate([level, gone]).astype(np.intp),
            np.concatenate([below + rule.low * share, none]),
            np.concatenate([below + rule.high * share, none + 1.0]),
            np.concatenate([rule.share * share, none + 1.0]),
            density=rule.density,
        )

    def shares(self) -> Floats:
        """How frequent each token of each position is in the released counts, side by side."""
        return shares_of(np.append(self.mass, self.grid.missing)[: self.levels + (self.grid.missing > 0)], self.sizes)


class TokenView:
    """All learned fields as tokens."""

    def __init__(self, fields: Sequence[Field], grids: Mapping[str, Grid]) -> None:
        self.columns = [_Column(field, grids[field.name]) for field in fields]
        ends = np.concatenate([[0], np.cumsum([len(column.sizes) for column in self.columns])]).astype(int)
        self.positions = [slice(a, b) for a, b in pairwise(ends.tolist())]  # of each column

    @property
    def space(self) -> Tokens:
        from anew.core.space import Tokens

        sizes = tuple(size for column in self.columns for size in column.sizes)
        shares = tuple(float(share) for column in self.columns for share in column.shares())
        ordered = tuple(column.grid.ordered for column in self.columns for _ in column.sizes)
        return Tokens(sizes, placed=True, shares=shares, ordered=ordered)

    def encode(self, cells: Cells) -> Encoded:
        import torch

        from anew.core.batch import Encoded

        parts = [
            part for j, c in enumerate(self.columns) for part in c.encode(cells.codes[:, j], cells.positions[:, j])
        ]
        x = torch.from_numpy(np.stack(parts, 1) if parts else np.zeros((len(cells), 0)))
        return Encoded(x, torch.ones(x.shape, dtype=torch.bool))

    def decode(self, x: Encoded) -> Cells:
        values = x.x.double().cpu().numpy()
        cells = Cells.empty(len(values), len(self.columns))
        for j, (column, where) in enumerate(zip(self.columns, self.positions, strict=True)):
            cells.codes[:, j], cells.positions[:, j] = column.decode(values[:, where])
        return cells

    def mask(self, known: Bools) -> Bools:
        """A mask over columns (n, d) as a mask over positions (n, L)."""
        parts = [known[:, j : j + 1].repeat(len(column.sizes), 1) for j, column in enumerate(self.columns)]
        return np.hstack(parts) if parts else known

    def log_base(self, cells: Cells) -> Floats:
        """(n,) nats of the values given their tokens: what turns p(tokens) into the density of rows."""
        total = np.zeros(len(cells))
        for j, column in enumerate(self.columns):
            total += column.log_base(cells.codes[:, j])
        return total

    def allow(self, rules: Mapping[int, Allowed]) -> dict[int, Allowed]:
        """Rules by column -> rules by its first position, over the levels that its positions spell."""
        return {self.positions[j].start: self.columns[j].allow(rule) for j, rule in rules.items()}


def _runs(counts: Floats, most: int) -> npt.NDArray[np.intp]:
    """The level (K,) of each cell: at most `most` runs of about equal rows; a cell as large as half a run is alone."""
    for runs in range(most, 0, -8):
        quota = counts.sum() / runs
        large = counts >= quota / 2
        small = np.where(large, 0.0, counts)
        part = np.floor((np.cumsum(small) - small / 2) / quota)
        fresh = large | np.roll(large, 1) | (np.diff(part, prepend=-1) > 0)
        group = np.cumsum(fresh) - fresh[0]
        if group[-1] < most:
            break
    return np.asarray(group)
