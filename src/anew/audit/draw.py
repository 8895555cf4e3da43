"""Pictures as inline SVG: sharp at any size, a few kilobytes, and coloured by the page's own variables.

Every word from the data passes through `escape`. Colours are classes (`real`, `made`, `axis`), so light, dark and
print are the page's business.
"""

from __future__ import annotations

import math

from markupsafe import Markup, escape

from anew.audit.finding import Finding, worse
from anew.audit.pictures import Marginal

WIDE, HIGH = 260, 128


def _svg(width: float, height: float, body: str, label: str, kind: str = "") -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}" class="{kind}">{body}</svg>'
    )


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _rect(x: float, y: float, width: float, height: float, kind: str, title: str = "", style: str = "") -> str:
    tip = f"<title>{escape(title)}</title>" if title else ""
    extra = f' style="{style}"' if style else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'class="{kind}"{extra}>{tip}</rect>'
    )


def shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def marginal(column: Marginal) -> Markup:
    """One column: bars of the real shares, a line of the synthetic ones; levels lie on their side."""
    return _histogram(column) if column.ordered else _levels(column)


def _histogram(column: Marginal) -> Markup:
    top = max([*column.real, *column.synthetic, 1e-9])
    base, bar = HIGH - 18.0, WIDE / max(len(column.real), 1)
    # The square root keeps a long tail visible beside a tall atom.
    tall = [[math.sqrt(share / top) * (base - 6) for share in shares] for shares in (column.real, column.synthetic)]
    body = "".join(
        _rect(
            i * bar + 0.5,
            base - height,
            bar - 1,
            height,
            "real",
            f"real {100 * column.real[i]:.2f} %, synthetic {100 * column.synthetic[i]:.2f} %",
        )
        for i, height in enumerate(tall[0])
    )
    points = " ".join(f"{i * bar:.1f},{base - h:.1f} {(i + 1) * bar:.1f},{base - h:.1f}" for i, h in enumerate(tall[1]))
    body += f'<polyline points="{points}" class="made-line"/>'
    body += f'<line x1="0" x2="{WIDE}" y1="{base}" y2="{base}" class="axis"/>'
    body += _text(0, HIGH - 4, column.ticks[0]) + _text(WIDE, HIGH - 4, column.ticks[1], anchor="end")
    return _svg(WIDE, HIGH, body, f"{column.name}: real and synthetic shares")


def _levels(column: Marginal) -> Markup:
    top = max([*column.real, *column.synthetic, 1e-9])
    rows, label, room = len(column.ticks), 96.0, WIDE - 96.0 - 44
    step = min(HIGH / max(rows, 1), 26.0)
    body = ""
    for i, (level, real, made) in enumerate(zip(column.ticks, column.real, column.synthetic, strict=True)):
        y, thick = i * step, (step - 3) / 2
        tip = f"{level}: real {100 * real:.2f} %, synthetic {100 * made:.2f} %"
        body += _text(label - 6, y + step / 2 + 3, shortened(level, 16), anchor="end")
        body += _rect(label, y + 1, room * real / top, thick, "real", tip)
        body += _rect(label, y + 1 + thick, room * made / top, thick, "made", tip)
        body += _text(label + room * max(real, made) / top + 4, y + step / 2 + 3, f"{100 * made:.1f} %", "faint")
    return _svg(WIDE, HIGH, body, f"{column.name}: real and synthetic shares")


def matrix(names: list[str], values: list[list[float]], kind: str) -> Markup:
    """A square of associations; the darker, the stronger. `kind` colours it."""
    n = len(names)
    cell = max(min(230 / max(n, 1), 34), 9)
    left = 8.0 + 5.6 * min(max((len(name) for name in names), default=1), 16)
    body = ""
    for i, name in enumerate(names):
        body += _text(left - 5, (i + 0.5) * cell + 3.5, shortened(name, 16), anchor="end")
        for j in range(i):
            value = values[i][j]
            tip = f"{name} and {names[j]}: {value:.2f}"
            body += _rect(
                left + j * cell + 0.5,
                i * cell + 0.5,
                cell - 1,
                cell - 1,
                f"cell {kind}",
                tip,
                f"fill-opacity:{min(max(abs(value), 0), 1):.3f}",
            )
        body += _rect(left + i * cell + 0.5, i * cell + 0.5, cell - 1, cell - 1, "cell-own", name)
    return _svg(left + n * cell, n * cell + 2, body, f"Associations of {n} columns", "matrix")


def scale(finding: Finding) -> Markup:
    """Where a finding stands on the way from bad (left, the floor) to best (right, fresh real rows)."""
    if finding.ceiling is None or finding.floor is None or not math.isfinite(finding.value):
        return Markup("")
    ceiling, floor = finding.ceiling, finding.floor
    span = worse(floor, ceiling, finding.better)
    if span <= 0:
        return Markup("")

    def place(value: float) -> float:
        return 150 - 138 * min(max(worse(value, ceiling, finding.better) / span, -0.06), 1.06)

    low, high = sorted((place(finding.low), place(finding.high)))
    x = place(finding.value)
    body = (
        f'<line x1="12" x2="150" y1="11" y2="11" class="track"/>'
        f'<line x1="150" x2="150" y1="4" y2="18" class="end"/>'
        f'<line x1="12" x2="12" y1="6" y2="16" class="end"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="11" y2="11" class="range {finding.verdict}"/>'
        f'<circle cx="{x:.1f}" cy="11" r="5" class="dot {finding.verdict}"/>'
    )
    return _svg(162, 22, body, f"{finding.name} between the worst on the left and the best on the right", "scale")


def bars(rows: list[tuple[str, float, float]], share: bool) -> Markup:
    """Pairs of horizontal bars: label, real, synthetic; not-a-number where a group is empty."""
    known = [value for _, *pair in rows for value in pair if math.isfinite(value)]
    top = max([abs(value) for value in known] + [1e-9])
    label, width, step = 118.0, 390.0, 26.0
    room = width - label - 100
    body = ""
    for i, (name, real, made) in enumerate(rows):
        y = i * step
        body += _text(label - 8, y + 15, shortened(name, 20), anchor="end")
        for value, kind, offset in ((real, "real", 3), (made, "made", 13)):
            body += _rect(label, y + offset, room * abs(value) / top if math.isfinite(value) else 0, 9, kind)
        shown = [_amount(value, share) for value in (real, made)]
        body += _text(width - 92, y + 15, f"{shown[0]} → {shown[1]}", "faint")
    return _svg(width, max(len(rows) * step, 1), body, "Groups, real and synthetic", "bars")


def intervals(rows: list[tuple[str, float, float, float]]) -> Markup:
    """Dots with their intervals on one axis: label, low, value, high."""
    low, high = min(row[1] for row in rows), max(row[3] for row in rows)
    low, high = (low - 0.01, high + 0.01) if high - low < 1e-9 else (low, high)
    label, width, step = 320.0, 900.0, 30.0

    def place(value: float) -> float:
        return label + (width - label - 70) * (value - low) / (high - low)

    body = ""
    for i, (name, below, value, above) in enumerate(rows):
        y = i * step + 16
        body += _text(label - 14, y + 4, shortened(name, 42), "large", "end")
        body += f'<line x1="{place(below):.1f}" x2="{place(above):.1f}" y1="{y}" y2="{y}" class="whisker"/>'
        body += f'<circle cx="{place(value):.1f}" cy="{y}" r="5" class="made"/>'
        body += _text(place(above) + 10, y + 4, f"{value:.3f}", "large")
    return _svg(width, max(len(rows) * step, 1), body, "Scores of predictions with their intervals")


def _amount(value: float, share: bool) -> str:
    if not math.isfinite(value):
        return "none"
    return f"{100 * value:.1f} %" if share else f"{value:.3g}"
