"""`anew complete`: a table with its empty cells filled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver

if TYPE_CHECKING:
    import polars as pl


def complete(
    face: Face,
    model: options.ModelFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Rows with empty cells; columns may be absent.")],
    out: options.Out = None,
    draws: Annotated[int, typer.Option(min=1, help="So many fillings in one file, after a column draw.")] = 1,
    columns: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Fill these only: a,b or repeated. All by default.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="PICTURES", help="White where a picture is to be filled: one for all, or one for each."),
    ] = None,
    gap: Annotated[
        str | None, typer.Option(metavar="MARK", help="What stands in texts for a gap, such as '[...]'.")
    ] = None,
    temperature: options.Temperature = None,
    top_p: options.TopP = None,
    rule: options.Rule = None,
    rules: options.RulesFile = None,
    seed: options.Seed = 0,
    escape_formulas: options.Escape = False,
) -> Answer:
    """Fill empty cells by draws given what is known.

    Every cell that is there is kept as it is. With several draws, answers can say how sure they are. Of a picture the
    part under its mask is filled, or, without masks, what is transparent where the model knows no transparency. In
    texts what stands at the mark --gap is written.
    """
    import anew
    from anew.completion import faithful
    from anew.data.origin import Origin

    loaded = anew.load(model)
    loaded.origin = Origin("polars")
    face.progress("Completing")
    added = options.added_rules(rule, rules)
    how: dict[str, Any] = {"masks": masks, "gap": gap, "temperature": temperature, "top_p": top_p}
    found = loaded.complete(data, draws, seed, columns=options.names(columns), rules=added, **how)
    frame = found if draws == 1 else _numbered(found)
    return deliver(face, frame, faithful(loaded.schema, frame), out, escape=escape_formulas)


def _numbered(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """One table after another, with a first column that counts them."""
    import polars as pl

    from anew.interpolation import free_name

    name = free_name("draw", tables[0].columns)
    return pl.concat(
        (frame.select(pl.lit(i, pl.Int64).alias(name), pl.all()) for i, frame in enumerate(tables, 1)),
        how="vertical_relaxed",
    )
