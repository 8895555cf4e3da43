"""`anew look`: every decision about every column, and a schema file to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anew.cli import options
from anew.cli.outcome import Answer, Face


def look(
    face: Face,
    data: Annotated[str, typer.Argument(metavar="DATA", help="A file, or a folder of pictures.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="The schema file to write; DATA.schema.json if not named."),
    ] = None,
    schema: options.SchemaFile = None,
    size: options.Size = None,
    skip_bad: options.SkipBad = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write no schema file.")] = False,
) -> Answer:
    """What each column is taken for and why; a schema file to edit."""
    import anew

    face.progress("Reading")
    seen = anew.look(data, schema=schema, size=options.size(size), skip_bad=skip_bad)
    held = [{"rule": share.rule, "holds in": share.value} for share in seen.rules]
    found = {"rows": seen.count, "columns": seen.rows, "rules": held, "notes": list(seen.notes)}
    if dry_run:
        return Answer(found, seen.text())
    path = out or Path(Path(data).name.split(".")[0] + ".schema.json")
    return Answer(
        {**found, "schema": str(path)}, f"{seen.text()}\n{_write(path, seen.schema.to_json(), out is not None)}"
    )


def _write(path: Path, text: str, asked: bool) -> str:
    """An edited schema is someone's work: only a file that was named with -o is written over."""
    if not asked and path.exists():
        if path.read_text(encoding="utf-8") == text:
            return f"Schema: {path} (as it was)"
        return f"Schema: {path} exists and differs, and is kept as it is; name a file with -o to write this one."
    path.write_text(text, encoding="utf-8")
    return f"Schema: {path}; edit it and give it to `anew fit` with --schema."
