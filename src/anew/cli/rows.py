"""Tables out: to a file whose ending chooses the format, or as CSV on stdout."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from anew.cli.outcome import Answer, Face
from anew.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from anew.core.schema import Schema


def deliver(
    face: Face, frame: pl.DataFrame, schema: Schema | None, out: Path | None, *, escape: bool = False, note: str = ""
) -> Answer:
    """Writes the rows, and says so; without `out` they are the answer: CSV, or `rows` of the JSON object."""
    from anew.data.formats.frames import write
    from anew.data.formats.passages import alone, joined

    if note:
        face.say(note)
    if out is not None:
        write(frame, out, schema, escape)
        return Answer({"rows": len(frame), "out": str(out), "note": note}, f"{len(frame):,} rows in {out}")
    if any(str(dtype).startswith("Array") for dtype in frame.dtypes):
        raise UsageError("The rows hold pictures", do="Name a folder for them with -o, or a file .npz or .parquet")
    if face.json:
        return Answer({"rows": frame.to_dicts(), "note": note})
    if schema is not None and alone(frame, schema):
        face.progress.close()
        sys.stdout.write(joined(frame, schema))
        return Answer({"rows": len(frame)})
    with tempfile.TemporaryDirectory(prefix="anew-") as folder:
        path = Path(folder) / "rows.csv"
        write(frame, path, schema, escape)
        with path.open(encoding="utf-8") as file:
            face.progress.close()
            shutil.copyfileobj(file, sys.stdout)
    return Answer({"rows": len(frame)})
