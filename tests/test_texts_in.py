"""Plain texts as data: one file in passages, a folder of files, and what is no text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import anew
from anew.core.errors import DataError
from anew.data.dataset import Dataset
from anew.data.formats.passages import cut

PLAY = "".join(f"SPEAKER {i}:\nNow what {i} news on the Rialto, café?\n\n" for i in range(60))


def test_passages_joined_are_the_file(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text(PLAY, encoding="utf-8")
    data = Dataset.open(tmp_path / "play.txt")
    field = data.schema["text"]
    assert (field.kind, field.continues) == ("text", True)
    assert "".join(data.frame["text"]) == PLAY
    assert len(data.frame) >= 15
    assert all(passage.endswith("\n\n") for passage in data.frame["text"])


@pytest.mark.parametrize("text", ["word " * 500, "x" * 5000, "a\n" * 900, "\n\n\n" * 50 + "b", "日本語" * 1000])
def test_any_text_is_cut_and_nothing_is_lost(text: str) -> None:
    passages = cut(text, 100)
    assert "".join(passages) == text
    assert all(len(passage) >= 50 for passage in passages)


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8-sig", "byte-order mark"), ("utf-16", "utf-16"), ("latin-1", "windows-1252")],
)
def test_encodings_are_read_and_told(encoding: str, note: str, tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_bytes(PLAY.encode(encoding))
    data = Dataset.open(tmp_path / "play.txt")
    assert "".join(data.frame["text"]) == PLAY
    assert any(note in told for told in data.notes)


REFUSED: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "is empty"),
    "only white space": (b" \n\t\n \n", "nothing but white space"),
    "binary posing as text": (bytes(range(256)) * 20, "neither text nor"),
    "mixed encodings": (PLAY.encode() + b"caf\xe9\n", r"UTF-8 text with 1 broken byte, the first in line 181"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_text_is_refused(case: str, tmp_path: Path) -> None:
    content, said = REFUSED[case]
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=said):
        Dataset.open(tmp_path / "a.txt")


def test_one_line_is_too_little_to_learn_from(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Hello")
    with pytest.raises(DataError, match="fewer than 3 rows"):
        anew.fit(tmp_path / "a.txt", dry_run=True)


def test_a_table_that_ends_in_txt_is_still_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("age\tward\n" + "30\ta\n41\tb\n" * 20)
    assert Dataset.open(tmp_path / "a.txt").schema.names == ("age", "ward")


def test_a_folder_of_texts_has_its_sub_folders_as_labels(tmp_path: Path) -> None:
    for label in ("good", "bad"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for i in range(4):
            (tmp_path / "data" / label / f"{i}.txt").write_text(f"A {label} day, number {i}.\n")
    (tmp_path / "data" / "good" / "empty.txt").write_text(" ")
    (tmp_path / "data" / "notes.pdf").write_bytes(b"%PDF")
    data = Dataset.open(tmp_path / "data")
    assert data.schema.names == ("text", "label")
    assert [data.schema[name].kind for name in data.schema.names] == ["text", "category"]
    assert data.frame.filter(label="bad")["text"].to_list() == [f"A bad day, number {i}.\n" for i in range(4)]
    assert any("notes.pdf" in note for note in data.notes)
    assert any("empty.txt" in note for note in data.notes)


def test_a_text_is_written_as_it_was_read(tmp_path: Path) -> None:
    from anew.data.formats.frames import write

    (tmp_path / "play.txt").write_text(PLAY, encoding="utf-8")
    data = Dataset.open(tmp_path / "play.txt")
    write(data.frame, tmp_path / "again.txt", data.schema)
    assert (tmp_path / "again.txt").read_text(encoding="utf-8") == PLAY


def test_what_surrounds_a_gap_stays_with_it(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text(PLAY, encoding="utf-8")
    schema = Dataset.open(tmp_path / "play.txt").schema
    (tmp_path / "gap.txt").write_text("A [...] day.\n\nAnother one, long after.\n")
    assert len(Dataset.open(tmp_path / "gap.txt", like=schema, partly=True).frame) == 1
    assert re.match("encoding|one text", Dataset.open(tmp_path / "play.txt").notes[0])
