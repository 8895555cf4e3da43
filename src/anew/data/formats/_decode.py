"""One picture: its header is read first, so that a bomb is refused before it is unpacked; then its pixels.

What is kept is pixels alone. The EXIF orientation is obeyed and every other tag is dropped. Grey stays grey, a palette
becomes its colours, alpha is kept where a pixel is not opaque, CMYK and its like become RGB.

Shapes: H rows, W columns, C channels.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from anew.core.errors import AnewError
from anew.core.pixels import Pixels
from anew.data.formats import _dicom

if TYPE_CHECKING:
    from PIL import Image

Source = Path | bytes | Pixels  # a file, its content (or an array as .npy), or the pixels themselves
Size = tuple[int, int]  # height, width

MOST_PIXELS = 2**26  # of one picture: 67 million, more than a camera of 60 megapixels gives
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
NPY = b"\x93NUMPY"
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", NPY)
PLAIN = ("1", "L", "LA", "La", "P", "PA")  # modes of Pillow that may hold nothing but grey
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
UPRIGHT, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # the EXIF tag of the orientation, and those that exchange the axes


class Bad(Exception):
    """Why one picture cannot be used: the rest of a sentence that begins with its name."""


@dataclass(frozen=True)
class Decoded:
    """Pixels (H, W, C) in the smallest mode that loses nothing, and what had to be done for that."""

    pixels: Pixels
    mode: str
    done: tuple[str, ...] = ()


def is_picture(head: bytes) -> bool:
    """Whether a file that begins like this (132 bytes are enough) says that it is a picture."""
    return (
        head.startswith(MAGIC)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or (head[:2] == b"BM" and head[6:10] == bytes(4))
        or head[128:132] == _dicom.MAGIC
    )


def size_of(source: Source) -> Size:
    """Height and width as they will be seen, from the header alone."""
    if isinstance(source, np.ndarray):
        return _check_shape(source.shape)
    head = head_of(source)
    if head.startswith(NPY):
        return _check_shape(_array(source).shape)
    if head[128:132] == _dicom.MAGIC:
        with _explained(source):
            return _check_size(_dicom.size_of(_file(source)))
    with opened(source) as image:
        width, height = image.size
        turned = "exif" in image.info and image.getexif().get(UPRIGHT) in SIDEWAYS
        return (width, height) if turned else (height, width)


def decode(source: Source, need: int = 0) -> Decoded:
    """The pixels; a JPEG is unpacked at a fraction of its size where `need` pixels on its short side are enough."""
    if isinstance(source, np.ndarray):
        return from_array(source)
    head = head_of(source)
    if head.startswith(NPY):
        return from_array(_array(source))
    if head[128:132] == _dicom.MAGIC:
        with _explained(source):
            frames, mode = _dicom.frames(_file(source))
            return Decoded(frames[0], mode, ("the first frame of several",) if len(frames) > 1 else ())
    with opened(source) as image:
        if need:
            image.draft(None, (need, need))
        found = from_image(image)
        several = bool(getattr(image, "is_animated", False))  # asked before, a TIFF would forget its orientation
        return Decoded(found.pixels, found.mode, (*found.done, *(["the first frame of several"] if several else [])))


def decode_frames(source: Path | bytes) -> list[Decoded]:
    """Every frame of a GIF, TIFF, WebP or DICOM file."""
    from PIL import ImageSequence

    if head_of(source)[128:132] == _dicom.MAGIC:
        with _explained(source):
            frames, mode = _dicom.frames(_file(source))
            return [Decoded(frame, mode) for frame in frames]
    with opened(source) as image:
        many = int(getattr(image, "n_frames", 1))
        if many * image.width * image.height > 8 * MOST_PIXELS:
            raise Bad(f"has {many:,} frames of {image.width:,} x {image.height:,} pixels, over {8 * MOST_PIXELS:,}")
        return [from_image(frame) for frame in ImageSequence.Iterator(image)]


def head_of(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        head = source[:132]
    else:
        with _explained(source), source.open("rb") as file:
            head = file.read(132)
    if not head:
        raise Bad("is empty (0 bytes)")
    return head


@contextmanager
def opened(source: Path | bytes) -> Iterator[Image.Image]:
    """An image of Pillow whose header was found good."""
    from PIL import Image

    with _explained(source), _stream(source) as stream, Image.open(stream, formats=FORMATS) as image:
        _check_size((image.height, image.width))
        yield image


@contextmanager
def _explained(source: Path | bytes) -> Iterator[None]:
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except (AnewError, Bad, MemoryError):
        raise
    except FileNotFoundError:
        raise Bad("does not exist") from None
    except UnidentifiedImageError:
        raise Bad(_what(source)) from None
    except Image.DecompressionBombError:
        raise Bad(f"has far more than {MOST_PIXELS:,} pixels, the limit for one picture") from None
    except DAMAGE as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Bad(f"is {'truncated' if 'runcated' in words else 'damaged'}: {words}") from None
    except Exception as error:  # a damaged file may raise anything, and what cannot be unpacked is said in many ways
        raise Bad(f"cannot be read: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from None


def _file(source: Path | bytes) -> Any:
    return source if isinstance(source, Path) else io.BytesIO(source)


def _stream(source: Path | bytes) -> IO[bytes]:
    """An open file, never its name: of a file that Pillow maps into memory it turns a lying TIFF twice."""
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _what(source: Path | bytes) -> str:
    """What a file that is no picture holds instead."""
    head = head_of(source)
    if is_picture(head):
        return "is damaged: its header cannot be read"
    text = head.decode("utf-8", errors="replace")
    if sum(letter.isprintable() or letter.isspace() for letter in text) > 0.95 * len(text) and "\ufffd" not in text:
        return "holds text and no picture"
    return f"is no picture of a known format ({', '.join(FORMATS)}, DICOM)"


def _check_size(size: Size) -> Size:
    height, width = size
    if height * width > MOST_PIXELS:
        raise Bad(
            f"has {width:,} x {height:,} pixels ({height * width / 1e6:,.0f} million), over the limit of "
            f"{MOST_PIXELS:,} for one picture"
        )
    if not height * width:
        raise Bad("has no pixels")
    return size


# ---------------------------------------------------------------- from Pillow


def from_image(image: Image.Image) -> Decoded:
    """Upright, and in the smallest of our modes that loses nothing."""
    from PIL import ImageOps

    came, grey = image.mode, image.mode in PLAIN or image.format == "GIF"
    deep = came in ("RGB", "RGBA") and ";16" in str(getattr(image, "tile", ())[:1])
    image.load()
    image = ImageOps.exif_transpose(image)
    if came.startswith("I") or came == "F":
        return _deep_grey(np.asarray(image), came)
    wanted = "RGBA" if image.has_transparency_data else "L" if came in ("1", "L") else "RGB"
    pixels = np.array(image if came == wanted else image.convert(wanted))
    done = [f"{came} read as RGB"] if came not in (*PLAIN, "RGB", "RGBA", "RGBa") else []
    smallest = _smallest(pixels, grey=grey)
    return Decoded(*smallest, tuple(done + (["16 bits a colour read as 8"] if deep else [])))


def _deep_grey(pixels: Pixels, mode: str) -> Decoded:
    if mode == "F" or pixels.min() < 0 or pixels.max() > 65535:
        raise Bad("holds floating-point numbers" if mode == "F" else "holds whole numbers beyond 16 bits")
    return Decoded(pixels.astype("<u2")[:, :, None], "I;16")


def _smallest(pixels: Pixels, grey: bool) -> tuple[Pixels, str]:
    """Without alpha where all of it is opaque; grey where the file could have held no colour, and holds none."""
    if pixels.ndim == 2:
        return pixels[:, :, None], "L"
    if pixels.shape[2] == 4:
        if (pixels[:, :, 3] != 255).any():
            return pixels, "RGBA"
        pixels = pixels[:, :, :3]
    if grey and (pixels == pixels[:, :, :1]).all():
        return np.ascontiguousarray(pixels[:, :, :1]), "L"
    return np.ascontiguousarray(pixels), "RGB"


# ---------------------------------------------------------------- from arrays


def to_npy(pixels: Pixels) -> bytes:
    """An array as the content of an .npy file, which is how arrays travel in a column."""
    file = io.BytesIO()
    np.save(file, pixels, allow_pickle=False)
    return file.getvalue()


def _array(source: Path | bytes) -> Pixels:
    try:
        with _explained(source):
            array: Pixels = np.load(_file(source), allow_pickle=False)
            return array
    except MemoryError:  # its header promises more than there is
        raise Bad("is damaged: its header cannot be true") from None


def _check_shape(shape: tuple[int, ...]) -> Size:
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)):
        return _check_size((shape[0], shape[1]))
    raise Bad(f"is an array of shape {shape}, not (height, width) or (height, width, 1, 3 or 4 channels)")


def from_array(array: Pixels) -> Decoded:
    """uint8, uint16 (grey), booleans, whole numbers to 255, or fractions from 0 to 1."""
    _check_shape(array.shape)
    pixels = array[:, :, None] if array.ndim == 2 else array
    if pixels.dtype == np.uint16:
        if pixels.shape[2] == 1:
            return Decoded(np.ascontiguousarray(pixels, "<u2"), "I;16")
        return Decoded(*_smallest((pixels >> 8).astype(np.uint8), grey=False), ("16 bits a colour read as 8",))
    if pixels.dtype != np.uint8:
        pixels = _eight_bits(pixels)
    return Decoded(*_smallest(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels, grey=False))


def _eight_bits(pixels: Pixels) -> Pixels:
    if pixels.dtype.kind not in "biuf":
        raise Bad(f"is an array of {pixels.dtype}, not of numbers")
    low, high = (0, 1) if pixels.dtype.kind in "bf" else (0, 255)
    if not ((pixels >= low) & (pixels <= high)).all():
        raise Bad(f"is an array of {pixels.dtype} with values outside {low} to {high}")
    scaled = np.rint(pixels * 255.0) if high == 1 else pixels
    return scaled.astype(np.uint8)
