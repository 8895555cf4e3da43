"""Could someone find out that a person was in the data? The strongest of several attacks, over all rows and outliers.

The number is the area under the ROC curve of the best attack on the rows: 0.5 is guessing, 1 is certainty. Its
interval is wide enough for having taken the maximum (Bonferroni over attacks and groups of rows). Ceiling: guessing,
checked by giving the attackers fresh rows instead of synthetic ones; floor: training rows handed out as they are.
Attacks that hold the model itself are told apart: they concern whoever is given the model.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from anew.audit.album import PICTURES
from anew.audit.attacks import MODEL, Candidates, attack, recognised
from anew.audit.evidence import Evidence
from anew.audit.finding import BREACH, HINT, SAFETY, Finding, Scale, finding
from anew.audit.measure import Measure
from anew.audit.neighbours import nearest
from anew.audit.statistics import Estimate, auc, proportion, true_positive_rate, z_of_many
from anew.core.columns import Bools, Floats
from anew.core.schema import NOMINAL, ORDERED

ROWS = 3000  # candidates a side
KNOWN = 20_000  # synthetic rows the attackers hold
POOL = 5000  # real rows, a side, among whom the unusual are found
UNUSUAL_SHARE = 0.05
LOW = 0.01  # false accusations the attacker accepts
METRICS = ("range", "rank")
UNUSUAL = ", unusual rows"


class Membership(Measure):
    question = "Could someone find out who was in the data?"
    chapter = "safety"
    kinds = ORDERED | NOMINAL | PICTURES
    needs = 20
    order = 70
    weight = 8

    def measure(self, evidence: Evidence) -> list[Finding]:
        if not evidence.comparable:
            return []
        size = min(len(evidence.train), len(evidence.holdout), ROWS)
        candidates = _candidates(evidence, size)
        outlying = candidates.outlying
        scores = self._attack(evidence, candidates, "synthetic")
        copied = self._attack(evidence, candidates, "bootstrap")
        found, worst = areas(scores, candidates.is_member, outlying), areas(copied, candidates.is_member, outlying)
        fresh = self._fresh(evidence)
        all_rows = {name: area for name, area in found.items() if not name.endswith((UNUSUAL, MODEL))}
        strange = {name: area for name, area in found.items() if name.endswith(UNUSUAL)}
        model = {name: area for name, area in found.items() if name.endswith(MODEL)}
        highest = max(area.value for area in worst.values())
        published = (
            f"Guessing is 50 (luck with fresh rows gave {100 * fresh:.0f}); had the training rows been "
            f"published it would be {100 * highest:.0f}."
        )
        kinds = (
            ("strongest attack, all rows", "a training row", all_rows, highest, SAFETY, published),
            ("strongest attack, unusual rows", "an unusual training row", strange, highest, SAFETY, published),
            (
                "strongest attack, with the model in hand",
                "a training row",
                model,
                1.0,
                HINT,
                "Guessing is 50. This concerns whoever is given the model itself, not the rows.",
            ),
        )
        strongest = [
            replace(
                self._strongest(f"{title}{evidence.aside}", who, group, floor, scale, more),
                about="model" if group is model else "rows",
            )
            for title, who, group, floor, scale, more in kinds
            if group
        ]
        return [*strongest, self._rate(evidence, scores, candidates.is_member, copied), self._unusual(evidence)]

    def _strongest(
        self, title: str, who: str, found: dict[str, Estimate], floor: float, scale: Scale, more: str
    ) -> Finding:
        """The best of the attacks in `found`."""
        best = max(found, key=lambda name: found[name].value)
        value = found[best]
        shown = best.removesuffix(UNUSUAL).removesuffix(MODEL).split(" by ")[0]
        return finding(
            self.name,
            title,
            value,
            f"Shown {who} and a fresh one, the best of {len(found)} attacks (“{shown}”) points at the training row "
            f"{100 * value.value:.0f} times in 100. {more}",
            ceiling=Estimate.exactly(0.5),
            floor=floor,
            unit="auc",
            scale=scale,
            details={name: area.value for name, area in found.items()},
        )

    @staticmethod
    def _attack(evidence: Evidence, candidates: Candidates, name: str) -> dict[str, Floats]:
        held = {metric: evidence.embedded(name, KNOWN, metric) for metric in METRICS}  # type: ignore[arg-type]
        asked = candidates if name == "synthetic" else Candidates(candidates.spaces, candidates.members)
        return attack(asked, held, evidence.seed)

    @staticmethod
    def _fresh(evidence: Evidence) -> float:
        """The best attack when half of the held-out rows play the synthetic ones: what luck alone gives."""
        half = min(len(evidence.holdout) // 2, ROWS)
        spaces, held = {}, {}
        for metric in METRICS:
            rows = evidence.embedded("holdout", 2 * half, metric)  # type: ignore[arg-type]
            train = evidence.embedded("train", half, metric)  # type: ignore[arg-type]
            spaces[metric], held[metric] = np.concatenate([train, rows[:half]]), rows[half:]
        candidates = Candidates(spaces, half)
        found = areas(attack(candidates, held, evidence.seed), candidates.is_member, candidates.outlying)
        return max(area.value for area in found.values())

    def _rate(
        self, evidence: Evidence, scores: dict[str, Floats], is_member: Bools, floor: dict[str, Floats]
    ) -> Finding:
        """True positives at one false accusation in a hundred (Carlini et al. 2022), the best attack."""
        n, z = int(is_member.sum()), z_of_many(len(scores))
        rates = {
            name: true_positive_rate(s[is_member], s[~is_member], LOW)
            for name, s in scores.items()
            if not name.endswith(MODEL)
        }
        best = max(rates, key=lambda name: rates[name])
        worst = max(true_positive_rate(s[is_member], s[~is_member], LOW) for s in floor.values())
        value = proportion(rates[best] * n, n, z)
        # The threshold is the quantile of n other rows, so "one in a hundred" is itself only known to this much.
        accused = proportion(LOW * n, n, z)
        return finding(
            self.name,
            f"members found at 1 false accusation in 100{evidence.aside}",
            value,
            f"An attacker who accepts one false accusation in 100 finds {100 * value.value:.1f} of 100 members "
            f"(“{best}”); guessing finds 1.",
            ceiling=Estimate(LOW, accused.low, accused.high),
            floor=max(worst, 2 * LOW),
            scale=SAFETY,
            details=rates,
        )

    def _unusual(self, evidence: Evidence) -> Finding:
        """The most unusual rows of all real ones: how many have a synthetic row far too near?"""
        parts = [evidence.embedded("train", POOL), evidence.embedded("holdout", POOL)]
        pool = np.concatenate(parts)
        away = nearest(pool, pool, 2, itself=True).distance.astype(np.float64)
        chosen = np.argsort(-away[:, -1], kind="stable")[: max(int(UNUSUAL_SHARE * len(pool)), 40)]
        trained = chosen < len(parts[0])
        found = {
            name: recognised(pool[chosen], away[chosen, 0], evidence.embedded(name, KNOWN))
            for name in ("synthetic", "bootstrap")
        }
        value, best = (proportion(found["synthetic"][side].sum(), side.sum()) for side in (trained, ~trained))
        return finding(
            self.name,
            f"unusual people recognised{evidence.aside}",
            value,
            f"Of the {trained.sum():,} most unusual training rows, {100 * value.value:.1f} in 100 have a synthetic row "
            f"far too near to be chance; of {(~trained).sum():,} equally unusual held-out rows {100 * best.value:.1f}.",
            ceiling=best,
            floor=float(found["bootstrap"][trained].mean()),
            scale=BREACH,
        )


def _candidates(evidence: Evidence, size: int) -> Candidates:
    """`size` training rows, then `size` held-out rows, in both metrics."""
    spaces = {
        metric: np.concatenate([evidence.embedded(name, size, metric) for name in ("train", "holdout")])  # type: ignore[arg-type]
        for metric in METRICS
    }
    density = None
    if evidence.log_prob is not None:
        parts = [evidence.frame(name)[evidence.rows(name, size)] for name in ("train", "holdout")]
        density = np.asarray(evidence.log_prob(pl.concat(parts, how="vertical_relaxed")), dtype=np.float64)
    return Candidates(spaces, size, density)


def areas(scores: dict[str, Floats], is_member: Bools, outlying: Bools) -> dict[str, Estimate]:
    """AUC of each attack over all candidates and over the outlying ones, with intervals that hold for all at once."""
    z = z_of_many(2 * len(scores))
    found = {name: auc(s[is_member], s[~is_member], z) for name, s in scores.items()}
    inside, outside = outlying & is_member, outlying & ~is_member
    if min(inside.sum(), outside.sum()) >= 10:
        found |= {
            f"{name}{UNUSUAL}": auc(s[inside], s[outside], z)
            for name, s in scores.items()
            if not (name.startswith("learned") or name.endswith(MODEL))
        }
    return found
