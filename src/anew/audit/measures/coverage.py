"""Is all the variety there? Levels, spreads, and the share of real rows that have a synthetic row near them.

levels: share of the training levels of a category that occur among m rows; the interval from the chance of each level
to be missed by accident, (1 - p)^m. Precision and recall: Alaa et al. 2022, "How faithful is your synthetic data?",
in the naive form of synthcity; fresh rows reach about 0.5 of recall, not 1, so read it beside its ceiling.
"""

from __future__ import annotations

import numpy as np

from anew.audit.encode import Column, Singles
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.neighbours import nearest
from anew.audit.statistics import Estimate, bootstrap_error, proportion
from anew.core.columns import Bools, Floats
from anew.core.schema import NOMINAL, ORDERED

ROWS = 4096  # a side, for neighbours
SURE = 0.001  # a level counts as lost when chance alone would miss it less often than this, over all levels


class Coverage(Measure):
    question = "Is all the variety of the real rows there?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL
    order = 40
    weight = 4

    def measure(self, evidence: Evidence) -> list[Finding]:
        found = []
        nominal = [i for i, column in enumerate(evidence.columns) if column.levels]
        ordered = [i for i, column in enumerate(evidence.columns) if len(column.values)]
        if nominal:
            found += [self._lost(evidence, nominal), self._levels(evidence, nominal)]
        if ordered:
            found.append(self._spread(evidence, ordered))
        return [*found, *self._precision_recall(evidence)] if evidence.columns else []

    def _lost(self, evidence: Evidence, nominal: list[int]) -> Finding:
        """Levels that are absent and should not be; fresh rows have none but by accident."""
        rows = evidence.matrix("synthetic")
        lost = [
            label
            for i in nominal
            for label in lost_levels(evidence.columns[i], evidence.matrix("train")[:, i], rows[:, i])
        ]
        total = sum(len(evidence.columns[i].levels) for i in nominal)
        shown = ", ".join(lost[:5]) + (f" and {len(lost) - 5} more" if len(lost) > 5 else "")
        words = (
            f"Levels that real data would contain never occur: {shown}."
            if lost
            else "No level is missing that rows of this number should contain."
        )
        return finding(
            self.name,
            "levels lost",
            proportion(len(lost), total),
            words,
            verdict="poor" if lost else "good",
            ceiling=Estimate.exactly(0.0),
            floor=1.0,
            details=dict.fromkeys(lost[:20], 1.0),
        )

    def _levels(self, evidence: Evidence, nominal: list[int]) -> Finding:
        size, train = evidence.fresh_size, evidence.matrix("train")
        columns = [evidence.columns[i] for i in nominal]
        seen, fresh = (covered(columns, evidence.take(name, size)[:, nominal]) for name in ("synthetic", "holdout"))
        accidents = sum(_accident(c, train[:, i], size) for c, i in zip(columns, nominal, strict=True))
        error = np.sqrt(accidents) / len(columns)
        only = float(np.mean([1 / len(column.levels) for column in columns]))
        return finding(
            self.name,
            "levels covered",
            Estimate.around(seen.mean(), error).clipped(),
            f"Among {size:,} synthetic rows {100 * seen.mean():.1f} of 100 levels of the categories occur; among as "
            f"many fresh real rows {100 * fresh.mean():.1f}.",
            ceiling=Estimate.around(fresh.mean(), error),
            floor=only,
            better="higher",
            details={c.name: float(v) for c, v in zip(columns, seen, strict=True)},
        )

    def _spread(self, evidence: Evidence, ordered: list[int]) -> Finding:
        """The width of the middle 98 % of a column, as a share of the training rows' width, at most 1."""
        columns, size = [evidence.columns[i] for i in ordered], evidence.fresh_size
        usable = [(c, i) for c, i in zip(columns, ordered, strict=True) if _width(c.values) > 0]
        if not usable:
            return finding(self.name, "spread of the numbers", Estimate.exactly(1.0), "No column of numbers spreads.")
        both = []
        for name in ("synthetic", "holdout"):
            rows = evidence.take(name, size)
            error = bootstrap_error(
                lambda drawn, rows=rows: _reached(usable, rows[drawn]),  # type: ignore[misc]
                len(rows),
                20,
                evidence.rng(4),
            )
            both.append(Estimate.around(_reached(usable, rows), error).clipped())
        return finding(
            self.name,
            "spread of the numbers",
            both[0],
            f"Numbers spread over {100 * both[0].value:.0f} in 100 of the real width (the middle 98 % of rows); fresh "
            f"rows over {100 * both[1].value:.0f}.",
            ceiling=both[1],
            floor=0.0,
            better="higher",
        )

    def _precision_recall(self, evidence: Evidence) -> list[Finding]:
        size = min(evidence.fresh_size, len(evidence.train), ROWS)
        real = evidence.embedded("train", size)
        rng = evidence.rng(5)
        value, fresh, worst = (
            precision_recall(real, evidence.embedded(name, size), rng) for name in ("synthetic", "holdout", "marginals")
        )
        names = (
            ("rows that look typical", "precision", "Synthetic rows lie where real rows lie"),
            ("real rows that are represented", "recall", "Real rows have a synthetic row as near as a real one"),
        )
        return [
            finding(
                self.name,
                f"{title} ({term}){evidence.aside}",
                value[i],
                f"{words}: {value[i].value:.2f}, where fresh rows reach {fresh[i].value:.2f}.",
                ceiling=fresh[i],
                floor=min(worst[i].value, fresh[i].value / 2),
                better="higher",
                unit="score",
            )
            for i, (title, term, words) in enumerate(names)
        ]


def lost_levels(column: Column, train: Floats, rows: Floats) -> list[str]:
    """Levels absent from rows (m,) although a chance smaller than `SURE`, over all levels, would miss them."""
    count = np.bincount(train[~np.isnan(train)].astype(int), minlength=len(column.levels))
    # Cautious: the level may be rarer than it happened to be in training.
    share = np.maximum(count - 2 * np.sqrt(count), 0) / max(len(train), 1)
    seen = np.isin(np.arange(len(column.levels)), rows[~np.isnan(rows)])
    lost = ~seen & ((1 - share) ** len(rows) < SURE / max(len(column.levels), 1))
    return [f"{column.name} = {column.levels[k]}" for k in np.flatnonzero(lost)]


def covered(columns: list[Column], rows: Floats) -> Floats:
    """Share of each column's training levels that occur.  (columns,)"""
    return np.array([np.isin(np.arange(len(c.levels)), rows[:, i]).mean() for i, c in enumerate(columns)])


def _accident(column: Column, train: Floats, size: int) -> float:
    """Variance of the covered share when `size` fresh rows are drawn."""
    count = np.bincount(train[~np.isnan(train)].astype(int), minlength=len(column.levels))
    missed = (1 - count / max(len(train), 1)) ** size
    return float((missed * (1 - missed)).sum() / len(column.levels) ** 2)


def _reached(columns: list[tuple[Column, int]], rows: Floats) -> float:
    """Mean over columns of the width that rows reach, at most the whole of the training rows' width."""
    return float(np.mean([min(_width(rows[:, i]) / _width(column.values), 1.0) for column, i in columns]))


def _width(values: Floats) -> float:
    present = values[~np.isnan(values)]
    if not len(present):
        return 0.0
    low, high = np.quantile(present, [0.01, 0.99])
    return float(high - low)


def precision_recall(
    real: Singles, fake: Singles, rng: np.random.Generator, steps: int = 30
) -> tuple[Estimate, Estimate]:
    """alpha-precision and beta-recall with bootstrapped intervals; both sides have m rows."""
    alphas = np.linspace(0, 1, steps)
    radius_real = np.linalg.norm(real - real.mean(0), axis=1)
    radius_fake = np.linalg.norm(fake - real.mean(0), axis=1)
    own, other = nearest(real, real, itself=True), nearest(real, fake)
    near: Bools = other.distance[:, 0] <= own.distance[:, 0]
    around_fake = np.linalg.norm(fake - fake.mean(0), axis=1)
    place = around_fake[other.row[:, 0]]
    inside = radius_fake[:, None] <= np.quantile(radius_real, alphas)  # (m, steps)
    reached = near[:, None] & (place[:, None] <= np.quantile(around_fake, alphas))

    def score(flags: Bools) -> float:
        return float(1 - np.abs(alphas - flags.mean(0)).sum() / alphas.sum())

    def estimate(flags: Bools) -> Estimate:
        return Estimate.around(score(flags), bootstrap_error(lambda drawn: score(flags[drawn]), len(flags), 30, rng))

    return estimate(inside).clipped(), estimate(reached).clipped()
