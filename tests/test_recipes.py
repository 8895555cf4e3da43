"""Recipes: the law over their folder, what each answers on its example, and on the real data beside the checkout."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import anew
import anew.recipes as recipes
from anew.audit.statistics import Estimate
from anew.cli.app import serve
from anew.data.examples import example
from anew.recipes import _scores
from anew.recipes._scarce import MADE, verdict

FOLDER = Path(anew.__file__).parent / "recipes"
SHARED = ("out", "seed", "progress")

# ---------------------------------------------------------------- the law: a file is a recipe


def lines_of_code(path: Path) -> int:
    """Lines of statements below the imports: neither blank, nor comment, nor docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lines: set[int] = set()
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr):
            lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_is_a_short_function_in_a_file_of_its_name(name: str) -> None:
    recipe = getattr(recipes, name)
    assert callable(recipe)
    assert recipe.__module__ == f"anew.recipes.{name}"
    assert recipe.__name__ == name
    assert 15 <= lines_of_code(FOLDER / f"{name}.py") <= 60
    line = (recipe.__doc__ or "").split("\n")[0]
    assert 20 < len(line) <= 120
    known = inspect.signature(recipe).parameters
    assert next(iter(known)) == "data"
    assert known["data"].default is None, "without data it runs on an example"
    assert set(SHARED) <= set(known)
    assert all(known[word].kind is inspect.Parameter.KEYWORD_ONLY for word in SHARED)


LONG = ("scans", "style")  # they train several models and judges


@pytest.mark.filterwarnings("ignore:.*safety stop.*")  # beside other work two seconds of training take long
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in recipes.names()]
)
def test_a_recipe_runs_on_its_example_and_leaves_a_page_that_stands_alone(name: str, tmp_path: Path) -> None:
    small: dict[str, Any] = {
        "augment": {"splits": 2, "add": 100},
        "copywriting": {"time": 1, "n": 1, "drafts": 1, "tested": 4, "width": 32, "context": 64, "most": 90},
        "assets": {"time": 2, "n": 8},
        "diagnose": {"time": 2},
        "practice": {"time": 1, "n": 2, "tested": 4, "width": 32, "context": 64},
        "scans": {"time": 2, "splits": 2, "keep": 60},
        "scripts": {"time": 1, "n": 1, "speeches": 2, "width": 32, "context": 64},
        "style": {"time": 2, "n": 8, "keep": 60},
        "visuals": {"time": 2, "n": 4},
    }.get(name, {})
    done = getattr(recipes, name)(out=tmp_path / name, **small)
    found = json.loads((tmp_path / name / "report.json").read_text(encoding="utf-8"))
    assert found["headline"] == done.story.headline
    assert found["figures"], "figures are the numbers of the page"
    page = (tmp_path / name / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert not any(word in page.replace('src="data:', "") for word in ("http://", "https://", "<script", "src=")), (
        "the page loads nothing"
    )
    assert all((tmp_path / name / file).exists() for file in done.to_dict()["files"])
    assert str(done.story) in str(done)


@pytest.mark.parametrize(
    "code",
    [
        "import anew; anew.recipes.advise",
        "import anew.recipes; anew.recipes.advise",
        "import anew.recipes.advise; import anew; anew.recipes.advise",
        "import anew; anew.recipes.advise; import anew.recipes.advise; anew.recipes.advise",
        "from anew.recipes import advise; import anew",
        "import anew; anew.advise; import anew.recipes.advise; anew.recipes.advise",
    ],
)
def test_a_recipe_is_callable_in_every_order_of_imports(code: str) -> None:
    script = f"{code}\nimport anew.recipes, types\nassert isinstance(anew.recipes.advise, types.FunctionType)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_an_unknown_recipe_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        recipes.nothing  # noqa: B018
    assert "patients" in dir(recipes)


def test_a_new_file_is_a_new_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greet.py").write_text(
        '"""A greeting."""\n\n\ndef greet(data=None, *, out=None, seed=0, progress=None):\n    """Says hello."""\n'
        "    return 'hello'\n"
    )
    monkeypatch.setattr(recipes, "__path__", [*recipes.__path__, str(tmp_path)])
    assert "greet" in recipes.names()
    assert recipes.greet() == "hello"
    monkeypatch.delattr(recipes, "greet")
    del sys.modules["anew.recipes.greet"]


# ---------------------------------------------------------------- the command line

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        code = serve([str(word) for word in words])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return call


def test_the_list_says_what_each_recipe_is(cli: Call) -> None:
    code, out, _ = cli("list", "recipes", "--json")
    found = json.loads(out)["recipes"]
    assert code == 0
    assert [row["name"] for row in found] == recipes.names()
    assert all(row["is"] for row in found)
    assert next(row for row in found if row["name"] == "preferences")["settings"][:3] == ["user", "item", "rating"]


def test_run_with_a_recipe(cli: Call, tmp_path: Path) -> None:
    example("ratings").rename({"user": "guest", "item": "plate"}).write_csv(tmp_path / "r.csv")
    words = ("run", "r.csv", "--recipe", "preferences", "--option", "user=guest", "--option", "item=plate", "-o", "out")
    code, out, err = cli(*words, "--json", "-q")
    assert code == 0, err
    found = json.loads(out)
    assert found["recipe"] == "preferences"
    assert found["folder"] == "out"
    assert (tmp_path / "out" / "report.html").exists()
    assert pl.read_csv(tmp_path / "out" / "recommendations.csv").columns == ["guest", "plate", "predicted rating"]
    code, out, _ = cli(*words[:4], "--dry-run")
    assert code == 0
    assert "user, item, rating" in out
    assert not (tmp_path / "r-preferences").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--recipe", "preference"), "Did you mean 'preferences'?"),
        (("--recipe", "preferences", "--option", "usr=a"), "Did you mean 'user'?"),
        (("--recipe", "preferences", "--objective", "chain"), "has no setting 'objective'"),
        (("--recipe", "patients", "--predictors", "linear"), "has no setting 'predictors'"),
        (("--recipe", "patients", "--option", "taget=a", "--dry-run"), "Did you mean 'target'?"),
        (("--recipe", "preferences", "--option", "user=usr"), "Did you mean 'user'?"),
        (("--recipe", "patients", "--predict", "outcom"), "Did you mean 'outcome'?"),
        (("--recipe", "augment", "--option", "label=redmitted"), "Did you mean 'readmitted'?"),
        (("--recipe", "augment", "--option", "splits=1"), "at least 2 splits"),
        (("--recipe", "patients", "--predict", "age"), "not a class"),
    ],
)
def test_misuse_is_one_clear_sentence(cli: Call, words: tuple[str, ...], says: str) -> None:
    code, _, err = cli("run", *words)
    assert code == 2
    assert says in err


# ---------------------------------------------------------------- scores by hand


def test_average_precision_and_recall_by_hand() -> None:
    truth, score = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1])
    assert _scores.average_precision(truth, score) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert _scores.recall_at(truth, score, 0.6) == 1.0
    assert _scores.recall_at(truth, score, 0.9) == 0.5
    assert _scores.average_precision(truth, np.ones(4)) == 0.5, "ties are taken together"


def test_splits_that_overlap_have_wider_intervals() -> None:
    values = np.array([0.1, 0.2, 0.3, 0.4])
    plain, honest = _scores.over_splits(values, 0.0), _scores.over_splits(values, 0.25)
    assert plain.value == honest.value == pytest.approx(0.25)
    assert honest.half == pytest.approx(plain.half * np.sqrt(2))


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [(0.02, 0.05, "helps"), (-0.05, 0.005, "does not help"), (-0.03, 0.04, "cannot tell"), (0.001, 0.009, "helps")],
)
def test_the_verdict_in_words(low: float, high: float, says: str) -> None:
    clear = Estimate(0.1, 0.09, 0.11)
    assert verdict({"a": clear, "b": Estimate((low + high) / 2, low, high)})[0] == says


# ---------------------------------------------------------------- preferences


def test_recommendations_are_unrated_best_first_and_read_the_side_columns() -> None:
    ratings = example("ratings")
    found = recipes.preferences(ratings)
    listed = found.recommend("u001", 100)
    rated = set(ratings.filter(pl.col("user") == "u001")["item"])
    mine = set(found.learned.filter(pl.col("user") == "u001")["item"])
    assert mine <= rated
    assert not set(listed["item"]) & mine
    assert len(listed) == ratings["item"].n_unique() - len(mine)
    assert listed["predicted rating"].is_sorted(descending=True)
    young, old = found.recommend(age="18-29", n=40), found.recommend(age="over 60", n=40)
    assert young["item"].to_list() != old["item"].to_list(), "a new user is told apart by the side columns"
    both = young.join(old, on="item")
    mean = ratings.group_by("item", "age").agg(pl.col("rating").mean()).pivot("age", index="item", values="rating")
    gap = both.join(mean, on="item")
    told = np.corrcoef(gap["predicted rating"] - gap["predicted rating_right"], gap["18-29"] - gap["over 60"])[0, 1]
    assert told > 0.5, "what the young like more is what is shown to them"
    with pytest.raises(anew.UsageError, match="No user is named"):
        found.recommend("nobody")
    with pytest.raises(anew.UsageError, match="Did you mean 'age'"):
        found.recommend(agee="18-29")


def test_the_saved_model_predicts_the_same(tmp_path: Path) -> None:
    found = recipes.preferences(out=tmp_path / "p")
    rows = found.learned[:50]
    assert np.array_equal(anew.load(tmp_path / "p" / "model").predict(rows), found.model.predict(rows))


# ---------------------------------------------------------------- real data


@pytest.mark.slow
@pytest.mark.parametrize(("name", "factorisation"), [("cuisine_ratings", 0.748), ("film_character_ratings", 0.967)])
def test_preferences_beat_biases_and_matrix_factorisation(shared: Path, name: str, factorisation: float) -> None:
    """The bars are what tuned alternating least squares reaches: benchmarks/results/preferences.md."""
    folder = shared / "data" / "preferences" / name
    if not folder.is_dir():
        pytest.skip(f"no ratings in {folder}")
    found = recipes.preferences(folder / "ratings.parquet", users=folder / "users.parquet")
    rmse = {way: one["value"] for way, one in found.figures["rmse"].items()}
    assert found.figures["gain"]["low"] > 0
    assert rmse["tastes (factorised)"] < factorisation
    assert rmse["as if each user were new"] < rmse["the mean rating"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "least"),
    [("heart_disease", {"target": "disease", "ignore": "disease_grade"}, 0.8), ("pima_diabetes", {}, 0.75)],
)
def test_patients_on_real_hospitals(shared: Path, name: str, settings: dict[str, Any], least: float) -> None:
    folder = shared / "data" / "tables" / name
    if not folder.is_dir():
        pytest.skip(f"no table in {folder}")
    found = recipes.patients(folder / "train.parquet", **{"target": "diabetes", **settings}).figures
    assert found["real"]["auc"]["value"] > least
    assert found["synthetic"]["auc"]["value"] > 0.65
    assert found["auc_lost"]["low"] < 0.1


@pytest.mark.slow
def test_augment_on_real_customers(shared: Path) -> None:
    table = shared / "data" / "tables" / "telecom_churn" / "train.parquet"
    found = recipes.augment(table, "churn", "yes", keep=60, splits=2).figures
    assert found["verdict"] in ("helps", "does not help", "cannot tell")
    for ways in found["scores"].values():
        assert all(0 <= one["value"] <= 1 for one in ways.values())
    chance = 581 / 4000
    assert found["scores"]["average precision"][MADE]["value"] > 1.5 * chance
