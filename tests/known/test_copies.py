"""A column that repeats another in part of the rows, against the distribution that made it."""

import numpy as np
import pytest

from anew.core.columns import Allowed, Cells, Columns
from anew.core.cut import Cut
from anew.core.release import exact
from anew.networks.trees import Trees

N, TOP = 6000, 40
SHARE = 0.3


def made(seed: int = 0) -> tuple[Cells, Columns]:
    """x and noise in 0..39, missing in a tenth of x; y is x in a share of the rows where x exists, else uniform."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, TOP, N).astype(float)
    x[rng.random(N) < 0.1] = np.nan
    y = np.where((rng.random(N) < SHARE) & ~np.isnan(x), x, rng.integers(0, TOP, N))
    grids, cells = [], Cells.empty(N, 2)
    for j, column in enumerate((x, y)):
        distinct, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        grids.append(Cut()(distinct, counts, step=1.0, missing=float(np.isnan(column).sum())))
        cells.codes[:, j], cells.positions[:, j] = grids[j].encode(column)
    return cells, Columns(tuple(grids), ("x", "y"))


@pytest.fixture(scope="module")
def fitted() -> tuple[Trees, Cells, Columns]:
    cells, space = made()
    trees = Trees(trees=4)
    before = cells.columns(slice(0, 1))
    rng = np.random.default_rng(1)
    trees.fit(before, space.select([0]), space.grids[1], cells.codes[:, 1], cells.positions[:, 1], "y", exact(), rng)
    return trees, cells, space


def test_a_copy_is_found_and_drawn_as_often_as_in_the_data(fitted):
    trees, _, _ = fitted
    assert trees.copies.of == (0,)
    before = made(seed=5)[0].columns(slice(0, 1))
    codes, _ = trees.draw(before, np.random.default_rng(2))
    here = before.codes[:, 0] >= 0
    expected = SHARE + (1 - SHARE) / TOP
    assert (codes == before.codes[:, 0])[here].mean() == pytest.approx(
        expected, abs=0.03
    )  # leaves hold the missing and the lowest together
    assert (codes >= 0).all(), "a missing source is never copied"


def test_probabilities_sum_to_one_whether_or_not_there_is_something_to_copy(fitted):
    trees, cells, space = fitted
    some = cells.take(np.arange(50)).columns(slice(0, 1))
    assert (some.codes < 0).any()
    grid = space.grids[1]
    total = np.zeros(len(some))
    for cell in range(grid.size):
        for step in range(int(grid.values_in[cell])):
            place = cell + (step + 0.5) / grid.values_in[cell]
            codes, positions = np.full(len(some), cell, np.int32), np.full(len(some), place)
            total += np.exp(trees.log_prob(some, codes, positions)) / grid.values_in[cell]
    np.testing.assert_allclose(total, 1.0, atol=1e-9)


def test_a_condition_has_the_probability_of_its_values(fitted):
    trees, cells, space = fitted
    before, size = cells.take(np.arange(400)).columns(slice(0, 1)), space.grids[1].size
    low = np.arange(5)
    rule = Allowed(size, low, np.zeros(5), np.ones(5), np.ones(5))
    codes, positions, chance = trees.draw_where(before, rule, np.random.default_rng(3))
    assert rule.holds(codes, positions).all()
    scored = sum(np.exp(trees.log_prob(before, np.full(400, c, np.int32), np.full(400, c + 0.5))) for c in low)
    np.testing.assert_allclose(chance, scored, atol=1e-9)


def test_ranks_lead_back_to_the_value(fitted):
    trees, cells, _ = fitted
    before = cells.columns(slice(0, 1))
    u = trees.ranks(before, cells.codes[:, 1], cells.positions[:, 1])
    codes, positions = trees.at_ranks(before, u)
    np.testing.assert_array_equal(codes, cells.codes[:, 1])
    np.testing.assert_allclose(positions, cells.positions[:, 1], atol=1e-6)


def test_a_restored_forest_draws_the_same(fitted):
    trees, cells, space = fitted
    again = Trees()
    again.restore(*trees.state(), space.grids[1], space.select([0]))
    before = cells.columns(slice(0, 1))
    for one, other in zip(
        trees.draw(before, np.random.default_rng(4)), again.draw(before, np.random.default_rng(4)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
