"""Twenty conditions on adult, fixed before any of them was measured: two or three columns each, early and late ones,
numbers and categories, each with at least 200 of the test rows. Each is a column, an operator's meaning and values."""

from typing import Any

import numpy as np
import pandas as pd

Condition = dict[str, Any]  # as anew's where=: a value, a list of values, a pair (low, high) with None for an open end

ADULT: tuple[Condition, ...] = (
    {"sex": "Female", "income": ">50K"},
    {"sex": "Male", "income": ">50K"},
    {"age": (50, None), "income": ">50K"},
    {"age": (None, 24), "hours-per-week": (40, None)},
    {"education": "Bachelors", "income": ">50K"},
    {"education": ["Masters", "Doctorate", "Prof-school"], "sex": "Male"},
    {"education-num": (13, None), "hours-per-week": (50, None)},
    {"marital-status": "Divorced", "sex": "Female"},
    {"marital-status": "Never-married", "age": (35, None)},
    {"race": "Black", "sex": "Female"},
    {"race": "White", "income": ">50K", "sex": "Female"},
    {"relationship": "Husband", "occupation": "Craft-repair"},
    {"occupation": "Exec-managerial", "income": ">50K"},
    {"occupation": ["Adm-clerical", "Sales"], "sex": "Female", "age": (None, 40)},
    {"workclass": "Self-emp-not-inc", "hours-per-week": (45, None)},
    {"workclass": "Private", "education": "HS-grad", "income": "<=50K"},
    {"capital-gain": (1, None), "income": ">50K"},
    {"capital-gain": 0, "capital-loss": 0, "income": ">50K"},
    {"hours-per-week": (None, 20), "sex": "Female"},
    {"native-country": "United-States", "age": (25, 45), "income": ">50K"},
)


def holds(table: pd.DataFrame, condition: Condition) -> np.ndarray[Any, Any]:
    """Which rows meet every part of the condition."""
    good = np.ones(len(table), bool)
    for column, wanted in condition.items():
        good &= _part(table[column], wanted)
    return good


def _part(column: pd.Series, wanted: Any) -> np.ndarray[Any, Any]:
    if isinstance(wanted, tuple):
        low, high = wanted
        return np.asarray(
            (column >= (-np.inf if low is None else low)) & (column <= (np.inf if high is None else high))
        )
    return np.asarray(column.isin(wanted if isinstance(wanted, list) else [wanted]))


def words(condition: Condition) -> str:
    """A condition as a person would write it."""
    return ", ".join(f"{column} {_words(wanted)}" for column, wanted in condition.items())


def _words(wanted: Any) -> str:
    if isinstance(wanted, list):
        return "= " + " or ".join(wanted)
    if not isinstance(wanted, tuple):
        return f"= {wanted}"
    low, high = wanted
    return f">= {low}" if high is None else f"<= {high}" if low is None else f"{low} to {high}"
