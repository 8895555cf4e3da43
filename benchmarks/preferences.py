"""Ratings predicted: ours beside the biases alone and a matrix factorisation that is tuned, on the given test split.

    python -m benchmarks.preferences [--data ../shared/data/preferences]

The opponent is alternating least squares with biases (Koren, Bell and Volinsky 2009): r = mean + b_u + b_i + p_u . q_i.
Rank, ridge on the factors (plain, or weighted by the number of ratings: Zhou et al. 2008), ridge on the biases and the
number of sweeps are chosen on a fifth of the training ratings, the finalists on three; then it is fitted to all of
them, and the mean of five starts is taken, which is kinder to it than a single one. Ours is the recipe `preferences`.
Intervals are of the bootstrap over test ratings; those of a difference over the same ratings.
"""

import argparse
import json
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

SETS = ("cuisine_ratings", "film_character_ratings")
RESULTS = Path(__file__).parent / "results"
RANKS, RIDGES, BIASES, SWEEPS = (2, 4, 8, 16, 24, 32), (2.0, 4.0, 8.0, 16.0, 32.0), (1.0, 3.0, 8.0), (10, 20, 40)
FINALISTS = 5


def read(folder):
    """(users, items, ratings, is test) as arrays."""
    frame = pl.read_parquet(folder / "ratings.parquet")
    codes = [frame[name].rank("dense").to_numpy().astype(int) - 1 for name in ("user", "item")]
    return *codes, frame["rating"].to_numpy().astype(float), (frame["split"] == "test").to_numpy()


def rmse(truth, guess):
    return float(np.sqrt(np.mean((truth - guess) ** 2)))


def bias_only(u, i, y, shrink, sweeps=10):
    """mean + b_u + b_i by alternating shrunk means, as a function of users and items."""
    mean, b_u, b_i = y.mean(), np.zeros(u.max() + 1), np.zeros(i.max() + 1)
    for _ in range(sweeps):
        b_i = np.bincount(i, y - mean - b_u[u], len(b_i)) / (np.bincount(i, minlength=len(b_i)) + shrink)
        b_u = np.bincount(u, y - mean - b_i[i], len(b_u)) / (np.bincount(u, minlength=len(b_u)) + shrink)
    return lambda a, b: mean + b_u[a] + b_i[b]


def sweep(own, other, a, b, left, ridge, weighted):
    """Each row of `own` (its first column is the bias) solved for, `other` held still.  (A, 1 + k), (B, 1 + k)"""
    x = np.concatenate([np.ones((len(other), 1)), other[:, 1:]], 1)
    rated, left_of = np.zeros((len(own), len(other))), np.zeros((len(own), len(other)))
    rated[a, b], left_of[a, b] = 1.0, left - other[b, 0]
    gram = (rated @ (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)).reshape(len(own), x.shape[1], x.shape[1])
    right = left_of @ x
    count = np.bincount(a, minlength=len(own))
    scale = count / count.mean() if weighted else np.ones(len(own))
    gram += np.maximum(scale, 0.1)[:, None, None] * np.diag(ridge)
    return np.linalg.solve(gram, right[:, :, None])[:, :, 0]


def als(u, i, y, users, items, rank, ridge, bias, sweeps, weighted, seed):
    """Yields, at each number of sweeps asked for, a function of users and items."""
    rng, mean = np.random.default_rng(seed), y.mean()
    p, q = (np.concatenate([np.zeros((n, 1)), rng.normal(0, 0.1, (n, rank))], 1) for n in (users, items))
    penalty = np.array([bias] + [ridge] * rank)
    for count in range(1, max(sweeps) + 1):
        p = sweep(p, q, u, i, y - mean, penalty, weighted)
        q = sweep(q, p, i, u, y - mean, penalty, weighted)
        if count in sweeps:
            yield count, lambda a, b, p=p, q=q: mean + p[a, 0] + q[b, 0] + (p[a, 1:] * q[b, 1:]).sum(1)


def tuned(u, i, y, users, items):
    """The best (rank, ridge, bias ridge, weighted, sweeps): all by one random fifth, the finalists by two more."""

    def errors(fold, rank, ridge, bias, weighted):
        held = np.random.default_rng(fold).random(len(y)) < 0.2
        grown = als(u[~held], i[~held], y[~held], users, items, rank, ridge, bias, SWEEPS, weighted, fold)
        return {n: rmse(y[held], np.clip(g(u[held], i[held]), y.min(), y.max())) for n, g in grown}

    first = {key: min(errors(0, *key).values()) for key in product(RANKS, RIDGES, (3.0,), (False, True))}
    best = sorted(first, key=first.get)[:FINALISTS]
    biased = {(rank, ridge, bias, weighted) for rank, ridge, _, weighted in best for bias in BIASES}
    whole = {}
    for key in biased:
        folds = [errors(fold, *key) for fold in range(3)]
        whole |= {(*key, n): np.mean([one[n] for one in folds]) for n in SWEEPS}
    return min(whole, key=whole.get)


def interval(values):
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def compare(folder):
    """Every model's test error with its interval, and ours less the tuned factorisation's."""
    u, i, y, test = read(folder)
    users, items = u.max() + 1, i.max() + 1
    train, low, high = ~test, y[~test].min(), y[~test].max()
    data = u[train], i[train], y[train]
    guesses, seconds = {"mean": np.full(test.sum(), y[train].mean())}, {}
    shrink = min((1.0, 3.0, 5.0, 10.0), key=lambda s: _bias_error(*data, s))
    guesses[f"biases (shrunk by {shrink:g})"] = np.clip(bias_only(*data, shrink)(u[test], i[test]), low, high)
    start = time.perf_counter()
    rank, ridge, bias, weighted, count = tuned(*data, users, items)
    seconds["tuning"] = time.perf_counter() - start
    runs = [
        next(g for c, g in als(*data, users, items, rank, ridge, bias, (count,), weighted, seed) if c == count)
        for seed in range(5)
    ]
    singles = [np.clip(one(u[test], i[test]), low, high) for one in runs]
    how = f"rank {rank}, ridge {ridge:g}{' weighted' if weighted else ''}, biases {bias:g}, {count} sweeps"
    name = f"matrix factorisation ({how})"
    guesses[name] = np.mean(singles, 0)
    start = time.perf_counter()
    guesses["anew, recipe preferences"] = ours(folder, test)
    seconds["anew"] = time.perf_counter() - start
    return summary(y[test], guesses, name, [rmse(y[test], one) for one in singles], seconds)


def _bias_error(u, i, y, shrink):
    held = np.random.default_rng(0).random(len(y)) < 0.2
    seen = ~held
    full = bias_only(
        np.append(u[seen], u.max()), np.append(i[seen], i.max()), np.append(y[seen], y[seen].mean()), shrink
    )
    return rmse(y[held], full(u[held], i[held]))


def ours(folder, test):
    """The recipe's predictions of the test ratings, in the order of the file."""
    import anew.recipes

    found = anew.recipes.preferences(str(folder / "ratings.parquet"), users=str(folder / "users.parquet"))
    frame = pl.read_parquet(folder / "ratings.parquet").filter(pl.Series(test))
    asked = frame.join(pl.read_parquet(folder / "users.parquet"), on="user", how="left").drop("split")
    return found.model.predict(asked)


def summary(truth, guesses, peer, singles, seconds):
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(truth), len(truth)) for _ in range(1000)]
    errors = {name: [rmse(truth[d], guess[d]) for d in draws] for name, guess in guesses.items()}
    mine = np.array(errors["anew, recipe preferences"])
    return {
        "test ratings": len(truth),
        "rmse": {n: {"value": rmse(truth, g), "interval": interval(errors[n])} for n, g in guesses.items()},
        "single starts of the factorisation": singles,
        "ours less the factorisation's": interval(mine - np.array(errors[peer])),
        "ours less the biases'": interval(
            mine - np.array(next(e for n, e in errors.items() if n.startswith("biases")))
        ),
        "seconds": seconds,
    }


def markdown(found):
    lines = [
        "# Ratings predicted",
        "",
        "Written by `python -m benchmarks.preferences`; root mean squared error on the given test split,",
    ]
    lines += ["95 % intervals by the bootstrap over test ratings.", ""]
    for name, one in found.items():
        lines += [f"## {name}: {one['test ratings']:,} test ratings", "", "| model | RMSE | 95 % |", "|---|---|---|"]
        for model, score in one["rmse"].items():
            low, high = score["interval"]
            lines.append(f"| {model} | {score['value']:.4f} | {low:.3f} to {high:.3f} |")
        for title in ("ours less the factorisation's", "ours less the biases'"):
            low, high = one[title]
            lines += ["", f"{title[0].upper()}{title[1:]} error: {low:+.4f} to {high:+.4f}."]
        singles = ", ".join(f"{value:.4f}" for value in one["single starts of the factorisation"])
        lines += ["", f"Single starts of the factorisation: {singles}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/preferences"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    found = {name: compare(asked.data / name) for name in SETS}
    asked.results.mkdir(exist_ok=True)
    (asked.results / "preferences.json").write_text(json.dumps(found, indent=1) + "\n")
    (asked.results / "preferences.md").write_text(markdown(found))
    print(markdown(found))
    return int(any(one["ours less the factorisation's"][0] > 0 for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
