"""Did it copy? Exact rows, verbatim values, and whether synthetic rows crowd around the training rows.

Every rate stands beside the rate at which fresh real rows repeat a training row by accident. Distance share: of two
equally many real rows, training and held out, which holds the nearest to a synthetic row? One half is best
(`dcr_share` of ../shared/bench). A good distance share is no proof of privacy (arXiv 2505.01524): see membership.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from anew.audit.album import PICTURES
from anew.audit.encode import Singles
from anew.audit.evidence import Evidence
from anew.audit.finding import HINT, SAFETY, Finding, finding
from anew.audit.measure import Measure
from anew.audit.neighbours import nearest
from anew.audit.statistics import Estimate, proportion, z_of_many
from anew.core.columns import Bools, Floats
from anew.core.schema import NOMINAL, ORDERED

NEAR = 4096  # synthetic rows whose neighbours are looked up
FINE = 0.5  # a column is continuous when half of its training values occur once


class Copies(Measure):
    question = "Are there copies of real rows?"
    chapter = "safety"
    kinds = ORDERED | NOMINAL | PICTURES
    order = 60
    weight = 5

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.comparable:
            return []
        return [self._rows(evidence), *self._values(evidence), *self._share(evidence)]

    def _rows(self, evidence: Evidence) -> Finding:
        names = [*evidence.compared, *(corpus.name for corpus in evidence.corpora)]
        hits = {
            name: repeats(evidence.frame(name), evidence.train, names) for name in ("synthetic", "holdout", "bootstrap")
        }
        value, natural = (proportion(hits[name].sum(), len(hits[name])) for name in ("synthetic", "holdout"))
        return finding(
            self.name,
            "exact copies of training rows",
            value,
            f"{100 * value.value:.2f} of 100 synthetic rows are equal to a training row in every column. Fresh real "
            f"rows are, by accident, in {100 * natural.value:.2f} of 100 cases (at most {100 * natural.high:.2f}).",
            ceiling=natural,
            floor=float(hits["bootstrap"].mean()),
            scale=SAFETY,
        )

    def _values(self, evidence: Evidence) -> list[Finding]:
        """Values of continuous columns that occur in training to the last digit."""
        train = evidence.matrix("train")
        fine = [i for i, column in enumerate(evidence.columns) if column.ordered and _mostly_once(train[:, i])]
        if not fine:
            return []
        z = z_of_many(len(fine))
        rates = {
            name: [verbatim(train[:, i], evidence.matrix(name)[:, i], z) for i in fine]
            for name in ("synthetic", "holdout")
        }
        gap = [s.value - h.value for s, h in zip(rates["synthetic"], rates["holdout"], strict=True)]
        i = int(np.argmax(gap))
        value, natural = rates["synthetic"][i], rates["holdout"][i]
        name = evidence.columns[fine[i]].name
        return [
            finding(
                self.name,
                f"verbatim values ({name})",
                value,
                f"In {name}, {100 * value.value:.0f} of 100 synthetic values occur to the last digit in training; of "
                f"fresh real values {100 * natural.value:.0f}.",
                ceiling=natural,
                floor=1.0,
                scale=SAFETY,
                details={
                    evidence.columns[j].name: rate.value for j, rate in zip(fine, rates["synthetic"], strict=True)
                },
            )
        ]

    def _share(self, evidence: Evidence) -> list[Finding]:
        held = len(evidence.holdout)
        value, each = distance_share(evidence, evidence.embedded("synthetic", NEAR), held)
        best, _ = distance_share(evidence, evidence.embedded("holdout", held // 2), held - held // 2, skip=held // 2)
        floor, _ = distance_share(evidence, evidence.embedded("bootstrap", NEAR), held)
        return [
            finding(
                self.name,
                f"nearer to training rows than to fresh rows{evidence.aside}",
                value,
                f"{100 * value.value:.1f} of 100 synthetic rows have their nearest relative among {each:,} training "
                f"rows rather than among as many held-out rows. Without copying it is 50; training rows themselves "
                f"give {100 * floor.value:.0f}.",
                ceiling=Estimate.exactly(0.5),
                floor=floor.value,
                scale=HINT,
                details={"fresh real rows": best.value, "training rows drawn again": floor.value},
            )
        ]


def repeats(frame: pl.DataFrame, train: pl.DataFrame, names: list[str]) -> Bools:
    """Which rows are equal to a training row in the named columns; numbers to six decimals.  (n,)"""
    keys = [
        part.select(pl.col(name).round(6) if part.schema[name].is_float() else pl.col(name) for name in names)
        for part in (frame, train)
    ]
    if keys[0].schema != keys[1].schema:
        keys[0] = keys[0].cast(keys[1].schema)
    found = (
        keys[0].with_columns(_row=pl.int_range(pl.len())).join(keys[1].unique(), on=names, how="semi", nulls_equal=True)
    )
    flags = np.zeros(len(frame), bool)
    flags[found["_row"].to_numpy()] = True
    return flags


def _mostly_once(values: Floats) -> bool:
    present = values[~np.isnan(values)]
    return len(present) > 0 and len(np.unique(present)) >= FINE * len(present)


def verbatim(train: Floats, values: Floats, z: float) -> Estimate:
    """Share of the present values that occur in training."""
    present = values[~np.isnan(values)]
    return proportion(np.isin(present, train).sum(), len(present), z)


def distance_share(
    evidence: Evidence, queries: Singles, most: int, skip: int = 0, draws: int = 3
) -> tuple[Estimate, int]:
    """How often a training row is nearer than a held-out row, equally many of each; ties count half.

    Also gives the number of rows a side. `skip` leaves out the first held-out rows, which are the queries themselves.
    The error counts queries that have the same nearest row as one piece of evidence, not as many.
    """
    fresh = evidence.embedded("holdout", len(evidence.holdout))[skip : skip + most]
    size = min(len(fresh), len(evidence.train))
    away = nearest(queries, fresh[:size])
    share, variance = [], []
    for draw in range(draws):
        near = nearest(queries, evidence.embedded("train", size, salt=draw))
        gap = near.distance[:, 0] - away.distance[:, 0]
        nearer = (gap < 0) + 0.5 * (gap == 0)
        winner = np.where(gap < 0, near.row[:, 0], size + away.row[:, 0])
        share.append(nearer.mean())
        pieces = np.bincount(winner, nearer - 0.5)
        variance.append((pieces**2).sum() / len(queries) ** 2)
    return Estimate.around(float(np.mean(share)), float(np.sqrt(np.mean(variance)))).clipped(), size
