"""Traits of a picture that no label taught: where it lies along the main directions of its pixels, and how sharp it is.

What compares training with held-out pictures must know both alike, or it would tell them apart by its own training.
So the directions (principal components) are those of training and held-out pictures together, and the rest is fixed:
the mean and contrast of each channel, and the energy of the details at each octave, that is the mean absolute
difference between a pixel and its 2 x 2 square (Haar), which blur lowers and noise raises.

n pictures, C channels, P components, D = P + 2 C + octaves traits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anew.audit.encode import Singles
from anew.audit.scaled import scaled
from anew.core.columns import Floats
from anew.core.pixels import Pixels

COARSE = 16  # the longest side for the components
FINE = 32  # for the details
COMPONENTS = 40
OCTAVES = 3
BLOCK = 2048


@dataclass(frozen=True)
class Traits:
    """`mean` (d,) and `directions` (d, P) of the coarse pictures; `size` is the usual distance of two of them."""

    mean: Singles
    directions: Singles
    size: float
    spread: Floats  # (D,) of each trait

    @classmethod
    def fitted(cls, pixels: Pixels) -> Traits:
        """From real pictures (n, H, W, C), as many that were learned from as held out."""
        flat = _flat(pixels)
        mean = flat.mean(0)
        values, vectors = np.linalg.eigh(np.cov((flat - mean).T).reshape(flat.shape[1], -1))
        directions = vectors[:, ::-1][:, : min(COMPONENTS, len(flat) - 1)].astype(np.float32)
        size = float(np.sqrt(2 * max(values.sum(), 1e-12)))
        new = cls(mean, directions, size, np.ones(1))
        return cls(mean, directions, size, new.of(pixels).std(0) + 1e-9)

    def of(self, pixels: Pixels) -> Floats:
        """(n, H, W, C) -> (n, D): components, then means, contrasts and details."""
        parts = [self._block(pixels[start : start + BLOCK]) for start in range(0, len(pixels), BLOCK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.spread)))

    def _block(self, pixels: Pixels) -> Floats:
        fine = scaled(pixels, FINE)
        places = (_flat(pixels) - self.mean) @ self.directions
        return np.hstack([places, fine.mean((2, 3)), fine.std((2, 3)), _details(fine)]).astype(np.float64)

    def placed(self, traits: Floats, how: str) -> Singles:
        """Vectors for distances: two pictures drawn at random are about 1 apart.  (n, D) -> (n, D')

        `range` is the distance of the pixels; `rank` gives every trait the same weight, so that details count.
        """
        if how == "range":
            return np.asarray(traits[:, : self.directions.shape[1]] / self.size, dtype=np.float32)
        return np.asarray(traits / (self.spread * np.sqrt(2 * traits.shape[1])), dtype=np.float32)


def _flat(pixels: Pixels) -> Singles:
    return scaled(pixels, COARSE).reshape(len(pixels), -1)


def _details(pictures: Singles) -> Singles:
    """Logarithm of the mean size of the details at each octave.  (n, C, h, w) -> (n, octaves)"""
    found = []
    for _ in range(OCTAVES):
        if min(pictures.shape[2:]) < 2:
            break
        height, width = (side // 2 * 2 for side in pictures.shape[2:])
        squares = pictures[:, :, :height, :width].reshape(*pictures.shape[:2], height // 2, 2, width // 2, 2)
        coarser = squares.mean((3, 5))
        found.append(np.log(np.abs(squares - coarser[:, :, :, None, :, None]).mean((1, 2, 3, 4, 5)) + 1e-4))
        pictures = coarser
    return np.stack(found, axis=1) if found else np.zeros((len(pictures), 0), np.float32)
