"""A file appears whole or not at all: temporary neighbour, fsync, rename."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anew.core.errors import DataError, ResourceError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """A temporary path of the same suffix; it takes the place of `path` when the block ends without an error."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise explain(error, path) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _settle(temporary, path)
    except OSError as error:
        raise explain(error, path) from None
    finally:
        temporary.unlink(missing_ok=True)


def _settle(temporary: Path, path: Path) -> None:
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    os.chmod(temporary, 0o666 & ~umask())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The rename itself must reach the disk; Windows cannot open folders and needs no such step."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def explain(error: OSError, path: Path) -> DataError | ResourceError:
    if error.errno in FULL or "space left" in str(error).lower() or "os error 28" in str(error).lower():
        return ResourceError(
            f"No space left on the disk of {str(path)!r}; nothing was written", do="Free some space or write elsewhere"
        )
    return DataError(
        f"Cannot write {str(path)!r}: {error.strerror or error}", do="Check that the folder exists and may be written"
    )
