"""Tables to try anew on, with no file and no network: some come with scikit-learn, others are made by code.

The files of scikit-learn are read as they lie in its wheel; the library itself is not imported.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from anew.core.errors import ResourceError, UsageError, did_you_mean
from anew.data.said import answers, reviews

DEFAULT = "diabetes"
SHAPES = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points",
          "symmetry", "fractal dimension")  # fmt: skip
CANCER = [*(f"mean {name}" for name in SHAPES), *(f"{name} error" for name in SHAPES),
          *(f"worst {name}" for name in SHAPES)]  # fmt: skip
IRIS = ["sepal length", "sepal width", "petal length", "petal width"]
WINE = ["alcohol", "malic acid", "ash", "alcalinity of ash", "magnesium", "phenols", "flavanoids",
        "nonflavanoid phenols", "proanthocyanins", "colour intensity", "hue", "od280/od315", "proline"]  # fmt: skip
DIABETES = ["age", "sex", "bmi", "blood pressure", "tc", "ldl", "hdl", "tch", "ltg", "glucose"]


def example(name: str = DEFAULT) -> pl.DataFrame:
    """The example of that name."""
    if name not in EXAMPLES:
        raise UsageError(f"No example is named {name!r}", do=did_you_mean(name, EXAMPLES))
    return EXAMPLES[name]()


def _folder() -> Path:
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise ResourceError(
            "The example comes with scikit-learn, which is not installed",
            do="pip install scikit-learn, or take the example 'patients'",
        )
    return Path(spec.origin).parent / "datasets" / "data"


def _labelled(file: str, names: list[str], target: str) -> pl.DataFrame:
    """Measurements and a class: the first line of the file holds two counts and the names of the classes."""
    path = _folder() / file
    _, _, *classes = path.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    frame = pl.read_csv(path, has_header=False, skip_rows=1, new_columns=[*names, target], infer_schema_length=None)
    return frame.with_columns(pl.col(target).replace_strict(dict(enumerate(classes)), return_dtype=pl.String))


def _diabetes() -> pl.DataFrame:
    rows = np.loadtxt(gzip.open(_folder() / "diabetes_data_raw.csv.gz", "rt"))
    progression = np.loadtxt(gzip.open(_folder() / "diabetes_target.csv.gz", "rt"))
    frame = pl.DataFrame(rows, schema=DIABETES).with_columns(progression=progression)
    whole = ["age", "sex", "tc", "progression"]
    return frame.with_columns(pl.col(whole).cast(pl.Int64)).with_columns(
        pl.col("sex").replace_strict({1: "1", 2: "2"}, return_dtype=pl.String)
    )


def patients(rows: int = 2000, seed: int = 0) -> pl.DataFrame:
    """Admissions to a hospital that does not exist: keys, categories, dates, gaps that depend on the ward."""
    rng = np.random.default_rng(seed)
    age = np.clip(rng.gamma(9.0, 6.5, rows), 18, 99).astype(int)
    ward = rng.choice(["surgery", "cardiology", "geriatrics", "maternity"], rows, p=[0.4, 0.3, 0.2, 0.1])
    ward = np.where((age < 65) & (ward == "geriatrics"), "surgery", ward)
    ward = np.where((age > 48) & (ward == "maternity"), "cardiology", ward)
    sex = np.where(ward == "maternity", "F", rng.choice(["F", "M"], rows, p=[0.47, 0.53]))
    pressure = np.rint(rng.normal(105 + 0.45 * age + 6 * (ward == "cardiology"), 13)).astype(int)
    bmi = np.round(rng.normal(26 + 0.02 * age, 4.2), 1)
    days = 1 + rng.poisson(1.5 + 0.04 * age + 2.0 * (ward == "geriatrics"))
    minute = rng.integers(0, 365 * 24 * 60, rows)
    logit = -8.5 + 0.05 * age + 0.02 * pressure + 0.05 * bmi + 0.5 * (ward == "cardiology") + 0.3 * (sex == "M")
    died = rng.random(rows) < 1 / (1 + np.exp(-logit))
    unmeasured = rng.random(rows) < np.where(ward == "maternity", 0.5, 0.08)
    frame = pl.DataFrame({
        "patient_id": [f"P{number:05d}" for number in rng.permutation(90_000)[:rows] + 10_000],
        "sex": sex, "age": age, "ward": ward, "admitted": minute, "blood_pressure": pressure, "bmi": bmi,
        "days": days, "smoker": rng.random(rows) < np.where(age < 60, 0.3, 0.15),
        "outcome": np.where(died, "readmitted", "recovered"),
    })  # fmt: skip
    start = pl.datetime(2023, 1, 1, time_unit="us")
    gaps = pl.Series(unmeasured)
    return frame.with_columns(
        admitted=start + pl.duration(minutes="admitted"),
        blood_pressure=pl.when(~gaps).then("blood_pressure"),
        bmi=pl.when(~gaps & pl.Series(rng.random(rows) > 0.05)).then("bmi"),
    )


def ratings(users: int = 300, items: int = 40, seed: int = 0) -> pl.DataFrame:
    """Ratings 1 to 5 of dishes that nobody cooked: taste has three dimensions, one of which goes with age."""
    rng = np.random.default_rng(seed)
    age = rng.choice(["18-29", "30-44", "45-60", "over 60"], users)
    young = np.select([age == "18-29", age == "30-44", age == "45-60"], [1.0, 0.3, -0.3], -1.0)
    taste = rng.normal(0, 1, (users, 3)) + young[:, None] * [1, 0, 0]
    dish = rng.normal(0, 0.6, (items, 3))
    rated = rng.random((users, items)) < 0.4
    user, item = np.nonzero(rated)
    cuisine = np.array(["north", "south", "east", "west"])[dish[:, 0].argsort().argsort() * 4 // items]
    mean = 3.4 + rng.normal(0, 0.4, users)[user] + rng.normal(0, 0.4, items)[item] + (taste[user] * dish[item]).sum(1)
    return pl.DataFrame({
        "user": [f"u{number:03d}" for number in user], "item": [f"dish {number:02d}" for number in item],
        "age": age[user], "cuisine": cuisine[item],
        "rating": np.clip(np.rint(mean + rng.normal(0, 0.7, len(mean))), 1, 5).astype(int),
    })  # fmt: skip


EXAMPLES: dict[str, Callable[[], pl.DataFrame]] = {
    "answers": answers,
    "breast_cancer": lambda: _labelled("breast_cancer.csv", CANCER, "diagnosis"),
    "diabetes": _diabetes,
    "iris": lambda: _labelled("iris.csv", IRIS, "species"),
    "patients": patients,
    "ratings": ratings,
    "reviews": reviews,
    "wine": lambda: _labelled("wine_data.csv", WINE, "cultivar"),
}
