"""Fit one discriminative model on one table as a whole process; append one JSON line: what it cost and how right it is.

usage: python run_predictor.py --data DIR --log LOG --objective NAME --network NAME [--time S] [--seed S]
       python run_predictor.py --list
`--list` prints every objective that predicts, with the networks that serve it and whether it predicts numbers.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

# its own folder must not stay first on the path: our `markdown` would hide the real one
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.process import cpu_seconds, max_rss_mb


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--objective")
    parser.add_argument("--network")
    parser.add_argument("--time", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def combinations() -> list[dict[str, Any]]:
    """Objective, network, whether it predicts a number, whether it is trained."""
    from anew.core.learner import Predicts, Samples, Trained
    from anew.core.network import NETWORKS
    from anew.plan import OBJECTIVES

    kinds = {name: OBJECTIVES[name] for name in OBJECTIVES}
    return [
        {
            "objective": name,
            "network": network,
            "number": kind.variant(network).ordered,
            "trained": issubclass(kind.variant(network), Trained),
        }
        for name, kind in kinds.items()
        if issubclass(kind, Predicts) and not issubclass(kind, Samples)
        for network in NETWORKS
        if kind.serves(NETWORKS[network])
    ]


def of_classes(model: Any, test: Any, target: str) -> dict[str, float]:
    """AUC (mean of one against the rest), accuracy and mean log-likelihood on the test rows."""
    import numpy as np

    from anew.audit.statistics import mean_auc

    chance = model.predict_proba(test)
    labels = [str(label) for label in model.classes]
    truth = np.array([labels.index(str(value)) for value in test[target]])
    said = np.maximum(chance[np.arange(len(truth)), truth], 1e-12)
    right = float((chance.argmax(1) == truth).mean())
    return {"auc": mean_auc(truth, chance), "accuracy": right, "nats": float(np.log(said).mean())}


def of_numbers(model: Any, test: Any, target: str) -> dict[str, float]:
    """R2, the root of the mean squared error and the mean log-likelihood on the test rows."""
    import numpy as np

    truth = test[target].to_numpy().astype(float)
    error = float(np.mean((truth - model.predict(test)) ** 2))
    return {"r2": 1 - error / float(np.var(truth)), "rmse": error**0.5, "nats": float(model.log_prob(test).mean())}


def main() -> None:
    """Fit, predict, record."""
    given = arguments()
    if given.list:
        print(json.dumps(combinations()))
        return
    import polars as pl

    import anew

    meta = json.loads((given.data / "meta.json").read_text())
    train, test = (pl.read_parquet(given.data / f"{part}.parquet") for part in ("train", "test"))
    test = test.filter(pl.col(meta["target"]).is_not_null())
    how = {"objective": given.objective, "network": given.network, "time": given.time, "seed": given.seed}
    started, spent = time.perf_counter(), cpu_seconds()
    model = anew.fit(train, predict=meta["target"], **how)
    cost: dict[str, Any] = how | {"fit_s": time.perf_counter() - started, "cpu_s": cpu_seconds() - spent}
    started = time.perf_counter()
    model.predict(test)
    cost["rows_per_s"] = len(test) / (time.perf_counter() - started)
    measure = of_classes if model.plan.predict[0].classifies else of_numbers
    cost |= measure(model, test, meta["target"]) | {"peak_mb": max_rss_mb(), "load1": os.getloadavg()[0]}
    with given.log.open("a") as log:
        log.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main()
