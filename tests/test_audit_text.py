"""The audit of texts must be able to fail: fresh real texts pass, and each bad generator is caught by the measure that
is meant for it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import made_texts as made
from anew.audit import MEASURES, Finding, Report, audit
from anew.audit.byte_model import ByteModel
from anew.audit.linear import tell_apart
from anew.audit.measures.divergence import frontier
from anew.audit.near import alike
from anew.audit.phrases import Phrases, self_bleu, traits
from anew.audit.runs import runs
from anew.core.schema import Field, Schema

N = 240  # rows a side
OF_TEXTS = [name for name in MEASURES.names if MEASURES[name].kinds == {"text"}]
EVIL = '<script>alert("x")</script>'

pytestmark = pytest.mark.usefixtures("without_minilm")


@cache
def real(seed: int) -> pl.DataFrame:
    return made.frame(N, seed)


def drawn(control: str) -> pl.DataFrame:
    """A sample of a generator."""
    rng = np.random.default_rng(7)
    fresh = real(2)
    stories = fresh["story"].to_list()
    return {
        "fresh": lambda: fresh,
        "copier": lambda: real(0)[rng.integers(0, N, N)],
        "word salad": lambda: fresh.with_columns(
            pl.Series("story", [" ".join(rng.permutation(text.split())) for text in stories])
        ),
        "deaf": lambda: fresh.with_columns(fresh["topic"].gather(rng.permutation(N))),
        "parrot": lambda: fresh.with_columns(pl.lit(stories[0]).alias("story")),
    }[control]()


def report(control: str, measures: Sequence[str] | None = None) -> Report:
    return audit(real(0), real(1), drawn(control), made.SCHEMA, target="topic", measures=measures)


@pytest.fixture(scope="module")
def fresh() -> Report:
    return report("fresh")


CAUGHT = [
    ("copier", "novelty", "texts with a long copied span"),
    ("copier", "novelty", "longest copied span"),
    ("copier", "novelty", "near duplicates"),
    ("copier", "copies", "exact copies"),
    ("word salad", "bits", "bits a byte, read"),
    ("word salad", "bits", "bits a byte of real text"),
    ("word salad", "text_detectable", "telling"),
    ("deaf", "read_back", "topic read back"),
    ("deaf", "text_utility", "reading topic"),
    ("parrot", "variety", "distinct-2"),
    ("parrot", "variety", "self-BLEU"),
    ("parrot", "variety", "lengths"),
    ("parrot", "divergence", "overlap"),
]


def test_fresh_texts_pass_everything(fresh: Report) -> None:
    assert fresh.passed, fresh.verdict
    assert {found.measure for found in fresh.findings} >= set(OF_TEXTS)
    assert [found.name for found in fresh.findings if found.verdict in ("poor", "fair")] == []
    judged = {found.measure for found in fresh.findings if found.verdict == "good"}
    assert judged >= set(OF_TEXTS)


@pytest.mark.parametrize(("control", "measure", "starts"), CAUGHT)
def test_control_is_caught(control: str, measure: str, starts: str) -> None:
    found = _caught(control)
    one = found.find(measure, starts)
    assert isinstance(one, Finding)
    assert one.verdict == "poor", one
    assert not found.passed


@cache
def _caught(control: str) -> Report:
    """What the measures that are meant for a control say of it."""
    return report(control, sorted({measure for other, measure, _ in CAUGHT if other == control}))


def test_a_single_long_copy_is_told_by_the_longest_span() -> None:
    cells = drawn("fresh")["story"].to_list()
    longest = max(real(0)["story"], key=len)
    cells[3] = f"{cells[3]} {longest}"
    rows = drawn("fresh").with_columns(pl.Series("story", cells))
    found = audit(real(0), real(1), rows, made.SCHEMA, measures=["novelty"])
    one = found.find("novelty", "longest")
    assert one is not None
    assert (one.value, one.verdict) == (len(longest), "poor")
    closest = found.pictures.passages[0].closest[0]
    assert closest.length == len(longest)
    assert real(0)["story"][closest.row] == longest
    assert [piece.text for piece in closest.synthetic if piece.copied] == [longest]


# ---------------------------------------------------------------- real texts


def shakespeare(shared: Path, part: str) -> str:
    return (shared / "data" / "text" / "tiny_shakespeare" / f"{part}.txt").read_text(encoding="utf-8")


def test_real_text_repeats_real_text_for_eight_characters(shared: Path) -> None:
    """Held-out Shakespeare: from a character on, 7.6 to 8.1 characters stand in the training text on average."""
    found = runs([shakespeare(shared, "train")], [shakespeare(shared, part) for part in ("valid", "test")])
    assert found.length.mean() == pytest.approx(7.85, abs=0.01)
    assert found.longest.max() < 60


def test_the_byte_model_is_as_good_as_kneser_neys_of_the_literature(shared: Path) -> None:
    """1.523 nats a character of the last tenth, at order 5 (FACTS)."""
    bits, sizes = ByteModel([shakespeare(shared, "train")]).bits([shakespeare(shared, p) for p in ("valid", "test")])
    assert bits.sum() / sizes.sum() * np.log(2) == pytest.approx(1.523, abs=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny_shakespeare", "movie_sentences", "product_copy"])
def test_real_against_real_passes(shared: Path, name: str) -> None:
    if name == "tiny_shakespeare":
        whole = pl.DataFrame({"text": [part for part in shakespeare(shared, "train").split("\n\n") if part.strip()]})
    else:
        whole = pl.read_parquet(shared / "data" / "text" / name / "data.parquet").select(
            *(["label", "text"] if name == "movie_sentences" else ["category", "tagline", "description"])
        )
    rows = whole.cast(pl.String).sample(fraction=1, shuffle=True, seed=1)
    fields = [
        Field(name=name, kind="category" if name in ("label", "category") else "text", dtype="String")
        for name in rows.columns
    ]
    n = min(len(rows) // 3, 2000)
    parts = (rows[:n], rows[n : 2 * n], rows[2 * n : 3 * n])
    found = audit(*parts, Schema(fields=tuple(fields)), target=None if len(fields) == 1 else fields[0].name)
    assert found.passed, found.verdict


# ---------------------------------------------------------------- the page


def test_the_page_marks_copied_spans_and_quotes_no_training_text() -> None:
    found = _caught("copier")
    page = found.to_html()
    assert page.count("<mark>") > 6
    assert json.loads(found.to_json())["figures"]["passages"][0]["closest"][0]["row"] >= 0
    hidden = found.to_html(rows=False)
    assert "<mark>" not in hidden
    assert "Real, held out" not in hidden


def test_the_page_of_fresh_texts_shows_no_training_text(fresh: Report) -> None:
    page = fresh.to_html()
    assert real(1)["story"][_first(fresh.pictures.passages[0].real[0].pieces[0].text)][:60] in page
    assert [text for text in real(0)["story"] if text[:60] in page] == []


def _first(text: str) -> int:
    return next(i for i, story in enumerate(real(1)["story"]) if story.startswith(text.removesuffix("…")))


def test_texts_never_become_markup() -> None:
    frames = [frame.with_columns(pl.col("story") + EVIL) for frame in (real(0), real(1), drawn("copier"))]
    page = audit(*frames, made.SCHEMA, measures=["novelty"]).to_html()
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://", page)


# ---------------------------------------------------------------- records of other kinds


def test_texts_alone() -> None:
    schema = made.SCHEMA.select(["story"])
    found = audit(*(frame.select("story") for frame in (real(0), real(1), real(2))), schema)
    assert found.passed
    assert {one.measure for one in found.findings} == set(OF_TEXTS) - {"read_back", "text_utility"}


def test_other_columns_are_judged_as_before() -> None:
    length = pl.col("story").str.len_chars().alias("length")
    frames = [real(k).with_columns(length) for k in range(3)]
    schema = Schema(fields=(*made.SCHEMA.fields, Field(name="length", kind="integer", dtype="UInt32")))
    asked = ["shape", "pairs", "detectable", "membership"]
    beside, alone = (
        audit(*frames, fields, target="topic", measures=asked)
        for fields in (schema, schema.select(["topic", "length"]))
    )
    assert [(one.value, one.verdict) for one in beside.findings] == [(one.value, one.verdict) for one in alone.findings]
    assert {one.name for one in beside.findings if one.measure == "detectable"} == {
        "telling synthetic from fresh rows, texts aside"
    }
    assert "synthetic row from a real one (texts aside)" in beside.to_html()
    assert "texts aside" not in alone.to_html()


def test_where_held_out_texts_are_of_another_kind_training_texts_stand_for_real_ones() -> None:
    other = real(1).with_columns(pl.col("story").str.replace_all("a", "y"))
    for control, verdicts in (("fresh", {"good", "told"}), ("word salad", {"poor"})):
        found = audit(real(0), other, drawn(control), made.SCHEMA, measures=["text_detectable", "bits"])
        assert {one.verdict for one in found.findings} <= verdicts, found.findings
        assert all("another kind" in one.words for one in found.findings)


def test_blank_texts_are_counted() -> None:
    gone = pl.Series(np.arange(N) % 3 == 0)
    frames = [frame.with_columns(pl.when(~gone).then("story")) for frame in (real(0), real(1))]
    found = audit(*frames, real(2), made.SCHEMA, measures=["variety"])
    one = found.find("variety", "blank")
    assert one is not None
    assert (one.value, one.verdict) == (0.0, "poor")


def test_texts_that_were_given_are_not_judged() -> None:
    found = audit(real(0), real(1), real(0), made.SCHEMA, target="topic", given=["story"])
    assert {one.measure for one in found.findings}.isdisjoint(OF_TEXTS)
    assert found.pictures.passages == []


def test_the_label_of_a_condition_is_read_back() -> None:
    for topic, verdict in ((made.TOPICS[0], "good"), (made.TOPICS[1], "poor")):
        rows = drawn("fresh").filter(pl.col("topic") == topic).with_columns(pl.lit(made.TOPICS[0]).alias("topic"))
        found = audit(
            real(0), real(1), rows, made.SCHEMA, where={"topic": made.TOPICS[0]}, measures=["read_back", "text_utility"]
        )
        assert [one.verdict for one in found.findings if one.measure == "read_back"] == [verdict], found.findings


@pytest.mark.parametrize("sizes", [(30, 5, 30), (12, 2, 12), (60, 25, 25)])
def test_hardly_any_rows_give_no_alarm(sizes: tuple[int, int, int]) -> None:
    frames = [real(k).head(size) for k, size in enumerate(sizes)]
    found = audit(*frames, made.SCHEMA, target="topic", measures=OF_TEXTS)
    assert found.passed, found.verdict
    assert "<html" in found.to_html()


@pytest.mark.parametrize("cell", ["", "a", "é" * 40, "\n\n", "\U0001f600 ok", "0 1 2"])
def test_odd_texts(cell: str) -> None:
    frames = [pl.DataFrame({"story": [cell, "b c"] * 20}) for _ in range(3)]
    found = audit(*frames, Schema(fields=(made.SCHEMA["story"],)))
    assert found.passed, found.verdict
    assert "<html" in found.to_html()


def test_the_same_arguments_give_the_same_findings() -> None:
    first, second = (report("deaf", OF_TEXTS) for _ in range(2))
    assert [str(one) for one in first.findings] == [str(one) for one in second.findings]
    assert first.pictures == second.pictures


# ---------------------------------------------------------------- the mathematics


@pytest.mark.parametrize("letters", ["ab", "aé€"])
def test_runs_are_the_longest_that_there_are(letters: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(8):
        known, asked = ([_word(rng, letters, 30) for _ in range(n)] for n in (5, 4))
        assert runs(known, asked).length.tolist() == [_longest(known, text[i:]) for text in asked for i in _at(text)]
        others = [
            _longest([k for j, k in enumerate(known) if j != i], t[p:]) for i, t in enumerate(known) for p in _at(t)
        ]
        assert runs(known, known, np.arange(5)).length.tolist() == others


def _word(rng: np.random.Generator, letters: str, most: int) -> str:
    return "".join(rng.choice(list(letters), rng.integers(0, most)))


def _at(text: str) -> range:
    return range(len(text))


def _longest(known: Sequence[str], text: str) -> int:
    return max((n for n in range(1, len(text) + 1) if any(text[:n] in one for one in known)), default=0)


def test_a_run_is_found_where_it_stands() -> None:
    found = runs(["one two three", "four five six"], ["nine five size"])
    at, length, source = found.best(0)
    assert (at, length) == (4, len(" five si"))
    assert source == len("one two three") + 1 + len("four")


def test_bits_are_those_of_the_bytes() -> None:
    model = ByteModel(["abababab"] * 50)
    bits, sizes = model.bits(["abab", "zz", ""])
    assert sizes.tolist() == [5, 3, 1]
    assert bits[0] / 5 < 2 < bits[1] / 3


def test_frontier_of_equal_and_of_disjoint_shares() -> None:
    p, q = np.array([0.5, 0.5, 0, 0]), np.array([0, 0, 0.5, 0.5])
    assert frontier(p, p) == pytest.approx(1)
    assert frontier(p, q) < 0.05
    assert frontier(p, (p + q) / 2) == pytest.approx(frontier((p + q) / 2, p))


def test_self_bleu_of_known_texts() -> None:
    same, other = "the cat sat on the mat", "a dog ran in some park"
    assert self_bleu(Phrases.of([same, same])).tolist() == pytest.approx([1, 1])
    assert self_bleu(Phrases.of([same, other])).max() < 0.05
    # 1-grams: 5 of 6 (the twice, once in the other); 2-grams 3 of 5, 3-grams 2 of 4, 4-grams 1 of 3; equal lengths.
    near = self_bleu(Phrases.of([same, "the cat sat on one rug"]))
    assert near[0] == pytest.approx((4 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)


def test_distinct_and_traits() -> None:
    phrases = Phrases.of(["a b a b", "b a"])
    assert phrases.distinct(1, 1, 6).tolist() == [2 / 6]
    assert phrases.distinct(2, 1, 6).tolist() == [2 / 4]  # no pair runs from one text into the next
    found = traits(["One two. Three!"])
    assert {name: values[0] for name, values in found.items()} == pytest.approx(
        {"characters": 15, "words": 3, "letters a word": 11 / 3, "words a sentence": 1.5}
    )


def test_likeness_is_jaccards_index() -> None:
    known = ["abcdefghijkl", "something else"]
    assert alike(known, ["abcdefghijkl", "abcdefghijkX", "not at all alike"]).tolist() == pytest.approx([1, 4 / 6, 0])
    stories, asked = real(0)["story"].to_list()[:80], real(1)["story"].to_list()[:40]
    sets = [[{text[i : i + 8] for i in range(len(text) - 7)} for text in texts] for texts in (stories, asked)]
    index = [max(len(mine & other) / len(mine | other) for other in sets[0]) for mine in sets[1]]
    assert alike(stories, asked).tolist() == pytest.approx(index)


def test_machines_tell_nothing_of_equal_samples() -> None:
    from scipy import sparse

    rng = np.random.default_rng(0)
    rows = rng.poisson(0.1, (400, 300)).astype(np.float32)
    assert tell_apart(sparse.csr_matrix(rows), 0).low < 0.5 < tell_apart(sparse.csr_matrix(rows), 0).high
    rows[200:, 0] += 3
    assert tell_apart(sparse.csr_matrix(rows), 0).value > 0.95
