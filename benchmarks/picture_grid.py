"""Pictures in rows and columns with words beside them, as one PNG. To look at, not to measure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

LINE, MARGIN = 12, 2  # pixels: of a line of words, between pictures


def grid(
    rows: Sequence[Sequence[np.ndarray[Any, Any]]],
    file: Path,
    *,
    zoom: int = 2,
    heads: Sequence[str] = (),
    words: Sequence[Sequence[str]] | None = None,
) -> None:
    """Rows of pictures (H, W, C) bytes; `heads` stand over the columns, `words` under the pictures."""
    from PIL import Image, ImageDraw

    height, width = (side * zoom for side in rows[0][0].shape[:2])
    below = LINE * max((len(cell.split("\n")) for line in words or () for cell in line), default=0)
    above = LINE if heads else 0
    tall, wide = height + below + MARGIN, width + MARGIN
    sheet = Image.new("RGB", (wide * max(map(len, rows)), above + tall * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        draw.text((column * wide, 0), head, "black")
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            shown = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).convert("RGB")
            at = (j * wide, above + i * tall)
            sheet.paste(shown.resize((width, height), Image.Resampling.NEAREST), at)
            if words:
                draw.text((at[0], at[1] + height), words[i][j], "black")
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file)
