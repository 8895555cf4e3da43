"""Cells of a column: every value in one, none of fewer rows than stated, edges that are nobody's value."""

from __future__ import annotations

import numpy as np
import pytest

from anew.core.columns import Allowed, Grid
from anew.core.cut import Cut


def column(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted distinct values and counts, some frequent enough to be atoms."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(1, 200))
    values = np.sort(rng.choice(1000, m, replace=False)).astype(float)
    counts = rng.choice([1, 2, 3, 4, 7, 9, 12, 40], m, p=[0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    return values, counts.astype(np.int64)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("step", [0.0, 1.0])
def test_cells_hold_every_value_once_and_in_order(seed: int, step: float) -> None:
    values, counts = column(seed)
    grid = Cut(few=0)(values, counts, step=step)
    rows = np.repeat(values, counts)
    codes, positions = grid.encode(rows)
    assert np.array_equal(np.bincount(codes, minlength=grid.size), grid.counts)
    assert np.allclose(grid.decode(codes, positions), rows)
    assert (grid.lower <= grid.upper).all()
    assert (grid.lower[1:] >= grid.upper[:-1]).all()


@pytest.mark.parametrize("seed", range(60))
def test_a_bin_of_few_rows_stands_alone_between_atoms(seed: int) -> None:
    grid = Cut(few=0)(*column(seed), step=1.0)
    atom = np.concatenate([[True], grid.counts >= 10, [True]])
    few = np.flatnonzero(grid.counts < 5) + 1
    assert (atom[few - 1] & atom[few + 1]).all()


def test_edges_of_continuous_bins_are_no_value_of_a_row() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=500))
    grid = Cut()(values, np.ones(500, np.int64))
    inner = np.concatenate([grid.lower[1:], grid.upper[:-1]])
    assert not np.isin(inner, values).any()
    assert (grid.lower[0], grid.upper[-1]) == (values[0], values[-1]), "the ends bound what is made"


def test_a_scale_is_all_atoms() -> None:
    grid = Cut()(np.arange(5.0), np.array([100, 80, 2, 1, 60]), step=1.0)
    assert grid.size == 5
    assert np.array_equal(grid.lower, grid.upper)


def test_positions_of_a_stepped_bin_are_uniform_over_its_values() -> None:
    grid = Grid(np.array([0.0]), np.array([9.0]), np.array([10.0]), step=1.0)
    drawn = grid.decode(np.zeros(10_000, np.int32), np.random.default_rng(0).random(10_000))
    assert np.array_equal(np.unique(drawn), np.arange(10.0))
    assert np.bincount(drawn.astype(int)).min() > 850


def test_values_outside_have_no_cell_but_an_order() -> None:
    grid = Cut(few=0)(np.array([1.0, 2.0, 5.0]), np.array([20, 20, 20]), step=1.0)
    codes, positions = grid.encode(np.array([0.0, 3.0, 9.0, np.nan]))
    assert codes.tolist() == [-2, -2, -2, -1]
    assert positions[0] < positions[1] <= positions[2]
    assert np.isnan(positions[3])


def test_several_pieces_of_one_bin() -> None:
    rule = Allowed(1, np.array([0, 0]), np.array([0.1, 0.7]), np.array([0.2, 0.9]), np.array([0.1, 0.2]))
    place = rule.place(np.zeros(30_000, np.int32), np.random.default_rng(0))
    assert rule.holds(np.zeros(30_000, np.int32), place).all()
    assert np.mean(place < 0.5) == pytest.approx(1 / 3, abs=0.02)
