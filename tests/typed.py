"""Uses that must type-check, and uses that must not: mypy fails on an ignore that nothing needs.

Checked by mypy with the sources; never imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

import anew
from anew.core.columns import Cells, Floats
from anew.core.learner import Predicts, Samples, Scores
from anew.core.where import Constraint, where_of
from anew.objectives.chain import Chain
from anew.train import Event

model: anew.Model = anew.fit("patients.csv", predict="outcome", time="60s", seed=1)
scores: Floats = model.log_prob("new.csv")
model.sample(10, where={"sex": "F", "age": (60, None), "ward": ["a", "b"]})
model.sample(10, where=["age>=60"])
rules: dict[str, tuple[Constraint, ...]] = where_of({"age": (60, None)})


def draws(chain: Chain) -> Cells:
    sampler: Samples[Cells] = chain
    scorer: Scores[Cells] = chain
    scorer.log_prob(sampler.sample(3, np.random.default_rng(0)))
    return sampler.sample(3, np.random.default_rng(0))


def predicts(chain: Chain) -> Predicts[Cells]:
    return chain  # type: ignore[return-value]  # the chain does not declare it


def last(events: Iterator[Event]) -> Mapping[str, float]:
    return next(events).losses


anew.fit("patients.csv", seed="one")  # type: ignore[arg-type]
model.sample("many")  # type: ignore[arg-type]
anew.fit("patients.csv").no_such_verb()  # type: ignore[attr-defined]
