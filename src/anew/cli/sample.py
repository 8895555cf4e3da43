"""`anew sample`: new rows from a model."""

from __future__ import annotations

from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver


def sample(
    face: Face,
    model: options.ModelFolder,
    n: Annotated[int | None, typer.Option("-n", min=1, help="How many rows; 1000, or as many as are given.")] = None,
    out: options.Out = None,
    where: options.Where = None,
    balance: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="As many rows of each class; or shares, as in 'ward=a:0.3,b:0.7'."),
    ] = None,
    rule: options.Rule = None,
    rules: options.RulesFile = None,
    given: options.GivenRows = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of a draw: few are fast, more are better (diffusion).")
    ] = None,
    guidance: options.Guidance = None,
    seed: options.Seed = 0,
    escape_formulas: options.Escape = False,
) -> Answer:
    """Create new rows, under conditions if you like. Every row obeys the rules of the schema and those added."""
    from polars import concat

    import anew
    from anew.data.restore import restored

    loaded = anew.load(model)
    face.progress("Sampling")
    added = options.added_rules(rule, rules)
    how = {"balance": balance, "rules": added, "steps": steps, "guidance": guidance}
    blocks = list(loaded.stream(n, where=where, seed=seed, given=given, **how))  # type: ignore[arg-type]
    return deliver(
        face,
        restored(concat(blocks), loaded.schema),
        loaded.schema,
        out,
        escape=escape_formulas,
        note=str(loaded.last) if where or balance or added else "",
    )
