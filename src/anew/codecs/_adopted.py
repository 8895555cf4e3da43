"""The vocabulary of a model that somebody else trained: its own `tokenizer.json`, where that can write every text.

Exact are byte-pair encodings (Sennrich et al. 2016, arXiv 1508.07909) whose letters are bytes (GPT-2, Llama 3, Qwen),
and those whose letters are characters, a space written as U+2581, with the 256 bytes to fall back on (Llama 2). What
such a file does besides is left out, so that bytes(encode(text)) is the text: the space put before a text, marks around
it, the composing of letters (NFC, which most texts have been through). What would lose something is refused: lower
case, words that become "unknown", spaces that are dropped.

Shapes: R rows of the model's embedding; behind those stand marks that are ours: GONE, and END where the model has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from anew.codecs._vocabulary import BATCH, BYTE, BYTES, Tokens, Vocabulary
from anew.core.errors import DataError

SPACE = "\u2581"  # as SentencePiece writes it
LOSSLESS = ("ByteLevel", "Split", "Digits", "Punctuation", "Metaspace", "UnicodeScripts")  # ways to cut a text
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
Part = dict[str, Any]


class Adopted(Vocabulary):
    """`tokenizer` is the content of the file; `start` and `end` are tokens that the model knows as such, if any."""

    def __init__(
        self, tokenizer: Mapping[str, Any], rows: int, start: int | None = None, end: int | None = None
    ) -> None:
        self.merges = []
        self.source: Part = {"tokenizer": dict(tokenizer), "rows": rows, "start": start, "end": end}
        self._file = _exact(tokenizer)
        self._byte_level = any(part["type"] == "ByteLevel" for part in _cuts(self._file))
        self._spaced = bool(self._file["normalizer"]) or any(part["type"] == "Metaspace" for part in _cuts(self._file))
        marks = {token["id"] for token in self._file["added_tokens"] if token["special"]} | {start, end}
        self.pieces = self._pieces(rows, marks)
        self.end = self._mark() if end is None else end
        self.gone = self._mark()
        self.start = self.end if start is None else start
        self._check(sorted(mark for mark in marks if mark is not None))

    def _mark(self) -> int:
        self.pieces.append(b"")
        return len(self.pieces) - 1

    def _names(self) -> dict[str, int]:
        added = {token["content"]: token["id"] for token in self._file["added_tokens"]}
        return {**self._file["model"]["vocab"], **added}

    def _pieces(self, rows: int, marks: set[int | None]) -> list[bytes]:
        """(R,) the bytes of each token."""
        names = self._names()
        if names and max(names.values()) >= rows:
            raise _misfit("has more tokens than the model has rows in its embedding", (max(names.values()) + 1, rows))
        pieces = [b""] * rows
        plain = {token["content"] for token in self._file["added_tokens"]}
        for name, token in names.items():
            pieces[token] = b"" if token in marks else name.encode() if name in plain else self._bytes(name)
        if len(single := {piece for piece in pieces if len(piece) == 1}) < BYTES:
            raise _misfit("does not know every byte, so that some letters would be unknown", f"{len(single)} bytes")
        return pieces

    def _bytes(self, name: str) -> bytes:
        if self._byte_level:
            return bytes(BYTE[letter] for letter in name) if all(letter in BYTE for letter in name) else b""
        if byte := _BYTE_TOKEN.fullmatch(name):
            return bytes([int(byte[1], 16)])
        return (name.replace(SPACE, " ") if self._spaced else name).encode()

    def _check(self, marks: Sequence[int]) -> None:
        """What a user writes is never read as a mark, and comes back as it was."""
        called = {token: name for name, token in self._names().items()}
        probes = [*PROBES, *(called[mark] for mark in marks if mark in called)]
        for probe, tokens in zip(probes, self.encode(probes), strict=True):
            if self.bytes_of(tokens) != probe.encode():
                raise _misfit("does not give back what it was given", (probe, self.bytes_of(tokens)))

    def encode(self, texts: Sequence[str]) -> Iterator[Tokens]:
        for start in range(0, len(texts), BATCH):
            parts = [text.split(SPACE) if self._spaced else [text] for text in texts[start : start + BATCH]]
            found = iter(self._tokenizer.encode_batch([p for part in parts for p in part], add_special_tokens=False))
            for part in parts:
                yield np.array(self._joined([next(found).ids for _ in part]), np.int32)

    def _joined(self, parts: list[list[int]]) -> list[int]:
        """A letter that stands for a space here is written in bytes where a text has it."""
        whole = list(parts[0])
        for part in parts[1:]:
            whole += [*self.spelled(SPACE.encode()), *part]
        return whole

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        try:
            made: Any = Tokenizer.from_str(json.dumps(self._file))
        except Exception as error:  # the library raises nothing narrower
            raise _misfit("is not as the library tokenizers writes it", str(error)) from None
        made.encode_special_tokens = True  # a text that has the letters of a mark is no mark
        return made


PROBES = ("", "a", " two  spaces \t\r\n\n", "Ünï 🎉 日本 e\u0301 ﬁ \u2581 ½ ß İ", "\0\x7f 'S 12,345.60 </a> don't")


def _exact(found: Mapping[str, Any]) -> Part:
    """The same file without what it does besides; refused when it cannot write every text."""
    model = found.get("model") or {}
    if model.get("type") != "BPE":
        raise _misfit("is no byte-pair encoding, and writes some words as unknown", model.get("type"))
    if affixes := [model[key] for key in ("continuing_subword_prefix", "end_of_word_suffix") if model.get(key)]:
        raise _misfit("marks where words begin or end, and loses the spaces", affixes)
    cuts = [_cut(part) for part in _cuts(found)]
    bytewise = any(part["type"] == "ByteLevel" for part in cuts)
    if not bytewise and not model.get("byte_fallback"):
        raise _misfit("has unknown tokens: letters that it never saw are lost", model.get("unk_token"))
    kept = [part for part in _flat(found.get("normalizer"), "normalizers") if _keeps(part)]
    usual = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        **found,
        **dict.fromkeys(("truncation", "padding", "post_processor", "decoder")),
        "added_tokens": [{**token, **usual} for token in found.get("added_tokens", ())],
        "normalizer": {"type": "Sequence", "normalizers": kept} if kept else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": cuts} if cuts else None,
        "model": {**model, "dropout": None},
    }


def _flat(part: Part | None, key: str) -> list[Part]:
    if part is None:
        return []
    return [one for below in part[key] for one in _flat(below, key)] if part["type"] == "Sequence" else [part]


def _cuts(file: Mapping[str, Any]) -> list[Part]:
    return _flat(file.get("pre_tokenizer"), "pretokenizers")


def _cut(part: Part) -> Part:
    """A way to cut a text that puts nothing before it."""
    if part["type"] not in LOSSLESS or part.get("behavior") == "Removed":
        raise _misfit("drops what stands between words", part["type"])
    if part["type"] == "Metaspace":
        if part.get("replacement") != SPACE:
            raise _misfit("writes spaces as another letter", part.get("replacement"))
        return {**part, "prepend_scheme": "never"}
    return {**part, "add_prefix_space": False} if part["type"] == "ByteLevel" else part


def _keeps(part: Part) -> bool:
    """Whether a change of the text before it is cut is needed; refused when it loses something."""
    if part["type"] in ("Prepend", "NFC"):
        return False
    if part["type"] == "Replace" and part.get("content") == SPACE and part.get("pattern") == {"String": " "}:
        return True
    raise _misfit("changes texts before it reads them, so that they would not come back", part["type"])


def _misfit(wrong: str, found: object) -> DataError:
    return DataError(
        f"The tokenizer of the base {wrong}",
        found=found,
        do="Take a base whose tokenizer.json is a byte-level encoding (GPT-2, Llama, Qwen, Mistral and others)",
    )
