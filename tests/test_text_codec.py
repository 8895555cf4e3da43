"""The codec of texts: every string comes back, in bytes and in pieces; prompts, stops and gaps are said in tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anew.codecs import text as module
from anew.codecs._vocabulary import END, learned
from anew.codecs.text import Text
from anew.core.ragged import Ragged
from anew.core.release import exact
from anew.core.schema import Field, Schema

SCHEMA = Schema(fields=(Field(name="t", kind="text", dtype="String", missing=True),))
SAID = ["the cat sat on the mat", "the dog sat on the cat", None, "", "naïve 🎉 日本語\r\n\0"] * 8


def codec(cells: list[str | None] = SAID, **field: object) -> Text:
    made = Text(Schema(fields=(SCHEMA.fields[0].model_copy(update=field),)))
    made.fit(pl.DataFrame({"t": pl.Series(cells, dtype=pl.String)}), exact())
    return made


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Text:
    monkeypatch.setattr(module, "CORPUS", 100)
    return codec()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text()), max_size=4))
def test_every_string_comes_back(cells: list[str | None]) -> None:
    frame = pl.DataFrame({"t": pl.Series(cells, dtype=pl.String)})
    for kind in KINDS:
        assert kind.decode(kind.encode(frame, "Sequence"), "Sequence").equals(frame)


def _in_pieces() -> Text:
    made = codec()
    made.vocabulary = learned([cell for cell in SAID if cell])
    return made


KINDS = [codec(), _in_pieces()]


def test_pieces_are_learned_from_a_corpus_and_saved(pieces: Text) -> None:
    assert pieces.vocabulary.size > 262
    frame = pl.DataFrame({"t": pl.Series(SAID)})
    tokens = pieces.encode(frame, "Sequence")
    assert len(tokens.tokens) < len(KINDS[0].encode(frame, "Sequence").tokens)
    again = Text(SCHEMA)
    again.restore(*pieces.state())
    assert np.array_equal(again.encode(frame, "Sequence").tokens, tokens.tokens)


def test_a_model_of_captions_of_before_is_still_read() -> None:
    old = Text(SCHEMA)
    old.restore({"vocabulary": ["cat"], "length": 2}, {})
    assert old.encode(pl.DataFrame({"t": ["a cat"]}), "Words").x.tolist() == [[0, 1]]


def test_passages_have_nothing_between_them() -> None:
    made = codec(["One.\n\n", "Two.\n\n", "Three."], continues=True)
    tokens = made.encode(pl.DataFrame({"t": ["One.\n\n", "Two."]}), "Sequence")
    assert bytes(tokens.tokens.tolist()) == b"One.\n\nTwo."
    space = made.space("Sequence")
    assert (space.opening, space.continuing) == ((10, 10), True)


def test_a_text_that_breaks_off_within_a_letter_ends_before_it() -> None:
    whole = np.frombuffer("né".encode(), np.uint8).astype(np.int32)
    cells = codec().decode(Ragged.of([whole, whole[:2], [0xC3, 0x28]]), "Sequence")["t"]
    assert cells.to_list() == ["né", "n", "\ufffd("]


@pytest.mark.parametrize("kind", KINDS, ids=["bytes", "pieces"])
def test_a_stop_cuts_the_row_where_it_stands(kind: Text) -> None:
    stop = kind.said("stop", ["sat on"])
    row = list(kind.said("prompt", "the cat sat on"))
    assert stop(row[:2]) is None
    assert kind.vocabulary.bytes_of(stop(row)) == b"the cat "


@pytest.mark.parametrize("kind", KINDS, ids=["bytes", "pieces"])
def test_gaps_are_marked_as_unknown(kind: Text) -> None:
    x, known = kind.gaps(pl.DataFrame({"t": ["the [...] mat", "the [...]", "all"]}), "[...]")
    assert (~known).sum() == 2
    assert x[0][-1] == x[2][-1] == END
    assert not known[x.ends[2] - 1], "a gap at the end is written on"


@pytest.mark.slow
def test_a_megabyte_in_pieces(shared: Path) -> None:
    content = (shared / "data" / "text" / "tiny_shakespeare" / "train.txt").read_text()
    vocabulary = learned([content], 500)
    tokens = next(vocabulary.encode([content]))
    assert vocabulary.bytes_of(tokens).decode() == content
    assert len(tokens) < 0.6 * len(content)
