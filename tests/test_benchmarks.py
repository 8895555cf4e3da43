"""The benchmark's own measures: each is right on a case worked out by hand, and each can tell good from bad."""

import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # benchmarks/ is no part of the installed package

pd = pytest.importorskip("pandas", reason="the benchmark's measures read pandas frames")

from benchmarks import imputers  # noqa: E402
from benchmarks.aims import aims  # noqa: E402
from benchmarks.conditions import ADULT, holds, words  # noqa: E402
from benchmarks.copies import natural_bound  # noqa: E402
from benchmarks.dependencies import dependencies  # noqa: E402
from benchmarks.gate import cost, quality  # noqa: E402
from benchmarks.interval import Interval, t_interval  # noqa: E402
from benchmarks.missingness import missingness, pattern_distance  # noqa: E402
from benchmarks.neural import best_of, criteria  # noqa: E402
from benchmarks.scale import table  # noqa: E402
from benchmarks.tables import Session, arguments  # noqa: E402
from benchmarks.verbatim import continuous_columns, verbatim  # noqa: E402
from benchmarks.which_page import on_page, predicted, tables  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]


def test_verbatim_chooses_continuous_columns_only() -> None:
    rows = 1200
    train = pd.DataFrame(
        {
            "weight": np.linspace(0.0, 1.0, rows),
            "code": np.arange(rows),
            "age": np.arange(rows) % 90,  # too few distinct values
            "hours": np.arange(rows) % 110,  # enough of them, but each on 11 rows
            "word": [str(i) for i in range(rows)],
            "when": pd.date_range("2020-01-01", periods=rows, freq="h"),
        }
    )
    assert continuous_columns(train, categorical=["code"]) == ["weight", "when"]


def test_verbatim_is_one_for_a_copier_and_zero_for_new_values() -> None:
    train = pd.DataFrame({"x": np.arange(1000.0)})
    test = pd.DataFrame({"x": np.r_[np.arange(25.0), np.arange(75.0) + 0.5]})
    copied = verbatim(train, test, train.sample(300, replace=True, random_state=0), [])
    assert (copied["mean"], copied["mean_test"], copied["worst"]) == (1.0, 0.25, "x")
    assert copied["worst_excess"] == 0.75
    assert verbatim(train, test, train + 0.5, [])["mean"] == 0.0


def test_verbatim_ignores_missing_cells() -> None:
    train = pd.DataFrame({"x": np.r_[np.arange(999.0), np.nan]})
    synthetic = pd.DataFrame({"x": [0.0, np.nan, np.nan, 0.5]})
    assert verbatim(train, train, synthetic, [])["mean"] == 0.5


@pytest.fixture
def school() -> "pd.DataFrame":
    """education settles its number, and the number settles education; age settles neither."""
    rng = np.random.default_rng(0)
    number = rng.integers(1, 9, 2000)
    return pd.DataFrame(
        {
            "education": [f"grade {k}" for k in number],
            "number": number,
            "age": rng.integers(20, 60, 2000),
            "key": np.arange(2000),  # settles everything, and says nothing
            "constant": np.where(np.arange(2000) < 1950, "no", "yes"),  # settled by everything
        }
    )


def test_dependencies_finds_only_what_holds(school: "pd.DataFrame") -> None:
    found = dependencies(school, school, school)
    assert {(pair["a"], pair["b"]) for pair in found["pairs"]} == {("education", "number"), ("number", "education")}
    assert found["worst_synthetic"] == found["worst_test"] == 1.0


def test_dependencies_sees_a_broken_one(school: "pd.DataFrame") -> None:
    broken = school.copy()
    broken.loc[:499, "number"] = broken.loc[:499, "number"] % 8 + 1  # a quarter of the rows get the next number
    found = dependencies(school, school, broken)
    assert found["worst_synthetic"] == 0.75
    assert found["worst_test"] == 1.0


def test_dependencies_leaves_unseen_levels_out_and_reads_numbers_as_text(school: "pd.DataFrame") -> None:
    other = school.copy()
    other["education"] = other["education"].where(other.index >= 1000, "never seen")
    other["number"] = other["number"].astype(str)
    found = {(pair["a"], pair["b"]): pair["synthetic"] for pair in dependencies(school, school, other)["pairs"]}
    assert found["education", "number"] == 1.0  # only the seen half is judged
    assert found["number", "education"] == 0.5  # there the unseen word is simply wrong


def test_missingness_sees_patterns_that_rates_hide() -> None:
    together = pd.DataFrame({"a": [None, None, 1.0, 1.0], "b": [None, None, "x", "x"]})
    apart = pd.DataFrame({"a": [None, None, 1.0, 1.0], "b": ["x", "x", None, None]})
    assert (together.isna().mean() == apart.isna().mean()).all()
    assert pattern_distance(together, apart) == 1.0
    assert missingness(together, together, apart) == {"patterns": 2, "synthetic": 1.0, "test": 0.0}


def test_missingness_distance_by_hand() -> None:
    train = pd.DataFrame({"a": [None, 1.0, 1.0, 1.0]})
    assert pattern_distance(train, pd.DataFrame({"a": [None, None, 1.0, 1.0]})) == 0.25


def test_interval_of_three_seeds() -> None:
    interval = t_interval([0.51, 0.52, 0.53])
    assert math.isclose(interval.mean, 0.52)
    assert interval.half is not None
    assert math.isclose(interval.half, 4.303 * 0.01 / math.sqrt(3), rel_tol=1e-9)
    assert t_interval([0.5]).half is None
    with pytest.raises(ValueError, match="at least one value"):
        t_interval([])


def test_interval_quantiles_are_students() -> None:
    stats = pytest.importorskip("scipy.stats")
    from benchmarks.interval import T975

    np.testing.assert_allclose(T975, stats.t.ppf(0.975, np.arange(1, len(T975) + 1)), atol=6e-4)


def test_natural_bound_of_copied_rows() -> None:
    assert math.isclose(natural_bound(0, 114), 1 - 0.05 ** (1 / 114), rel_tol=1e-9)  # the rule of three, exact
    assert natural_bound(8, 6512) > 8 / 6512
    assert natural_bound(5, 5) == 1.0
    with pytest.raises(ValueError, match="repeats"):
        natural_bound(6, 5)


@pytest.mark.parametrize(("repeats", "rows"), [(0, 6), (3, 40), (8, 6512), (157, 10788)])
def test_natural_bound_is_clopper_pearson(repeats: int, rows: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert math.isclose(natural_bound(repeats, rows), stats.beta.ppf(0.95, repeats + 1, rows - repeats), rel_tol=1e-6)


def summary(**figures: float) -> dict[str, Interval]:
    """A summary as of one seed, with a run that is neither good nor bad in what is not named."""
    usual = {
        "c2st_hgb_test": 0.55,
        "dcr_share": 0.52,
        "dup_train": 0.0,
        "dup_bound": 0.002,
        "dup_test_in_train": 0.001,
        "shape_err": 1.0,
        "trend_err_all": 1.0,
        "tstr": 0.9,
        "alpha_prec": 0.98,
        "cat_coverage": 1.0,
        "invalid_share": 0.0,
    }
    return {key: t_interval([value]) for key, value in (usual | figures).items()}


def failures(table: str, ours: dict[str, Interval], trees_c2st: float = 0.56) -> set[str]:
    """The criteria that ours fails, beside peers of 0.56 and 0.60 and a floor of 0.50."""
    peers = {
        "cart_smooth20": summary(c2st_hgb_test=trees_c2st, dcr_share=0.54),
        "mostly": summary(c2st_hgb_test=0.60, shape_err=3.0),
    }
    lines = quality(table, {"anew": ours, "floor": summary(c2st_hgb_test=0.50), **peers})
    return {line.criterion for line in lines if not line.passed}


def test_gate_passes_what_is_better() -> None:
    assert failures("adult", summary()) == set()


@pytest.mark.parametrize(
    ("figures", "failed"),
    [
        ({"c2st_hgb_test": 0.565}, {"C2ST-HGB against cart_smooth20"}),
        ({"c2st_hgb_test": 0.61}, {"C2ST-HGB against cart_smooth20", "C2ST-HGB against TabularARGN"}),
        ({"dcr_share": 0.541}, {"DCR share against cart_smooth20"}),
        ({"dup_train": 0.0021}, {"copied rows"}),
        ({"shape_err": 2.1}, {"shape_err"}),  # 1.1 points behind the better peer, which is 0.011 as a fraction
        ({"shape_err": 1.9}, set()),
        ({"tstr": 0.889}, {"tstr"}),
        ({"tstr": 0.891}, set()),
        ({"invalid_share": 0.011}, {"invalid_share"}),
    ],
)
def test_gate_fails_what_is_worse(figures: dict[str, float], failed: set[str]) -> None:
    assert failures("adult", summary(**figures)) == failed


def test_gate_gives_way_near_the_floor_and_on_cancer() -> None:
    close = summary(c2st_hgb_test=0.52)
    assert failures("adult", close, trees_c2st=0.512) == set()  # within 0.015 of the floor: 0.01 is allowed
    assert failures("adult", close, trees_c2st=0.519) == {"C2ST-HGB against cart_smooth20"}
    assert failures("cancer", close, trees_c2st=0.511) == set()
    assert failures("cancer", summary(c2st_hgb_test=0.58), trees_c2st=0.56) == {"C2ST-HGB against cart_smooth20"}
    assert failures("cancer", summary(dcr_share=0.54)) == set()  # not higher is enough on cancer
    assert failures("adult", summary(dcr_share=0.54)) == {"DCR share against cart_smooth20"}


def test_gate_without_a_run_or_a_peer_fails() -> None:
    assert [line.passed for line in quality("adult", {"cart_smooth20": summary()})] == [False]
    lines = quality("adult", {"anew": summary(c2st_hgb_test=0.5), "cart_smooth20": summary(dcr_share=0.54)})
    assert [line.criterion for line in lines if not line.passed] == ["TabularARGN to compare with"]


def test_gate_of_cost() -> None:
    def cost_of(**figures: float) -> dict[str, Interval]:
        return {key: t_interval([value]) for key, value in figures.items()}

    cart = cost_of(wall_s=2.0, cpu_s=2.0, peak_mb=280.0)
    good = cost_of(wall_s=11.0, cpu_s=12.0, peak_mb=990.0, speed_rows_per_s=450_000.0, speed_rows_per_cpu_s=1.0)
    bad = cost_of(wall_s=12.5, cpu_s=12.5, peak_mb=1001.0, speed_rows_per_s=399_000.0, speed_rows_per_cpu_s=1.0)
    assert all(line.passed for line in cost(good, cart))
    assert not any(line.passed for line in cost(bad, cart))


def test_aims_are_harder_than_the_gate_and_stand_beside_it() -> None:
    floor, trees = summary(c2st_hgb_test=0.503, dcr_share=0.5), summary(c2st_hgb_test=0.516)
    for figures, missed in (
        ({"c2st_hgb_test": 0.517, "dcr_share": 0.509, "tstr": 0.92, "trtr": 0.931}, set()),
        ({"c2st_hgb_test": 0.519, "dcr_share": 0.509, "tstr": 0.92, "trtr": 0.931}, {"C2ST-HGB near the floor"}),
        ({"c2st_hgb_test": 0.517, "dcr_share": 0.511, "tstr": 0.918, "trtr": 0.931}, {"DCR share", "TSTR"}),
    ):
        lines = aims("adult", {"anew": summary(**figures), "floor": floor, "cart_smooth20": trees})
        assert {line.criterion for line in lines if not line.passed} == missed
    assert aims("adult", {"anew": summary()}) == [], "without a floor there is no aim"


def test_recorded_peers_are_not_run_again(tmp_path: Path) -> None:
    found = {"sets": {"adult": {"mostly": [{"tstr": 0.9}] * 2}, "bank": {"mostly": [{"tstr": 0.9}]}}}
    (tmp_path / "old.json").write_text(json.dumps(found))
    given = arguments(["--recorded", str(tmp_path / "old.json"), "--seeds", "0,1"])
    session = Session(given, None, tmp_path, tmp_path)  # type: ignore[arg-type]
    assert session.recorded("adult", "mostly") == [{"tstr": 0.9}] * 2
    assert session.recorded("bank", "mostly") == []  # one seed of two is run again, not taken for both
    assert session.recorded("default", "mostly") == []
    assert session.notes == ["adult: mostly is taken from an earlier run of this command"]


def test_kept_runs_of_an_earlier_source_stand_for_ours_where_it_is_unchanged(tmp_path: Path) -> None:
    given = arguments(["--earlier", "anew-old", "--unchanged", "bank"])
    session = Session(given, None, tmp_path, tmp_path / "new")  # type: ignore[arg-type]
    assert [session.ours_on(table) for table in ("bank", "adult")] == ["anew-old", "anew-new"]


def test_the_table_of_the_scale_is_what_it_says() -> None:
    made = table(2000, 10, 500)
    assert made.width == 11
    assert made["level"].n_unique() > 100
    assert np.corrcoef(made["x2"], made["x7"])[0, 1] > 0.98


def test_conditions_hold_where_every_part_does() -> None:
    table = pd.DataFrame({"age": [20, 40, 60, 60], "sex": ["F", "F", "F", "M"]})
    assert holds(table, {"age": (40, None), "sex": "F"}).tolist() == [False, True, True, False]
    assert holds(table, {"age": (None, 40), "sex": ["F", "M"]}).tolist() == [True, True, False, False]
    assert words({"age": (40, 60), "sex": ["F", "M"]}) == "age 40 to 60, sex = F or M"
    assert len(ADULT) == 20
    assert all(2 <= len(condition) <= 3 for condition in ADULT)


def test_imputers_keep_what_is_known_and_their_errors_are_those_of_hidden_cells() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(400)
    train = pd.DataFrame({"x": x, "y": 2 * x + 0.1 * rng.standard_normal(400), "k": (x > 0).astype(float)})
    rows, known = train[:100].copy(), np.ones((100, 3), bool)
    known[:50, 1], known[50:, 2] = False, False
    found = {}
    for name, fill in imputers.RIVALS.items():
        filled = fill(train, rows, known, ["k"])
        assert (filled.to_numpy() == rows.to_numpy())[known].all(), name
        found[name] = imputers.errors(train, rows, filled, known, ["k"])
    assert found["IterativeImputer"]["rmse"] < 0.1
    assert 0.8 < found["mean or mode"]["rmse"] < 1.2
    assert found["independent draws"]["rmse"] > found["mean or mode"]["rmse"]
    assert imputers.errors(train, rows, rows, known, ["k"]) == {"rmse": 0.0, "accuracy": 1.0}


def test_a_neural_objective_must_beat_its_peer_in_a_fifth_of_its_time() -> None:
    def run(c2st: float, seconds: float) -> dict[str, Interval]:
        return {"c2st_hgb_test": Interval(c2st, None, ()), "fit_s": Interval(seconds, None, ())}

    budgets = {"elbo": 40.0, "likelihood": 120.0, "any_order": 16.0}
    found = {"elbo 40 s": run(0.6, 45.0), "tvae": run(0.94, 200.0), "likelihood 120 s": run(0.59, 121.0)}
    lines = {line.criterion: line.passed for line in criteria("adult", budgets, found)}
    assert lines == {
        "elbo, C2ST-HGB against tvae": True,
        "elbo, seconds of its fit": False,
        "likelihood, C2ST-HGB": True,
        "any_order": False,
    }
    assert best_of(budgets, found) == "likelihood"


def test_the_page_shows_the_committed_tables() -> None:
    """docs/explanation/which-model.md says what benchmarks/which_model.py last found, and nothing else."""
    record = json.loads((ROOT / "benchmarks" / "results" / "which_model.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "explanation" / "which-model.md").read_text(encoding="utf-8")
    shown = tables(record)
    marks = dict(re.findall(r"<!-- table (.+?) -->\n(.*?)<!-- end -->", page, re.DOTALL))
    assert on_page(page, shown) == page
    assert {name for name, text in marks.items() if "not measured yet" not in text} == set(shown)
    assert all(table in (ROOT / "benchmarks" / "results" / "which_model.md").read_text() for table in shown.values())


def test_a_combination_that_failed_keeps_its_row() -> None:
    rows = [
        {"objective": "hinge", "network": "linear", "auc": 0.8, "fit_s": 1.0},
        {"objective": "hinge", "network": "kernel", "failed": "no memory"},
        {"objective": "cross_entropy", "network": "linear", "auc": 0.9, "fit_s": 2.0},
    ]
    lines = predicted(rows).splitlines()
    assert [line.split("|")[2].strip() for line in lines[2:]] == ["linear", "linear", "kernel"]
    assert lines[2].startswith("| cross_entropy")
    assert lines[4] == "| hinge | kernel | - | - |"
