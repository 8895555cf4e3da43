"""Uses that must type-check, and uses that must not: mypy reads this file, nothing runs it.

`warn_unused_ignores` makes each `type: ignore` an assertion: were the error gone, mypy would complain.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

import anew
from anew.core.columns import Cells
from anew.core.learner import Samples, Solved
from anew.core.where import Between, OneOf, where_of


def must(frame: pl.DataFrame, path: Path) -> None:
    model: anew.Model = anew.fit(frame, predict="outcome", time="60s", seed=1)
    anew.fit(path, learn=["a", "b"], given="c", objective="chain", leaf=20)
    anew.fit(frame, predict="outcome", predictors=["linear", "hinge:kernel"])
    model.sample(10, where={"sex": "F", "age": (60, None), "ward": ["a", "b"]})
    model.sample(10, where=["age>=60"], rules=["a <= b", {"unique": ["c"]}])
    blocks: Iterator[pl.DataFrame] = model.stream(10)
    passed: bool = model.audit(frame, path, synthetic=next(blocks)).passed
    run: anew.Run = anew.run(path, out="folder", predict="outcome")
    schema: anew.Schema = anew.look(frame).schema.with_rules(["a <= b"])
    rules: dict[str, tuple[OneOf | Between, ...]] = where_of(["age>=60"])
    raise anew.DataError("a sentence", found=(passed, run.folder, schema.names, rules), do="what to do")


def must_not(frame: pl.DataFrame) -> None:
    anew.fit(frame, seed="1")  # type: ignore[arg-type]
    anew.fit(frame, predict=["a", "b"])  # type: ignore[arg-type]
    anew.load(frame)  # type: ignore[arg-type]
    anew.fit(frame).sample("ten")  # type: ignore[arg-type]
    anew.fit(frame).generate(10)  # type: ignore[attr-defined]
    anew.nothing  # type: ignore[attr-defined]  # noqa: B018


class Half(Solved, Samples[Cells]):
    """A capability that is declared and not written is seen before it is run."""


half = Half  # the class may be named
