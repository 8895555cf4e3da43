"""Estimates against what is known in closed form, and verdicts against what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from anew.audit.compare import correlation, cramers_v
from anew.audit.finding import LIKENESS, SAFETY, judge
from anew.audit.neighbours import nearest
from anew.audit.statistics import Estimate, auc, difference, proportion, ranks, true_positive_rate, z_of_many


def test_auc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 40).astype(float), rng.integers(0, 7, 30).astype(float)
    pairs = (a[:, None] > b).mean() + (a[:, None] == b).mean() / 2
    assert auc(a, b).value == pytest.approx(pairs)


def test_auc_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        found = auc(rng.normal(0.5, 1, 80), rng.normal(0, 1, 60))
        held += found.low <= 0.6382 <= found.high  # P(N(.5, 1) > N(0, 1))
    assert 0.91 <= held / 300 <= 0.99


def test_wilson_interval() -> None:
    found = proportion(0, 10)
    assert found.low == pytest.approx(0)
    assert found.high == pytest.approx(0.2775, abs=1e-3)  # Wilson 1927
    assert proportion(0, 0).high == 1


def test_difference_of_independent_estimates() -> None:
    found = difference(Estimate(0.5, 0.2, 0.8), Estimate(0.1, -0.3, 0.5))
    assert (found.low, found.high) == pytest.approx((-0.1, 0.9))


def test_ranks_share_ties() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0])).tolist() == [2.5, 1.0, 2.5]


def test_many_tests_need_a_larger_z() -> None:
    assert z_of_many(1) == pytest.approx(1.96, abs=0.01)
    assert z_of_many(20) == pytest.approx(3.02, abs=0.01)


def test_true_positive_rate_counts_ties_as_misses() -> None:
    assert true_positive_rate(np.zeros(50), np.zeros(50), 0.01) == 0
    assert true_positive_rate(np.ones(50), np.zeros(50), 0.01) == 1


def test_nearest_finds_exact_copies_at_zero() -> None:
    rows = np.random.default_rng(2).normal(1000, 1, (300, 5)).astype(np.float32)
    found = nearest(rows, rows, 2)
    assert (found.distance[:, 0] == 0).all()
    assert (found.row[:, 0] == np.arange(300)).all()
    assert (nearest(rows, rows, itself=True).row[:, 0] == found.row[:, 1]).all()


def test_correlation_with_missing_cells_equals_that_of_complete_rows() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 3))
    x[:, 1] += x[:, 0]
    x[rng.random(500) < 0.2, 1] = np.nan
    known = ~np.isnan(x[:, 1])
    assert correlation(x)[0, 1] == pytest.approx(np.corrcoef(x[known, 0], x[known, 1])[0, 1])


def test_association_is_one_for_a_function_and_none_for_chance() -> None:
    rng = np.random.default_rng(4)
    a = rng.integers(0, 5, 4000)
    assert cramers_v(a, a, 5, 5) == pytest.approx(1, abs=0.01)
    assert cramers_v(a, rng.integers(0, 5, 4000), 5, 5) < 0.05


@pytest.mark.parametrize(
    ("value", "half", "expected"),
    [(0.50, 0.01, "good"), (0.60, 0.01, "fair"), (0.95, 0.01, "poor"), (0.60, 0.20, "told"), (0.95, 0.40, "told")],
)
def test_verdicts_follow_from_ceiling_floor_and_interval(value: float, half: float, expected: str) -> None:
    found = Estimate(value, value - half, value + half)
    assert judge(found, Estimate.exactly(0.5), 1.0, "lower", LIKENESS) == expected


def test_a_leak_is_judged_more_strictly_than_a_likeness() -> None:
    found = Estimate(0.58, 0.57, 0.59)
    assert judge(found, Estimate.exactly(0.5), 1.0, "lower", SAFETY) == "poor"
    assert judge(found, Estimate.exactly(0.5), 1.0, "lower", LIKENESS) == "fair"
