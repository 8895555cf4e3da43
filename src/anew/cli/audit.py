"""`anew audit`: the evidence about a model, and the gate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def audit(
    face: Face,
    model: options.ModelFolder,
    train: Annotated[str, typer.Option(metavar="DATA", help="The rows that the model learned from.")],
    holdout: Annotated[str, typer.Option(metavar="DATA", help="Real rows that it never saw.")],
    synthetic: Annotated[
        str | None, typer.Option(metavar="DATA", help="Audit these rows; fresh ones are drawn if not named.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where report.html and report.json go.")
    ] = None,
    where: options.Where = None,
    seed: options.Seed = 0,
) -> Answer:
    """Compare what a model creates with fresh real rows: the gate.

    The exit code is 1 when the verdict is poor.
    """
    import json

    import anew
    from anew.store import write_bytes

    report = anew.load(model).audit(train, holdout, synthetic, where=where, seed=seed, progress=face.progress)
    found = json.loads(report.to_json())
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_bytes(out / "report.html", report.to_html().encode())
        write_bytes(out / "report.json", report.to_json().encode())
    text = f"{report}\n\nReport: {out / 'report.html'}" if out is not None else str(report)
    return Answer({**found, "out": str(out) if out else None}, text, exit_code=0 if report.passed else 1)
