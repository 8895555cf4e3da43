"""Judges of style transfer: a reader of styles and a reader of contents, trained on real pictures only.

Both are networks of the audit, which share nothing with those that draw. The reader of contents learns to name the
contents of the training pictures across styles; its features then compare contents that it never saw.

n pictures, D features, S styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from anew.audit.reader import SIDE, Reader, fit_reader
from anew.audit.scaled import scaled
from anew.core.columns import Floats
from anew.core.pixels import Pixels
from anew.recipes._pairs import Styles

AMONG = 100  # contents that one is to be found among


@dataclass(frozen=True)
class Judges:
    """`style` names the style of a picture; `content`, where there are pairs, gives features that tell contents."""

    styles: Styles
    style: Reader
    content: Reader | None

    @classmethod
    def of(cls, styles: Styles, seed: int) -> Judges:
        frame = styles.learned.frame
        pictures = scaled(styles.pixels(frame), SIDE)
        known = {name: k for k, name in enumerate(styles.names)}
        labels = np.array([known[word] for word in frame[styles.style].cast(pl.String)])
        style = fit_reader(pictures, labels, len(known), seed)
        if styles.content is None:
            return cls(styles, style, None)
        contents = frame[styles.content].rank("dense").to_numpy().astype(np.intp) - 1
        return cls(styles, style, fit_reader(pictures, contents, int(contents.max()) + 1, seed, salt=1))

    @cached_property
    def accuracy(self) -> float:
        """How often the style of a held-out real picture is read."""
        held = self.styles.held
        chances = self.style.chances(scaled(self.styles.pixels(held), SIDE))
        known = held[self.styles.style].cast(pl.String).to_list()
        return float(np.mean([self.styles.names[k] == word for k, word in zip(chances.argmax(1), known, strict=True)]))

    def read(self, pixels: Pixels, style: str) -> float:
        """The share of the pictures that are read as of that style."""
        chances = self.style.chances(scaled(pixels, SIDE))
        return float((chances.argmax(1) == self.styles.names.index(style)).mean())

    def features(self, pixels: Pixels) -> Floats:
        """(n, D) of both readers."""
        small = scaled(pixels, SIDE)
        readers = [self.style] if self.content is None else [self.style, self.content]
        return np.concatenate([reader.features(small) for reader in readers], 1)

    def found(self, pixels: Pixels, gallery: Pixels) -> float:
        """How often the i-th picture is nearest to the i-th of the gallery, among at most AMONG, in content."""
        assert self.content is not None
        a, b = (_unit(self.content.features(scaled(side[:AMONG], SIDE))) for side in (pixels, gallery))
        return float(((a @ b.T).argmax(1) == np.arange(len(a))).mean())

    def scores(
        self, made: Mapping[str, Pixels], source: Pixels, truth: Pixels | None, to: str
    ) -> dict[str, dict[str, float]]:
        """Each way's marks in one direction: style read back, and against the truth where it is known."""
        marks = {}
        for way, pixels in made.items():
            mark = {"style": self.read(pixels, to)}
            if self.content is not None and truth is not None:
                mark["content"] = self.found(pixels, source)
                mark["distance"] = float(np.sqrt(((self.features(pixels) - self.features(truth)) ** 2).sum(1)).mean())
                mark["pixels"] = float(np.sqrt(((pixels / 255.0 - truth / 255.0) ** 2).mean((1, 2, 3))).mean())
            marks[way] = mark
        return marks


def _unit(features: Floats) -> Floats:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9))
