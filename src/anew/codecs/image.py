"""Pictures: the pixels of one column as real numbers, and their principal components as columns for solvers.

`Real`: v in 0 ... top (255, or 65,535 for 16-bit grey) becomes 2 v / top - 1, channels first, (C, H, W). Colours with
alpha are multiplied by it before, so that what cannot be seen is nothing to learn; decoding divides again. A picture
of few colours is pixel art: its colours are released and what is decoded takes the nearest of them, alpha of few
levels the nearest level.

`Columns`: each of up to COMPONENTS principal components as a grid, read by solvers as what is given, never decoded
(Turk & Pentland 1991). They are fitted only when a factor reads them.

Shapes: n pictures, H rows, W columns, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.core.codec import Codec
from anew.core.columns import MISSING, Bools, Cells, Columns, Floats, Grid
from anew.core.cut import Cut
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config
from anew.core.pixels import Pixels, column, dtype_of, shape_of, stack
from anew.core.release import Release
from anew.core.schema import Schema

if TYPE_CHECKING:
    from anew.core.batch import Encoded

COLOURS = 256  # at most so many different colours make a palette
COMPONENTS = 60
BLOCK = 1_000  # pictures that are turned into numbers at once
SEEN = 4_000  # pictures that principal components are computed from


class Image(Codec[pl.DataFrame]):
    """One column of pictures."""

    kinds = frozenset({"image"})
    views = ("Real",)
    answers = ("Columns",)

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        if len(schema) != 1:
            raise UsageError("An image codec has one column", found=schema.names)
        self.field = schema.fields[0]
        self.shape = shape_of(self.field)
        self.palette: npt.NDArray[np.uint8] | None = None  # (K, C)
        self.components: Floats | None = None  # (k, H W C)
        self.middle: Floats | None = None  # (H W C,)
        self.grids: tuple[Grid, ...] = ()

    # ---------------------------------------------------------------- fit

    def fit(self, data: pl.DataFrame, release: Release) -> None:
        pixels = self._present(data)
        colours = _colours(pixels) if pixels.dtype == np.uint8 and self.shape[2] > 1 else None
        if colours is not None:
            self.palette = colours
            release.note("colours", self.field.name, colours.size)

    def prepare(self, view: str, data: pl.DataFrame, release: Release) -> None:
        """For solvers principal components and the grids of their scores."""
        if view != "Columns":
            return
        pixels = self._present(data)
        some = self._flat(pixels[:: max(len(pixels) // SEEN, 1)])
        self.middle = release.moments(f"the mean of {self.field.name}", some.mean(0))
        centred = some - self.middle
        axes = np.ascontiguousarray(_axes(centred), np.float32).astype(np.float64)  # as it is saved
        self.components = release.moments(f"components of {self.field.name}", axes)
        scores = self._scores(pixels)
        gone = float(data[self.field.name].null_count())
        cut = Cut()
        self.grids = tuple(
            release.grid(f"{self.field.name} {i}", part, lambda v, c: cut(v, c, step=0.0, missing=gone))
            for i, part in enumerate(scores.T)
        )

    def _scores(self, pixels: Pixels) -> Floats:
        """(n, k), some pictures at a time."""
        assert self.components is not None, "the view was not prepared"
        assert self.middle is not None
        blocks = [pixels[start : start + BLOCK] for start in range(0, len(pixels), BLOCK)]
        scores = [(self._flat(block) - self.middle) @ self.components.T for block in blocks]
        return np.concatenate(scores) if scores else np.zeros((0, len(self.components)))

    def _present(self, data: pl.DataFrame) -> Pixels:
        return stack(data[self.field.name].drop_nulls(), self.field)

    def _flat(self, pixels: Pixels) -> Floats:
        return np.asarray(self._scaled(pixels).reshape(len(pixels), -1), np.float64)

    # ---------------------------------------------------------------- spaces

    @property
    def learned(self) -> tuple[Any, ...]:
        """The fields that a learner sees."""
        return (self.field,)

    def space(self, view: str) -> Any:
        if view == "Columns":
            return Columns(self.grids, tuple(f"{self.field.name}.{i}" for i in range(len(self.grids))))
        from anew.core.space import Real

        height, width, channels = self.shape
        return Real((channels, height, width))

    # ---------------------------------------------------------------- encode and decode

    def encode(self, data: pl.DataFrame, view: str) -> Any:
        cells = data[self.field.name]
        gone = cells.is_null().to_numpy()
        pixels = stack(cells, self.field)
        return self._cells(pixels, gone) if view == "Columns" else self._tensors(pixels, gone)

    def encode_partly(self, data: pl.DataFrame, unknown: Bools, view: str) -> tuple[Any, Bools]:
        import torch

        from anew.core.batch import Encoded

        x = self.encode(data, view)
        known = x.present & torch.from_numpy(~unknown)[:, None]
        return Encoded(x.x * known, known), np.asarray(known.numpy())

    def _tensors(self, pixels: Pixels, gone: npt.NDArray[np.bool_]) -> Encoded:
        import torch

        from anew.core.batch import Encoded

        x = torch.from_numpy(self._scaled(pixels).transpose(0, 3, 1, 2).copy())
        there = torch.from_numpy(~gone)[:, None, None, None].expand(x.shape).clone()
        return Encoded(torch.where(there, x, 0.0), there)

    def _scaled(self, pixels: Pixels) -> npt.NDArray[np.float32]:
        """(n, H, W, C) in [-1, 1], multiplied by alpha."""
        x = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
        if self.shape[2] == 4:
            x[..., :3] *= x[..., 3:]
        return np.asarray(2 * x - 1)

    def _cells(self, pixels: Pixels, gone: npt.NDArray[np.bool_]) -> Cells:
        scores = self._scores(pixels)
        cells = Cells.empty(len(pixels), len(self.grids))
        for j, grid in enumerate(self.grids):
            inside = np.clip(scores[:, j], grid.lower[0], grid.upper[-1])  # a new picture may lie beyond all known
            cells.codes[:, j], cells.positions[:, j] = grid.encode(inside)
        cells.codes[gone], cells.positions[gone] = MISSING, np.nan
        return cells

    def decode(self, x: Any, view: str) -> pl.DataFrame:
        if view != "Real":
            raise UsageError(f"{view} is a view of pictures that is read, never decoded")
        unit = np.clip((x.x.numpy().transpose(0, 2, 3, 1).astype(np.float64) + 1) / 2, 0, 1)
        gone = ~x.present.flatten(1).any(1).numpy() if len(unit) else np.zeros(0, bool)
        return pl.DataFrame([column(self.field.name, self._pixels(unit), gone)])

    def _pixels(self, unit: Floats) -> Pixels:
        """(n, H, W, C) in [0, 1] -> whole numbers, of the palette where there is one."""
        dtype = dtype_of(self.field)
        if self.palette is not None:
            return _nearest(unit, self.palette)
        if self.shape[2] == 4:
            unit = np.concatenate([unit[..., :3] / np.maximum(unit[..., 3:], 1e-3), unit[..., 3:]], -1).clip(0, 1)
        return np.asarray(np.rint(unit * np.iinfo(dtype).max).astype(dtype))

    # ---------------------------------------------------------------- conditions and state

    def state(self) -> tuple[Config, Arrays]:
        arrays: Arrays = {} if self.palette is None else {"palette": self.palette}
        if self.components is not None and self.middle is not None:
            arrays |= {"components": self.components.astype(np.float32), "middle": self.middle}
        for i, grid in enumerate(self.grids):
            arrays |= {f"{i}.lower": grid.lower, f"{i}.upper": grid.upper, f"{i}.counts": grid.counts}
        return {"missing": [grid.missing for grid in self.grids]}, arrays

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.palette = arrays.get("palette")
        if "components" in arrays:
            self.components, self.middle = arrays["components"].astype(np.float64), arrays["middle"]
        self.grids = tuple(
            Grid(arrays[f"{i}.lower"], arrays[f"{i}.upper"], arrays[f"{i}.counts"], missing)
            for i, missing in enumerate(config["missing"])
        )


def _colours(pixels: Pixels) -> npt.NDArray[np.uint8] | None:
    """The colours (K, C) of pixel art; None when there are more than COLOURS. Unseen ones all become nothing."""
    flat = np.ascontiguousarray(pixels).reshape(-1, pixels.shape[-1])
    if pixels.shape[-1] == 4:
        flat = np.where(flat[:, 3:] == 0, 0, flat).astype(np.uint8)
    words = flat.astype(np.uint32) @ (256 ** np.arange(flat.shape[1], dtype=np.uint32))
    known: set[int] = set()
    for part in np.array_split(words, max(len(words) // 1_000_000, 1)):
        known.update(np.unique(part).tolist())
        if len(known) > COLOURS:
            return None
    codes = np.array(sorted(known), np.uint32)
    return np.stack([(codes >> (8 * c)) & 255 for c in range(flat.shape[1])], 1).astype(np.uint8)


def _nearest(unit: Floats, palette: npt.NDArray[np.uint8]) -> Pixels:
    """Each pixel as the nearest colour, both multiplied by alpha."""
    colours = palette.astype(np.float32) / 255
    if colours.shape[1] == 4:
        colours[:, :3] *= colours[:, 3:]
    flat = unit.reshape(-1, unit.shape[-1]).astype(np.float32)
    codes = np.empty(len(flat), np.intp)
    for start in range(0, len(flat), 65_536):
        part = flat[start : start + 65_536]
        codes[start : start + 65_536] = ((colours**2).sum(1) - 2 * part @ colours.T).argmin(1)
    return palette[codes].reshape(unit.shape)


def _axes(centred: Floats) -> Floats:
    """The leading axes (k, d) of vectors (n, d), by a seeded random range finder (Halko, Martinsson & Tropp 2011)."""
    k, dice = min(COMPONENTS, *centred.shape), np.random.default_rng(0)
    span = centred.T @ dice.standard_normal((len(centred), min(k + 10, len(centred))))  # (d, k + 10)
    for _ in range(2):
        span = centred.T @ (centred @ np.linalg.qr(span)[0])
    base = np.linalg.qr(span)[0]
    return np.asarray((base @ np.linalg.svd(centred @ base, full_matrices=False)[2].T).T[:k])
