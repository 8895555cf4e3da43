"""Completion and the latent space of the chain against closed forms: Bayes' rule on a table small enough to list."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from anew.core.columns import MISSING, OUTSIDE, Cells, Columns, Grid
from anew.core.cut import Cut
from anew.core.release import exact
from anew.networks import trees
from anew.objectives.chain import Chain

SIZES = (3, 2, 3)
EVERY = np.array(list(product(*map(range, SIZES))), np.int32)


def nominal(codes: NDArray[np.int32], size: int) -> Grid:
    index = np.arange(size, dtype=np.float64)
    counts = np.bincount(codes[codes >= 0], minlength=size).astype(np.float64)
    return Grid(index, index, counts, float((codes < 0).sum()), ordered=False, step=1.0)


def cells_of(codes: NDArray[np.int32]) -> Cells:
    return Cells(codes, np.where(codes >= 0, codes + 0.5, np.nan))


def categories(codes: NDArray[np.int32], sizes: tuple[int, ...], given: int = 0) -> Chain:
    grids = tuple(nominal(codes[:, j], size) for j, size in enumerate(sizes))
    chain = Chain(Columns(grids, tuple("abcd"[: len(sizes)]), given), seed=0, trees=4)
    chain.solve(cells_of(codes), exact())
    return chain


@pytest.fixture(scope="module")
def small() -> Chain:
    """c follows a + b, in most rows; a and b lean on each other."""
    rng = np.random.default_rng(0)
    a = rng.choice(3, 4000, p=[0.5, 0.3, 0.2])
    b = (rng.random(4000) < 0.2 + 0.3 * a).astype(int)
    c = np.where(rng.random(4000) < 0.8, (a + b) % 3, rng.integers(0, 3, 4000))
    return categories(np.stack([a, b, c], 1).astype(np.int32), SIZES)


@pytest.fixture(scope="module")
def numbers() -> tuple[Chain, Cells]:
    """Two numbers, correlated by 0.8, a whole number, gaps, and a spike at zero."""
    rng = np.random.default_rng(1)
    n = 3000
    x = rng.standard_normal(n)
    y = 0.8 * x + 0.6 * rng.standard_normal(n)
    k = np.round(30 * rng.random(n) ** 2 + 3 * x)
    spike = np.where(rng.random(n) < 0.4, 0.0, np.exp(y))
    y[rng.random(n) < 0.1] = np.nan
    grids, codes, places = [], [], []
    for values, step in ((x, 0.0), (k, 1.0), (y, 0.0), (spike, 0.0)):
        distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        grids.append(Cut()(distinct, counts, step=step, missing=float(np.isnan(values).sum())))
        code, place = grids[-1].encode(values)
        codes.append(code), places.append(place)
    cells = Cells(np.stack(codes, 1), np.stack(places, 1))
    chain = Chain(Columns(tuple(grids), tuple("xkys")), seed=0)
    chain.solve(cells.take(slice(0, 2500)), exact())
    return chain, cells


def test_log_prob_sums_to_one(small: Chain) -> None:
    assert np.exp(small.log_prob(cells_of(EVERY))).sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("pattern", [p for p in product((True, False), repeat=3) if not all(p)], ids=str)
def test_completion_is_bayes_rule_for_every_pattern(small: Chain, pattern: tuple[bool, ...]) -> None:
    """The frequencies of completed rows against p(all) / p(known), for each value of what is known."""
    known, p, n = np.array(pattern), np.exp(small.log_prob(cells_of(EVERY))), 1500
    for told in np.unique(EVERY[:, known], axis=0):
        here = (EVERY[:, known] == told).all(1)
        truth = np.where(here, p, 0.0) / p[here].sum()
        rows = np.zeros((n, 3), np.int32)
        rows[:, known] = told
        filled = small.complete(cells_of(rows), np.tile(known, (n, 1)), np.random.default_rng(0)).codes
        assert (filled[:, known] == told).all()
        seen = np.bincount(filled @ [6, 3, 1], minlength=18) / n
        assert np.abs(seen - truth).max() < 4 * np.sqrt(0.25 / n)


def test_rows_of_different_patterns_do_not_mix(small: Chain) -> None:
    rng = np.random.default_rng(3)
    rows = small.sample(500, rng)
    known = rng.random((500, 3)) < 0.5
    filled = small.fill(rows, known, rng)
    assert (filled.x.codes == rows.codes)[known].all()
    assert (filled.x.codes >= 0).all()
    free = ~known.any(1) | known.all(1)
    assert (filled.effective[free] == filled.effective.max()).all()
    assert (filled.effective > 1).all()


def test_what_is_known_to_exist_tells_about_the_others() -> None:
    """b is missing in most rows where a is 1, so that a row with a cell b has a = 0 more often than not."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, 4000)
    b = np.where(rng.random(4000) < 0.1 + 0.8 * a, MISSING, rng.integers(0, 3, 4000))
    chain = categories(np.stack([a, b, a], 1).astype(np.int32), (2, 3, 2))
    rows = cells_of(np.zeros((3000, 3), np.int32))
    filled = chain.complete(rows, np.zeros((3000, 3), bool), np.random.default_rng(1)).codes
    assert (filled >= 0).all()
    assert (filled[:, 0] == 0).mean() == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_known_value_that_has_no_cell_says_nothing(small: Chain, column: int) -> None:
    codes = np.zeros((2000, 3), np.int32)
    codes[:, column] = OUTSIDE
    known = np.tile(np.arange(3) == column, (2000, 1))
    filled = small.complete(cells_of(codes), known, np.random.default_rng(0)).codes
    assert (filled[:, column] == OUTSIDE).all()
    assert (np.delete(filled, column, 1) >= 0).all()


def test_a_copy_of_what_is_missing_is_drawn_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """y repeats x in nine rows of ten, and is missing in half of the others; where x is missing there is nothing to
    repeat, yet y must exist. encode and decode keep the repeated values apart from equal ones."""
    rng = np.random.default_rng(0)
    x, other = rng.integers(0, 900, 3000).astype(float), rng.integers(0, 900, 3000).astype(float)
    y = np.where(rng.random(3000) < 0.9, x, np.where(rng.random(3000) < 0.5, np.nan, other))
    x[rng.random(3000) < 0.05] = np.nan
    grids, cells = [], []
    for values in (x, y):
        distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
        grids.append(Cut()(distinct, counts, step=1.0, missing=float(np.isnan(values).sum())))
        cells.append(grids[-1].encode(values))
    chain = Chain(Columns(tuple(grids), ("x", "y")), seed=0, trees=4)
    rows = Cells(np.stack([c for c, _ in cells], 1), np.stack([p for _, p in cells], 1))
    chain.solve(rows, exact())
    assert len(chain.factors[1].copies), "the chain sees that y repeats x"
    filled = chain.complete(rows, np.tile([True, False], (3000, 1)), rng)
    assert (filled.codes[:, 1] >= 0).all()
    told = ~np.isnan(x)
    assert (filled.positions[told, 0] == rows.positions[told, 0]).all()
    values = grids[1].decode(filled.codes[:, 1], filled.positions[:, 1])
    assert (values == x)[told].mean() == pytest.approx(0.95, abs=0.02)  # of those that exist
    back = chain.decode(chain.encode(rows))
    np.testing.assert_allclose(back.positions, rows.positions, atol=1e-4)
    monkeypatch.setattr(trees, "AGAIN", 0)  # the last resort at once, in leaves where nearly all is a copy
    factor, leaves = chain.factors[1], chain.factors[1]._leaves(rows.columns([0]))[0]
    codes, _ = factor._draw(Cells.empty(3000, 1), leaves, factor._existing, rng)
    assert (codes >= 0).all()


def test_given_columns_are_read() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 3000), rng.integers(0, 2, 3000)
    chain = categories(np.stack([a, b, (a + b) % 3], 1).astype(np.int32), SIZES, given=1)
    x, known = cells_of(np.zeros((300, 2), np.int32)), np.tile([True, False], (300, 1))
    told = cells_of(np.repeat(np.arange(3, dtype=np.int32), 100)[:, None])
    filled = chain.complete(x, known, np.random.default_rng(0), told).codes
    assert filled.shape == (300, 2)
    assert (filled[:, 1] == told.codes[:, 0]).mean() > 0.95


def test_completed_numbers_correlate_as_the_data(numbers: tuple[Chain, Cells]) -> None:
    chain, cells = numbers
    rows = cells.take(np.flatnonzero((cells.codes[:, 2] >= 0) & (np.arange(len(cells)) >= 2500)))
    for hidden, told in ((0, 2), (2, 0)):
        known = np.ones(rows.codes.shape, bool)
        known[:, [hidden, 1, 3]] = False
        filled = chain.complete(rows, known, np.random.default_rng(0))
        assert np.corrcoef(filled.positions[:, hidden], rows.positions[:, told])[0, 1] == pytest.approx(0.8, abs=0.1)


def test_decode_undoes_encode_on_rows_never_seen(numbers: tuple[Chain, Cells]) -> None:
    chain, cells = numbers
    cells = cells.take(np.flatnonzero((cells.codes != OUTSIDE).all(1)))
    back = chain.decode(chain.encode(cells))
    assert (back.codes == cells.codes).all()
    np.testing.assert_allclose(back.positions, cells.positions, atol=1e-4)


def test_latent_coordinates_are_standard_normal(numbers: tuple[Chain, Cells]) -> None:
    """Of rows that the chain itself draws; a spike takes the middle of its ranks, which costs variance."""
    chain, _ = numbers
    z = chain.encode(chain.sample(4000, np.random.default_rng(0)))
    assert np.isfinite(z).all()
    assert np.abs(z.mean(0)).max() < 0.06
    assert np.abs(z[:, [0, 2]].std(0) - 1).max() < 0.1
    assert np.abs(np.corrcoef(z.T) - np.eye(4)).max() < 0.06


def test_normal_draws_decode_to_samples(numbers: tuple[Chain, Cells]) -> None:
    chain, _ = numbers
    made = chain.decode(np.random.default_rng(0).standard_normal((4000, 4)))
    drawn = chain.sample(4000, np.random.default_rng(1))
    for j in range(4):
        both = [np.sort(np.nan_to_num(part.positions[:, j], nan=-1.0)) for part in (made, drawn)]
        grid = np.arange(-1, chain.space.grids[j].size)
        share = [np.searchsorted(part, grid, side="right") / 4000 for part in both]
        assert np.abs(share[0] - share[1]).max() < 0.04  # Kolmogorov and Smirnov at one in ten thousand: 0.049


def test_far_coordinates_stay_in_the_grid(small: Chain) -> None:
    z = np.array([[40.0, -40.0, 0.0], [-40.0, 40.0, 1.0]])
    codes = small.decode(z).codes
    assert codes[:, 0].tolist() == [2, 0]
    assert codes[:, 1].tolist() == [0, 1]
