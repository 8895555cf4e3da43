"""Does each column, looked at on its own, have the right values in the right proportions?

Distance of a column: Kolmogorov-Smirnov for ordered columns, total variation for levels (`Column Shapes`, SDMetrics).
Candidate rows are compared with the training rows; fresh rows set the ceiling, values spread evenly over the range
the floor.
"""

from __future__ import annotations

import numpy as np

from anew.audit.compare import Cut, Ints, codes, column_distance, column_distances, cut_quantiles
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding, worse
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate, z_of_many
from anew.core.columns import Floats
from anew.core.schema import NOMINAL, ORDERED

TIMES = 40


class Shape(Measure):
    question = "Does each column look right on its own?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL
    order = 10

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.columns:
            return []
        cuts = [cut_quantiles(column) for column in evidence.columns]
        real = codes(cuts, evidence.matrix("train"))
        size, rng = evidence.fresh_size, evidence.rng(1)
        value, error, mean = column_distances(cuts, real, codes(cuts, evidence.take("synthetic", size)), TIMES, rng)
        fresh, doubt, best = column_distances(cuts, real, codes(cuts, evidence.take("holdout", size)), TIMES, rng)
        floor = np.array([_spread_evenly(cut, train, rng) for cut, train in zip(cuts, real, strict=True)])
        names = [column.name for column in evidence.columns]
        return [
            finding(
                self.name,
                "average difference of a column",
                mean,
                _words(mean, best),
                ceiling=best,
                floor=float(floor.mean()),
                details=dict(zip(names, value.tolist(), strict=True)),
            ),
            self._worst(names, value, error, fresh, doubt, floor),
        ]

    def _worst(
        self, names: list[str], value: Floats, error: Floats, fresh: Floats, doubt: Floats, floor: Floats
    ) -> Finding:
        way = [worse(v, c, "lower") / max(f - c, 0.05) for v, c, f in zip(value, fresh, floor, strict=True)]
        i, z = int(np.argmax(way)), z_of_many(len(names))
        share = 100 * value[i]
        return finding(
            self.name,
            "the column that differs most",
            Estimate.around(value[i], error[i], z).clipped(),
            f"The column that is furthest off is {names[i]}: {share:.1f} of 100 rows would have to change their "
            f"value to match ({100 * fresh[i]:.1f} for fresh real rows).",
            ceiling=Estimate.around(fresh[i], doubt[i], z),
            floor=float(floor.mean()),
            details={names[i]: float(value[i])},
        )


def _spread_evenly(cut: Cut, real: Ints, rng: np.random.Generator) -> float:
    """Distance of a column whose values are spread evenly over its range or its levels: all it knows are the ends."""
    column, draws = cut.column, 4096
    if column.ordered:
        if not len(column.values):
            return 1.0
        values = rng.uniform(column.values[0], column.values[-1], draws)
    else:
        values = rng.integers(0, max(len(column.levels), 1), draws).astype(np.float64)
    return column_distance(cut, real, cut.codes(values))


def _words(value: Estimate, best: Estimate) -> str:
    return (
        f"Column by column, {100 * value.value:.1f} of 100 synthetic rows would have to change to match the real "
        f"proportions; between two real samples of this size it is {100 * best.value:.1f}."
    )
