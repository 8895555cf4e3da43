"""Are the blanks where real blanks are? Which cells are missing together, not only how many.

Distance: total variation between the patterns of missing cells of a row (a set of columns), candidate against
training rows. Ceiling: fresh rows; floor: independent columns, which keep each rate and lose every pattern - where
columns do lose theirs one by one, the floor is a table without any blank.
"""

from __future__ import annotations

import numpy as np

from anew.audit.compare import Ints
from anew.audit.evidence import Evidence
from anew.audit.finding import Finding, finding
from anew.audit.measure import Measure
from anew.audit.statistics import Estimate, bootstrap_error
from anew.core.columns import Floats
from anew.core.schema import NOMINAL, ORDERED


class Missingness(Measure):
    question = "Are blanks where real blanks are?"
    chapter = "likeness"
    kinds = ORDERED | NOMINAL
    order = 25

    def measure(self, evidence: Evidence) -> list[Finding]:
        blank = np.isnan(evidence.matrix("train")) if evidence.columns else np.zeros((1, 0), bool)
        if not blank.any():
            return []
        size, rng = evidence.fresh_size, evidence.rng(6)
        rows = {name: np.isnan(evidence.take(name, size)) for name in ("synthetic", "holdout", "marginals")}
        codes = _patterns([blank, *rows.values()])
        real, found = codes[0], dict(zip(rows, codes[1:], strict=True))
        value, best = (_estimate(real, found[name], rng) for name in ("synthetic", "holdout"))
        floor = max(_variation(real, found["marginals"]), 1 - float(np.mean(~blank.any(1))))
        return [
            finding(
                self.name,
                "patterns of missing cells",
                value,
                f"In {100 * value.value:.1f} of 100 rows another set of cells would have to be blank; between real "
                f"samples {100 * best.value:.1f}.",
                ceiling=best,
                floor=floor,
            ),
            self._rates(evidence, blank.mean(0), {name: cells.mean(0) for name, cells in rows.items()}, size),
        ]

    def _rates(self, evidence: Evidence, real: Floats, rates: dict[str, Floats], size: int) -> Finding:
        """The column whose share of blanks is furthest off; the interval is that of one share at its worst."""
        gap = np.abs(rates["synthetic"] - real)
        i = int(np.argmax(gap))
        error = float(np.sqrt(max(real[i] * (1 - real[i]), 1 / size) / size))
        return finding(
            self.name,
            "share of blanks, column furthest off",
            Estimate.around(gap[i], error).clipped(),
            f"The column {evidence.columns[i].name} is blank in {100 * rates['synthetic'][i]:.1f} of 100 synthetic "
            f"rows and in {100 * real[i]:.1f} of 100 real ones.",
            ceiling=Estimate.around(float(np.abs(rates["holdout"] - real).max()), error).clipped(),
            floor=float(max(real.max(), 0.1)),
            details={c.name: float(g) for c, g in zip(evidence.columns, gap, strict=True) if g > 0},
        )


def _patterns(blanks: list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]) -> list[Ints]:
    """A number for each distinct set of blank cells, the same in all tables."""
    packed = [np.packbits(b, axis=1) for b in blanks]
    _, codes = np.unique(np.concatenate(packed), axis=0, return_inverse=True)
    return np.split(codes.ravel().astype(np.intp), np.cumsum([len(p) for p in packed])[:-1])


def _variation(a: Ints, b: Ints) -> float:
    cells = int(max(a.max(), b.max())) + 1
    return float(np.abs(np.bincount(a, minlength=cells) / len(a) - np.bincount(b, minlength=cells) / len(b)).sum() / 2)


def _estimate(real: Ints, found: Ints, rng: np.random.Generator) -> Estimate:
    error = bootstrap_error(lambda drawn: _variation(real, found[drawn]), len(found), 40, rng)
    return Estimate.around(_variation(real, found), error).clipped()
