"""Fit anew's language model on one text within a budget and score it on others: a whole process.

usage: python -m benchmarks.run_anew_text --train FILE --held FILE... --seconds T --out DIR [--option KEY=VALUE]
Leaves OUT/model (the saved model) and appends a line of figures to OUT/cost.jsonl: nats per character by both protocols
(language.py) of what was fitted and, where it is a mixture, of both its parts alone. `--clock cpu` counts T x 2 CPU
seconds in place of T seconds of the clock, for work on a machine that others use.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.language import Array, Scorer, characters, nats_per_character
from benchmarks.process import cpu_seconds
from benchmarks.run_anew import option
from benchmarks.run_anew_pictures import THREADS, count_cpu_seconds


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--train", type=Path, required=True)
    add("--held", type=Path, nargs="+", required=True)
    add("--out", type=Path, required=True)
    add("--seed", type=int, default=0)
    add("--seconds", type=float, default=300.0)
    add("--clock", choices=("wall", "cpu"), default="wall")
    add("--option", type=option, action="append", default=[])
    return parser.parse_args()


def by_windows(learner: Any) -> Scorer:
    """Rows whose first token is told: the learner scores what opens with that token."""
    from anew.core.ragged import Ragged

    def score(rows: list[Array], told: int) -> Array:
        assert told == 1
        total, space = np.zeros(len(rows)), learner.sequences
        for first in {int(row[0]) for row in rows}:
            mine = [i for i, row in enumerate(rows) if row[0] == first]
            learner.sequences = replace(space, opening=(first,))
            total[mine] = learner.log_prob(Ragged.of(rows[i][1:] for i in mine))
        learner.sequences = space
        return total

    return score


def carried(learner: Any, before: int, text: Array) -> float:
    """Nats per character of a text that the learner reads on and on."""
    from anew.core.ragged import Ragged

    space = learner.sequences
    learner.sequences = replace(space, opening=(before,))
    total = learner.log_prob(Ragged.of([text]))
    learner.sequences = space
    return -float(total[0]) / len(text)


def scored(learner: Any, before: int, texts: list[Array]) -> dict[str, float]:
    """Both protocols."""
    found = {"windows": nats_per_character(by_windows(learner), before, texts)}
    return found | {"carried": carried(learner, before, np.concatenate(texts))}


def parts(learner: Any) -> dict[str, Any]:
    """The learner, and where it is a mixture its network and its counts alone."""
    found = {"anew": learner}
    if getattr(learner, "counter", None) is None or not len(getattr(learner, "weights", ())):
        return found
    sure = 1 - 1e-9
    for name, weight in (("network", sure), ("counts", 1 - sure)):
        found[name] = alone = object.__new__(type(learner))
        vars(alone).update(vars(learner), weights=np.full_like(learner.weights, weight))
    return found


def main() -> None:
    """Fit, save, score, record."""
    given = arguments()
    import anew

    if given.clock == "cpu":
        count_cpu_seconds()
    clock, cpu = time.perf_counter(), cpu_seconds()
    how = {"time": given.seconds, "seed": given.seed, "objective": "next_token"} | dict(given.option)
    model = anew.fit(str(given.train), **how)
    cost: dict[str, Any] = {"options": dict(given.option), "seconds": given.seconds, "clock": given.clock}
    cost |= {"fit_s": time.perf_counter() - clock, "fit_cpu_s": cpu_seconds() - cpu, "threads": THREADS}
    cost["steps"] = max((factor.steps or 0 for factor in model.plan.create), default=0)
    print(model.plan, cost, flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    model.save(given.out / "model")
    (factor,) = model.joint.factors
    before = int(characters(given.train)[-1])
    texts = [characters(file) for file in given.held]
    cost["parameters"] = (
        sum(p.numel() for p in factor.learner.net.parameters()) if hasattr(factor.learner, "net") else 0
    )
    cost["nats"] = {name: scored(one, before, texts) for name, one in parts(factor.learner).items()}
    with (given.out / "cost.jsonl").open("a") as file:
        file.write(json.dumps(cost) + "\n")
    print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main()
