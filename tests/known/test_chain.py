"""The chain against closed forms: a table with a known conditional, exact probabilities, exact conditions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from anew.core.columns import MISSING, OUTSIDE, Allowed, Cells, Columns, Grid
from anew.core.cut import Cut
from anew.core.errors import ConditionError
from anew.core.release import exact
from anew.networks._packed import Packed, join
from anew.objectives.chain import Chain

P_A = np.array([0.5, 0.3, 0.2])
P_B = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])  # p(b | a)


def nominal(codes: NDArray[np.int32], size: int) -> Grid:
    index = np.arange(size, dtype=np.float64)
    counts = np.bincount(codes[codes >= 0], minlength=size).astype(np.float64)
    return Grid(index, index, counts, float((codes < 0).sum()), ordered=False, step=1.0)


def table(columns: list[tuple[NDArray[np.float64], bool]]) -> tuple[Columns, Cells]:
    """Values and whether they are ordered -> the space and the rows."""
    grids, codes, places = [], [], []
    for values, ordered in columns:
        if ordered:
            distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
            grid = Cut()(distinct, counts, step=0.0, missing=float(np.isnan(values).sum()))
            code, place = grid.encode(values)
        else:
            code = np.where(np.isnan(values), MISSING, values).astype(np.int32)
            grid, place = nominal(code, int(np.nanmax(values)) + 1), np.where(code >= 0, code + 0.5, np.nan)
        grids.append(grid), codes.append(code), places.append(place)
    names = tuple(f"x{j}" for j in range(len(columns)))
    return Columns(tuple(grids), names), Cells(np.stack(codes, 1), np.stack(places, 1))


def two_categories(n: int = 20_000) -> tuple[Columns, Cells]:
    rng = np.random.default_rng(0)
    a = rng.choice(3, n, p=P_A)
    b = (rng.random(n)[:, None] > np.cumsum(P_B, 1)[a]).sum(1)
    return table([(a.astype(np.float64), False), (b.astype(np.float64), False)])


def mixed(n: int = 3000) -> tuple[Columns, Cells]:
    """A category, a number that depends on it and a number that depends on both, with gaps and a spike."""
    rng = np.random.default_rng(1)
    a = rng.integers(0, 4, n).astype(np.float64)
    x = rng.normal(a, 0.5)
    y = np.where(rng.random(n) < 0.3, 0.0, x + rng.normal(0, 0.2, n))
    x[rng.random(n) < 0.1] = np.nan
    return table([(a, False), (x, True), (y, True)])


def fitted(data: tuple[Columns, Cells], **options: object) -> Chain:
    chain = Chain(data[0], seed=0, threads=2, **options)
    chain.solve(data[1], exact())
    return chain


def grid_of(space: Columns) -> Cells:
    """Every pair of cells of a two-column space."""
    codes = np.array([(a, b) for a in range(space.grids[0].size) for b in range(space.grids[1].size)], np.int32)
    return Cells(codes, codes + 0.5)


def only(grid: Grid, cells: list[int], missing: bool = False) -> Allowed:
    at = np.array(cells, np.intp)
    return Allowed(grid.size, at, np.zeros(len(at)), np.ones(len(at)), np.ones(len(at)), missing=missing)


def test_the_known_conditional_is_learned() -> None:
    data = two_categories()
    p = np.exp(fitted(data).log_prob(grid_of(data[0]))).reshape(3, 3)
    assert np.abs(p - P_A[:, None] * P_B).max() < 0.01
    assert p.sum() == pytest.approx(1.0, abs=1e-9)


def test_samples_follow_the_probabilities_that_it_states() -> None:
    data = two_categories()
    chain, n = fitted(data), 100_000
    p = np.exp(chain.log_prob(grid_of(data[0]))).reshape(3, 3)
    drawn = chain.sample(n, np.random.default_rng(0)).codes
    seen = np.bincount(drawn[:, 0] * 3 + drawn[:, 1], minlength=9).reshape(3, 3) / n
    assert (np.abs(seen - p) < 5 * np.sqrt(p / n)).all()


@pytest.mark.parametrize("column", [1, 2])
def test_each_conditional_sums_to_one(column: int) -> None:
    space, cells = mixed()
    factor, before = fitted((space, cells)).factors[column], cells.columns(slice(0, column))
    codes = range(-1, space.grids[column].size)
    p = sum(np.exp(factor.log_prob(before, np.full(len(cells), c, np.int32))) for c in codes)
    np.testing.assert_allclose(p, 1.0, atol=1e-9)


def test_outside_the_grid_is_impossible() -> None:
    space, cells = two_categories(500)
    codes = cells.codes[:2].copy()
    codes[1, 1] = OUTSIDE
    score = fitted((space, cells)).log_prob(Cells(codes, cells.positions[:2]))
    assert np.isfinite(score[0])
    assert score[1] == -np.inf


def test_rows_never_seen_have_a_finite_score() -> None:
    space, cells = mixed()
    chain = Chain(space, seed=0)
    chain.solve(cells.take(slice(0, 2000)), exact())
    assert np.isfinite(chain.log_prob(cells.take(slice(2000, None)))).all()


@pytest.mark.parametrize("column", [0, 1])
def test_a_condition_on_either_column_is_exact(column: int) -> None:
    data = two_categories()
    chain, n = fitted(data), 40_000
    p = np.exp(chain.log_prob(grid_of(data[0]))).reshape(3, 3)
    drawn = chain.sample_where(n, {column: only(data[0].grids[column], [0, 2])}, np.random.default_rng(0))
    kept = p.copy()
    kept[(1, slice(None)) if column == 0 else (slice(None), 1)] = 0.0
    seen = np.bincount(drawn.x.codes[:, 0] * 3 + drawn.x.codes[:, 1], minlength=9).reshape(3, 3) / n
    assert drawn.probability == pytest.approx(kept.sum(), abs=0.01)
    assert np.abs(seen - kept / kept.sum()).max() < 0.015


def test_conditions_on_several_columns_are_kept_and_estimated() -> None:
    space, cells = mixed()
    chain = fitted((space, cells))
    high = Allowed(space.grids[2].size, np.arange(60, space.grids[2].size), *(_piece(space, 60)), missing=False)
    where = {0: only(space.grids[0], [1, 3]), 2: high}
    drawn = chain.sample_where(500, where, np.random.default_rng(0))
    free = chain.sample(60_000, np.random.default_rng(1))
    met = np.all([rule.holds(free.codes[:, j], free.positions[:, j]) for j, rule in where.items()], 0)
    assert all(rule.holds(drawn.x.codes[:, j], drawn.x.positions[:, j]).all() for j, rule in where.items())
    assert drawn.probability == pytest.approx(met.mean(), rel=0.15)
    assert 100 < drawn.effective <= 500
    assert len(np.unique(drawn.x.positions[:, 2])) > 450  # resampled without duplicates


def _piece(space: Columns, first: int) -> tuple[NDArray[np.float64], ...]:
    """From the middle of the cell `first` upwards."""
    size = space.grids[2].size - first
    low = np.zeros(size)
    low[0] = 0.5
    return low, np.ones(size), 1.0 - low


def test_a_condition_of_probability_zero_says_so() -> None:
    space, cells = mixed()
    gone = only(space.grids[0], [], missing=True)  # the first column is never missing
    with pytest.raises(ConditionError, match="probability zero"):
        fitted((space, cells)).sample_where(10, {0: gone}, np.random.default_rng(0))


def test_a_hard_dependence_is_kept() -> None:
    rng = np.random.default_rng(0)
    a, noise = rng.integers(0, 12, 5000), rng.normal(size=(5000, 4))
    space, cells = table([(a.astype(np.float64), False), *((z, True) for z in noise.T), (a * 7 % 12 + 0.0, False)])
    drawn = fitted((space, cells)).sample(5000, np.random.default_rng(1)).codes
    assert (drawn[:, 0] * 7 % 12 == drawn[:, 5]).mean() > 0.999


def test_noise_is_not_memorised() -> None:
    """Two independent numbers: held-out rows are hardly worse off than under the marginals."""
    rng = np.random.default_rng(0)
    space, cells = table([(rng.normal(size=4000), True), (rng.normal(size=4000), True)])
    train, fresh = cells.take(slice(0, 3000)), cells.take(slice(3000, None))
    factor = fitted((space, train)).factors[1]
    marginal = np.log((space.grids[1].counts / space.grids[1].counts.sum())[fresh.codes[:, 1]])
    loss = marginal.mean() - factor.log_prob(fresh.columns([0]), fresh.codes[:, 1]).mean()
    assert loss < 0.3  # leaves of ten rows lose about 0.5 nats; entries of two rows cost some 0.05 of it (docs/log.md)


def test_the_model_depends_on_seed_alone_not_on_threads() -> None:
    space, cells = mixed()
    one, two = Chain(space, seed=3, threads=1), Chain(space, seed=3, threads=2)
    one.solve(cells, exact()), two.solve(cells, exact())
    rows = [chain.sample(200, np.random.default_rng(5)).positions for chain in (one, two)]
    np.testing.assert_array_equal(rows[0], rows[1])


def test_given_columns_are_answered_row_by_row() -> None:
    space, cells = mixed()
    asked = Columns(space.grids, space.names, given=1)
    chain = fitted((asked, cells))
    drawn = chain.sample(len(cells), np.random.default_rng(0), cells.columns([0]))
    assert drawn.width == 2
    values = space.grids[1].decode(drawn.codes[:, 0], drawn.positions[:, 0])
    means = [np.nanmean(values[cells.codes[:, 0] == a]) for a in range(4)]
    np.testing.assert_allclose(means, [0, 1, 2, 3], atol=0.15)
    only_missing = chain.sample_where(
        50, {1: only(space.grids[1], [], missing=True)}, np.random.default_rng(0), cells.columns([0]).take(slice(0, 50))
    )
    assert (only_missing.x.codes[:, 0] == MISSING).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 30])
def test_few_rows_constant_and_empty_columns(rows: int) -> None:
    rng = np.random.default_rng(0)
    space, cells = table(
        [(np.zeros(rows), True), (rng.normal(size=rows), True), (np.full(rows, np.nan), True), (np.zeros(rows), False)]
    )
    chain = fitted((space, cells))
    drawn = chain.sample(50, rng)
    assert (drawn.codes[:, 2] == MISSING).all()
    assert (drawn.codes[:, [0, 3]] == 0).all()
    assert np.isfinite(chain.log_prob(drawn)).all()


def test_a_category_of_many_levels_keeps_its_partner() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 8, 6000)
    level = group * 50 + rng.integers(0, 50, 6000)  # 400 levels, each of one group
    space, cells = table([(group + 0.0, False), (rng.normal(size=6000), True), (level + 0.0, False)])
    drawn = fitted((space, cells)).sample(4000, rng).codes
    assert (drawn[:, 2] // 50 == drawn[:, 0]).mean() > 0.98


def test_packed_trees_walk_as_they_are_written() -> None:
    one = Packed(
        *(np.array(v, np.int32) for v in ([0, 0, 0],)),
        np.array([0.5, 0, 0]),
        *(np.array(v, np.int32) for v in ([1, -1, -1], [2, -1, -1], [-1, 0, 1])),
        2,
    )
    forest = join([one, one.shifted(2), one.shifted(4)], 2)
    x = np.array([[a, t] for a in (0.0, 1.0) for t in range(3)], np.float32)
    assert forest(x).tolist() == [0, 2, 4, 1, 3, 5]
    np.testing.assert_array_equal(forest(x), forest.walk(x))


def test_minutes_follow_from_a_time_of_day() -> None:
    """A function that is not monotone: no threshold on the time itself would find it."""
    rng = np.random.default_rng(0)
    time = rng.integers(0, 24, 8000) * 60 + rng.choice(12, 8000) * 5
    noise = rng.normal(size=(8000, 2))
    space, cells = table([(time + 0.0, True), *((z, True) for z in noise.T), (time % 60 + 0.0, True)])
    drawn = fitted((space, cells), trees=4).sample(4000, rng)
    times, minutes = (space.grids[j].decode(drawn.codes[:, j], drawn.positions[:, j]) for j in (0, 3))
    assert (times % 60 == minutes).mean() > 0.98
