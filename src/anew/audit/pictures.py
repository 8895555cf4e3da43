"""What the report shows, as plain data: histograms, associations, nearest rows, groups, pictures, texts.
`draw.py` makes pictures of it.

report.json holds exactly this, so nothing can be seen on the page that is not in the file.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from anew.audit.compare import association, codes, cut_quantiles
from anew.audit.decided import Decided, texts_read
from anew.audit.encode import Column, level_codes
from anew.audit.evidence import CAP, Evidence
from anew.audit.groups import groupings
from anew.audit.neighbours import nearest
from anew.audit.passages import Passages, passages_of
from anew.audit.sheets import Sheet, sheet_of
from anew.core.columns import Floats

BARS = 28
LEVELS = 8
GRID = 60  # columns drawn
MATRIX = 26  # columns in the matrix of pairs
ROWS = 6  # synthetic rows shown with their neighbours
SEARCHED = 20_000


@dataclass(frozen=True)
class Marginal:
    """One column: shares of rows in each bar, real and synthetic. `ticks` are the ends of the range, or levels."""

    name: str
    kind: str
    ordered: bool
    ticks: list[str]
    real: list[float]
    synthetic: list[float]
    blank: tuple[float, float]  # shares of missing cells, real and synthetic
    centre: tuple[str, str]  # medians of ordered columns in words, real and synthetic


@dataclass(frozen=True)
class Neighbour:
    """A synthetic row, the training row and the held-out row nearest to it, and how far they are."""

    why: str
    synthetic: list[str]
    training: list[str]
    holdout: list[str]
    to_training: float
    to_holdout: float


@dataclass(frozen=True)
class Pictures:
    marginals: list[Marginal] = field(default_factory=list)
    pair_names: list[str] = field(default_factory=list)
    pairs_real: list[list[float]] = field(default_factory=list)
    pairs_synthetic: list[list[float]] = field(default_factory=list)
    neighbour_names: list[str] = field(default_factory=list)
    neighbours: list[Neighbour] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    passages: list[Passages] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)

    @classmethod
    def of(cls, evidence: Evidence) -> Pictures:
        sheets = [sheet for album in evidence.albums if (sheet := sheet_of(album, evidence)) is not None]
        passages = [found for corpus in evidence.corpora if (found := passages_of(corpus, evidence)) is not None]
        if not evidence.columns:
            return cls(sheets=sheets, passages=passages, decided=texts_read(evidence))
        names, real, fake = _pairs(evidence)
        return cls(
            [_marginal(evidence, i) for i in range(min(len(evidence.columns), GRID))],
            names,
            real,
            fake,
            [column.name for column in evidence.columns],
            _neighbours(evidence) if _related(evidence) else [],
            _groups(evidence),
            sheets,
            passages,
            texts_read(evidence),
        )

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def _related(evidence: Evidence) -> bool:
    """Whether rows are shown beside their relatives: pictures are, and of a text with a label the text says more."""
    return not evidence.albums and (len(evidence.columns) > 1 or not evidence.corpora)


def _marginal(evidence: Evidence, index: int) -> Marginal:
    column = evidence.columns[index]
    real, fake = evidence.matrix("train")[:, index], evidence.matrix("synthetic")[:, index]
    blank = (float(np.isnan(real).mean()), float(np.isnan(fake).mean()))
    if not column.ordered:
        ticks, bars = _bars(column, real, fake)
        return Marginal(column.name, column.field.kind, False, ticks, *bars, blank, ("", ""))
    edges = _edges(column)
    shares = [
        np.histogram(np.clip(v[~np.isnan(v)], edges[0], edges[-1]), edges)[0] / max((~np.isnan(v)).sum(), 1)
        for v in (real, fake)
    ]
    centre = tuple(shown(column, float(np.nanmedian(v))) if not np.isnan(v).all() else "none" for v in (real, fake))
    half = 0.5 if column.field.kind == "integer" else 0.0  # whole numbers stand in the middle of their bars
    last = min(edges[-1] - half, column.values[-1]) if len(column.values) else edges[-1]
    ends = [shown(column, edges[0] + half), shown(column, last)]
    return Marginal(
        column.name,
        column.field.kind,
        True,
        ends,
        shares[0].tolist(),
        shares[1].tolist(),
        blank,
        (centre[0], centre[1]),
    )


def _edges(column: Column) -> Floats:
    """Bars over the middle 99 % of the training values; what lies outside is counted at the ends.

    Whole numbers get bars of equal whole width, so that none is empty by arithmetic.
    """
    if not len(column.values):
        return np.array([0.0, 1.0])
    low, high = np.quantile(column.values, [0.005, 0.995], method="nearest")
    if column.field.kind == "integer":
        width = max(int(np.ceil((high - low + 1) / BARS)), 1)
        return np.arange(low, high + width + 0.5, width) - 0.5 if low < high else np.array([low - 0.5, low + 0.5])
    return np.linspace(low, high, BARS + 1) if low < high else np.array([low - 0.5, low + 0.5])


def _bars(column: Column, real: Floats, fake: Floats) -> tuple[list[str], tuple[list[float], list[float]]]:
    """The commonest levels, then all others together."""
    top = min(len(column.levels), LEVELS)
    shares = []
    for values in (real, fake):
        count = np.bincount(level_codes(values, len(column.levels)), minlength=len(column.levels) + 2)
        count = count[:-1] / max(count[:-1].sum(), 1)
        shares.append([*count[:top].tolist(), float(count[top:].sum())])
    rest = len(column.levels) - top
    if rest or shares[1][-1] > 0:
        last = f"{rest:,} other{'s' if rest > 1 else ''}" if rest else "new levels"
        return [*column.levels[:top], last], (shares[0], shares[1])
    return list(column.levels[:top]), (shares[0][:-1], shares[1][:-1])


def shown(column: Column, value: float) -> str:
    """A number of the matrix as a person would write it."""
    if column.field.kind == "datetime":
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d" if abs(value) > 86400 else "%H:%M:%S")
    if column.field.kind == "duration":
        return f"{value / 86400:.3g} d" if abs(value) >= 86400 else f"{value:.3g} s"
    return f"{value:,.0f}" if column.field.kind == "integer" or abs(value) >= 1000 else f"{value:.4g}"


def _pairs(evidence: Evidence) -> tuple[list[str], list[list[float]], list[list[float]]]:
    """Association of each pair, with numbers cut into ten equal counts and levels into the commonest twelve."""
    which = list(range(min(len(evidence.columns), MATRIX)))
    cuts = [cut_quantiles(evidence.columns[i], 10) for i in which]
    sizes = [min(cut.size, 13) for cut in cuts]
    size, found = min(len(evidence.train), len(evidence.synthetic), CAP), []
    for name in ("train", "synthetic"):
        cells = codes(cuts, evidence.take(name, size)[:, which])
        found.append(association([np.minimum(c, s - 1) for c, s in zip(cells, sizes, strict=True)], sizes))
    return [evidence.columns[i].name for i in which], found[0].round(3).tolist(), found[1].round(3).tolist()


def _neighbours(evidence: Evidence) -> list[Neighbour]:
    """The synthetic rows that come closest to a training row, then some drawn by chance."""
    asked = evidence.rows("synthetic", 2000)
    queries = evidence.embedded("synthetic", 2000)
    even = min(len(evidence.train), len(evidence.holdout), SEARCHED)
    near = {name: nearest(queries, evidence.embedded(name, even)) for name in ("train", "holdout")}
    closest = np.argsort(near["train"].distance[:, 0], kind="stable")[: ROWS // 2]
    chance = [i for i in range(len(asked)) if i not in set(closest.tolist())][: ROWS - len(closest)]
    names = [column.name for column in evidence.columns]
    return [
        Neighbour(
            "closest to a training row" if rank < len(closest) else "drawn by chance",
            cells(evidence.synthetic, int(asked[i]), names),
            cells(evidence.train, int(evidence.rows("train", even)[near["train"].row[i, 0]]), names),
            cells(evidence.holdout, int(evidence.rows("holdout", even)[near["holdout"].row[i, 0]]), names),
            round(float(near["train"].distance[i, 0]), 4),
            round(float(near["holdout"].distance[i, 0]), 4),
        )
        for rank, i in enumerate([*closest.tolist(), *chance])
    ]


def cells(frame: pl.DataFrame, row: int, names: list[str]) -> list[str]:
    """A row in words, identifiers left out by the choice of names."""
    return [_word(value) for value in frame.select(names).row(row)]


def _word(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _groups(evidence: Evidence) -> list[dict[str, Any]]:
    """Rates of the target by group, real and synthetic."""
    out = []
    for groups in groupings(evidence):
        target = evidence.columns[groups.target]
        factor = groups.scale if groups.positive is None else 1.0
        rates = [(groups.rates(evidence.matrix(name)) * factor).tolist() for name in ("train", "synthetic")]
        out.append(
            {
                "column": groups.column.name,
                "counted": groups.counted(target),
                "groups": groups.names,
                "share": groups.positive is not None,
                "real": rates[0],
                "synthetic": rates[1],
                "size": groups.shares(evidence.matrix("train")).tolist(),
            }
        )
    return out
