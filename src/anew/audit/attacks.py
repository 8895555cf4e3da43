"""Attacks that guess from the synthetic rows whether a real row was trained on. Higher score: rather a member.

Candidates are equally many training rows (members) and held-out rows (not members). Whatever an attack compares them
with is either synthetic or the candidates themselves without the row in question, so that under no leak members and
others are exchangeable and every attack scores 0.5.

n candidates, m synthetic rows, D dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anew.audit.encode import Singles
from anew.audit.neighbours import nearest
from anew.core.columns import Bools, Floats

TINY = 1e-6
SOME = 5  # neighbours that make a local density
COPY = 1 / 5
MODEL = ", with the model in hand"  # attacks that need more than the synthetic rows
OUTLYING = 0.1  # the share of candidates that count as outliers


@dataclass(frozen=True)
class Candidates:
    """Members first. `spaces` are embeddings by name; `log_prob` the model's own density or None."""

    spaces: Mapping[str, Singles]
    members: int
    log_prob: Floats | None = None

    @property
    def is_member(self) -> Bools:
        n = len(next(iter(self.spaces.values())))
        return np.arange(n) < self.members

    @property
    def outlying(self) -> Bools:
        """The tenth of the candidates that is furthest from all others, at least forty.  (n,)"""
        space = next(iter(self.spaces.values()))
        away = nearest(space, space, 2, itself=True).distance[:, -1]
        most = min(max(int(OUTLYING * len(space)), 40), len(space))
        chosen = np.zeros(len(space), bool)
        chosen[np.argsort(-away, kind="stable")[:most]] = True
        return chosen


def attack(candidates: Candidates, synthetic: Mapping[str, Singles], seed: int) -> dict[str, Floats]:
    """The score of every attack.  name -> (n,)

    nearest row: the closer the nearest synthetic row, the rather a member (Chen et al. 2020), in two metrics.
    crowding: synthetic rows are dense around the row. denser than real rows: denser than real ones are there (DOMIAS,
    van Breugel et al. 2023, with nearest-neighbour densities). probability: the model itself finds the row likely.
    learned: a forest that is told of some members and asked about the others (Stadler et al. 2022).
    """
    scores: dict[str, Floats] = {}
    for name, rows in candidates.spaces.items():
        near = nearest(rows, synthetic[name], SOME).distance.astype(np.float64)
        own = nearest(rows, rows, SOME, itself=True).distance.astype(np.float64)
        scores[f"nearest row by {name}"] = -near[:, 0]
        scores[f"crowding by {name}"] = -near[:, -1]
        scores[f"denser than real rows by {name}"] = np.log(own[:, 0] + TINY) - np.log(near[:, 0] + TINY)
    scores["learned from these"] = _learned(np.column_stack(list(scores.values())), candidates.is_member, seed)
    if candidates.log_prob is not None:
        scores[f"probability{MODEL}"] = finite(candidates.log_prob)
        scores[f"learned{MODEL}"] = _learned(np.column_stack(list(scores.values())), candidates.is_member, seed)
    return scores


def recognised(rows: Singles, away: Floats, synthetic: Singles) -> Bools:
    """Which rows have a synthetic row improbably near: under a fifth of the distance to the nearest other real row.

    As the copy test for pictures (nearest over second-nearest distance), with a real row as the second.
    rows (n, D), away (n,) their distances to the nearest other real row -> (n,)
    """
    near = nearest(rows, synthetic).distance[:, 0].astype(np.float64)
    return np.asarray(near < away * COPY)


def finite(values: Floats) -> Floats:
    """Infinite log densities moved just outside the finite ones, so that they still order."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()) - 1, float(known.max()) + 1) if len(known) else (0.0, 0.0)
    return np.nan_to_num(values, nan=low, neginf=low, posinf=high)


def _learned(features: Floats, is_member: Bools, seed: int, folds: int = 4) -> Floats:
    """Out-of-fold probabilities; a shallow forest, for few rows and few features.  (n,)"""
    from sklearn.ensemble import ExtraTreesClassifier

    rng = np.random.default_rng([seed, 31])
    fold, score = np.empty(len(features), int), np.empty(len(features))
    for side in (is_member, ~is_member):  # equal shares in every fold: an unequal one would leak the answer
        fold[side] = rng.permutation(int(side.sum())) % folds
    for k in range(folds):
        seen = fold != k
        forest = ExtraTreesClassifier(60, min_samples_leaf=max(int(seen.sum()) // 100, 5), random_state=seed, n_jobs=1)
        score[~seen] = forest.fit(features[seen], is_member[seen]).predict_proba(features[~seen])[:, 1]
        score[~seen] -= score[~seen].mean()
    return score
