"""DICOM: stored values -> rescaled (slope, intercept) -> windowed -> grey; nothing but pixels is taken from the file.

With window centre c and width w (PS3.3, C.11.2.1.2) a value x becomes (x - (c - 0.5)) / (w - 1) + 0.5, clipped to
[0, 1]; without a window the whole range that the stored bits allow becomes [0, 1], so that files keep one scale.
MONOCHROME1, where high is dark, is inverted. More than 8 bits stored give 16-bit grey.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from anew.core.errors import UsageError
from anew.core.pixels import Pixels

MAGIC = b"DICM"  # after 128 bytes of preamble


def size_of(file: Any) -> tuple[int, int]:
    """Height and width from the header."""
    head = _read(file, stop_before_pixels=True)
    return int(head.Rows), int(head.Columns)


def frames(file: Any) -> tuple[list[Pixels], str]:
    """Each frame as (H, W, C), and the mode of all."""
    data = _read(file)
    stored = data.pixel_array
    colour = int(data.get("SamplesPerPixel", 1)) > 1
    if data.PhotometricInterpretation == "PALETTE COLOR":
        stored, colour = _coloured(stored, data), True
    many = stored if stored.ndim == (4 if colour else 3) else stored[None]
    if colour:
        return [_eight(frame, data) for frame in many], "RGB"
    deep = int(data.BitsStored) > 8
    return [_grey(frame, data, deep)[:, :, None] for frame in many], "I;16" if deep else "L"


def _read(file: Any, **options: Any) -> Any:
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
    except ImportError:
        raise UsageError(
            "DICOM files need the package pydicom, which is not installed", do="pip install 'anew[dicom]'"
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of tags that are not to the letter of the standard
        try:
            return pydicom.dcmread(file, **options)
        except InvalidDicomError as error:
            raise ValueError(str(error)) from None


def _coloured(stored: Any, data: Any) -> Any:
    from pydicom.pixels.processing import apply_color_lut

    return apply_color_lut(stored, data)


def _eight(frame: Any, data: Any) -> Pixels:
    from pydicom.pixels.processing import convert_color_space

    if str(data.PhotometricInterpretation).startswith("YBR"):
        frame = convert_color_space(frame, data.PhotometricInterpretation, "RGB")
    bits = 16 if data.PhotometricInterpretation == "PALETTE COLOR" and frame.dtype == np.uint16 else data.BitsStored
    return np.asarray(frame >> (bits - 8) if bits > 8 else frame).astype(np.uint8)


def _grey(frame: Any, data: Any, deep: bool) -> Pixels:
    from pydicom.pixels.processing import apply_modality_lut

    values = np.asarray(apply_modality_lut(frame, data), np.float64)
    light = _windowed(values, data)
    if data.PhotometricInterpretation == "MONOCHROME1":
        light = 1.0 - light
    most = 65535 if deep else 255
    grey: Pixels = np.rint(light * most).astype("<u2" if deep else np.uint8)
    return grey


def _windowed(values: Any, data: Any) -> Any:
    """Values in [0, 1]."""
    centre, width = (_first(data.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is not None and width is not None and width > 1:
        return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0.0, 1.0)
    bits, signed = int(data.BitsStored), bool(data.get("PixelRepresentation", 0))
    slope, intercept = (float(data.get(name, usual)) for name, usual in (("RescaleSlope", 1), ("RescaleIntercept", 0)))
    lowest = slope * (-(2 ** (bits - 1)) if signed else 0) + intercept
    return np.clip((values - lowest) / (slope * (2**bits - 1)), 0.0, 1.0)


def _first(value: Any) -> float | None:
    """A window may come with alternatives; the first is the one that the scanner proposes."""
    if value is None or value == "":
        return None
    return float(value[0] if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else value)
