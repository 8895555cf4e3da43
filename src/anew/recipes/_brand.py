"""The colours of a brand, and pictures in them, by CIE L*a*b* (D65, sRGB: IEC 61966-2-1).

Tinted: every pixel keeps its lightness and takes the hue of the brand colour nearest in hue; its chroma is scaled so
that the strongest pixels reach that colour's. Greys stay grey, so shading and white grounds survive. Flat: every pixel
is the nearest in L*a*b* of the brand's colours, black and white.

Shapes: n pictures, H rows, W columns, K colours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from anew.core.columns import Floats
from anew.core.errors import UsageError
from anew.core.pixels import Pixels
from anew.recipes._shown import as_colour

GREY = 8.0  # chroma up to which a colour is a grey
STRONG = 0.95  # the share of the pixels of a hue that are weaker than its strong ones
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
WHITE = TO_XYZ.sum(1)
EDGE = 6 / 29  # where the cube root of L*a*b* becomes a line


@dataclass(frozen=True)
class Brand:
    """`colours` (K, 3) in 8 bits."""

    names: tuple[str, ...]
    colours: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, words: str | int | Sequence[str]) -> Brand:
        """From "#12355b,#e4572e" or a list of such; #abc stands for #aabbcc."""
        words = str(words) if isinstance(words, int) else words  # 123456 on the command line is a number
        listed = [w.strip() for w in (words.split(",") if isinstance(words, str) else words) if w.strip()]
        bad = [word for word in listed if not re.fullmatch(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", word)]
        if bad or not listed:
            raise UsageError(
                "A brand's colours are written in hexadecimal, like #12355b,#e4572e", found=bad[0] if bad else words
            )
        digits = [word.lstrip("#").lower() for word in listed]
        whole = ["".join(c + c for c in word) if len(word) == 3 else word for word in digits]
        return cls(
            tuple(f"#{word}" for word in whole), np.array([list(bytes.fromhex(word)) for word in whole], np.uint8)
        )

    @cached_property
    def lab(self) -> Floats:
        return to_lab(self.colours)

    def tinted(self, pictures: Pixels) -> Pixels:
        """(n, H, W, 3 or 4): hues of the brand, lightness kept."""
        lab = to_lab(as_colour(pictures))
        chromatic = self.lab[np.hypot(*self.lab[:, 1:].T) > GREY]
        chroma = np.hypot(lab[..., 1], lab[..., 2])
        new = lab * [1.0, 0.0, 0.0]
        if len(chromatic):
            nearest = _hue_gap(lab, chromatic).argmin(-1)
            for k, colour in enumerate(chromatic):
                mine = (nearest == k) & (chroma > GREY)
                if mine.any():
                    share = chroma[mine] / np.quantile(chroma[mine], STRONG)
                    new[mine, 1:] = np.minimum(share, 1.0)[:, None] * colour[1:]
        return _with_alpha(to_rgb(new), pictures)

    def flat(self, pictures: Pixels) -> Pixels:
        """(n, H, W, 3 or 4): only the brand's colours, black and white."""
        inks = np.concatenate([self.colours, np.array([[0, 0, 0], [255, 255, 255]], np.uint8)])
        plain = as_colour(pictures)
        lab, known = to_lab(plain), to_lab(inks)
        nearest = np.stack([((lab - colour) ** 2).sum(-1) for colour in known]).argmin(0)
        return _with_alpha(inks[nearest], pictures)

    def off_hue(self, pictures: Pixels) -> float:
        """The mean angle in degrees between the hue of a coloured pixel and the brand's nearest; 0 where none is."""
        lab = to_lab(as_colour(pictures))
        chroma = np.hypot(lab[..., 1], lab[..., 2])
        chromatic = self.lab[np.hypot(*self.lab[:, 1:].T) > GREY]
        coloured = chroma > 2 * GREY
        if not len(chromatic) or not coloured.any():
            return 0.0
        return float(np.degrees(_hue_gap(lab[coloured], chromatic).min(-1).mean()))


def lightness_moved(a: Pixels, b: Pixels) -> float:
    """The mean change of L* from picture to picture, of 100."""
    return float(np.abs(to_lab(as_colour(a))[..., 0] - to_lab(as_colour(b))[..., 0]).mean())


def _hue_gap(lab: Floats, colours: Floats) -> Floats:
    """The angle between hues.  (..., 3), (K, 3) -> (..., K)"""
    hue, known = np.arctan2(lab[..., 2], lab[..., 1]), np.arctan2(colours[:, 2], colours[:, 1])
    gap = np.abs(hue[..., None] - known)
    return np.asarray(np.minimum(gap, 2 * np.pi - gap))


def _with_alpha(colour: Pixels, like: Pixels) -> Pixels:
    return np.concatenate([colour, like[..., 3:]], -1) if like.shape[-1] == 4 else colour


def to_lab(colours: npt.NDArray[np.uint8]) -> Floats:
    """(..., 3) in 8 bits -> L*, a*, b*."""
    unit = colours / 255.0
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    t = linear @ TO_XYZ.T / WHITE
    f = np.where(t > EDGE**3, np.cbrt(t), t / (3 * EDGE**2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def to_rgb(lab: Floats) -> npt.NDArray[np.uint8]:
    """L*, a*, b* (..., 3) -> 8 bits; what no screen shows is clipped."""
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    xyz = np.where(f > EDGE, f**3, 3 * EDGE**2 * (f - 4 / 29)) * WHITE
    linear = np.clip(xyz @ np.linalg.inv(TO_XYZ).T, 0, 1)
    unit = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(unit * 255).astype(np.uint8))
