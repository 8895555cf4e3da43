"""Compression, found by the first bytes and never by the name; expansion is limited, so that a bomb stays small."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from anew.core.errors import DataError, ResourceError
from anew.data.formats.found import choose_part, need

FREE = 32 * 2**20  # bytes that any file may expand to
RATIO = 200  # beyond FREE, no more than this many times the packed size: tables pack 3 to 30 times
BLOCK = 2**20


def _zstandard(path: Path) -> IO[bytes]:
    stream: IO[bytes] = need("pyarrow", "Zstandard files").input_stream(str(path), compression="zstd")
    return stream


MAGIC: dict[bytes, tuple[str, Callable[[Path], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda path: gzip.open(path)),
    b"BZh": ("bzip2", lambda path: bz2.open(path)),
    b"\xfd7zXZ\x00": ("xz", lambda path: lzma.open(path)),
    b"\x28\xb5\x2f\xfd": ("zstandard", _zstandard),
}
ZIP = b"PK\x03\x04"
HIDDEN = ("__MACOSX", ".")


def unpack(path: Path, part: str | None, work: Path) -> tuple[Path, str | None, list[str]]:
    """The file itself, or its expansion in the folder `work`; the part still to choose; and what was found."""
    head = first_bytes(path, 6)
    for magic, (name, opened) in MAGIC.items():
        if head.startswith(magic):
            return _expand(path, opened, work, name), part, [f"{name} compression"]
    if head.startswith(ZIP) and not is_workbook(path):
        return _member(path, part, work), None, ["zip archive"]
    return path, part, []


def first_bytes(path: Path, many: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(many)
    except OSError as error:
        raise DataError(f"Cannot read {str(path)!r}: {error.strerror}", do="Check who may read it") from None


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is an Excel or OpenDocument workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            check_expansion(path, sum(info.file_size for info in archive.infolist()))
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{str(path)!r} is a damaged zip archive or workbook: {error}") from None
    return any(name.startswith("xl/") or name == "content.xml" for name in names)


def check_expansion(path: Path, size: int) -> None:
    """Refuse what expands like a bomb."""
    packed = max(path.stat().st_size, 1)
    if size > FREE and size > RATIO * packed:
        raise DataError(
            f"{str(path)!r} ({packed:,} bytes) expands to more than {max(FREE, RATIO * packed):,} bytes, "
            f"over {RATIO} times its size, as a zip bomb does",
            do="If you trust the file, unpack it yourself and give the unpacked file",
        )


def _member(path: Path, part: str | None, work: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        names = [i.filename for i in archive.infolist() if not i.is_dir() and not i.filename.startswith(HIDDEN)]
        name = choose_part(path, names, part, "file")
        if archive.getinfo(name).flag_bits & 1:
            raise DataError(f"{str(path)!r} is encrypted", do="Unpack it yourself and give the unpacked file")
        return _expand(path, lambda _: archive.open(name), work, "zip")


def _expand(path: Path, opened: Callable[[Path], Any], work: Path, name: str) -> Path:
    target = work / "unpacked"
    size = 0
    try:
        with opened(path) as source, target.open("wb") as sink:
            while block := source.read(BLOCK):
                size += len(block)
                check_expansion(path, size)
                sink.write(block)
                _check_room(work, size)
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(
            f"{str(path)!r} is damaged: its {name} compression breaks off after {size:,} bytes",
            found=str(error),
            do="Fetch or pack it again",
        ) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(
            f"{str(path)!r} is damaged: its {name} compression cannot be read",
            found=str(error),
            do="Fetch or pack it again",
        ) from None
    return target


def _check_room(work: Path, size: int) -> None:
    if size % (64 * BLOCK) == 0 and shutil.disk_usage(work).free < 256 * BLOCK:
        raise ResourceError(
            f"No room in {str(work)!r} to unpack the file: {size:,} bytes so far",
            do="Free some disk space or set TMPDIR to a larger disk",
        )
