"""`anew sample`: new rows from a model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face
from anew.cli.rows import deliver

if TYPE_CHECKING:
    from anew.model import Model


def sample(
    face: Face,
    model: options.ModelFolder,
    n: Annotated[
        int | None, typer.Option("-n", min=1, help="How many rows; as many as are given, else 1000, or 10 texts.")
    ] = None,
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
    prompt: options.Prompt = None,
    tokens: options.MostTokens = None,
    temperature: options.Temperature = None,
    top_p: options.TopP = None,
    top_k: options.TopK = None,
    min_p: options.MinP = None,
    repetition: options.Repetition = None,
    stop: options.Stop = None,
    regex: options.Regex = None,
    schema: options.JsonSchema = None,
    choices: options.Choices = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print texts while they are written, one after another.")
    ] = False,
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
    draw: dict[str, Any] = {"steps": steps, "guidance": guidance, "prompt": prompt, "tokens": tokens, "stop": stop}
    draw |= {"temperature": temperature, "top_p": top_p, "top_k": top_k, "min_p": min_p, "repetition": repetition}
    draw |= options.held(regex, schema, choices)
    if stream:
        return _streamed(face, loaded, n or 1, seed, {"where": where, "given": given, **draw})
    blocks = list(loaded.stream(n, where=where, seed=seed, given=given, balance=balance, rules=added, **draw))
    return deliver(
        face,
        restored(concat(blocks), loaded.schema),
        loaded.schema,
        out,
        escape=escape_formulas,
        note=str(loaded.last) if where or balance or added else "",
    )


def _streamed(face: Face, model: Model, n: int, seed: int, how: dict[str, Any]) -> Answer:
    """Texts on stdout as they come, a blank line between them."""
    texts = []
    for i in range(n):
        parts = []
        for part in model.write(seed=seed + i, **how):
            parts.append(part)
            if not face.json:
                face.progress.close()
                sys.stdout.write(part)
                sys.stdout.flush()
        texts.append("".join(parts))
        if not face.json:
            sys.stdout.write("\n" if i + 1 == n else "\n\n")
    return Answer({"texts": texts})
