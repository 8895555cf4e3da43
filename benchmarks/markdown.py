"""The comparison as Markdown: one table per set, then the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.gate import Line, Summary


@dataclass(frozen=True)
class Column:
    """A figure, its heading, what to multiply it by, and the digits shown."""

    figure: str
    heading: str
    scale: float = 1.0
    digits: int = 3


QUALITY = (
    Column("c2st_hgb_test", "C2ST-HGB"),
    Column("dcr_share", "DCR share"),
    Column("shape_err", "shape err %", digits=2),
    Column("trend_err_all", "trend err %", digits=2),
    Column("tstr", "TSTR"),
    Column("alpha_prec", "alpha prec."),
    Column("cat_coverage", "coverage"),
    Column("invalid_share", "invalid %", 100, 2),
    Column("missing_rate_gap", "missing gap"),
    Column("dup_train", "copied %", 100, 2),
    Column("verbatim", "verbatim %", 100, 1),
    Column("dependencies_mean", "dep. mean %", 100, 2),
    Column("dependencies_worst", "dep. worst %", 100, 2),
    Column("missing_tvd", "missing TVD"),
)
COST = (
    Column("fit_s", "fit s", digits=1),
    Column("wall_s", "wall s", digits=1),
    Column("cpu_s", "CPU s", digits=1),
    Column("peak_mb", "peak MB", digits=0),
    Column("rows_per_s", "rows/s", digits=0),
)
TITLES = {
    "floor": "floor: real rows",
    "independent": "independent columns",
    "bootstrap": "bootstrap (copies)",
    "mostly": "TabularARGN",
    "anew": "**anew**",
}


def cell(summary: Summary, column: Column) -> str:
    """Mean ± half width, or a dash where the figure does not apply."""
    if column.figure not in summary:
        return "-"
    interval = summary[column.figure]
    mean = f"{interval.mean * column.scale:,.{column.digits}f}"
    if interval.half is None or interval.half == 0:
        return mean
    return f"{mean} ± {interval.half * column.scale:,.{column.digits}f}"


def row(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def grid(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, first column to the left, numbers to the right."""
    return [row(heading), row(["---", *["---:"] * (len(heading) - 1)]), *(row(cells) for cells in rows)]


def set_section(table: str, summaries: Mapping[str, Summary]) -> list[str]:
    """Quality and cost of every generator on one set."""
    present = {name: summary for name, summary in summaries.items() if summary}
    sections = [f"## {table}", ""]
    trtr = next((s["trtr"].mean for n, s in present.items() if n != "floor" and "trtr" in s), None)
    if trtr is not None:
        sections += [f"TRTR (trained on real rows, tested on real rows): {trtr:.3f}.", ""]
    for columns in (QUALITY, COST):
        used = [column for column in columns if any(column.figure in summary for summary in present.values())]
        shown = [name for name in present if any(column.figure in present[name] for column in used)]
        lines = [[TITLES.get(name, name), *(cell(present[name], column) for column in used)] for name in shown]
        sections += [*grid(["generator", *(column.heading for column in used)], lines), ""]
    return sections


def gate_section(lines: Sequence[Line], title: str = "Gate") -> list[str]:
    """The gate or the aims, one criterion per line."""
    failed = sum(not line.passed for line in lines)
    verdict = f"{len(lines) - failed} of {len(lines)} criteria pass." if lines else "No set of the gate was run."
    body = [line.markdown() for line in lines]
    heading = [row(["set", "criterion", "ours", "bar", ""]), row(["---"] * 5)] if lines else []
    return [f"## {title}", "", verdict, "", *heading, *body, ""]
