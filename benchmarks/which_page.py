"""What which_model.py found, as the tables of docs/explanation/which-model.md."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.markdown import Column, grid

CREATING = (
    Column("fit_s", "fit s", digits=1),
    Column("rows_per_s", "rows/s", digits=0),
    Column("c2st_hgb_test", "C2ST"),
    Column("dcr_share", "DCR"),
    Column("tstr", "TSTR"),
)
PREDICTING = (
    Column("fit_s", "fit s", digits=1),
    Column("rows_per_s", "rows/s", digits=0),
    Column("auc", "AUC"),
    Column("accuracy", "accuracy"),
    Column("r2", "R²"),
    Column("rmse", "RMSE", digits=1),
    Column("nats", "log p", digits=3),
)
VERBS = {"where": "conditions", "log_prob": "density", "complete": "completion", "encode": "latent"}

Record = dict[str, Any]


def tables(record: Mapping[str, Any]) -> dict[str, str]:
    """The tables of a record as Markdown, by the names under which the page shows them."""
    shown = {f"create {table}": created(found["rows"]) for table, found in record["create"].items()}
    return shown | {f"predict {table}": predicted(found["rows"]) for table, found in record["predict"].items()}


def created(rows: Sequence[Record]) -> str:
    """Generative rows, the one hardest to tell from real rows first."""
    order = sorted(rows, key=lambda row: row.get("c2st_hgb_test", 2.0))
    trtr = next((f"{row['trtr']:.3f}" for row in order if "trtr" in row), "-")
    heading = ["objective", "fit by", *(c.heading for c in CREATING), "and can"]
    heading[heading.index("TSTR")] = f"TSTR (real {trtr})"
    lines = [[r["objective"], r["fit"], *cells(r, CREATING), _can(r)] for r in order]
    return "\n".join(grid(heading, lines))


def _can(row: Record) -> str:
    return row.get("failed") or ", ".join(word for verb, word in VERBS.items() if verb in row["can"]) or "-"


def predicted(rows: Sequence[Record]) -> str:
    """Discriminative rows, the best first."""
    used = [column for column in PREDICTING if any(column.figure in row for row in rows)]
    order = sorted(rows, key=lambda row: -row.get("auc", row.get("r2", -9.0)))
    lines = [[row["objective"], row["network"], *cells(row, used)] for row in order]
    return "\n".join(grid(["objective", "network", *(column.heading for column in used)], lines))


def cells(row: Record, columns: Sequence[Column]) -> list[str]:
    """The figures of a row, a dash where there is none."""
    return [f"{row[c.figure] * c.scale:,.{c.digits}f}" if c.figure in row else "-" for c in columns]


def on_page(text: str, shown: Mapping[str, str]) -> str:
    """The page with each table between `<!-- table NAME -->` and `<!-- end -->` replaced by the one of that name."""

    def now(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- table {name} -->\n{shown[name]}\n<!-- end -->" if name in shown else match[0]

    return re.sub(r"<!-- table (?P<name>[^>]+?) -->\n(?P<table>.*?)<!-- end -->", now, text, flags=re.DOTALL)
