"""From the records of one run to a flat row of numbers; from the rows of several seeds to means and intervals."""

from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.copies import natural_bound
from benchmarks.interval import Interval, t_interval

Row = dict[str, float]  # figure -> value, for one (table, generator, seed)

FROM_SCORE = (
    "c2st_hgb_test",
    "c2st_hgb_train",
    "dcr_share",
    "shape_err",
    "trend_err_all",
    "tstr",
    "trtr",
    "alpha_prec",
    "beta_rec",
    "cat_coverage",
    "invalid_share",
    "missing_rate_gap",
    "dup_train",
    "dup_test_in_train",
    "c2st_lr",
)
SPEED = ("speed_rows_per_s", "speed_rows_per_cpu_s")
FROM_COST = ("fit_s", "sample_s", "import_s", "wall_s", "cpu_s", "rows_per_s", "load1", *SPEED)


def numbers(record: Mapping[str, Any], keys: Iterable[str]) -> Row:
    """The named entries of a record which are there."""
    return {key: float(record[key]) for key in keys if record.get(key) is not None}


def natural_row(score: Mapping[str, Any], extra: Mapping[str, Any]) -> Row:
    """What fresh real rows (the test set) score on the measures that stand beside such a figure."""
    repeats = float(score["dup_test_in_train"])
    row = {
        "dup_bound": natural_bound(round(repeats * extra["n_test"]), extra["n_test"]),
        "missing_tvd_test": extra["missingness"]["test"],
    }
    optional = {
        "verbatim_test": extra["verbatim"]["mean_test"],
        "dependencies_mean_test": extra["dependencies"]["mean_test"],
        "dependencies_worst_test": extra["dependencies"]["worst_test"],
    }
    return row | {key: float(value) for key, value in optional.items() if value is not None}


def peak_mb(cost: Mapping[str, Any]) -> float:
    """Peak memory: the higher of what polling saw of the whole family and the kernel's mark of the process itself."""
    return float(max(cost.get("peak_mb", 0.0), cost.get("maxrss_mb", 0.0)))


def run_row(score: Mapping[str, Any], extra: Mapping[str, Any], cost: Mapping[str, Any]) -> Row:
    """One run's figures."""
    row = numbers(score, FROM_SCORE) | numbers(cost, FROM_COST) | natural_row(score, extra)
    row["peak_mb"] = peak_mb(cost)
    row["missing_tvd"] = float(extra["missingness"]["synthetic"])
    optional = {
        "verbatim": extra["verbatim"]["mean"],
        "verbatim_excess": extra["verbatim"]["worst_excess"],
        "dependencies_mean": extra["dependencies"]["mean_synthetic"],
        "dependencies_worst": extra["dependencies"]["worst_synthetic"],
    }
    return row | {key: float(value) for key, value in optional.items() if value is not None}


def floor_row(lines: Iterable[Mapping[str, Any]], natural: Row) -> Row:
    """Real rows in the generator's place: one half of train learned from, the other half as the synthetic table; for
    the measures of this folder, the test rows."""
    half = next(line for line in lines if line["name"] == "floor_half_train")
    row = numbers(half, FROM_SCORE)
    for figure in ("verbatim", "dependencies_mean", "dependencies_worst", "missing_tvd"):
        if f"{figure}_test" in natural:
            row[figure] = natural[f"{figure}_test"]
    return row | natural


def summarise(rows: Iterable[Row]) -> dict[str, Interval]:
    """Each figure's mean and interval over the seeds that have it."""
    values: dict[str, list[float]] = {}
    for row in rows:
        for key, value in row.items():
            if value == value:  # nan says the measure does not apply
                values.setdefault(key, []).append(value)
    return {key: t_interval(found) for key, found in values.items()}
