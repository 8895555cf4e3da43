"""Pictures by style and by content: found in a table, split by content, joined to pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from anew.core.errors import DataError
from anew.core.pixels import Pixels
from anew.core.schema import Field, Schema
from anew.core.seeds import stream
from anew.data.dataset import Dataset
from anew.recipes._scans import apart, picture_of, pixels_of, some
from anew.recipes._tables import column, target_of

SOURCE = "source"
TEST = "test"


@dataclass(frozen=True)
class Styles:
    """`learned` and `held` share no content; `content` is None where no two pictures show the same."""

    learned: Dataset
    held: pl.DataFrame
    picture: Field
    style: str
    content: str | None
    names: tuple[str, ...]

    @property
    def alone(self) -> Dataset:
        """Pictures and their styles."""
        return some(self.learned, [self.picture.name, self.style])

    def of(self, frame: pl.DataFrame, style: str) -> pl.DataFrame:
        return frame.filter(pl.col(self.style).cast(pl.String) == style)

    def pixels(self, frame: pl.DataFrame) -> Pixels:
        return pixels_of(frame, self.picture)


def styles_of(
    table: Dataset, style: str | None, content: str | None, split: str | None, keep: int | None, seed: int
) -> Styles:
    """The columns found, and the contents split: by a column that says test, or a fifth held out."""
    picture = picture_of(table)
    style = column(table, style) if style else "style" if "style" in table.schema else target_of(table, None, "style")
    known = table.frame.drop_nulls([picture.name, style])
    table = replace(table, frame=known, rows=len(known))
    names = tuple(known[style].cast(pl.String).unique().sort())
    if len(names) < 2:
        raise DataError(f"There is one style in {style!r}", found=names, do="Bring pictures in at least two")
    content = _content(table, style, content)
    if split is not None:
        test = (known[column(table, split)].cast(pl.String) == TEST).to_numpy()
        learned, held = replace(table, frame=known.filter(~pl.Series(test))), known.filter(pl.Series(test))
    else:
        learned, held = apart(table, style, content, seed)
    if content is not None and keep is not None:
        learned = replace(learned, frame=_some_contents(learned.frame, content, keep, seed))
    learned = replace(learned, rows=len(learned.frame))
    if not len(held) or not len(learned.frame):
        raise DataError("Nothing is left to learn from or to test on", found=(len(learned.frame), len(held)))
    return Styles(learned, held, picture, style, content, names)


def _content(table: Dataset, style: str, name: str | None) -> str | None:
    """The named column, or one whose values stand once in each of several styles."""
    if name is not None:
        return column(table, name)
    for field in table.schema:
        if field.name == style or field.kind in ("image", "number", "constant", "empty"):
            continue
        counts = table.frame.group_by(field.name).agg(pl.len(), pl.col(style).n_unique().alias("styles"))
        several = (counts["styles"] > 1).to_numpy()
        if len(counts) > 1 and (counts["len"] == counts["styles"]).all() and several.mean() > 0.5:
            return field.name
    return None


def _some_contents(frame: pl.DataFrame, content: str, keep: int, seed: int) -> pl.DataFrame:
    names = frame[content].unique(maintain_order=True)
    rows = np.sort(stream("contents", seed).permutation(len(names))[:keep])
    return frame.filter(pl.col(content).is_in(names.gather(rows).implode()))


def pairs_of(styles: Styles, most: int, seed: int) -> Dataset:
    """Every picture beside the same content in each other style, as the column `source`; at most so many pairs."""
    assert styles.content is not None
    picture, style, content = styles.picture.name, styles.style, styles.content
    rows = styles.learned.frame.select(picture, style, content).with_row_index("row")
    places = rows.select("row", style, content)
    joined = places.join(places, on=content, suffix="_of").filter(pl.col(style) != pl.col(f"{style}_of"))
    if not len(joined):
        raise DataError(f"No {content!r} occurs in two styles: there are no pairs", do="Leave out content=")
    chosen = joined.sort("row", "row_of")[np.sort(stream("pairs", seed).permutation(len(joined))[:most])]
    frame = pl.DataFrame([
        rows[picture].gather(chosen["row_of"]).alias(SOURCE),
        chosen[style],
        rows[picture].gather(chosen["row"]),
    ])  # fmt: skip
    source = styles.picture.model_copy(update={"name": SOURCE})
    schema = Schema(fields=(source, styles.learned.schema[style], styles.picture))
    return replace(styles.learned, frame=frame, schema=schema, rows=len(frame))


def tested(styles: Styles, first: str, second: str, most: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Held-out pictures in the first style, and the same contents in the second where the data are paired."""
    source = styles.of(styles.held, first)
    if styles.content is not None:
        truth = styles.of(styles.held, second)
        both = source.select(styles.content).join(truth.select(styles.content), on=styles.content)[styles.content]
        names = both.unique().sort()
        chosen = names.gather(np.sort(stream("tested", seed).permutation(len(names))[:most]))
        return _in_order(source, styles.content, chosen), _in_order(truth, styles.content, chosen)
    rows = np.sort(stream("tested", seed).permutation(len(source))[:most])
    return source[rows], None


def _in_order(frame: pl.DataFrame, content: str, names: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({content: names}).join(frame.unique(content), on=content, how="left", maintain_order="left")


def directions_of(names: Sequence[str]) -> list[tuple[str, str]]:
    """Every style to every other."""
    return [(a, b) for a in names for b in names if a != b]
