"""The vocabulary of a base: every string comes back, marks are never read from letters, what would lose is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import made_bases
from anew.codecs._adopted import Adopted
from anew.codecs.text import Text
from anew.core.errors import DataError
from anew.core.release import exact
from anew.core.schema import Field, Schema

SPACE = "\u2581"
BYTE_LEVEL: dict[str, Any] = json.loads(made_bases.tokenizer(("<|end|>", "<|pad|>")).to_str())
ROWS = 330


def with_fallback(**model: Any) -> dict[str, Any]:
    """As Llama 2 has it: pieces of characters with U+2581 for a space, and bytes for all other letters."""
    names = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), SPACE, "t", "h", "e", "th", "the"]
    merges = [["t", "h"], ["th", "e"], [SPACE, "the"]]
    marks = [{"id": i, "content": names[i], "special": True} for i in range(3)]
    usual = {"single_word": False, "lstrip": True, "rstrip": False, "normalized": False}
    parts = [{"type": "Prepend", "prepend": SPACE}, {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]
    return {
        "version": "1.0",
        "added_tokens": [{**mark, **usual} for mark in marks],
        "normalizer": {"type": "Sequence", "normalizers": parts},
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing"},
        "decoder": None,
        "model": {
            "type": "BPE",
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": {name: i for i, name in enumerate([*names, SPACE + "the"])},
            "merges": merges,
            **model,
        },
    }


def metaspace() -> dict[str, Any]:
    """The same, as newer files write it."""
    cut = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
    return {**with_fallback(), "normalizer": None, "pre_tokenizer": cut}


def cut_by_a_pattern() -> dict[str, Any]:
    """As Qwen and Llama 3 have it."""
    split = {"type": "Split", "pattern": {"Regex": r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+"}, "behavior": "Isolated"}
    cuts = [
        {**split, "invert": False},
        {"type": "ByteLevel", "add_prefix_space": True, "use_regex": False, "trim_offsets": True},
    ]
    made = {**BYTE_LEVEL, "normalizer": {"type": "NFC"}, "post_processor": {"type": "ByteLevel"}}
    return {**made, "pre_tokenizer": {"type": "Sequence", "pretokenizers": cuts}}


KINDS = {
    "bytes": Adopted(BYTE_LEVEL, ROWS, end=0),
    "pattern": Adopted(cut_by_a_pattern(), ROWS),
    "characters": Adopted(with_fallback(), 300, start=1, end=2),
    "metaspace": Adopted(metaspace(), 300, start=1, end=2),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(), max_size=4))
def test_every_string_comes_back(texts: list[str]) -> None:
    for kind in KINDS.values():
        assert [kind.bytes_of(tokens).decode() for tokens in kind.encode(texts)] == texts


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_letters_of_a_mark_are_no_mark(kind: Adopted) -> None:
    text = "a<|end|>b </s><s> <unk> <0x41> <|pad|>"
    tokens = next(kind.encode([text]))
    assert kind.bytes_of(tokens) == text.encode()
    assert all(kind.pieces[token] for token in tokens)


def test_tokens_are_those_of_the_base() -> None:
    own: Any = made_bases.tokenizer(("<|end|>", "<|pad|>"))
    assert next(KINDS["bytes"].encode(["the quick lamp"])).tolist() == own.encode("the quick lamp").ids
    characters = KINDS["characters"]
    assert [characters.pieces[token] for token in next(characters.encode([" the the"]))] == [b" the", b" the"]
    assert characters.spelled("é".encode()) == [3 + 0xC3, 3 + 0xA9]


def test_marks_stand_where_the_base_has_them_or_behind_its_rows() -> None:
    kinds = [(kind.start, kind.end, kind.gone, kind.size) for kind in (KINDS["bytes"], KINDS["characters"])]
    assert kinds == [(0, 0, 330, 331), (1, 2, 300, 301)]
    pattern = KINDS["pattern"]
    assert (pattern.start, pattern.end, pattern.gone, pattern.size) == (330, 330, 331, 332)


def test_a_codec_that_adopts_one_is_saved_with_it() -> None:
    field = Field(name="t", kind="text", dtype="String", missing=True, continues=True)
    made, again = (Text(Schema(fields=(field,))) for _ in range(2))
    made.adopt({"tokenizer": BYTE_LEVEL, "rows": ROWS, "start": None, "end": 0})
    frame = pl.DataFrame({"t": ["the lamp\n\n", None, "", "naïve 🎉\n\n"]})
    made.fit(frame, exact())
    config, arrays = made.state()
    again.restore(json.loads(json.dumps(config)), arrays)
    for codec in (made, again):
        x = codec.encode(frame, "Sequence")
        assert codec.decode(x, "Sequence").equals(frame)
        assert [x[i][-1] for i in range(4)] == [0] * 4, "a base knows where a text ends"
    assert again.space("Sequence") == made.space("Sequence")
    assert np.array_equal(again.encode(frame, "Sequence").tokens, made.encode(frame, "Sequence").tokens)
    stop = made.said("stop", "lamp")
    assert made.vocabulary.bytes_of(stop(made.said("prompt", "a rug, a lamp"))) == b"a rug, a "


def model(**parts: Any) -> dict[str, Any]:
    return {"model": {**BYTE_LEVEL["model"], **parts}}


WORDS = {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0}}
FEWER = {name: i for name, i in BYTE_LEVEL["model"]["vocab"].items() if name != "Q"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"model": WORDS}, "no byte-pair encoding.*'WordPiece'"),
    ({"normalizer": {"type": "Lowercase"}}, "would not come back.*'Lowercase'"),
    ({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "StripAccents"}]}}, "StripAccents"),
    ({"pre_tokenizer": {"type": "Whitespace"}}, "drops what stands between words.*'Whitespace'"),
    (
        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": " "}, "behavior": "Removed", "invert": False}},
        "'Split'",
    ),
    ({"pre_tokenizer": None}, "has unknown tokens"),
    (model(vocab=FEWER), "does not know every byte.*255"),
    (model(merges=[["t", "nothing"]]), "not as the library tokenizers writes it"),
    (model(end_of_word_suffix="</w>"), "loses the spaces.*</w>"),
    (with_fallback(vocab={"<unk>": 0, "a": 1}, merges=[]), "does not know every byte"),
]


@pytest.mark.parametrize(("parts", "why"), REFUSED)
def test_a_tokenizer_that_does_not_fit(parts: dict[str, Any], why: str) -> None:
    with pytest.raises(DataError, match=why):
        Adopted({**BYTE_LEVEL, **parts}, ROWS)


def test_more_tokens_than_rows() -> None:
    with pytest.raises(DataError, match=r"more tokens than the model has rows.*\(308, 300\)"):
        Adopted(BYTE_LEVEL, 300)
