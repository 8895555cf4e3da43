"""Texts of one column: tokens to be learned and written, and words to be given.

`Sequence`: UTF-8 in a vocabulary of bytes, of pieces of bytes where there are more than CORPUS of them, or in that of a
model to start from (_adopted.py); each text of its own length, ended by END; decode(encode(x)) is x for every string. A
text that is missing is the token GONE. Texts that continue one another (the passages of one file) have nothing between
them: they open after a blank line, or a line. A model to start from knows itself where a text ends.
`Tokens`: short texts as so many positions with one vocabulary (`_whole`).

Given are: `Words`, the words of a cell (`_words`); `Sentence`, what the whole cell means, as the unit vector of MiniLM
(core/minilm.py) times sqrt(H), so that a number has about unit variance, read in place of the words wherever that
package is installed: a word that training never saw then lies near those that it did; `Columns`, no column, but beside
it the cell's bags of n-grams (_bags.py), for solvers; `Meaning`, the same with what MiniLM reads in the whole of it;
`Passage`, its words and marks in order (_passage.py). The last three are prepared only when a factor reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anew.codecs._adopted import Adopted
from anew.codecs._bags import Bags
from anew.codecs._passage import Passage
from anew.codecs._spans import spread
from anew.codecs._vocabulary import Vocabulary, learned
from anew.codecs._whole import LONGEST as MOST_AT_ONCE
from anew.codecs._whole import Whole, cut
from anew.codecs._words import MEANING, Words, read_by_layers, sentences
from anew.core.codec import Codec
from anew.core.columns import Cells, Columns, Floats
from anew.core.errors import UsageError
from anew.core.learner import Arrays, Config
from anew.core.ragged import Bools, Ragged
from anew.core.release import Release
from anew.core.schema import Schema
from anew.grammar.beside import Beside
from anew.grammar.languages import LANGUAGES
from anew.grammar.tokens import Guide
from anew.grammar.wording import lengths, standing

CORPUS = 3_000_000  # bytes from which pieces are learned
OPENINGS = ("\r\n\r\n", "\n\n", "\r\n", "\n")  # that may stand between two passages
LONGEST = 16_384  # tokens of a draw, at most
TOLD, SCALAR = 96, 64  # tokens of a field that is told before a text, and of one of a scalar, at most
BREAK = 2  # a passage may be so many times as long as the longest; a text, as long as the longest


class Text(Codec[pl.DataFrame]):
    """One column of texts."""

    kinds = frozenset({"text"})
    views = ("Sequence", "Tokens")
    answers = ("Words", "Sentence", "Columns", "Meaning", "Passage")

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        if len(schema) != 1:
            raise UsageError("A codec of texts has one column", found=schema.names)
        self.field = schema.fields[0]
        self.words = Words()
        self.sentences = False  # whether cells are read by MiniLM
        self.bags: Bags | None = None  # of n-grams, for solvers
        self.passage: Passage | None = None  # for networks that read
        self.vocabulary = Vocabulary()
        self.opening = ""  # where passages continue one another
        self.least, self.most = 0, 1024
        self.whole = Whole()

    @property
    def learned(self) -> tuple[Any, ...]:
        """The fields that a learner sees."""
        return (self.field,)

    def adopt(self, words: Mapping[str, Any]) -> None:
        self.vocabulary = Adopted(**words)

    @property
    def _adopted(self) -> bool:
        return isinstance(self.vocabulary, Adopted)

    def fit(self, data: pl.DataFrame, release: Release) -> None:
        from anew.core.minilm import installed

        self.sentences = installed()
        cells = data[self.field.name].drop_nulls()
        self.words = Words.of(cells, release)
        if not self._adopted and cells.str.len_bytes().sum() > CORPUS:
            self.vocabulary = learned(cells)
            release.note("pieces of words", self.field.name, len(self.vocabulary.merges))
        lengths = Ragged.of(self.vocabulary.encode(cells.to_list())).lengths
        self.opening = _opening(cells) if self.field.continues and not self._adopted else ""
        self.least = int(np.median(lengths)) if self.opening else 0
        self.most = int(min((BREAK if self.opening else 1) * lengths.max(initial=16), LONGEST))
        release.note("the length of a text", self.field.name, 2)
        if not self.field.continues:
            self.whole = Whole() if self._adopted else Whole.of(cells, self.vocabulary)
            release.note("frequent pieces of words", self.field.name, len(self.whole.vocabulary.merges) + 1)

    def prepare(self, view: str, data: pl.DataFrame, release: Release) -> None:
        """The n-grams that solvers read; the words that networks do."""
        if view in ("Columns", "Meaning") and self.bags is None:
            self.bags = Bags()
            self.bags.fit(self._cells(data), self.field.name, release)
        if view == "Passage":
            self.passage = Passage.of(self._cells(data), self.field.name, release)

    def _cells(self, data: pl.DataFrame) -> list[str]:
        return data[self.field.name].cast(pl.String).fill_null("").to_list()

    def has(self, view: str) -> bool:
        """Meanings where they were learned from, positions where texts are short."""
        able = {"Sentence": self.sentences, "Meaning": self.sentences, "Tokens": self.whole.wide > 0}
        return super().has(view) and able.get(view, True)

    def space(self, view: str) -> Any:
        if view in ("Columns", "Meaning"):
            return Columns((), ())
        if view == "Passage":
            assert self.passage is not None, "the view was not prepared"
            return self.passage.space()
        if view == "Words":
            return self.words.space()
        if view == "Sentence":
            from anew.core.space import Real

            return Real((MEANING,))
        if view == "Tokens":
            return self._positions()
        from anew.core.sequences import Sequences

        words = self.vocabulary
        opening = tuple(self._tokens(self.opening)) if self.opening else (words.start,)
        return Sequences(
            (self.vocabulary.size,), end=self.vocabulary.end, opening=opening, least=self.least, most=self.most
        )

    def _positions(self) -> Any:
        from anew.core.space import Tokens

        if not self.whole.wide:
            raise UsageError(
                "These texts are too long to be learned as a whole",
                found=f"{self.field.name}: texts of more than {MOST_AT_ONCE} pieces, or passages of one text",
                do="Fit with the objective next_token, which reads texts of any length",
            )
        return Tokens((self.whole.vocabulary.size,) * self.whole.wide, alike=True)

    # ---------------------------------------------------------------- encode and decode

    def encode(self, data: pl.DataFrame, view: str) -> Any:
        cells = data[self.field.name]
        if view in ("Columns", "Meaning"):
            assert self.bags is not None, "the view was not prepared"
            strings = self._cells(data)
            meanings = read_by_layers(strings) if view == "Meaning" else None
            return replace(Cells.empty(len(data), 0), bags=self.bags.bag(strings), meanings=meanings)
        if view == "Passage":
            assert self.passage is not None, "the view was not prepared"
            return self.passage.encode(self._cells(data))
        if view == "Words":
            return self.words.encode(cells)
        if view == "Sentence":
            return sentences(cells)
        there = cells.is_not_null().to_numpy()
        last = np.array([] if self.opening else [self.vocabulary.end], np.int32)
        known = cells.drop_nulls().cast(pl.String).to_list()
        if view == "Tokens":
            import torch

            from anew.core.batch import Encoded

            pieces, gone = self.whole.vocabulary.encode(known), self.whole.vocabulary.gone
            x = torch.from_numpy(self.whole.laid_out(next(pieces) if here else [gone] for here in there))
            return Encoded(x, torch.ones_like(x, dtype=torch.bool))
        texts, gone = self.vocabulary.encode(known), self.vocabulary.gone
        return Ragged.of(np.concatenate([next(texts) if here else [gone], last]) for here in there)

    def decode(self, x: Any, view: str) -> pl.DataFrame:
        if view not in self.views:
            raise UsageError(f"{view} is a view of texts that is read, never decoded")
        if view == "Tokens":
            cells = [_cell(row, self.whole.vocabulary) for row in cut(x.x.long().numpy())]
        else:
            cells = [_cell(x[i], self.vocabulary) for i in range(len(x))]
        return pl.DataFrame([pl.Series(self.field.name, cells, dtype=pl.String)])

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = next(self.vocabulary.encode([text])).tolist()
        return tokens

    # ---------------------------------------------------------------- what is told before a text

    def telling(self, other: Codec[Any] | None) -> Any:
        from anew.core.sequences import Told

        most = other.most if isinstance(other, Text) else SCALAR
        return Told((self.vocabulary.size,), most=min(most, TOLD))

    def told(self, cells: pl.Series) -> Any:
        """Each cell as a line under its column's name, cut where it is too long; an empty one is not said."""
        import torch

        from anew.core.batch import Encoded

        lines = ["" if cell is None else f"{cells.name}: {' '.join(str(cell).split())}\n" for cell in cells]
        rows = [row[:TOLD] for row in self.vocabulary.encode(lines)]
        x = np.zeros((len(rows), max(map(len, rows), default=0)), np.int64)
        present = np.zeros(x.shape, bool)
        for i, row in enumerate(rows):
            x[i, : len(row)], present[i, : len(row)] = row, True
        return Encoded(torch.from_numpy(x), torch.from_numpy(present))

    # ---------------------------------------------------------------- options of a draw, gaps

    def said(self, option: str, value: Any) -> Any:
        if option == "prompt":
            return tuple(self._tokens(_word(option, value)))
        if option == "stop":
            words = [value] if isinstance(value, str) else list(value)
            return self._stop([_word(option, word).encode() for word in words])
        if option in LANGUAGES:
            if option == "words":
                return self._worded(value)
            return Guide(LANGUAGES[option](value), self.vocabulary.pieces, self.vocabulary.end)
        return value

    def _worded(self, asked: Any) -> Guide | Beside:
        """What all texts are held to, or of a list what each is."""
        if isinstance(asked, list):
            made = {repr(one): self._worded(one) for one in asked}
            return Beside([made[repr(one)] for one in asked])  # type: ignore[misc]
        language, (least, most) = LANGUAGES["words"](asked), lengths(asked)
        pieces = list(self.vocabulary.pieces)
        signs = {self.vocabulary.spelled(sign.encode())[0]: text for sign, text in standing(asked).items()}
        for sign, text in signs.items():
            pieces[sign] = text.encode()
        return Guide(language, pieces, self.vocabulary.end, least=least, most=most, signs=list(signs))

    def _stop(self, words: Sequence[bytes]) -> Callable[[list[int]], list[int] | None]:
        """What a row keeps once one of the words stands in it: all before that."""
        reach = max(map(len, words))

        def stop(row: list[int]) -> list[int] | None:
            start = max(len(row) - reach - 1, 0)
            tail = self.vocabulary.bytes_of(row[start:])
            found = [place for place in map(tail.find, words) if place >= 0]
            return [*row[:start], *self.vocabulary.spelled(tail[: min(found)])] if found else None

        return stop

    def gaps(self, data: pl.DataFrame, mark: str) -> tuple[Ragged, Bools]:
        """Texts in which the first mark stands for what is not known, and which tokens are known (N,)."""
        rows, known, end = [], [], self.vocabulary.end
        for cell in data[self.field.name]:
            before, gap, after = (cell or "").partition(mark)
            last = [end] if (after or not gap) and not self.opening else []
            parts = self._tokens(before), [end] if gap else [], self._tokens(after) + last
            rows.append([token for part in parts for token in part])
            known.append(np.repeat([True, False, True], [len(part) for part in parts]))
        return Ragged.of(rows), np.concatenate([np.zeros(0, bool), *known])

    def spelled(self, data: pl.DataFrame, told: Any) -> list[Floats]:
        assert self.bags is not None, "the view was not prepared"
        return spread(self.bags, self._cells(data), told)

    def check_given(self, data: pl.DataFrame) -> None:
        self.words.check(data[self.field.name], self.sentences)

    # ---------------------------------------------------------------- state

    def state(self) -> tuple[Config, Arrays]:
        merges = self.vocabulary.state()
        words = {"vocabulary": self.words.vocabulary, "length": self.words.length, "sentences": self.sentences}
        base = {"base": self.vocabulary.source} if isinstance(self.vocabulary, Adopted) else {}
        written = {**base, "merges": merges, "opening": self.opening, "least": self.least, "most": self.most}
        read = {} if self.passage is None else {"passage": [self.passage.vocabulary, self.passage.length]}
        return {**words, **written, **read, **self.whole.state()}, {} if self.bags is None else self.bags.arrays()

    def restore(self, config: Config, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.words = Words(config["vocabulary"], config["length"])
        self.sentences = config.get("sentences", False)
        self.bags = Bags.restored(arrays)
        self.passage = Passage(*config["passage"]) if "passage" in config else None
        self.vocabulary = Vocabulary.restored(config.get("merges", []))  # models of captions had none
        if "base" in config:
            self.adopt(config["base"])
        self.opening = config.get("opening", "")
        self.least, self.most = config.get("least", 0), config.get("most", 1024)
        self.whole = Whole.restored(config)


def _opening(cells: pl.Series) -> str:
    """What most passages end with, so that another may begin; nothing where they were cut anywhere."""
    return next((mark for mark in OPENINGS if 2 * cells.str.ends_with(mark).sum() > len(cells)), "")


def _cell(row: npt.NDArray[np.integer] | Sequence[int], vocabulary: Vocabulary) -> str | None:
    """What was cut within a letter is left out, what is no UTF-8 becomes its sign; nothing where there is none."""
    if len(row) and row[0] == vocabulary.gone:
        return None
    content = vocabulary.bytes_of(row)
    text = content.decode(errors="replace")
    return text.rstrip("\ufffd") if _cut(content) else text


def _cut(content: bytes) -> bool:
    """Whether bytes end within a letter."""
    for back in range(1, min(len(content), 4) + 1):
        byte = content[-back]
        if byte >= 0xC0:
            return back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4)
        if byte < 0x80:
            return False
    return False


def _word(option: str, value: object) -> str:
    if not isinstance(value, str) or (not value and option == "stop"):
        raise UsageError(f"{option} is words", found=value)
    return value
