"""Text in any common encoding becomes UTF-8: byte-order marks first, then UTF-8 by validity, else Windows-1252.

A file that is UTF-8 but for a broken byte is an error that names the line: reading it as Windows-1252 would turn every
other accent into two wrong letters without a word.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from anew.core.errors import DataError

BLOCK = 2**22
ENOUGH = 100  # broken bytes that settle the question; each costs a copy of the block
UNDEFINED = b"\x81\x8d\x8f\x90\x9d"  # in Windows-1252, not in latin-1
BOMS = {  # longest first: the UTF-32 mark begins with the UTF-16 one
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SHOWN = {"utf-8-sig": "utf-8 with a byte-order mark", "cp1252": "windows-1252 (latin-1)", "latin-1": "latin-1"}


def as_utf8(path: Path, work: Path) -> tuple[Path, list[str]]:
    """The file itself if it is plain UTF-8 with newlines, else a copy that is; and the encoding as a note."""
    name = _encoding(path)
    if name == "utf-8" and not _old_mac(path):
        return path, []
    target = work / "utf8.txt"
    _recode(path, name, target)
    return target, [f"encoding {SHOWN.get(name, name)}"] if name != "utf-8" else []


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in BOMS.items():
        if head.startswith(mark):
            return name
    if b"\0" in head:
        return _without_mark(head, path)
    return _by_validity(path)


def _without_mark(head: bytes, path: Path) -> str:
    """UTF-16 without a mark has its zero bytes on one side of every pair; anything else with zeros is no text."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > 4 * even and odd > len(head) // 5:
        return "utf-16-le"
    if even > 4 * odd and even > len(head) // 5:
        return "utf-16-be"
    raise DataError(
        f"{str(path)!r} is no table: it is neither text nor Parquet, Arrow, Excel, SQLite or DuckDB",
        found=head[:16],
        do="Give a table in one of these formats",
    )


@dataclass
class _Bytes:
    """What the bytes of a file say about UTF-8."""

    letters: int = 0  # valid sequences of several bytes
    broken: int = 0  # bytes that no UTF-8 text has
    line: int = 0  # of the first broken byte


def _by_validity(path: Path) -> str:
    seen = _look(path)
    if not seen.broken:
        return "utf-8"
    if seen.letters > seen.broken:
        raise DataError(
            f"{str(path)!r} is UTF-8 text with {seen.broken} broken byte{'s' * (seen.broken > 1)}, "
            f"the first in line {seen.line:,}",
            do="Repair that line, or save the file again as UTF-8",
        )
    return "latin-1" if _holds(path, UNDEFINED) else "cp1252"


def _holds(path: Path, wanted: bytes) -> bool:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if len(block.translate(None, wanted)) < len(block):
                return True
    return False


def _look(path: Path) -> _Bytes:
    """Decode block by block, counting; a block is only examined closely when it is not plain ASCII."""
    seen, rest, lines = _Bytes(), b"", 1
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            rest = _count(rest + block, seen, lines, final=False)
            lines += block.count(b"\n")
    _count(rest, seen, lines, final=True)
    return seen


def _count(data: bytes, seen: _Bytes, line: int, final: bool) -> bytes:
    """Count in `data`; returns the bytes of a sequence that the block's end cuts."""
    if data.isascii() or seen.broken > ENOUGH:
        return b""
    start = 0
    while start < len(data) and seen.broken <= ENOUGH:
        try:
            text = data[start:].decode("utf-8")
            seen.letters += len(data) - start - len(text)
            return b""
        except UnicodeDecodeError as error:
            bad = start + error.start
            good = data[start:bad]
            seen.letters += len(good) - len(good.decode("utf-8"))
            if error.reason == "unexpected end of data" and not final:
                return data[bad:]
            seen.broken += 1
            seen.line = seen.line or line + data.count(b"\n", 0, bad)
            start = bad + 1
    return b""


def _old_mac(path: Path) -> bool:
    """Whether lines end with a carriage return alone."""
    with path.open("rb") as file:
        head = file.read(65536)
    return b"\r" in head and b"\n" not in head


def _recode(path: Path, name: str, target: Path) -> None:
    with path.open("rb") as file, target.open("w", encoding="utf-8", newline="") as sink:
        decoder = codecs.getincrementaldecoder(name)()
        newlines = _old_mac(path)
        try:
            while block := file.read(BLOCK):
                text = decoder.decode(block)
                sink.write(text.replace("\r", "\n") if newlines else text)
            sink.write(decoder.decode(b"", True))
        except UnicodeDecodeError as error:
            raise DataError(
                f"{str(path)!r} starts as {name} but breaks off: {error.reason}", do="Save the file again as UTF-8"
            ) from None
